/* libsodium's files refer to its random generator and its misuse handler, which core never needs: seeds come from
 * the caller. Being asked all the same is a bug, so stop. */
#include <stddef.h>
#include <stdlib.h>

void randombytes_buf(void* const buffer, const size_t size) {
    (void) buffer;
    (void) size;
    abort();
}

void sodium_misuse(void) { abort(); }
