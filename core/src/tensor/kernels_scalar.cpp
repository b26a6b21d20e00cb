// One float at a time, multiply and add apart: what the other variants are compared with; flags in kernels.cmake.
#define ENTENTE_VARIANT scalar
#define ENTENTE_LANES 1
#define ENTENTE_FUSED 0
#include "kernels_impl.hpp"
