#include "http/rate_limits.hpp"

#include <algorithm>
#include <cmath>

#include <boost/asio/ip/address.hpp>

namespace entente::native::http {

std::int64_t RateLimits::take(const std::string& key, std::int64_t now_ms, double cost) {
    if (rate_.per_s <= 0) return 0;
    const double step_ms = 1000 / rate_.per_s;
    const auto now = static_cast<double>(now_ms);
    const std::lock_guard lock(mutex_);
    auto found = by_key_.find(key);
    if (found == by_key_.end()) {
        buckets_.push_front({key, now});
        found = by_key_.emplace(buckets_.front().key, buckets_.begin()).first;
        if (buckets_.size() > most_) {
            by_key_.erase(buckets_.back().key);
            buckets_.pop_back();
        }
    } else {
        buckets_.splice(buckets_.begin(), buckets_, found->second);
    }
    Bucket& bucket = *found->second;
    const double full_at_ms = std::max(bucket.full_at_ms, now) + cost * step_ms;
    const double wait_ms = full_at_ms - now - std::max(rate_.burst, cost) * step_ms;
    if (wait_ms > 0) return static_cast<std::int64_t>(std::ceil(wait_ms));
    bucket.full_at_ms = full_at_ms;
    return 0;
}

std::size_t RateLimits::size() const {
    const std::lock_guard lock(mutex_);
    return buckets_.size();
}

std::string address_key(const std::string& address) {
    boost::system::error_code ec;
    const auto parsed = boost::asio::ip::make_address(address, ec);
    if (ec || parsed.is_v4()) return address;
    const auto v6 = parsed.to_v6();
    if (v6.is_v4_mapped()) return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
    auto bytes = v6.to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
    return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace entente::native::http
