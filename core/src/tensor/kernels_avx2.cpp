// Eight lanes, multiply and add apart: -mno-fma on purpose; flags in kernels.cmake.
#define ENTENTE_VARIANT avx2
#define ENTENTE_LANES 8
#define ENTENTE_TILE_ROWS 6
#define ENTENTE_TILE_VECTORS 2
#include "kernels_impl.hpp"
