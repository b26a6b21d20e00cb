// Coefficients: Cephes expf.c, logf.c, tanhf.c (S. Moshier); fdlibm e_exp.c, e_log.c, k_sin.c, k_cos.c (Sun).
#include "entente/base/math.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace entente::math {

namespace {

// std::bit_cast is missing in libc++ 13.
template <class To, class From>
To bits_as(From from) noexcept {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

float power_of_two_f(int n) noexcept { return bits_as<float>(static_cast<std::uint32_t>(n + 127) << 23); }
double power_of_two(int n) noexcept { return bits_as<double>(static_cast<std::uint64_t>(n + 1023) << 52); }

constexpr double ln2_high = 6.93147180369123816490e-01;
constexpr double ln2_low = 1.90821492927058770002e-10;

// On [-pi/4, pi/4].
double sine_kernel(double x) noexcept {
    const double z = x * x;
    double p = 1.58969099521155010221e-10;
    p = p * z - 2.50507602534068634195e-08;
    p = p * z + 2.75573137070700676789e-06;
    p = p * z - 1.98412698298579493134e-04;
    p = p * z + 8.33333333332248946124e-03;
    p = p * z - 1.66666666666666324348e-01;
    return x + x * z * p;
}

double cosine_kernel(double x) noexcept {
    const double z = x * x;
    double p = -1.13596475577881948265e-11;
    p = p * z + 2.08757232129817482790e-09;
    p = p * z - 2.75573143513906633035e-07;
    p = p * z + 2.48015872894767294178e-05;
    p = p * z - 1.38888888888741095749e-03;
    p = p * z + 4.16666666666666019037e-02;
    return 1.0 - (0.5 * z - z * z * p);
}

}  // namespace

float exp(float x) noexcept {
    if (x != x) return x;
    if (x > 88.0f) x = 88.0f;
    if (x < -87.0f) x = -87.0f;
    const float n = std::floor(x * 1.44269504088896341f + 0.5f);
    // ln 2 in two parts: n * 0.693359375 is exact.
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    const float y = p * (r * r) + r + 1.0f;
    return y * power_of_two_f(static_cast<int>(n));
}

float log(float x) noexcept {
    if (x != x) return x;
    if (x < 0.0f) return std::numeric_limits<float>::quiet_NaN();
    if (x == 0.0f) return -std::numeric_limits<float>::infinity();
    if (x == std::numeric_limits<float>::infinity()) return x;
    int exponent = 0;
    if (x < 0x1p-126f) {
        x *= 0x1p25f;
        exponent = -25;
    }
    const auto bits = bits_as<std::uint32_t>(x);
    exponent += static_cast<int>(bits >> 23) - 126;
    float m = bits_as<float>((bits & 0x007fffffu) | 0x3f000000u);  // [0.5, 1)
    if (m < 0.707106781186547524f) {
        --exponent;
        m = m + m - 1.0f;
    } else {
        m = m - 1.0f;
    }
    const float z = m * m;
    float p = 7.0376836292e-2f;
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    float y = p * m * z;
    const auto e = static_cast<float>(exponent);
    y += -2.12194440e-4f * e;
    y += -0.5f * z;
    return (m + y) + 0.693359375f * e;
}

float tanh(float x) noexcept {
    if (x != x) return x;
    const float magnitude = x < 0.0f ? -x : x;
    if (magnitude < 0.625f) {
        const float s = x * x;
        float p = -5.70498872745e-3f;
        p = p * s + 2.06390887954e-2f;
        p = p * s - 5.37397155531e-2f;
        p = p * s + 1.33314422036e-1f;
        p = p * s - 3.33332819422e-1f;
        return p * s * x + x;
    }
    const float y = magnitude > 9.0f ? 1.0f : 1.0f - 2.0f / (exp(magnitude + magnitude) + 1.0f);
    return x < 0.0f ? -y : y;
}

float sigmoid(float x) noexcept {
    if (x != x) return x;
    if (x >= 0.0f) return 1.0f / (1.0f + exp(-x));
    const float e = exp(x);
    return e / (1.0f + e);
}

double exp(double x) noexcept {
    if (x != x) return x;
    if (x > 709.782712893384) return std::numeric_limits<double>::infinity();
    if (x < -745.0) return 0.0;
    const double n = std::floor(x * 1.44269504088896338700 + 0.5);
    const double high = x - n * ln2_high;
    const double low = n * ln2_low;
    const double r = high - low;
    const double t = r * r;
    double p = 4.13813679705723846039e-08;
    p = p * t - 1.65339022054652515390e-06;
    p = p * t + 6.61375632143793436117e-05;
    p = p * t - 2.77777777770155933842e-03;
    p = p * t + 1.66666666666666019037e-01;
    const double c = r - t * p;
    const double y = 1.0 - ((low - (r * c) / (2.0 - c)) - high);
    // Two factors: one alone would leave the range of the exponent at both ends.
    const int whole = static_cast<int>(n);
    const int half = whole / 2;
    return y * power_of_two(half) * power_of_two(whole - half);
}

double log(double x) noexcept {
    if (x != x) return x;
    if (x < 0.0) return std::numeric_limits<double>::quiet_NaN();
    if (x == 0.0) return -std::numeric_limits<double>::infinity();
    if (x == std::numeric_limits<double>::infinity()) return x;
    int exponent = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        exponent = -54;
    }
    const auto bits = bits_as<std::uint64_t>(x);
    exponent += static_cast<int>(bits >> 52) - 1023;
    double m = bits_as<double>((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);  // [1, 2)
    if (m > 1.41421356237309504880) {
        m *= 0.5;
        ++exponent;
    }
    const double f = m - 1.0;
    const double s = f / (2.0 + f);
    const double z = s * s;
    double r = 1.479819860511658591e-01;
    r = r * z + 1.531383769920937332e-01;
    r = r * z + 1.818357216161805012e-01;
    r = r * z + 2.222219843214978396e-01;
    r = r * z + 2.857142874366239149e-01;
    r = r * z + 3.999999999940941908e-01;
    r = r * z + 6.666666666666735130e-01;
    r = r * z;
    const double half_square = 0.5 * f * f;
    const auto k = static_cast<double>(exponent);
    return k * ln2_high - ((half_square - (s * (half_square + r) + k * ln2_low)) - f);
}

double cos_turns(double turns) noexcept {
    constexpr double two_pi = 6.28318530717958647692;
    // Eighths of a turn decide which kernel is used; the subtractions are exact.
    const double nearest_quarter = std::floor(turns * 4.0 + 0.5);
    const double angle = (turns - nearest_quarter * 0.25) * two_pi;
    switch (static_cast<int>(nearest_quarter) & 3) {
        case 0: return cosine_kernel(angle);
        case 1: return -sine_kernel(angle);
        case 2: return -cosine_kernel(angle);
        default: return sine_kernel(angle);
    }
}

}  // namespace entente::math
