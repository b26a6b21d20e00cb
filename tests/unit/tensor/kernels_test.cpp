#include "entente/tensor/kernels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "entente/base/math.hpp"
#include "entente/base/philox.hpp"
#include "entente/tensor/xt.hpp"

using namespace entente;
using kernels::Gemm;
using kernels::Table;

namespace {

std::vector<float> random_floats(Philox& random, std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) {
        value = random.bounded(8) == 0 ? 0.0f : static_cast<float>(random.normal());
    }
    return values;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

using kernels::Finish;
using kernels::Numerics;

float mac(Numerics numerics, float c, float a, float b) {
    if (numerics == Numerics::fused) return std::fma(a, b, c);
    const float product = a * b;
    return c + product;
}

// The definition in kernel_table.hpp, written down.
void gemm_definition(Numerics numerics, const Gemm& g) {
    for (std::size_t i = 0; i < g.rows; ++i) {
        for (std::size_t j = 0; j < g.columns; ++j) {
            float& c = g.c[i * g.c_row + j];
            float sum = g.start == nullptr ? 0.0f : g.start[i * g.start_row + j];
            for (std::size_t s = 0; s < g.segments; ++s)
                for (std::size_t k = 0; k < g.depth; ++k)
                    sum = mac(numerics, sum, g.a[i * g.a_row + s * g.a_segment + k * g.a_step],
                              g.b[s * g.b_segment + k * g.b_row + j]);
            switch (g.finish) {
                case Finish::none: c = sum; break;
                case Finish::relu: c = sum > 0.0f ? sum : 0.0f; break;
                case Finish::descend: c = mac(numerics, c, g.factor, sum); break;
            }
        }
    }
}

enum class Start { zero, bias, continued };

struct Problem {
    Gemm shape;
    Start start = Start::zero;
    std::vector<float> a;
    std::vector<float> b;
    std::vector<float> bias;
    std::vector<float> c;

    template <class Multiply>
    std::vector<float> run(const Multiply& multiply) const {
        std::vector<float> result = c;
        Gemm g = shape;
        g.a = a.data();
        g.b = b.data();
        g.c = result.data();
        if (start == Start::bias) g.start = bias.data();
        if (start == Start::continued) {
            g.start = g.c;
            g.start_row = g.c_row;
        }
        multiply(g);
        return result;
    }
};

Problem random_problem(Philox& random, bool large) {
    Problem p;
    Gemm& g = p.shape;
    g.rows = 1 + random.bounded(large ? 70 : 20);
    g.columns = 1 + random.bounded(large ? 130 : 50);
    g.depth = random.bounded(12) == 0 ? 0 : 1 + random.bounded(large ? 900 : 30);
    g.segments = random.bounded(3) == 0 ? 1 + random.bounded(5) : 1;
    const bool transposed = random.bounded(2) == 0;
    g.a_row = transposed ? 1 : g.depth + random.bounded(3);
    g.a_step = transposed ? g.rows + random.bounded(3) : 1;
    g.a_segment = random.bounded(40);  // overlapping segments are what a convolution has
    g.b_row = random.bounded(4) == 0 ? 1 + random.bounded(7) : g.columns + random.bounded(3);
    g.b_segment = g.depth * g.b_row + random.bounded(9);
    g.c_row = g.columns + random.bounded(4);
    g.finish = static_cast<Finish>(random.bounded(3));
    g.factor = -0.37f;
    if (g.finish != Finish::descend) p.start = static_cast<Start>(random.bounded(3));
    p.a = random_floats(random, g.rows * g.a_row + g.segments * g.a_segment + (g.depth + 1) * g.a_step);
    p.b = random_floats(random, g.segments * g.b_segment + (g.depth + 1) * g.b_row + g.columns + 16);
    p.c = random_floats(random, g.rows * g.c_row);  // the gaps between rows must stay as they are
    p.bias = random_floats(random, g.columns + 16);
    return p;
}

// Every variant of both classes, beside the scalar variant of its class.
template <class Check>
void for_each_variant(Check check) {
    for (const Numerics numerics : {Numerics::portable, Numerics::fused}) {
        for (const Table* table : kernels::available(numerics)) {
            INFO(std::string(kernels::to_string(numerics)), " ", std::string(table->name));
            check(*kernels::available(numerics).front(), *table);
        }
    }
}

}  // namespace

