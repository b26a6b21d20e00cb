// Four lanes: SSE4.2, NEON or wasm simd128; flags in kernels.cmake.
#define ENTENTE_VARIANT v128
#define ENTENTE_LANES 4
#define ENTENTE_FUSED 0
#include "kernels_impl.hpp"
