// A number as people and JSON write it, without the C library's formatted output and its tables.
//
//   decimal(0.1f)   == "0.1"        the shortest that reads back as the same float
//   decimal(1.0/3)  == "0.333333333"  nine significant digits; whole numbers below 9e15 in full
//   decimal(1e-9f)  == "1e-9"
//
// The same text on every machine. Not a number is "nan", infinities are "inf" and "-inf".
#pragma once

#include <cstdint>
#include <string>

namespace entente {

std::string decimal(float value);
std::string decimal(double value);
std::string grouped(std::uint64_t value);  // "10 324"

}  // namespace entente
