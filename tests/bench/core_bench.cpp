// What the core does in a second, as a table of numbers. Built with the native preset, run by script/bench.
//
//   core_bench training | fold | codec
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>

#include "entente/aggregate/fold.hpp"
#include "entente/codec/compress.hpp"
#include "entente/codec/merkle.hpp"
#include "entente/codec/planes.hpp"
#include "entente/nn/initialise.hpp"
#include "entente/nn/training.hpp"
#include "entente/plan/plan.hpp"
#include "entente/tensor/kernels.hpp"

using namespace entente;

namespace {

// Of this thread's CPU time, so that a busy machine disturbs less.
double seconds_of(const std::function<void()>& work) {
    const auto now = [] {
        timespec t{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    };
    const double began = now();
    work();
    return now() - began;
}

// Median of five.
double median_seconds(const std::function<void()>& work) {
    double times[5];
    for (double& t : times) t = seconds_of(work);
    std::sort(std::begin(times), std::end(times));
    return times[2];
}

data::Dataset noise(std::uint32_t n) {
    data::Dataset set;
    set.example_shape = {28, 28, 1};
    set.classes = 10;
    Philox random(derive_key(1, 0, {}, Purpose::test));
    for (std::uint32_t i = 0; i < n; ++i) {
        set.labels.push_back(random.bounded(10));
        for (int p = 0; p < 784; ++p) set.features.push_back(random.uniform() < 0.2f ? random.uniform() : 0.0f);
    }
    return set;
}

void bench_training() {
    std::printf("%-8s %-9s %-10s %5s %12s\n", "model", "numerics", "kernels", "B", "examples/s");
    for (const bool cnn : {false, true}) {
        const nn::ModelSpec spec = cnn ? nn::mcmahan_cnn() : nn::two_nn();
        const data::Dataset set = noise(cnn ? 320 : 6'400);
        const auto initial = nn::initialise(spec, derive_key(1, 0, {}, Purpose::initialise)).value();
        for (const kernels::Numerics numerics : {kernels::Numerics::portable, kernels::Numerics::fused}) {
            for (const kernels::Table* table : kernels::available(numerics)) {
                if (!kernels::select(table->name).ok()) continue;
                for (const std::uint32_t batch : {10u, 32u, 64u}) {
                    nn::TrainingOptions options;
                    options.batch = batch;
                    options.numerics = numerics;
                    const double s = median_seconds([&] {
                        auto run = nn::LocalTraining::start(spec, options, set, {}, initial).value();
                        (void)run.step(1'000'000);
                    });
                    std::printf("%-8s %-9s %-10s %5u %12.0f\n", cnn ? "cnn" : "2nn",
                                std::string(kernels::to_string(numerics)).c_str(), table->name, batch,
                                static_cast<double>(set.size()) / s);
                }
            }
        }
    }
}

void bench_fold() {
    constexpr std::uint64_t d = 1'663'370;
    auto sum = aggregate::Fold::create(d, {{.bits = 16, .scale_log2 = 14}, 1'000'000, 1'000}).value();
    std::vector<std::int32_t> values(d, 12'345);
    const double validate = median_seconds([&] { (void)sum.validate(values, 600); });
    const double accumulate = median_seconds([&] { sum.accumulate(values, 600); });
    std::vector<float> copy(d), source(d, 1.0f);
    const double memory = median_seconds([&] { std::memcpy(copy.data(), source.data(), d * sizeof(float)); });
    std::printf("fold of one update of %llu parameters: validate %.2f ms, accumulate %.2f ms (a copy of the model: %.2f ms)\n",
                static_cast<unsigned long long>(d), 1e3 * validate, 1e3 * accumulate, 1e3 * memory);
}

void bench_codec() {
    const auto parameters = nn::initialise(nn::mcmahan_cnn(), derive_key(1, 0, {}, Purpose::initialise)).value();
    const ByteView content = std::as_bytes(std::span(parameters));
    const double mb = static_cast<double>(content.size()) / 1e6;
    std::printf("digest of a model: %.0f MB/s\n", mb / median_seconds([&] { (void)codec::merkle_root(content); }));
    const codec::SigningKey key(std::array<std::byte, 32>{});
    const plan::Plan plan = [] {
        plan::Plan p = plan::default_digits_plan();
        p.task.model = nn::mcmahan_cnn();
        return p;
    }();
    codec::FrameHeader header;
    header.encoding = codec::Encoding::float32;
    header.tensors = plan::tensor_shapes(plan);
    Bytes envelope;
    const double encode = median_seconds([&] { envelope = codec::encode_frame(codec::FrameKind::model, header, content, key).value(); });
    const double decode = median_seconds([&] { (void)codec::decode_frame(envelope, plan::model_limits(plan)); });
    std::printf("envelope of a model: %.2f MB from %.2f MB, encode %.0f MB/s, decode and verify %.0f MB/s\n",
                static_cast<double>(envelope.size()) / 1e6, mb, mb / encode, mb / decode);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "all";
    if (what == "training" || what == "all") bench_training();
    if (what == "fold" || what == "all") bench_fold();
    if (what == "codec" || what == "all") bench_codec();
}
