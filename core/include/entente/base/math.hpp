// Elementary functions with the same bits on every target: own polynomials, only + - * / sqrt and integer
// arithmetic, no contraction (the whole of core is compiled with -ffp-contract=off). The C library's expf,
// logf and tanhf differ between glibc and musl.
//
//   float p = math::sigmoid(logit);
//
// float functions: S. Moshier's Cephes single precision; double functions: fdlibm (Sun, 1993).
// Errors measured in tests/unit/base/math_test.cpp: float within 2 ulp, double within 1e-15 relative.
// NaN in, NaN out. Thread-safety: pure.
#pragma once

namespace entente::math {

// The argument is clamped to [-87, 88]: the result is never 0, never infinite.
float exp(float x) noexcept;
// Natural logarithm. 0 gives -infinity, negative gives NaN; subnormal arguments count as exact.
float log(float x) noexcept;
float tanh(float x) noexcept;
// 1 / (1 + e^-x), without cancellation for either sign.
float sigmoid(float x) noexcept;

// 0 below -745, infinity above 709.78.
double exp(double x) noexcept;
// Natural logarithm. 0 gives -infinity, negative gives NaN.
double log(double x) noexcept;
// cos(2 pi turns) for turns in [0, 1]: an angle in turns needs no range reduction by pi.
double cos_turns(double turns) noexcept;

}  // namespace entente::math
