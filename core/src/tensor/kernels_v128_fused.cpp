// Four lanes of NEON, multiply-add in one; flags in kernels.cmake.
#define ENTENTE_VARIANT v128
#define ENTENTE_LANES 4
#define ENTENTE_FUSED 1
#include "kernels_impl.hpp"
