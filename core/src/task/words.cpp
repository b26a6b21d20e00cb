#include "task/words.hpp"

#include <cmath>

namespace entente::task {

std::string brief(double value, int digits) {
    const double size = std::fabs(value);
    if (!std::isfinite(value) || size >= 1e15) return decimal(value);
    double steps = 1.0, least = 1.0;
    for (int i = 1; i < digits; ++i) least *= 10.0;
    while (size > 0 && size * steps < least && steps < 1e12) steps *= 10.0;
    const double rounded = std::floor(size * steps + 0.5) / steps;
    const std::string sign = value < 0 && rounded > 0 ? "-" : "";
    return sign + (rounded >= 1000 ? grouped(static_cast<std::uint64_t>(rounded + 0.5)) : decimal(static_cast<float>(rounded)));
}

std::string percent(double share) {
    if (share > 0 && share < 0.0005) return "less than 0.1 %";
    const double steps = share < 0.0995 ? 1000.0 : 100.0;
    return decimal(static_cast<float>(std::floor(share * steps + 0.5) * 100.0 / steps)) + " %";
}

std::string counted(std::uint64_t n, const char* singular) { return grouped(n) + " " + singular + (n == 1 ? "" : "s"); }

}  // namespace entente::task
