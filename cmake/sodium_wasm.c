/* What libsodium's files refer to and wasm does otherwise. */
#include <stddef.h>
#include <stdlib.h>

#include "private/ed25519_ref10.h"

/* Its random generator and its misuse handler, which core never needs: seeds come from the caller. Being asked all the
 * same is a bug, so stop. */
void randombytes_buf(void* const buffer, const size_t size) {
    (void) buffer;
    (void) size;
    abort();
}

void sodium_misuse(void) { abort(); }

/* a B without the 30 KB of multiples of B, which no compression makes smaller and every page would download. As any other
 * point B is multiplied in constant time, in twice the time: a tenth of a millisecond, once or twice a round. */
void ge25519_scalarmult_base(ge25519_p3* product, const unsigned char* scalar) {
    static const unsigned char base[32] = {
        0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};
    ge25519_p3 point;
    if (ge25519_frombytes(&point, base) != 0) abort();
    ge25519_scalarmult(product, scalar, &point);
}
