// Philox for those who need many words in a row: the same words as Philox(key) gives one at a time, made by the vectors
// that the CPU has.
//
//   std::array<std::uint32_t, 1024> words;
//   philox_words(key, 5, words);               // word 4 * 5 of the stream and those after it
//
// Pure; may be called from several threads.
#pragma once

#include <span>

#include "entente/base/philox.hpp"

namespace entente {

// Fills `words` from the beginning of `block`, four words a block, of stream 0.
void philox_words(PhiloxKey key, std::uint64_t block, std::span<std::uint32_t> words) noexcept;

}  // namespace entente