TEST_CASE("the scalar variant is always there, and the names are unique") {
    REQUIRE_FALSE(kernels::available().empty());
    CHECK(std::string(kernels::available().front()->name) == "scalar");
    CHECK(kernels::available().size() >= 2);
    for (const Table* a : kernels::available())
        for (const Table* b : kernels::available()) CHECK((a == b || std::string(a->name) != b->name));
}

TEST_CASE("select chooses by name and refuses a name that is not there") {
    const std::string before = kernels::active().name;
    REQUIRE(kernels::select("scalar").ok());
    CHECK(std::string(kernels::active().name) == "scalar");
    const Status refused = kernels::select("avx1024");
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().reason == "kernels.unknown");
    CHECK(refused.error().message.find("scalar") != std::string::npos);
    CHECK(std::string(kernels::active().name) == "scalar");
    REQUIRE(kernels::select(before).ok());
}

TEST_CASE("a class without an instruction set keeps its fastest, and every table knows its class") {
    const std::string before = kernels::active().name;
    for (const Numerics numerics : {Numerics::portable, Numerics::fused}) {
        for (const Table* table : kernels::available(numerics)) CHECK(table->numerics == numerics);
        CHECK((kernels::find(numerics) != nullptr) == !kernels::available(numerics).empty());
    }
    const std::string second = kernels::available()[1]->name;  // of four lanes; on x86 without a fused variant
    REQUIRE(kernels::select(second).ok());
    CHECK(kernels::active().name == second);
    if (const Table* fused = kernels::find(Numerics::fused)) CHECK(fused->numerics == Numerics::fused);
    REQUIRE(kernels::select(before).ok());
}

TEST_CASE("gemm of every variant gives the bits of its definition") {
    Philox random({31, 32});
    for (int round = 0; round < 400; ++round) {
        const Problem problem = random_problem(random, round % 10 == 0);
        std::vector<float> expected[2];
        for (const Numerics numerics : {Numerics::portable, Numerics::fused})
            expected[static_cast<int>(numerics)] = problem.run([&](const Gemm& g) { gemm_definition(numerics, g); });
        for_each_variant([&](const Table&, const Table& table) {
            const Gemm& g = problem.shape;
            INFO("rows ", g.rows, " columns ", g.columns, " depth ", g.depth, " segments ", g.segments, " finish ",
                 static_cast<int>(g.finish), " start ", static_cast<int>(problem.start));
            REQUIRE(same_bits(problem.run(table.gemm), expected[static_cast<int>(table.numerics)]));
        });
    }
}

TEST_CASE("gemm over runs of k gives the bits of the whole product where the rest is zero") {
    Philox random(derive_key(5, 0, {}, Purpose::test));
    for (const Numerics numerics : {Numerics::portable, Numerics::fused}) {
        for (const Table* k : kernels::available(numerics)) {
            CAPTURE(k->name);
            for (const std::size_t rows : std::vector<std::size_t>{1, 8, 9, 13, 30}) {
                constexpr std::size_t depth = 700;
                constexpr std::size_t columns = 48;
                std::vector<float> a = random_floats(random, rows * depth);
                const std::vector<float> b = random_floats(random, depth * columns + 16);
                const std::vector<float> bias = random_floats(random, columns);
                std::vector<kernels::Run> runs;
                std::size_t active = 0;
                for (std::uint32_t at = random.bounded(9); at < depth;) {
                    const std::uint32_t count = std::min<std::uint32_t>(1 + random.bounded(at < 400 ? 20 : 260), depth - at);
                    runs.push_back({at, count});
                    active += count;
                    at += count + 1 + random.bounded(12);
                }
                std::vector<bool> listed(depth, false);
                for (const kernels::Run& run : runs) std::fill_n(listed.begin() + static_cast<std::ptrdiff_t>(run.first), run.count, true);
                for (std::size_t i = 0; i < a.size(); ++i) {
                    if (!listed[i % depth]) a[i] = i % 2 == 0 ? 0.0f : -0.0f;
                }
                Gemm g;
                g.rows = rows;
                g.columns = g.b_row = g.c_row = columns;
                g.depth = depth;
                g.a = a.data();
                g.a_row = depth;
                g.b = b.data();
                g.start = bias.data();
                g.finish = Finish::relu;
                std::vector<float> whole(rows * columns), skipped(rows * columns);
                g.c = whole.data();
                k->gemm(g);
                g.c = skipped.data();
                g.runs = runs.data();
                g.depth = active;
                k->gemm(g);
                CHECK(same_bits(whole, skipped));
            }
        }
    }
}

