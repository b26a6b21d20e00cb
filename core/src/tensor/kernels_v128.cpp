// Four lanes: SSE4.2, NEON or wasm simd128; flags in kernels.cmake.
#define ENTENTE_VARIANT v128
#if defined(__x86_64__)
#define ENTENTE_NAME "sse42"
#elif defined(__wasm__)
#define ENTENTE_NAME "simd128"
#else
#define ENTENTE_NAME "neon"
#endif
#define ENTENTE_LANES 4
#define ENTENTE_FUSED 0
#include "kernels_impl.hpp"
