#include "entente/base/math.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "entente/base/philox.hpp"

using namespace entente;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

float float_of(std::uint32_t bits) {
    float value = 0.0f;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

std::uint32_t bits_of(float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

// Error in units of the last place of the true value's float.
double ulps(float found, double truth) {
    const auto nearest = static_cast<float>(truth);
    const double unit = static_cast<double>(std::nextafter(std::abs(nearest), infinity)) -
                        static_cast<double>(std::abs(nearest));
    return std::abs(static_cast<double>(found) - truth) / unit;
}

// The worst error over `count` random arguments in [low, high].
template <class Own, class True>
double worst(Own own, True truth, float low, float high, int count = 200000) {
    Philox random({17, 18});
    double most = 0.0;
    for (int i = 0; i < count; ++i) {
        const float x = low + (high - low) * random.uniform();
        most = std::fmax(most, ulps(own(x), truth(static_cast<double>(x))));
    }
    return most;
}

}  // namespace

TEST_CASE("exp of a float is within 2 ulp between its clamps") {
    const auto own = [](float x) { return math::exp(x); };
    const auto truth = [](double x) { return std::exp(x); };
    CHECK(worst(own, truth, -87.0f, 88.0f) < 2.0);
    CHECK(worst(own, truth, -1.0f, 1.0f) < 2.0);
    CHECK(math::exp(0.0f) == 1.0f);
    CHECK(math::exp(-1000.0f) == math::exp(-87.0f));
    CHECK(math::exp(-infinity) == math::exp(-87.0f));
    CHECK(math::exp(infinity) == math::exp(88.0f));
    CHECK(std::isnan(math::exp(not_a_number)));
}

TEST_CASE("log of a float is within 2 ulp for every magnitude, and total at its edges") {
    Philox random({19, 20});
    double most = 0.0;
    for (int i = 0; i < 200000; ++i) {
        const float x = float_of(random.bounded(0x7f800000u - 1) + 1);  // positive and finite, subnormals too
        most = std::fmax(most, ulps(math::log(x), std::log(static_cast<double>(x))));
    }
    CHECK(most < 2.0);
    CHECK(math::log(1.0f) == 0.0f);
    CHECK(math::log(0.0f) == -infinity);
    CHECK(math::log(infinity) == infinity);
    CHECK(std::isnan(math::log(-1.0f)));
    CHECK(std::isnan(math::log(not_a_number)));
}

TEST_CASE("tanh and sigmoid of a float are within 3 ulp and have their symmetries") {
    CHECK(worst([](float x) { return math::tanh(x); }, [](double x) { return std::tanh(x); }, -10.0f, 10.0f) <
          3.0);
    CHECK(worst([](float x) { return math::sigmoid(x); }, [](double x) { return 1.0 / (1.0 + std::exp(-x)); },
                -80.0f, 80.0f) < 3.0);
    Philox random({21, 22});
    for (int i = 0; i < 10000; ++i) {
        const float x = 20.0f * random.uniform();
        REQUIRE(math::tanh(-x) == -math::tanh(x));
    }
    CHECK(math::tanh(100.0f) == 1.0f);
    CHECK(math::tanh(1e-10f) == 1e-10f);
    CHECK(math::sigmoid(0.0f) == 0.5f);
    CHECK(math::sigmoid(-1000.0f) > 0.0f);
    CHECK(std::isnan(math::tanh(not_a_number)));
    CHECK(std::isnan(math::sigmoid(not_a_number)));
}

TEST_CASE("double functions are within 1e-15 of the C library") {
    Philox random({23, 24});
    double log_error = 0.0;
    double exp_error = 0.0;
    double cos_error = 0.0;
    for (int i = 0; i < 200000; ++i) {
        const double u = random.uniform_double();
        const double x = (u - 0.5) * 1400.0;
        log_error = std::fmax(log_error, std::abs(math::log(1.0 - u) - std::log(1.0 - u)) /
                                             std::fmax(1e-300, std::abs(std::log(1.0 - u))));
        exp_error = std::fmax(exp_error, std::abs(math::exp(x) / std::exp(x) - 1.0));
        cos_error =
            std::fmax(cos_error, std::abs(math::cos_turns(u) - std::cos(6.283185307179586476925 * u)));
    }
    CHECK(log_error < 1e-15);
    CHECK(exp_error < 1e-15);
    CHECK(cos_error < 1e-15);
    CHECK(math::cos_turns(0.25) == 0.0);
    CHECK(math::cos_turns(0.5) == -1.0);
    CHECK(math::cos_turns(1.0) == 1.0);
    CHECK(math::log(0x1p-1074) == doctest::Approx(-744.4400719213812));
    CHECK(math::exp(-1e4) == 0.0);
    CHECK(math::exp(1e4) == std::numeric_limits<double>::infinity());
    CHECK(math::exp(0.0) == 1.0);
}

TEST_CASE("the functions have the recorded bits, on every target") {
    // A digest over many arguments: any difference between compilers, levels or targets shows here.
    Philox random({25, 26});
    std::uint64_t hash = 0xcbf29ce484222325u;
    const auto add = [&](float value) { hash = (hash ^ bits_of(value)) * 0x100000001b3u; };
    for (int i = 0; i < 100000; ++i) {
        const float x = (random.uniform() - 0.5f) * 180.0f;
        add(math::exp(x));
        add(math::log(std::abs(x)));
        add(math::tanh(x * 0.05f));
        add(math::sigmoid(x));
        add(static_cast<float>(random.normal()));
    }
    CHECK(hash == 0x4bd63bac6036a407u);
}
