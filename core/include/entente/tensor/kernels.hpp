// Choosing the kernels at run time.
//
//   const kernels::Table& k = kernels::active();
//   k.relu(y.data(), y.size());
//
// All variants give the same bits, so the choice is only about speed; select() is for tests and benchmarks.
// Thread-safety: active() and available() may be called from anywhere; call select() before threads start.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "entente/base/result.hpp"
#include "entente/tensor/kernel_table.hpp"

namespace entente::kernels {

// Every variant that this program contains and this machine can run, slowest first. Never empty.
std::span<const Table* const> available() noexcept;

// The fastest of available().
const Table& best() noexcept;

// best(), unless select() chose otherwise.
const Table& active() noexcept;

// invalid_argument "kernels.unknown" if there is no such variant here; the message lists what there is.
Status select(std::string_view name);

// Softmax and cross-entropy in one, stable (the row's maximum is subtracted), one row per example:
//   returns the sum over rows, ascending and in double, of log(sum_j e^(z_j - max)) - (z_label - max)
//   gradient[r, j] = (p_j - [j == label]) * factor, may be null, may be `logits` itself
// The exponentials are added in float32, class ascending. REQUIRES: labels < classes.
// Not in the table: it is the same machine code for all variants.
double softmax_cross_entropy(const float* logits, const std::uint32_t* labels, std::size_t rows,
                             std::size_t classes, float factor, float* gradient) noexcept;

// probabilities[j] = e^(z_j - max) / sum; may be in place.
void softmax(const float* logits, std::size_t classes, float* probabilities) noexcept;

}  // namespace entente::kernels
