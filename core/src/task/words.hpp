// Numbers in sentences.
#pragma once

#include <cstdint>
#include <string>

#include "entente/base/decimal.hpp"
#include "entente/table/instant.hpp"

namespace entente::task {

std::string brief(double value, int digits = 4);             // so many significant ones, and whole numbers in full: "0.8292", "12 304"
std::string percent(double share);                          // "1.2 %"
std::string counted(std::uint64_t n, const char* singular);  // "1 row", "2 rows"

}  // namespace entente::task
