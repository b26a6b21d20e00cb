#include "http/rate_limits.hpp"

#include <doctest/doctest.h>

using namespace entente::native::http;

TEST_CASE("after a burst the rate counts, and who is refused hears when to come again") {
    RateLimits limits({.per_s = 10, .burst = 5});
    for (int i = 0; i < 5; ++i) CHECK(limits.take("a", 1000) == 0);
    CHECK(limits.take("a", 1000) == 100);
    CHECK(limits.take("a", 1050) == 50);
    CHECK(limits.take("b", 1050) == 0);
    CHECK(limits.take("a", 1100) == 0);
    CHECK(limits.take("a", 1100) == 100);
    // A second of quiet fills the bucket, a day does not fill it further.
    for (int i = 0; i < 5; ++i) CHECK(limits.take("a", 86'400'000) == 0);
    CHECK(limits.take("a", 86'400'000) > 0);
}

TEST_CASE("in the long run nobody gets more than the rate") {
    RateLimits limits({.per_s = 100, .burst = 50});
    int granted = 0;
    for (std::int64_t ms = 0; ms < 10'000; ++ms) granted += limits.take("a", ms) == 0 ? 1 : 0;
    CHECK(granted >= 1000);
    CHECK(granted <= 1051);
}

TEST_CASE("what costs more empties the bucket faster, and never bars for good") {
    RateLimits limits({.per_s = 10, .burst = 20});
    CHECK(limits.take("a", 0, 10) == 0);
    CHECK(limits.take("a", 0, 10) == 0);
    CHECK(limits.take("a", 0) == 100);
    CHECK(limits.take("b", 0, 50) == 0);  // more than the bucket holds: once it is full
    CHECK(limits.take("b", 0) == 3100);
}

TEST_CASE("a clock that is set back does not bar anybody for longer than before") {
    RateLimits limits({.per_s = 10, .burst = 1});
    CHECK(limits.take("a", 1'000'000) == 0);
    CHECK(limits.take("a", 1'000'000) == 100);
    CHECK(limits.take("b", 0) == 0);
}

TEST_CASE("a rate of nothing limits nobody") {
    RateLimits limits({.per_s = 0, .burst = 1});
    for (int i = 0; i < 1000; ++i) CHECK(limits.take("a", 0) == 0);
    CHECK(limits.size() == 0);
}

TEST_CASE("many addresses cost no memory, and the busy one is not forgotten for them") {
    RateLimits limits({.per_s = 1, .burst = 2}, 1000);
    CHECK(limits.take("busy", 0) == 0);
    CHECK(limits.take("busy", 0) == 0);
    for (int i = 0; i < 100'000; ++i) {
        CHECK(limits.take(std::to_string(i), 0) == 0);
        if (i % 500 == 0) CHECK(limits.take("busy", 0) > 0);
    }
    CHECK(limits.size() == 1000);
}

TEST_CASE("IPv6 counts by its first 64 bits, IPv4 by itself however it is written") {
    CHECK(address_key("192.0.2.7") == "192.0.2.7");
    CHECK(address_key("::ffff:192.0.2.7") == "192.0.2.7");
    CHECK(address_key("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
    CHECK(address_key("2001:db8:1:2::9") == address_key("2001:db8:1:2:ffff::1"));
    CHECK(address_key("2001:db8:1:3::9") != address_key("2001:db8:1:2::9"));
    CHECK(address_key("no address") == "no address");
}
