// What the three stories share.
#pragma once

#include <string>
#include <vector>

#include "entente/base/decimal.hpp"
#include "entente/base/math.hpp"
#include "entente/base/philox.hpp"
#include "entente/table/make.hpp"

namespace entente::table {

std::string make_orders(const MakeOptions& options, std::uint32_t size);
std::string make_sensors(const MakeOptions& options, std::uint32_t size);
std::string make_engines(const MakeOptions& options, std::uint32_t size);

// A slash is in no participant's name: nobody else simulates with these keys.
inline Philox draws(const MakeOptions& o, std::string_view of, std::uint64_t stream) {
    return Philox(derive_key(o.seed, o.partner, "made/" + std::string(of), Purpose::simulate), stream);
}
// What belongs to the world and not to a partner.
inline Philox world_draws(const MakeOptions& o, std::uint64_t stream) {
    return Philox(derive_key(o.seed, 0, "made/world", Purpose::simulate), stream);
}

inline double sine(double turns) {
    double whole = static_cast<double>(static_cast<std::int64_t>(turns));
    if (whole > turns) whole -= 1.0;
    const double part = turns - whole;
    return math::cos_turns(part < 0.25 ? part + 0.75 : part - 0.25);
}
inline double logistic(double x) { return x < 0 ? math::exp(x) / (1.0 + math::exp(x)) : 1.0 / (1.0 + math::exp(-x)); }
inline double exponential(Philox& random, double mean) { return -mean * math::log(1.0 - random.uniform_double()); }

// Shares that add up to 1: e^(spread z), z normal. A larger spread makes partners more different.
inline std::vector<double> shares(Philox& random, std::size_t count, double spread) {
    std::vector<double> s(count);
    double sum = 0.0;
    for (double& x : s) sum += x = math::exp(spread * random.normal());
    for (double& x : s) x /= sum;
    return s;
}
inline std::size_t pick(Philox& random, const std::vector<double>& s) {
    double left = random.uniform_double();
    for (std::size_t i = 0; i + 1 < s.size(); ++i) {
        left -= s[i];
        if (left < 0) return i;
    }
    return s.size() - 1;
}

// As many digits as a measurement has.
inline std::string measured(double value) { return decimal(static_cast<float>(value)); }

}  // namespace entente::table
