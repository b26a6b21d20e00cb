// Sixteen lanes, multiply-add in one; flags in kernels.cmake.
#define ENTENTE_VARIANT avx512
#define ENTENTE_LANES 16
#define ENTENTE_FUSED 1
#include "kernels_impl.hpp"
