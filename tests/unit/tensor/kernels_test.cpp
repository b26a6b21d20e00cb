#include "entente/tensor/kernels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

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

// The definition in kernel_table.hpp, written down.
void gemm_definition(const Gemm& g) {
    for (std::size_t i = 0; i < g.rows; ++i) {
        for (std::size_t j = 0; j < g.columns; ++j) {
            float& c = g.c[i * g.c_row + j];
            float sum = g.accumulate ? c : g.bias != nullptr ? g.bias[j] : 0.0f;
            for (std::size_t s = 0; s < g.segments; ++s) {
                for (std::size_t k = 0; k < g.depth; ++k) {
                    const float product = g.a[i * g.a_row + s * g.a_segment + k * g.a_step] *
                                          g.b[s * g.b_segment + k * g.b_row + j];
                    sum = sum + product;
                }
            }
            c = sum;
        }
    }
}

struct Problem {
    Gemm shape;
    std::vector<float> a;
    std::vector<float> b;
    std::vector<float> bias;
    std::vector<float> c;

    std::vector<float> run(void (*gemm)(const Gemm&)) const {
        std::vector<float> result = c;
        Gemm g = shape;
        g.a = a.data();
        g.b = b.data();
        g.c = result.data();
        g.bias = bias.empty() ? nullptr : bias.data();
        gemm(g);
        return result;
    }
};

Problem random_problem(Philox& random, bool large) {
    Problem p;
    Gemm& g = p.shape;
    g.rows = 1 + random.bounded(large ? 70 : 20);
    g.columns = 1 + random.bounded(large ? 130 : 50);
    g.depth = random.bounded(12) == 0 ? 0 : 1 + random.bounded(large ? 500 : 30);
    g.segments = random.bounded(3) == 0 ? 1 + random.bounded(5) : 1;
    const bool transposed = random.bounded(2) == 0;
    g.a_row = transposed ? 1 : g.depth + random.bounded(3);
    g.a_step = transposed ? g.rows + random.bounded(3) : 1;
    g.a_segment = random.bounded(40);  // overlapping segments are what a convolution has
    g.b_row = random.bounded(4) == 0 ? 1 + random.bounded(7) : g.columns + random.bounded(3);
    g.b_segment = g.depth * g.b_row + random.bounded(9);
    g.c_row = g.columns + random.bounded(4);
    g.accumulate = random.bounded(3) == 0;
    p.a = random_floats(random, g.rows * g.a_row + g.segments * g.a_segment + (g.depth + 1) * g.a_step);
    p.b = random_floats(random, g.segments * g.b_segment + (g.depth + 1) * g.b_row + g.columns);
    p.c = random_floats(random, g.rows * g.c_row);  // the gaps between rows must stay as they are
    if (random.bounded(2) == 0) p.bias = random_floats(random, g.columns);
    return p;
}

