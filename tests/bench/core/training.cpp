#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "threads/worker_pool.hpp"
#include "core/bench.hpp"
#include "entente/data/idx.hpp"
#include "entente/nn/initialise.hpp"
#include "entente/nn/training.hpp"
#include "models.hpp"

namespace entente::bench {
namespace {

Bytes bytes_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error("expected a file at " + path.string());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

// Windows of sensors: for the autoencoders they are what is to be predicted, too.
data::Dataset windows(const nn::ModelSpec& spec, bool classes, std::uint32_t count) {
    data::Dataset set;
    set.example_shape = spec.input_shape;
    set.classes = classes ? 6 : 0;
    set.outputs = classes ? 0 : 512;
    Philox random(derive_key(1, 0, {}, Purpose::test));
    for (std::uint32_t i = 0; i < count; ++i) {
        if (classes) set.labels.push_back(random.bounded(6));
        for (int p = 0; p < 512; ++p) set.features.push_back(static_cast<float>(random.normal()));
    }
    if (!classes) set.targets = set.features;
    return set;
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
    const auto found = find_model(words[0]);
    if (!found) throw std::runtime_error("expected 2nn, cnn, conv1d, ae or conv1dae, found " + words[0]);
    const nn::ModelSpec& spec = *found;
    nn::TrainingOptions options;
    options.numerics = words[1] == "fused" ? kernels::Numerics::fused : kernels::Numerics::portable;
    options.batch = static_cast<std::uint32_t>(std::stoul(words[2]));
    options.learning_rate = 0.01f;
    options.epochs = 1'000'000;
    const unsigned threads = static_cast<unsigned>(std::stoul(words[3]));
    WorkerPool pool(threads);
    const bool pictures = words[0] == "2nn" || words[0] == "cnn";
    if (!pictures && words[0] != "conv1d") options.loss.kind = nn::LossKind::mean_squared;
    const data::Dataset set = pictures ? digits(words.size() > 5 ? words[5] : "", 1'920) : windows(spec, words[0] == "conv1d", 1'920);
    const auto initial = nn::initialise(spec, derive_key(1, 0, {}, Purpose::initialise)).value();
    auto run = nn::LocalTraining::start(spec, options, set, {}, initial, threads > 1 ? static_cast<Executor&>(pool) : inline_executor()).value();
    const auto step = [&run] {
        if (!run.step(1).ok()) throw std::runtime_error("the training diverged");
    };
    static_cast<void>(rate(0.1, false, step));
    print(options.batch * rate(std::stod(words[4]), threads == 1, step));
}

}  // namespace entente::bench
