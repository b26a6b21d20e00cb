#include "entente/base/result.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <set>

using namespace entente;

namespace {

Result<int> half(int value) {
    if (value % 2 != 0) return Error{Code::invalid_argument, "test.odd", "expected an even number"};
    return value / 2;
}

Result<int> quarter(int value) {
    ENTENTE_ASSIGN(const int once, half(value));
    ENTENTE_ASSIGN(const int twice, half(once));
    return twice;
}

Status check_even(int value) {
    ENTENTE_TRY(half(value));
    return done();
}

constexpr Code all_codes[] = {Code::invalid_argument,  Code::unauthenticated,
                              Code::permission_denied, Code::not_found,
                              Code::conflict,          Code::gone,
                              Code::too_large,         Code::resource_exhausted,
                              Code::unavailable,       Code::no_space,
                              Code::deadline_exceeded, Code::cancelled,
                              Code::data_loss,         Code::internal};

}  // namespace

TEST_CASE("values and errors pass through the macros") {
    CHECK(quarter(8).value() == 2);
    CHECK(quarter(6).error().reason == "test.odd");
    CHECK(check_even(2).ok());
    CHECK(check_even(3).error() == Error{Code::invalid_argument, "test.odd", "expected an even number"});
}

TEST_CASE("a result can hold what only moves") {
    Result<std::unique_ptr<int>> result(std::make_unique<int>(3));
    const std::unique_ptr<int> taken = std::move(result).value();
    CHECK(*taken == 3);
}

TEST_CASE("every code has its own name and an HTTP error status") {
    std::set<std::string_view> names;
    for (const Code code : all_codes) {
        names.insert(to_string(code));
        CHECK(http_status(code) >= 400);
        CHECK(http_status(code) < 600);
    }
    CHECK(names.size() == std::size(all_codes));
    CHECK(http_status(Code::too_large) == 413);
    CHECK(http_status(Code::conflict) == 409);
    CHECK(to_string(Code::permission_denied) == "permission_denied");
}
