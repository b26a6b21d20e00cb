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

// The models of peers/torch_peer.py.
nn::ModelSpec model(const std::string& name) {
    using namespace nn;
    const auto strided = [](LayerSpec layer) {
        layer.stride = 2;
        return layer;
    };
    if (name == "2nn") return two_nn();
    if (name == "cnn") return mcmahan_cnn();
    if (name == "conv1d") {
        return {{64, 8},
                {conv1d("a", 32, 5), relu(), max_pool1d(2), conv1d("b", 64, 5), relu(), max_pool1d(2), flatten(), dense("c", 64), relu(),
                 dense("out", 6)}};
    }
    if (name == "ae") return {{512}, {dense("a", 128), relu(), dense("b", 32), relu(), dense("c", 128), relu(), dense("out", 512)}};
    if (name == "conv1dae") {
        return {{64, 8},
                {strided(conv1d("a", 32, 5)), relu(), strided(conv1d("b", 16, 5)), relu(), conv_transpose1d("c", 32, 4, 2), relu(),
                 conv_transpose1d("d", 8, 4, 2), flatten()}};
    }
    throw std::runtime_error("expected 2nn, cnn, conv1d, ae or conv1dae, found " + name);
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
    const nn::ModelSpec spec = model(words[0]);
    nn::TrainingOptions options;
    options.numerics = words[1] == "fused" ? kernels::Numerics::fused : kernels::Numerics::portable;
    options.batch = static_cast<std::uint32_t>(std::stoul(words[2]));
    options.learning_rate = 0.01f;
    options.epochs = 1'000'000;
    const unsigned threads = static_cast<unsigned>(std::stoul(words[3]));
    native::WorkerPool pool(threads);
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