template <class Check>
void for_each_variant(Check check) {
    const Table& scalar = *kernels::available().front();
    for (const Table* table : kernels::available()) {
        INFO("variant ", std::string(table->name));
        check(scalar, *table);
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

TEST_CASE("gemm of every variant gives the bits of its definition") {
    Philox random({31, 32});
    for (int round = 0; round < 400; ++round) {
        const Problem problem = random_problem(random, round % 10 == 0);
        const std::vector<float> expected = problem.run(gemm_definition);
        for_each_variant([&](const Table&, const Table& table) {
            const Gemm& g = problem.shape;
            INFO("rows ", g.rows, " columns ", g.columns, " depth ", g.depth, " segments ", g.segments);
            REQUIRE(same_bits(problem.run(table.gemm), expected));
        });
    }
}

TEST_CASE("gemm agrees with a product written with xtensor views") {
    Philox random({33, 34});
    const std::vector<float> a = random_floats(random, 5 * 7);
    const std::vector<float> b = random_floats(random, 7 * 9);
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
    const auto bv = matrix_view(std::span<const float>(b), 7, 9);
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
                t.sgd_momentum(0.1f, 0.9f, z.data(), velocity.data(), v.data(), count);
                v.insert(v.end(), velocity.begin(), velocity.end());
            });
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

TEST_CASE("transpose, column sums and pooling of every variant give the scalar variant's result") {
    Philox random({37, 38});
    for (int round = 0; round < 100; ++round) {
        const std::size_t rows = 1 + random.bounded(40);
        const std::size_t columns = 1 + random.bounded(40);
        const std::vector<float> x = random_floats(random, rows * columns);
        const kernels::Pool shape{2 + random.bounded(7), 2 + random.bounded(7), 1 + random.bounded(40),
                                  1 + random.bounded(2)};
        const std::size_t in_size = shape.height * shape.width * shape.channels;
        const std::size_t out_size =
            (shape.height / shape.pool) * (shape.width / shape.pool) * shape.channels;
        const std::vector<float> picture = random_floats(random, in_size);
        const std::vector<float> dout = random_floats(random, out_size);
        for_each_variant([&](const Table& scalar, const Table& table) {
            std::vector<float> turned(x.size());
            table.transpose(x.data(), rows, columns, turned.data());
            for (std::size_t r = 0; r < rows; ++r)
                for (std::size_t c = 0; c < columns; ++c) REQUIRE(turned[c * rows + r] == x[r * columns + c]);
            std::vector<float> sums(columns);
            std::vector<float> expected_sums(columns);
            table.column_sums(x.data(), rows, columns, sums.data());
            scalar.column_sums(x.data(), rows, columns, expected_sums.data());
            REQUIRE(same_bits(sums, expected_sums));
            std::vector<float> out(out_size);
            std::vector<float> expected(out_size);
            std::vector<std::uint8_t> index(out_size);
            std::vector<std::uint8_t> expected_index(out_size);
            table.max_pool(shape, picture.data(), out.data(), index.data());
            scalar.max_pool(shape, picture.data(), expected.data(), expected_index.data());
            REQUIRE(same_bits(out, expected));
            REQUIRE(index == expected_index);
            std::vector<float> din(in_size, 5.0f);
            std::vector<float> expected_din(in_size, 6.0f);
            table.max_pool_backward(shape, dout.data(), index.data(), din.data());
            scalar.max_pool_backward(shape, dout.data(), index.data(), expected_din.data());
            REQUIRE(same_bits(din, expected_din));
        });
    }
}

TEST_CASE("pooling takes the first maximum of a tie and drops an incomplete window") {
    const std::vector<float> in{3, 3, 1, 3, 3, 2, 9, 9, 9};  // 3 x 3, one channel
    for_each_variant([&](const Table&, const Table& table) {
        float out = 0.0f;
        std::uint8_t index = 9;
        table.max_pool({3, 3, 1, 2}, in.data(), &out, &index);
        CHECK(out == 3.0f);
        CHECK(index == 0);
        const float dout = 4.0f;
        std::vector<float> din(9, 7.0f);
        table.max_pool_backward({3, 3, 1, 2}, &dout, &index, din.data());
        CHECK(din == std::vector<float>{4, 0, 0, 0, 0, 0, 0, 0, 0});
    });
}

TEST_CASE("softmax cross-entropy is stable, and in place gives the same gradient") {
    const std::vector<float> logits{1000.0f, 998.0f, -1000.0f, 0.0f, 0.0f, 0.0f};
    const std::vector<std::uint32_t> labels{1, 2};
    std::vector<float> gradient(6);
    const double loss =
        kernels::softmax_cross_entropy(logits.data(), labels.data(), 2, 3, 0.5f, gradient.data());
    CHECK(loss == doctest::Approx(2.0 + std::log1p(std::exp(-2.0)) + std::log(3.0)));
    CHECK(gradient[0] == doctest::Approx(0.5 / (1.0 + std::exp(-2.0))));
    CHECK(gradient[1] == doctest::Approx(-0.5 / (1.0 + std::exp(-2.0))));
    CHECK(gradient[5] == doctest::Approx(-1.0 / 3.0));
    std::vector<float> in_place = logits;
    CHECK(kernels::softmax_cross_entropy(in_place.data(), labels.data(), 2, 3, 0.5f, in_place.data()) ==
          loss);
    CHECK(same_bits(in_place, gradient));
    CHECK(kernels::softmax_cross_entropy(logits.data(), labels.data(), 2, 3, 0.5f, nullptr) == loss);
    std::vector<float> probabilities(3);
    kernels::softmax(logits.data(), 3, probabilities.data());
    CHECK(probabilities[0] + probabilities[1] + probabilities[2] == doctest::Approx(1.0));
    CHECK(probabilities[0] > probabilities[1]);
}