TEST_CASE("columns that are zero in every row are found, and the sign of a zero does not count") {
    for (const Table* k : kernels::available(Numerics::portable)) {
        std::vector<float> x(3 * 40, 0.0f);
        x[7] = -0.0f;
        x[40 + 9] = 1e-45f;
        x[80 + 31] = -3.0f;
        std::vector<std::uint32_t> any(32);
        k->any_nonzero(x.data(), 40, 3, 32, any.data());
        for (std::size_t j = 0; j < 32; ++j) CHECK((any[j] != 0) == (j == 9 || j == 31));
    }
}

TEST_CASE("gemm agrees with a product written with xtensor views") {
    Philox random({33, 34});
    const std::vector<float> a = random_floats(random, 5 * 7);
    const std::vector<float> b = random_floats(random, 7 * 9 + 16);  // readable to the next whole unit
    std::vector<float> c(5 * 9);
    kernels::active().gemm({.rows = 5,
                            .columns = 9,
                            .depth = 7,
                            .a = a.data(),
                            .a_row = 7,
                            .b = b.data(),
                            .b_row = 9,
                            .c = c.data(),
                            .c_row = 9});
    const auto av = matrix_view(std::span<const float>(a), 5, 7);
    const auto bv = matrix_view(std::span<const float>(b).first(7 * 9), 7, 9);
    const auto cv = matrix_view(std::span<const float>(c), 5, 9);
    for (std::size_t i = 0; i < 5; ++i)
        for (std::size_t j = 0; j < 9; ++j) {
            double sum = 0.0;
            for (std::size_t k = 0; k < 7; ++k)
                sum += static_cast<double>(av(i, k)) * static_cast<double>(bv(k, j));
            CHECK(static_cast<double>(cv(i, j)) == doctest::Approx(sum).epsilon(1e-5));
        }
}

TEST_CASE("elementwise kernels of every variant give the scalar variant's bits at every length") {
    Philox random({35, 36});
    for (std::size_t count = 0; count < 70; ++count) {
        std::vector<float> x = random_floats(random, count);
        const std::vector<float> y = random_floats(random, count);
        const std::vector<float> z = random_floats(random, count);
        if (count > 3) {
            x[0] = -0.0f;
            x[1] = std::numeric_limits<float>::quiet_NaN();
            x[2] = std::numeric_limits<float>::infinity();
        }
        for_each_variant([&](const Table& scalar, const Table& table) {
            const auto both = [&](auto run) {
                std::vector<float> expected = y;
                std::vector<float> found = y;
                run(scalar, expected);
                run(table, found);
                REQUIRE(same_bits(found, expected));
            };
            both([&](const Table& t, std::vector<float>& v) { t.axpy(0.3f, z.data(), v.data(), count); });
            both([&](const Table& t, std::vector<float>& v) { t.scale(0.7f, v.data(), count); });
            both([&](const Table& t, std::vector<float>& v) { t.sgd(0.1f, z.data(), v.data(), count); });
            both([&](const Table& t, std::vector<float>& v) { t.relu_backward(x.data(), v.data(), count); });
            both([&](const Table& t, std::vector<float>& v) {
                t.regularise(0.01f, 0.2f, z.data(), y.data(), v.data(), count);
            });
            both([&](const Table& t, std::vector<float>& v) {
                t.regularise(0.01f, 0.2f, z.data(), nullptr, v.data(), count);
            });
            both([&](const Table& t, std::vector<float>& v) {
                std::vector<float> velocity = z;
                t.sgd_momentum(0.1f, 0.9f, false, z.data(), velocity.data(), v.data(), count);
                v.insert(v.end(), velocity.begin(), velocity.end());
            });
            both([&](const Table& t, std::vector<float>& v) {
                std::vector<float> velocity = z;
                t.sgd_momentum(0.1f, 0.9f, true, z.data(), velocity.data(), v.data(), count);
                v.insert(v.end(), velocity.begin(), velocity.end());
            });
            both([&](const Table& t, std::vector<float>& v) {
                std::vector<float> m = z;
                std::vector<float> second(count, 0.3f);
                const kernels::Adam step{.rate = 0.01f, .beta1 = 0.9f, .beta2 = 0.999f, .scale = 1.5f, .epsilon = 1e-8f,
                                         .shrink = 0.001f};
                t.adam(step, z.data(), m.data(), second.data(), v.data(), count);
                v.insert(v.end(), m.begin(), m.end());
                v.insert(v.end(), second.begin(), second.end());
            });
            both([&](const Table& t, std::vector<float>& v) { t.add(z.data(), v.data(), count); });
            both([&](const Table& t, std::vector<float>& v) {
                v = x;
                t.relu(v.data(), count);
            });
            CHECK(table.dot(y.data(), z.data(), count) == scalar.dot(y.data(), z.data(), count));
            CHECK(table.all_finite(x.data(), count) == (count <= 3));
            CHECK(table.all_finite(y.data(), count));
        });
    }
}

