#include "entente/base/decimal.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <limits>

#include "entente/base/philox.hpp"

using namespace entente;

TEST_CASE("decimal writes floats as people do") {
    CHECK(decimal(0.1f) == "0.1");
    CHECK(decimal(-0.05f) == "-0.05");
    CHECK(decimal(1e-4f) == "0.0001");
    CHECK(decimal(1e-9f) == "1e-9");
    CHECK(decimal(-1.25e-12f) == "-1.25e-12");
    CHECK(decimal(2.5f) == "2.5");
    CHECK(decimal(1234.5f) == "1234.5");
    CHECK(decimal(0.0f) == "0");
    CHECK(decimal(-0.0f) == "0");
    CHECK(decimal(1e20f) == "1e20");
    CHECK(decimal(std::numeric_limits<float>::quiet_NaN()) == "nan");
    CHECK(decimal(-std::numeric_limits<float>::infinity()) == "-inf");
}

TEST_CASE("decimal writes doubles with nine digits and whole numbers in full") {
    CHECK(decimal(1.0 / 3) == "0.333333333");
    CHECK(decimal(2.0 / 3) == "0.666666667");
    CHECK(decimal(0.9999999999) == "1");
    CHECK(decimal(99999.99999) == "100000");
    CHECK(decimal(1796000873026.0) == "1796000873026");
    CHECK(decimal(-42.0) == "-42");
    CHECK(decimal(0.1 + 0.2) == "0.3");
    CHECK(decimal(1.5e300) == "1.5e300");
    CHECK(decimal(5e-324) != "0");
}

TEST_CASE("every float reads back as itself") {
    Philox random(derive_key(1, 0, {}, Purpose::test));
    for (int i = 0; i < 20'000; ++i) {
        const std::uint32_t bits = random.next_u32();
        float value = 0;
        std::memcpy(&value, &bits, sizeof value);
        if (!(value - value == 0)) continue;
        const std::string text = decimal(value);
        CAPTURE(text);
        REQUIRE(std::strtof(text.c_str(), nullptr) == value);
    }
}
