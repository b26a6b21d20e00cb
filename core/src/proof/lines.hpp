// Private to this folder.
#pragma once

#include <string_view>

namespace entente::proof {

// The first line without its end, which is taken off `rest`; the last one may have none.
inline std::string_view cut_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    return line;
}

}  // namespace entente::proof
