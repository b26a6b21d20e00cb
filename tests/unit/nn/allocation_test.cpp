// A training step allocates nothing: this binary counts.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "entente/nn/initialise.hpp"
#include "entente/nn/training.hpp"

namespace {
std::atomic<long> allocations{0};
}

void* operator new(std::size_t size) {
    allocations.fetch_add(1);
    if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
    throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    allocations.fetch_add(1);
    const auto a = static_cast<std::size_t>(alignment);
    if (void* p = std::aligned_alloc(a, (size + a - 1) / a * a)) return p;
    throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

using namespace entente;
using namespace entente::nn;

namespace {

void check(const ModelSpec& spec, TrainingOptions o) {
    data::Dataset set;
    set.example_shape = spec.input_shape;
    set.classes = 4;
    for (std::uint32_t i = 0; i < 30; ++i) set.labels.push_back(i % 4);
    set.features.assign(30 * set.example_size(), spec.layers[0].kind == LayerKind::embedding ? 2.0f : 0.25f);
    o.batch = 7;
    o.epochs = 3;
    o.learning_rate = 0.01f;
    auto training = LocalTraining::start(spec, o, set, {}, initialise(spec, {1, 2}).value()).value();
    const long before = allocations.load();
    REQUIRE(before > 10);
    const bool ok = training.step(1000).ok();
    CHECK(allocations.load() == before);
    CHECK(ok);
    CHECK(training.finished());
}

// All kinds of layers.
const ModelSpec pictures{{12, 12, 1},
                         {conv2d("a", 16, 5), max_pool2d(2), relu(), conv2d("b", 32, 5), relu(), max_pool2d(2),
                          conv2d("c", 8, 3), group_norm("n", 2), tanh(), conv2d("r", 8, 3), residual(1), avg_pool2d(2),
                          flatten(), dense("d", 40), gelu(), dropout(0.5f), dense("e", 4)}};
const ModelSpec words{{12},
                      {embedding("a", 9, 6), conv1d("b", 5, 3), layer_norm("n"), sigmoid(), max_pool1d(2), avg_pool1d(2),
                       conv_transpose1d("t", 5, 3, 2), gru("c", 7, true), gru("d", 5), dense("e", 4)}};

}  // namespace

TEST_CASE("a training step allocates nothing") {
    for (const ModelSpec& spec : {pictures, words}) {
        for (const float momentum : {0.0f, 0.9f}) {
            TrainingOptions o;
            o.momentum = momentum;
            check(spec, o);
        }
        for (std::uint32_t kind = 1; kind <= loss_kind_names().size(); ++kind) {
            TrainingOptions o;
            o.optimiser = kind % 2 == 0 ? Optimiser::adam : Optimiser::adamw;
            o.clip_norm = 0.5f;
            o.slices = kind;
            o.weight_decay = 0.01f;
            o.proximal_mu = 0.01f;
            o.loss.kind = static_cast<LossKind>(kind);
            check(spec, o);
        }
    }
}