TEST_CASE("rounding at random of every variant is the definition's, at every length") {
    Philox random(derive_key(3, 0, {}, Purpose::test));
    constexpr std::size_t count = 200;
    std::vector<float> x(count);
    for (float& value : x) value = static_cast<float>(random.normal()) * (random.bounded(6) == 0 ? 1e6f : 0.01f);
    std::copy_n(std::vector<float>{0.0f, -0.0f, 1.0f, -1.0f, 0.5f, -0.5f, 1e-38f, -1e-38f, 3e38f, -3e38f}.begin(), 10, x.begin());
    std::vector<std::uint32_t> words(count);
    for (std::uint32_t& word : words) word = random.bounded(9) == 0 ? 0 : random.next_u32();
    for (const Numerics numerics : {Numerics::portable, Numerics::fused}) {
        for (const Table* k : kernels::available(numerics)) {
            CAPTURE(k->name);
            for (std::size_t n = 0; n <= count; n += 1 + n / 9) {
                for (const double limit : {7.0, 127.0, 32767.0, 2147483647.0}) {
                    std::vector<std::int32_t> mine(n), expected(n);
                    const auto clipped = k->round_at_random(x.data(), words.data(), n, 16384.0, limit, mine.data());
                    std::uint32_t beyond = 0;
                    for (std::size_t i = 0; i < n; ++i) {
                        const double scaled = std::clamp(static_cast<double>(x[i]) * 16384.0, -limit - 1, limit + 1);
                        const double up = static_cast<double>(words[i]) * 0x1p-32 < scaled - std::floor(scaled) ? 1 : 0;
                        const double whole = std::floor(scaled) + up;
                        beyond += std::abs(whole) > limit ? 1 : 0;
                        expected[i] = static_cast<std::int32_t>(std::clamp(whole, -limit, limit));
                    }
                    CHECK(mine == expected);
                    CHECK(clipped == beyond);
                }
            }
        }
    }
}

TEST_CASE("relu sends negative numbers, negative zero and NaN to positive zero") {
    for_each_variant([](const Table&, const Table& table) {
        std::vector<float> x{-1.0f, -0.0f, std::numeric_limits<float>::quiet_NaN(), 2.0f, 0.0f};
        table.relu(x.data(), x.size());
        CHECK(same_bits(x, {0.0f, 0.0f, 0.0f, 2.0f, 0.0f}));
    });
}

TEST_CASE("all_finite finds one infinity or NaN at any place") {
    for_each_variant([](const Table&, const Table& table) {
        for (std::size_t at = 0; at < 40; ++at) {
            std::vector<float> x(40, std::numeric_limits<float>::max());
            CHECK(table.all_finite(x.data(), x.size()));
            x[at] = -std::numeric_limits<float>::infinity();
            CHECK_FALSE(table.all_finite(x.data(), x.size()));
            x[at] = std::numeric_limits<float>::quiet_NaN();
            CHECK_FALSE(table.all_finite(x.data(), x.size()));
        }
    });
}

TEST_CASE("dot adds in eight interleaved accumulators with a fixed tree, at every length") {
    // Magnitudes so far apart that another order of additions gives another sum.
    Philox random({39, 40});
    for (std::size_t count = 0; count < 40; ++count) {
        std::vector<float> x = random_floats(random, count);
        for (float& value : x) value *= random.bounded(2) == 0 ? 1e12f : 1e-6f;
        const std::vector<float> y = random_floats(random, count);
        double lane[8] = {};
        for (std::size_t i = 0; i < count; ++i) {
            lane[i % 8] = lane[i % 8] + static_cast<double>(x[i]) * static_cast<double>(y[i]);
        }
        const double even = (lane[0] + lane[4]) + (lane[2] + lane[6]);
        const double odd = (lane[1] + lane[5]) + (lane[3] + lane[7]);
        for_each_variant([&](const Table&, const Table& table) {
            CHECK(table.dot(x.data(), y.data(), count) == even + odd);
        });
    }
}

