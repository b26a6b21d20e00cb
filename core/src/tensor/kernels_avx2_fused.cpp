// Eight lanes, multiply-add in one; flags in kernels.cmake.
#define ENTENTE_VARIANT avx2
#define ENTENTE_LANES 8
#define ENTENTE_FUSED 1
#include "kernels_impl.hpp"
