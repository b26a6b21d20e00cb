// Which values a dropout layer sets to zero: a pure function of key, step, layer, example and position.
//
//   Philox random = dropout_bits({key, step}, layer, example, features);   // then one uniform() per value
//
// A value stays when uniform() >= rate, and is then divided by 1 - rate (Srivastava et al. 2014, JMLR 15, section 10,
// scaled in training so that nothing changes in use).
#pragma once

#include <cstddef>
#include <cstdint>

#include "entente/base/philox.hpp"

namespace entente::nn {

struct Dropout {
    PhiloxKey key;            // derive_key(seed, round, participant, Purpose::dropout)
    std::uint64_t step = 0;   // of the local training, from 0
    std::uint64_t first = 0;  // place of the first example in the batch: not 0 where a slice of it is computed
};

// Stream step * 256 + layer, four values a block, examples one after the other. A model has at most 256 layers.
inline Philox dropout_bits(const Dropout& draw, std::size_t layer, std::size_t example, std::size_t features) {
    return Philox(draw.key, draw.step * 256 + layer, (draw.first + example) * ((features + 3) / 4));
}

}  // namespace entente::nn
