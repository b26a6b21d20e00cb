// Choosing the kernels at run time.
//
//   const kernels::Table& k = *kernels::find(kernels::Numerics::portable);
//   k.relu(y.data(), y.size());
//
// All variants of a class give the same bits, so the choice is only about speed; select() is for tests, benchmarks and
// the ENTENTE_KERNELS variable. A machine without fused multiply-add (a browser, old hardware) has no variant of class
// fused, and cannot take part where the plan asks for it.
// Thread-safety: everything but select() may be called from anywhere; call select() before threads start.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "entente/base/result.hpp"
#include "entente/tensor/kernel_table.hpp"

namespace entente::kernels {

std::string_view to_string(Numerics numerics) noexcept;  // "portable", "fused"

// Every variant that this program contains and this machine can run, slowest first. Never empty for portable.
std::span<const Table* const> available(Numerics numerics = Numerics::portable) noexcept;

// The fastest of available(), unless select() chose otherwise; null if there is none.
const Table* find(Numerics numerics) noexcept;

// *find(Numerics::portable). For what is the same in both classes, too.
const Table& active() noexcept;

// One instruction set for both classes. invalid_argument "kernels.unknown" if there is no such variant here; the
// message lists what there is. A class without it keeps its fastest.
Status select(std::string_view name);

// Softmax and cross-entropy in one, stable (the row's maximum is subtracted), one row per example:
//   returns the sum over rows, ascending and in double, of log(sum_j e^(z_j - max)) - (z_label - max)
//   gradient[r, j] = (p_j - [j == label]) * factor, may be null, may be `logits` itself
// The exponentials are added in float32, class ascending. Rows are `row` floats apart. REQUIRES: labels < classes.
// Not in the table: it is the same machine code for all variants.
double softmax_cross_entropy(const float* logits, const std::uint32_t* labels, std::size_t rows,
                             std::size_t classes, std::size_t row, float factor, float* gradient) noexcept;

// probabilities[j] = e^(z_j - max) / sum; may be in place.
void softmax(const float* logits, std::size_t classes, float* probabilities) noexcept;

}  // namespace entente::kernels
