#include "commands/digits.hpp"

#include "entente/data/idx.hpp"

namespace entente::commands {
namespace {

constexpr std::uint64_t limit_bytes = data::max_idx_pixels + 1024;

Result<std::shared_ptr<const data::Dataset>> read_pair(const std::string& folder, const std::string& stem,
                                                       Environment& environment) {
    const std::string images_path = folder + "/" + stem + "-images-idx3-ubyte";
    ENTENTE_ASSIGN(const Bytes images, environment.read_data(images_path, limit_bytes));
    ENTENTE_ASSIGN(const Bytes labels, environment.read_data(folder + "/" + stem + "-labels-idx1-ubyte", limit_bytes));
    auto pair = data::read_idx_pair(images, labels);
    if (!pair.ok()) {
        Error error = pair.error();
        error.message = folder + "/" + stem + "-*: " + error.message;
        return error;
    }
    return std::make_shared<const data::Dataset>(std::move(pair).value());
}

}  // namespace

Result<DigitsFolder> read_digits_folder(const std::string& folder, Environment& environment) {
    DigitsFolder result;
    ENTENTE_ASSIGN(result.train, read_pair(folder, "train", environment));
    auto test = read_pair(folder, "t10k", environment);
    if (test.ok()) {
        result.test = std::move(test).value();
    } else if (test.error().code != Code::not_found) {
        return test.error();
    }
    return result;
}

}  // namespace entente::commands
