// The reference: one float at a time.
#define ENTENTE_VARIANT scalar
#define ENTENTE_LANES 1
#define ENTENTE_TILE_ROWS 2
#define ENTENTE_TILE_VECTORS 4
#include "kernels_impl.hpp"