TEST_CASE("transpose and column sums of every variant give the scalar variant's result, with gaps between rows") {
    Philox random({37, 38});
    for (int round = 0; round < 100; ++round) {
        const std::size_t rows = 1 + random.bounded(40);
        const std::size_t columns = 1 + random.bounded(40);
        const std::size_t row = columns + random.bounded(3);
        const std::size_t turned_row = rows + random.bounded(3);
        const std::vector<float> x = random_floats(random, rows * row);
        for_each_variant([&](const Table& scalar, const Table& table) {
            std::vector<float> turned(columns * turned_row);
            table.transpose(x.data(), row, rows, columns, turned.data(), turned_row);
            for (std::size_t r = 0; r < rows; ++r)
                for (std::size_t c = 0; c < columns; ++c) REQUIRE(turned[c * turned_row + r] == x[r * row + c]);
            std::vector<float> sums(columns, 3.0f);
            std::vector<float> expected(columns, 3.0f);
            for (const bool accumulate : {false, true}) {
                table.column_sums(x.data(), row, rows, columns, accumulate, sums.data());
                scalar.column_sums(x.data(), row, rows, columns, accumulate, expected.data());
                REQUIRE(same_bits(sums, expected));
            }
            double first = 0.0;
            for (std::size_t r = 0; r < rows; ++r) first += 2.0 * static_cast<double>(x[r * row]);
            CHECK(static_cast<double>(sums[0]) == doctest::Approx(first).epsilon(1e-4));
        });
    }
}

namespace {

struct PoolCase {
    kernels::Pool shape;
    std::vector<float> in;
    std::vector<float> gradient;  // of the output
    std::vector<float> out, din;
    std::vector<std::uint8_t> index;

    void run(const Table& table) {
        out.assign(gradient.size(), 5.0f);
        din.assign(in.size(), 6.0f);
        index.assign(gradient.size(), 7);
        kernels::Pool forward = shape;
        forward.in = in.data();
        forward.out = out.data();
        forward.index = index.data();
        table.max_pool(forward);
        kernels::Pool backward = forward;
        backward.out = gradient.data();
        table.max_pool_backward(backward, din.data());
    }
};

}  // namespace

TEST_CASE("pooling of every variant gives the scalar variant's result") {
    Philox random({137, 138});
    for (int round = 0; round < 100; ++round) {
        PoolCase a;
        kernels::Pool& s = a.shape;
        s.height = 1 + random.bounded(4);
        s.width = 1 + random.bounded(4);
        s.channels = 1 + random.bounded(40);
        s.pool_height = 1 + random.bounded(3);
        s.pool_width = 1 + random.bounded(3);
        s.in_pixel = s.channels + random.bounded(2);
        s.in_row = (s.width * s.pool_width + random.bounded(2)) * s.in_pixel;
        s.out_pixel = s.channels + random.bounded(2);
        s.out_row = s.width * s.out_pixel;
        s.relu = random.bounded(2) == 0;
        a.in = random_floats(random, s.height * s.pool_height * s.in_row);
        a.gradient = random_floats(random, s.height * s.out_row);
        for_each_variant([&](const Table& scalar, const Table& table) {
            PoolCase b = a;
            a.run(scalar);
            b.run(table);
            REQUIRE(same_bits(b.out, a.out));
            REQUIRE(b.index == a.index);
            REQUIRE(same_bits(b.din, a.din));
        });
    }
}

TEST_CASE("pooling takes the first maximum of a tie, and with a ReLU nothing that is not positive") {
    for_each_variant([&](const Table&, const Table& table) {
        PoolCase a;
        a.shape = {.height = 1, .width = 2, .channels = 1, .in_row = 4, .in_pixel = 1, .out_row = 2, .out_pixel = 1};
        a.in = {3, 3, -1, -2, 1, 3, -1, 0};
        a.gradient = {4, 5};
        a.run(table);
        CHECK(a.out == std::vector<float>{3, 0});
        CHECK(a.index == std::vector<std::uint8_t>{0, 3});
        CHECK(a.din == std::vector<float>{4, 0, 0, 0, 0, 0, 0, 5});
        a.shape.relu = true;
        a.run(table);
        CHECK(a.out == std::vector<float>{3, 0});
        CHECK(a.index == std::vector<std::uint8_t>{0, kernels::no_maximum});
        CHECK(a.din == std::vector<float>{4, 0, 0, 0, 0, 0, 0, 0});
    });
}

