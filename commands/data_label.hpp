// entente data label: labels that arrive weeks later, put into a copy of a partner's file.
#pragma once

#include <string>

#include "commands/environment.hpp"

namespace entente::commands {

struct DataLabelOptions {
    std::string task_file;
    std::string mapping_file;  // empty: headers are found by themselves
    std::string data_file;
    std::string labels_file;   // CSV with a header and two columns: the id, the label
    std::string output;        // never the file itself
    bool json = false;
};

// The copy has every cell as it was, but for the label's; a file without the label's column gets it, last, under the header that the mapping
// says. It is read as the file is: lines before the header stay so many, empty. An id that the file has not, or
// has twice, a label that is none, and one that contradicts another or what the file says are refused with their rows: then nothing is written.
int label_data(const DataLabelOptions& options, Environment& environment);

}  // namespace entente::commands
