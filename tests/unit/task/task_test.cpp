#include "entente/task/task.hpp"

#include <doctest/doctest.h>

#include "unit/task/tables.hpp"

using namespace entente;
using tables::orders;

namespace {

template <class Change>
void check_refused(const char* reason, std::string_view said, Change change) {
    task::Task t = orders();
    REQUIRE(task::check(t).ok());
    change(t);
    const Status checked = task::check(t);
    REQUIRE_FALSE(checked.ok());
    INFO(checked.error().message);
    CHECK(checked.error().reason == reason);
    CHECK(checked.error().message.find(said) != std::string::npos);
}

}  // namespace

TEST_CASE("a task that leaks or does not hold together is refused") {
    check_refused("task.leak", "freight is of role \"forbidden\" and may not be an input: it is invoiced", [](task::Task& t) { t.features[1].column = "freight"; });
    check_refused("task.leak", "delivered is of role \"label\"", [](task::Task& t) { t.features[2].column = "delivered"; });
    check_refused("task.feature", "did you mean \"weight\"?", [](task::Task& t) { t.features[0].column = "wieght"; });
    check_refused("task.feature", "expected a column of kind \"category\"", [](task::Task& t) { t.features[1].column = "weight"; });
    check_refused("task.unit", "expected a unit that is known", [](task::Task& t) { t.columns[6].unit = "stone"; });
    check_refused("task.range", "least is not above", [](task::Task& t) { t.columns[6].least = 2000; });
    check_refused("task.column", "each column once", [](task::Task& t) { t.columns[6].name = "site"; });
    check_refused("task.column", "to say why", [](task::Task& t) { t.columns[7].why.clear(); });
    check_refused("task.label", "role \"label\", found weight", [](task::Task& t) { t.label.column = "weight"; });
    check_refused("task.split", "role \"group\", found site", [](task::Task& t) { t.split.keep_whole = "site"; });
    check_refused("task.window", "expected windows of several rows", [](task::Task& t) { t.window.summary = {task::Summary::mean}; });
    check_refused("task.model", "expected 8 numbers, as many as the features are, found 5", [](task::Task& t) { t.model = {{5}, {nn::dense("out", 1)}}; });
    check_refused("task.feature", "from above -1 on for a logarithm", [](task::Task& t) { t.features[0].logarithm = true, t.columns[6].least = -1; });
}

TEST_CASE("an example's numbers have names") {
    task::Task t = orders();
    CHECK(task::row_names(t) == std::vector<std::string>{"weight", "site=A", "site=B", "site=other", "days ordered to due", "days ordered to due known",
                                                         "past rate of the site", "past rows of the site"});
    CHECK(task::example_shape(t) == std::vector<std::uint32_t>{8});
    t.window.length = 3;
    CHECK(task::example_shape(t) == std::vector<std::uint32_t>{3, 8});
    CHECK(task::feature_names(t)[8] == "weight@2");
    t.window.summary = {task::Summary::mean, task::Summary::slope};
    CHECK(task::example_shape(t) == std::vector<std::uint32_t>{16});
    CHECK(task::feature_names(t)[8] == "weight.slope");
}
