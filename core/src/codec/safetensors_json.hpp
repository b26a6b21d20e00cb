// The one shape of JSON that a safetensors header has: an object of objects, whose members are strings or
// arrays of non-negative integers. Anything else is refused; this is no general parser.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/result.hpp"

namespace entente::codec {

struct SafetensorsEntry {
    std::string name;
    std::map<std::string, std::string> strings;
    std::map<std::string, std::vector<std::uint64_t>> arrays;
};

// In the order of the text. Names and member names twice: refused.
Result<std::vector<SafetensorsEntry>> parse_safetensors_header(std::string_view json);

}  // namespace entente::codec
