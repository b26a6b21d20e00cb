// How often may somebody ask? A bucket for each key, filled at a steady rate: what is refused hears when to come again.
//
//   RateLimits limits({.per_s = 200, .burst = 4000});
//   if (const std::int64_t wait_ms = limits.take(address_key("2001:db8::1"), now_ms); wait_ms > 0) refuse(wait_ms);
//
// The generic cell rate algorithm (ITU-T I.371, annex A): of each key one time is kept, the one at which its bucket would be full
// again. At most `keys` are remembered; when there are more, the one that was quiet longest is forgotten, so that many addresses
// cost no memory. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace entente::native::http {

struct Rate {
    double per_s = 0;  // 0: as often as they like
    double burst = 1;  // at once, after a time of quiet
};

class RateLimits {
public:
    explicit RateLimits(Rate rate, std::size_t keys = 16'384) : rate_(rate), most_(keys) {}

    // 0: it may, and `cost` requests are counted. Otherwise nothing is counted, and so many milliseconds are to be waited for.
    std::int64_t take(const std::string& key, std::int64_t now_ms, double cost = 1);
    [[nodiscard]] std::size_t size() const;

private:
    struct Bucket {
        std::string key;
        double full_at_ms = 0;
    };

    Rate rate_;
    std::size_t most_;
    mutable std::mutex mutex_;
    std::list<Bucket> buckets_;  // the latest to ask in front
    std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_key_;  // views into buckets_
};

// Under which key an address counts: IPv4 by itself, IPv6 by its first 64 bits, which one subscriber has all of. What is no
// address counts as it is.
std::string address_key(const std::string& address);

}  // namespace entente::native::http
