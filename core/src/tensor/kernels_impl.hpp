// The one implementation of the kernel table. Each kernels_<variant>.cpp defines the macros below, includes this file
// and exports one Table:
//   ENTENTE_VARIANT   name of the instruction set, an identifier
//   ENTENTE_LANES     floats per vector; 1 = plain float
//   ENTENTE_FUSED     0: class portable, 1: class fused
//
// Everything stands in an unnamed namespace and nothing of the standard library is called: an inline function
// with external linkage compiled here for AVX-512 could be the copy that the linker keeps for the
// whole program. (The intrinsics are always inlined.)
#include <cstddef>
#include <cstdint>

#if ENTENTE_LANES == 16 || (ENTENTE_FUSED && ENTENTE_LANES == 8)
#include <immintrin.h>
#elif ENTENTE_FUSED && ENTENTE_LANES == 4
#include <arm_neon.h>
#endif

#include "entente/tensor/kernel_table.hpp"

namespace entente::kernels {
namespace {

using std::size_t;

#include "impl/vector.hpp"
//
#include "impl/curves.hpp"
#include "impl/elementwise.hpp"
#include "impl/gemm.hpp"
#include "impl/integers.hpp"
#include "impl/pool.hpp"
#include "impl/rounding.hpp"
#include "impl/sha256.hpp"
#include "impl/spots.hpp"
#include "impl/winograd.hpp"

#define ENTENTE_TEXT_OF(x) #x
#define ENTENTE_TEXT(x) ENTENTE_TEXT_OF(x)
#define ENTENTE_JOIN_OF(a, b) a##b
#define ENTENTE_JOIN(a, b) ENTENTE_JOIN_OF(a, b)
#if ENTENTE_FUSED
#define ENTENTE_TABLE ENTENTE_JOIN(fused_, ENTENTE_VARIANT)
#else
#define ENTENTE_TABLE ENTENTE_JOIN(portable_, ENTENTE_VARIANT)
#endif
// Four lanes are called as the machine's people call them.
#if ENTENTE_LANES != 4
#define ENTENTE_NAME ENTENTE_TEXT(ENTENTE_VARIANT)
#elif defined(__x86_64__)
#define ENTENTE_NAME "sse42"
#elif defined(__wasm__)
#define ENTENTE_NAME "simd128"
#else
#define ENTENTE_NAME "neon"
#endif

}  // namespace

extern const Table ENTENTE_TABLE;
const Table ENTENTE_TABLE = {
    .name = ENTENTE_NAME,
    .numerics = ENTENTE_FUSED ? Numerics::fused : Numerics::portable,
    .lanes = ENTENTE_LANES,
    .gemm = gemm,
    .transpose = transpose,
    .relu = relu,
    .relu_backward = relu_backward,
    .column_sums = column_sums,
    .max_pool = max_pool,
    .max_pool_backward = max_pool_backward,
    .winograd_weights = winograd_weights,
    .winograd = winograd,
    .spot_weights = spot_weights,
    .spot_inputs = spot_inputs,
    .any_nonzero = any_nonzero,
    .axpy = axpy,
    .add = add,
    .scale = scale,
    .dot = dot,
    .all_finite = all_finite,
    .round_at_random = round_at_random,
    .regularise = regularise,
    .sgd = sgd,
    .sgd_momentum = sgd_momentum,
    .adam = adam,
    .curve = curve,
    .curve_backward = curve_backward,
    .fold_narrow = fold<std::int32_t>,
    .fold_wide = fold<std::int64_t>,
    .widen = widen,
    .packed_good = packed_good,
    .mean_of = mean_of,
    .sha256_lanes = sha256_lanes,
};

}  // namespace entente::kernels
