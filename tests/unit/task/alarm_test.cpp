#include "entente/task/alarm.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "entente/base/philox.hpp"
#include "unit/task/tables.hpp"

using namespace entente;
using task::Event;

namespace {

Philox draws(std::uint64_t stream) { return Philox(derive_key(11, 0, {}, Purpose::test), stream); }

task::Task with_alarm(task::AlarmKind kind) {
    task::Task t = tables::orders();
    t.alarm.kind = kind;
    return t;
}

void check_refused(const Result<task::Calibration>& c, const char* reason, std::string_view said) {
    REQUIRE_FALSE(c.ok());
    INFO(c.error().message);
    CHECK(c.error().reason == reason);
    CHECK(c.error().message.find(said) != std::string::npos);
}

}  // namespace

TEST_CASE("a normal score exceeds a conformal threshold as seldom as was asked for") {
    // Of 10 scores and alpha 0.1 the largest is the threshold: the eleventh is above it with a chance of exactly 1/11. Without the
    // + 1 in the rank it would be the second largest: 2/11, more than alpha.
    for (const auto& [n, alpha, chance] : {std::tuple(10u, 0.1, 1.0 / 11.0), std::tuple(24u, 0.05, 1.0 / 25.0), std::tuple(99u, 0.01, 0.01)}) {
        constexpr int draws_in_all = 8000;
        int above = 0;
        for (int i = 0; i < draws_in_all; ++i) {
            Philox random = draws(static_cast<std::uint64_t>(i) * 100 + n);
            std::vector<float> normal(n);
            for (float& s : normal) s = static_cast<float>(random.normal());
            const auto threshold = task::conformal_threshold(normal, alpha);
            REQUIRE(threshold.ok());
            above += random.normal() > *threshold ? 1 : 0;
        }
        const double deviation = std::sqrt(draws_in_all * chance * (1 - chance));
        CHECK(above > draws_in_all * chance - 4 * deviation);
        CHECK(above < draws_in_all * chance + 4 * deviation);
    }
}

TEST_CASE("a quantile that so few scores cannot have is refused, with how many it takes") {
    CHECK(task::conformal_threshold(std::vector<float>(99, 1.0f), 0.01).ok());
    const auto refused = task::conformal_threshold(std::vector<float>(98, 1.0f), 0.01);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().reason == "alarm.too-few");
    CHECK(refused.error().message.find("at least 99 normal examples for 99 %, found 98") != std::string::npos);
    CHECK_FALSE(task::conformal_threshold({}, 0.5).ok());
}

TEST_CASE("a quantile is one of normal scores, times the margin") {
    task::Task t = with_alarm(task::AlarmKind::quantile);
    t.alarm.quantile = 0.8;
    t.alarm.margin = 1.5;
    const task::Seen seen{{1, 2, 3, 4, 100}, {Event::no, Event::unknown, Event::no, Event::no, Event::yes}, {}};
    const auto c = task::calibrate(t, seen);
    REQUIRE(c.ok());
    CHECK(c->examples == 4);
    CHECK(c->threshold == 6.0);  // the fourth of four
    CHECK(c->alerts == 0);
    CHECK(task::is_alert(*c, 6.5f));
    CHECK_FALSE(task::is_alert(*c, 6.0f));
    CHECK(task::expected_share(*c) == 0.2);
    CHECK(task::sentence(t, *c).find("a score above 6: normal examples are above it with a chance of at most 20 %, before a margin of 1.5; by 4 normal examples") != std::string::npos);
    CHECK_FALSE(task::calibrate(t, {{1, 2, std::numeric_limits<float>::quiet_NaN(), 4}, {}, {}}).ok());
}

TEST_CASE("a budget is kept over the weeks that were seen") {
    task::Task t = with_alarm(task::AlarmKind::budget);
    task::Seen seen;
    Philox random = draws(1);
    for (int day = 0; day < 71; ++day) {  // ten weeks
        seen.scores.push_back(static_cast<float>(random.bounded(40)));  // with ties
        seen.times.push_back(day * table::ms_per_day);
    }
    for (const auto& [per_week, most] : {std::pair(0.1, 1u), std::pair(0.5, 5u), std::pair(5.0, 7u)}) {  // the last by the tenth example
        t.alarm.per_week = per_week;
        const auto c = task::calibrate(t, seen);
        REQUIRE(c.ok());
        const auto alerts = [&](double threshold) { return static_cast<std::uint64_t>(std::count_if(seen.scores.begin(), seen.scores.end(), [threshold](float s) { return s > threshold; })); };
        CHECK(c->alerts == alerts(c->threshold));
        CHECK(c->alerts <= most);
        CHECK(alerts(c->threshold - 1) > most);  // the next lower score would be too many
        CHECK(c->first == 0);
        CHECK(c->last == 70 * table::ms_per_day);
    }
    t.alarm.per_week = 0.05;
    check_refused(task::calibrate(t, seen), "alarm.too-few", "over 140 days or more, found 71 over 70 days");
    seen.times.clear();
    check_refused(task::calibrate(t, seen), "alarm.times", "expected instants");
}

TEST_CASE("no other threshold would have cost less") {
    task::Task t = with_alarm(task::AlarmKind::cost);
    for (std::uint64_t i = 0; i < 200; ++i) {
        Philox random = draws(1000 + i);
        task::Seen seen;
        for (int k = 0; k < 30; ++k) {
            const bool event = random.bounded(4) == 0;
            seen.scores.push_back(static_cast<float>(random.bounded(12) + (event ? 3 : 0)));
            seen.events.push_back(event ? Event::yes : Event::no);
        }
        seen.events[0] = Event::yes;
        seen.events[1] = Event::no;
        seen.events[2] = Event::unknown;
        t.alarm.cost_ratio = 0.5 + static_cast<double>(i % 10);
        const auto cost = [&](double threshold) {
            double sum = 0;
            for (std::size_t k = 0; k < seen.scores.size(); ++k) {
                const bool alert = static_cast<double>(seen.scores[k]) > threshold;
                if (seen.events[k] == Event::yes && !alert) sum += t.alarm.cost_ratio;
                if (seen.events[k] == Event::no && alert) sum += 1;
            }
            return sum;
        };
        const auto c = task::calibrate(t, seen);
        REQUIRE(c.ok());
        for (double threshold = -0.5; threshold < 16; threshold += 0.5) CHECK(cost(c->threshold) <= cost(threshold));
        CHECK(c->examples == 29);
    }
    check_refused(task::calibrate(t, {{1, 2}, {Event::no, Event::no}, {}}), "alarm.labels", "found 0 with an event and 2 without");
    check_refused(task::calibrate(t, {{1, 2}, {}, {}}), "alarm.labels", "both labels");
}

TEST_CASE("where less remains, worse is it") {
    task::Task t = with_alarm(task::AlarmKind::cost);
    t.label.kind = task::LabelKind::remaining;
    t.alarm.cost_ratio = 3;
    const task::Seen seen{{120, 90, 40, 30, 25, 5}, {Event::no, Event::no, Event::yes, Event::no, Event::yes, Event::yes}, {}};
    const auto c = task::calibrate(t, seen);
    REQUIRE(c.ok());
    CHECK(c->below);
    CHECK(c->threshold == 90.0);  // one false alarm at 30 costs less than missing 40
    CHECK(c->alerts == 4);
    CHECK(task::is_alert(*c, 89.0f));
    CHECK_FALSE(task::is_alert(*c, 90.0f));
    CHECK(task::sentence(t, *c).find("a score below 90: a missed event costs 3 false alarms") != std::string::npos);
}
