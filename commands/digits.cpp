#include "commands/digits.hpp"

#include "entente/data/idx.hpp"

namespace entente::commands {
namespace {

constexpr std::uint64_t limit_bytes = data::max_idx_pixels + 1024;

struct Pair {
    std::string name;  // for messages
    Bytes images;
    Bytes labels;
};

Result<Pair> read_pair(const std::string& folder, const std::string& stem, Environment& environment) {
    Pair pair{folder + "/" + stem + "-*", {}, {}};
    ENTENTE_ASSIGN(pair.images, environment.read_data(folder + "/" + stem + "-images-idx3-ubyte", limit_bytes));
    ENTENTE_ASSIGN(pair.labels, environment.read_data(folder + "/" + stem + "-labels-idx1-ubyte", limit_bytes));
    return pair;
}

// Null when there is no such pair.
Result<std::unique_ptr<Pair>> read_test_pair(const std::string& folder, Environment& environment) {
    auto pair = read_pair(folder, "t10k", environment);
    if (pair.ok()) return std::make_unique<Pair>(std::move(pair).value());
    if (pair.error().code != Code::not_found) return pair.error();
    return std::unique_ptr<Pair>();
}

Error about(const Pair& pair, Error error) {
    error.message = pair.name + ": " + error.message;
    return error;
}

Result<std::shared_ptr<const data::Dataset>> as_dataset(const Pair& pair) {
    auto read = data::read_idx_pair(pair.images, pair.labels);
    if (!read.ok()) return about(pair, read.error());
    return std::make_shared<const data::Dataset>(std::move(read).value());
}

Result<data::Examples> as_examples(Pair pair) {
    auto read = data::read_idx_examples(std::move(pair.images), pair.labels);
    if (!read.ok()) return about(pair, read.error());
    return read;
}

}  // namespace

Result<DigitsFolder> read_digits_folder(const std::string& folder, Environment& environment) {
    DigitsFolder result;
    ENTENTE_ASSIGN(const Pair train, read_pair(folder, "train", environment));
    ENTENTE_ASSIGN(result.train, as_dataset(train));
    ENTENTE_ASSIGN(const auto test, read_test_pair(folder, environment));
    if (test) {
        ENTENTE_ASSIGN(result.test, as_dataset(*test));
    }
    return result;
}

Result<DigitsExamples> read_digits_examples(const std::string& folder, Environment& environment) {
    DigitsExamples result;
    ENTENTE_ASSIGN(Pair train, read_pair(folder, "train", environment));
    ENTENTE_ASSIGN(result.train, as_examples(std::move(train)));
    ENTENTE_ASSIGN(const auto test, read_test_pair(folder, environment));
    if (test) {
        ENTENTE_ASSIGN(result.test, as_examples(std::move(*test)));
    }
    return result;
}

}  // namespace entente::commands
