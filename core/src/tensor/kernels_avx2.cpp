// Eight lanes, multiply and add apart; flags in kernels.cmake.
#define ENTENTE_VARIANT avx2
#define ENTENTE_LANES 8
#define ENTENTE_FUSED 0
#include "kernels_impl.hpp"
