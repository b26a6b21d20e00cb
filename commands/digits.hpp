// MNIST as people keep it: a folder with the four IDX files, gzipped or not.
#pragma once

#include <memory>
#include <string>

#include "commands/environment.hpp"
#include "entente/data/examples.hpp"

namespace entente::commands {

struct DigitsFolder {
    std::shared_ptr<const data::Dataset> train;
    std::shared_ptr<const data::Dataset> test;  // null when the folder has no t10k files
};

// Errors: of read_data for the training files, and of data::read_idx_pair, each naming the file.
Result<DigitsFolder> read_digits_folder(const std::string& folder, Environment& environment);

// The same, a byte a pixel: for whoever needs some rows at a time.
struct DigitsExamples {
    data::Examples train;
    data::Examples test;  // without any when the folder has no t10k files
};
Result<DigitsExamples> read_digits_examples(const std::string& folder, Environment& environment);

}  // namespace entente::commands
