// The name that somebody probably meant.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace entente {

// Empty when nothing is near: more than two edits, or more than half of the word.
std::string nearest(std::string_view word, std::span<const std::string_view> names);

}  // namespace entente
