// Trains four models, one of them in slices, too, for 50 steps with every kernel table of this machine, and prints one
// line for each training:
//   MODEL CLASS KERNELS THREADS DIGEST
// run.py builds it with every compiler and for every machine that it finds, and compares the digests.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "entente/nn/initialise.hpp"
#include "entente/nn/training.hpp"
#include "entente/tensor/kernels.hpp"
#ifdef SAMENESS_THREADS
#include "threads/worker_pool.hpp"
#endif

using namespace entente;

namespace {

constexpr std::uint32_t steps = 50;

struct Case {
    const char* name;
    nn::ModelSpec spec;
    std::uint32_t batch;
    nn::TrainingOptions options;
    std::uint32_t classes = 0;  // 0: the inputs themselves are to be predicted
};

std::vector<Case> cases() {
    using namespace nn;
    TrainingOptions plain;
    plain.learning_rate = 0.05f;
    TrainingOptions momentum = plain;
    momentum.momentum = 0.9f;
    momentum.clip_norm = 1.0f;
    TrainingOptions adam;
    adam.optimiser = Optimiser::adam;
    adam.learning_rate = 1e-3f;
    adam.loss.kind = LossKind::mean_squared;
    TrainingOptions sliced = plain;
    sliced.slices = 4;
    return {
        {"2nn", two_nn(), 10, plain, 10},
        {"cnn", mcmahan_cnn(), 2, plain, 10},
        {"cnn-slices", mcmahan_cnn(), 6, sliced, 10},
        {"conv1d-autoencoder",
         {{32, 4},
          {conv1d("a", 16, 5), tanh(), max_pool1d(2), conv1d("b", 8, 3), gelu(), avg_pool1d(2), layer_norm("n"), flatten(),
           dropout(0.1f), dense("c", 40), relu(), dense("out", 128)}},
         9, adam, 0},
        {"gru", {{12}, {embedding("words", 30, 8), gru("g", 20), group_norm("n", 4), sigmoid(), dense("out", 5)}}, 7, momentum, 5},
    };
}

data::Dataset data_for(const Case& c) {
    data::Dataset set;
    set.example_shape = c.spec.input_shape;
    set.classes = c.classes;
    set.outputs = c.classes == 0 ? 128 : 0;
    Philox random(derive_key(5, 0, c.name, Purpose::test));
    const bool words = c.spec.layers[0].kind == nn::LayerKind::embedding;
    for (std::uint32_t i = 0; i < steps * c.batch; ++i) {
        if (c.classes > 0) set.labels.push_back(random.bounded(c.classes));
        for (std::size_t p = 0; p < set.example_size(); ++p) {
            const float value = words ? static_cast<float>(random.bounded(30)) : random.uniform() < 0.5f ? 0.0f : random.uniform();
            set.features.push_back(value);
            if (c.classes == 0) set.targets.push_back(value);
        }
    }
    return set;
}

std::uint64_t digest(std::span<const float> values) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const std::byte b : std::as_bytes(values)) hash = (hash ^ static_cast<std::uint64_t>(b)) * 0x100000001b3u;
    return hash;
}

void train(const Case& c, const data::Dataset& set, kernels::Numerics numerics, const char* kernels, unsigned threads, Executor& executor) {
    nn::TrainingOptions o = c.options;
    o.batch = c.batch;
    o.numerics = numerics;
    o.key = derive_key(1, 2, "p", Purpose::shuffle);
    o.dropout_key = derive_key(1, 2, "p", Purpose::dropout);
    auto training = nn::LocalTraining::start(c.spec, o, set, {}, nn::initialise(c.spec, {8, 9}).value(), executor);
    while (training.ok() && !training->finished()) {
        if (const auto step = training->step(100); !step.ok()) training = step.error();
    }
    if (!training.ok()) {
        std::fprintf(stderr, "%s: %s\n", c.name, training.error().message.c_str());
        std::exit(1);
    }
    std::printf("%s %s %s %u %016llx\n", c.name, std::string(kernels::to_string(numerics)).c_str(), kernels, threads,
                static_cast<unsigned long long>(digest(training->parameters())));
    std::fflush(stdout);
}

}  // namespace

int main() {
#ifdef SAMENESS_THREADS
    WorkerPool two(2);
    WorkerPool three(3);
#endif
    for (const Case& c : cases()) {
        const data::Dataset set = data_for(c);
        for (const kernels::Numerics numerics : {kernels::Numerics::portable, kernels::Numerics::fused}) {
            for (const kernels::Table* table : kernels::available(numerics)) {
                if (!kernels::select(table->name).ok()) continue;
                train(c, set, numerics, table->name, 1, inline_executor());
#ifdef SAMENESS_THREADS
                if (table != kernels::available(numerics).back()) continue;
                train(c, set, numerics, table->name, 2, two);
                train(c, set, numerics, table->name, 3, three);
#endif
            }
        }
    }
    std::printf("end\n");
}
