// Sixteen lanes, multiply and add apart; flags in kernels.cmake.
#define ENTENTE_VARIANT avx512
#define ENTENTE_LANES 16
#define ENTENTE_FUSED 0
#include "kernels_impl.hpp"
