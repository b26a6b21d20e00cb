#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "base/worker_pool.hpp"
#include "core/bench.hpp"
#include "entente/data/idx.hpp"
#include "entente/nn/initialise.hpp"
#include "entente/nn/training.hpp"

namespace entente::bench {
namespace {

Bytes bytes_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("expected a file at " + path.string());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

nn::ModelSpec model(const std::string& name) {
    if (name == "2nn") return nn::two_nn();
    if (name == "cnn") return nn::mcmahan_cnn();
    throw std::runtime_error("expected 2nn or cnn, found " + name);
}

// Real digits where there are some: how many zeros there are decides how much a convolution has to do.
data::Dataset digits(const std::string& folder, std::uint32_t most) {
    data::Dataset set;
    if (!folder.empty()) {
        set = data::read_idx_pair(bytes_of(folder + "/train-images-idx3-ubyte"), bytes_of(folder + "/train-labels-idx1-ubyte")).value();
        set.labels.resize(most);
        set.features.resize(most * set.example_size());
        return set;
    }
    set.example_shape = {28, 28, 1};
    set.classes = 10;
    Philox random(derive_key(1, 0, {}, Purpose::test));
    for (std::uint32_t i = 0; i < most; ++i) {
        set.labels.push_back(random.bounded(10));
        for (int p = 0; p < 784; ++p) set.features.push_back(random.uniform() < 0.2f ? random.uniform() : 0.0f);
    }
    return set;
}

}  // namespace

void train(const Words& words) {
    if (words.size() < 5) throw std::runtime_error("train: expected MODEL NUMERICS BATCH THREADS SECONDS [MNIST FOLDER]");
    const nn::ModelSpec spec = model(words[0]);
    nn::TrainingOptions options;
    options.numerics = words[1] == "fused" ? kernels::Numerics::fused : kernels::Numerics::portable;
    options.batch = static_cast<std::uint32_t>(std::stoul(words[2]));
    options.learning_rate = 0.01f;
    options.epochs = 1'000'000;
    const unsigned threads = static_cast<unsigned>(std::stoul(words[3]));
    native::WorkerPool pool(threads);
    const data::Dataset set = digits(words.size() > 5 ? words[5] : "", 1'920);
    const auto initial = nn::initialise(spec, derive_key(1, 0, {}, Purpose::initialise)).value();
    auto run = nn::LocalTraining::start(spec, options, set, {}, initial, threads > 1 ? static_cast<Executor&>(pool) : inline_executor()).value();
    const auto step = [&run] {
        if (!run.step(1).ok()) throw std::runtime_error("the training diverged");
    };
    static_cast<void>(rate(0.1, false, step));
    print(options.batch * rate(std::stod(words[4]), threads == 1, step));
}

}  // namespace entente::bench