TEST_CASE("softmax cross-entropy is stable, and in place gives the same gradient") {
    const std::vector<float> logits{1000.0f, 998.0f, -1000.0f, 0.0f, 0.0f, 0.0f};
    const std::vector<std::uint32_t> labels{1, 2};
    std::vector<float> gradient(6);
    const double loss =
        kernels::softmax_cross_entropy(logits.data(), labels.data(), 2, 3, 3, 0.5f, gradient.data());
    CHECK(loss == doctest::Approx(2.0 + std::log1p(std::exp(-2.0)) + std::log(3.0)));
    CHECK(gradient[0] == doctest::Approx(0.5 / (1.0 + std::exp(-2.0))));
    CHECK(gradient[1] == doctest::Approx(-0.5 / (1.0 + std::exp(-2.0))));
    CHECK(gradient[5] == doctest::Approx(-1.0 / 3.0));
    std::vector<float> in_place = logits;
    CHECK(kernels::softmax_cross_entropy(in_place.data(), labels.data(), 2, 3, 3, 0.5f, in_place.data()) ==
          loss);
    CHECK(same_bits(in_place, gradient));
    CHECK(kernels::softmax_cross_entropy(logits.data(), labels.data(), 2, 3, 3, 0.5f, nullptr) == loss);
    std::vector<float> probabilities(3);
    kernels::softmax(logits.data(), 3, probabilities.data());
    CHECK(probabilities[0] + probabilities[1] + probabilities[2] == doctest::Approx(1.0));
    CHECK(probabilities[0] > probabilities[1]);
}

TEST_CASE("curves have the bits of math.hpp, whatever the variant and wherever they begin") {
    std::vector<float> xs{0.0f, -0.0f, 0.625f, -0.625f, 0.62499994f, 9.0f, 9.5f, -9.5f, 88.0f, -88.5f, 1e30f, -1e30f, 1e-40f, -1e-40f,
                          std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()};
    Philox random(derive_key(12, 0, {}, Purpose::test));
    for (int i = 0; i < 4'000; ++i) xs.push_back(static_cast<float>(random.normal()) * (i % 2 == 0 ? 1.0f : 20.0f));
    const auto gelu_tanh = [](float x) { return math::tanh(0.7978845608028654f * (x + 0.044715f * (x * x * x))); };
    const auto same = [](float a, float b) {
        return (a != a && b != b) || (a == b && std::signbit(a) == std::signbit(b));
    };
    for_each_variant([&](const Table&, const Table& table) {
        for (const auto curve : {kernels::Curve::tanh, kernels::Curve::sigmoid, kernels::Curve::gelu}) {
            for (const std::size_t first : {std::size_t{0}, std::size_t{3}}) {
                const std::size_t count = xs.size() - first;
                std::vector<float> ys(count);
                std::vector<float> dys(count, 0.75f);
                table.curve(curve, xs.data() + first, count, ys.data());
                std::vector<float> dxs(count);
                table.curve_backward(curve, xs.data() + first, ys.data(), dys.data(), count, dxs.data());
                bool good = true;
                for (std::size_t i = 0; i < count && good; ++i) {
                    const float x = xs[first + i];
                    float y = math::tanh(x);
                    float slope = 1.0f - y * y;
                    if (curve == kernels::Curve::sigmoid) {
                        y = math::sigmoid(x);
                        slope = y * (1.0f - y);
                    } else if (curve == kernels::Curve::gelu) {
                        const float t = gelu_tanh(x);
                        y = (0.5f * x) * (1.0f + t);
                        const float inner = 0.7978845608028654f * (1.0f + 0.134145f * (x * x));
                        slope = 0.5f * (1.0f + t) + (0.5f * x) * ((1.0f - t * t) * inner);
                    }
                    CAPTURE(x);
                    CAPTURE(static_cast<int>(curve));
                    good = same(ys[i], y) && same(dxs[i], 0.75f * slope);
                    CHECK(good);
                }
            }
        }
    });
}
