// One float at a time, multiply-add in one: what the other fused variants are compared with; flags in kernels.cmake.
#define ENTENTE_VARIANT scalar
#define ENTENTE_LANES 1
#define ENTENTE_FUSED 1
#include "kernels_impl.hpp"
