/* Compression is level 1 or below, which is zstd's `fast` strategy whatever the size, and without dictionaries. The tables of zstd refer to all the
 * others, a quarter of the whole join page; here they are never chosen, so being called is a bug: stop. */
#include <stdlib.h>

#include "compress/zstd_double_fast.h"
#include "compress/zstd_fast.h"
#include "compress/zstd_lazy.h"
#include "compress/zstd_ldm.h"
#include "compress/zstd_opt.h"

#define NEVER_BLOCK(strategy)                                                                                    \
    size_t ZSTD_compressBlock_##strategy(ZSTD_matchState_t* state, seqStore_t* sequences, U32 offsets[ZSTD_REP_NUM], \
                                         void const* source, size_t size) {                                     \
        (void) state, (void) sequences, (void) offsets, (void) source, (void) size;                             \
        abort();                                                                                                 \
    }

NEVER_BLOCK(fast_dictMatchState)
NEVER_BLOCK(doubleFast)
NEVER_BLOCK(doubleFast_dictMatchState)
NEVER_BLOCK(doubleFast_extDict)
NEVER_BLOCK(greedy)
NEVER_BLOCK(greedy_row)
NEVER_BLOCK(greedy_dictMatchState)
NEVER_BLOCK(greedy_dictMatchState_row)
NEVER_BLOCK(greedy_dedicatedDictSearch)
NEVER_BLOCK(greedy_dedicatedDictSearch_row)
NEVER_BLOCK(greedy_extDict)
NEVER_BLOCK(greedy_extDict_row)
NEVER_BLOCK(lazy)
NEVER_BLOCK(lazy_row)
NEVER_BLOCK(lazy_dictMatchState)
NEVER_BLOCK(lazy_dictMatchState_row)
NEVER_BLOCK(lazy_dedicatedDictSearch)
NEVER_BLOCK(lazy_dedicatedDictSearch_row)
NEVER_BLOCK(lazy_extDict)
NEVER_BLOCK(lazy_extDict_row)
NEVER_BLOCK(lazy2)
NEVER_BLOCK(lazy2_row)
NEVER_BLOCK(lazy2_dictMatchState)
NEVER_BLOCK(lazy2_dictMatchState_row)
NEVER_BLOCK(lazy2_dedicatedDictSearch)
NEVER_BLOCK(lazy2_dedicatedDictSearch_row)
NEVER_BLOCK(lazy2_extDict)
NEVER_BLOCK(lazy2_extDict_row)
NEVER_BLOCK(btlazy2)
NEVER_BLOCK(btlazy2_dictMatchState)
NEVER_BLOCK(btlazy2_extDict)
NEVER_BLOCK(btopt)
NEVER_BLOCK(btopt_dictMatchState)
NEVER_BLOCK(btopt_extDict)
NEVER_BLOCK(btultra)
NEVER_BLOCK(btultra_dictMatchState)
NEVER_BLOCK(btultra_extDict)
NEVER_BLOCK(btultra2)

#define NEVER(result, name, ...) \
    result name(__VA_ARGS__) { abort(); }

NEVER(void, ZSTD_fillDoubleHashTable, ZSTD_matchState_t* a, void const* b, ZSTD_dictTableLoadMethod_e c, ZSTD_tableFillPurpose_e d)
NEVER(U32, ZSTD_insertAndFindFirstIndex, ZSTD_matchState_t* a, const BYTE* b)
NEVER(void, ZSTD_row_update, ZSTD_matchState_t* a, const BYTE* b)
NEVER(void, ZSTD_dedicatedDictSearch_lazy_loadDictionary, ZSTD_matchState_t* a, const BYTE* b)
NEVER(void, ZSTD_updateTree, ZSTD_matchState_t* a, const BYTE* b, const BYTE* c)
NEVER(void, ZSTD_ldm_fillHashTable, ldmState_t* a, const BYTE* b, const BYTE* c, ldmParams_t const* d)
NEVER(size_t, ZSTD_ldm_generateSequences, ldmState_t* a, rawSeqStore_t* b, ldmParams_t const* c, void const* d, size_t e)
NEVER(size_t, ZSTD_ldm_blockCompress, rawSeqStore_t* a, ZSTD_matchState_t* b, seqStore_t* c, U32 d[ZSTD_REP_NUM],
      ZSTD_paramSwitch_e e, void const* f, size_t g)
NEVER(void, ZSTD_ldm_skipRawSeqStoreBytes, rawSeqStore_t* a, size_t b)
NEVER(void, ZSTD_ldm_adjustParameters, ldmParams_t* a, ZSTD_compressionParameters const* b)

/* These are called all the same, with long-distance matching off: there is nothing to skip and nothing to keep. */
void ZSTD_ldm_skipSequences(rawSeqStore_t* sequences, size_t size, U32 least_match) {
    (void) size, (void) least_match;
    if (sequences->size > 0) abort();
}

size_t ZSTD_ldm_getMaxNbSeq(ldmParams_t parameters, size_t chunk) {
    (void) parameters, (void) chunk;
    return 0;
}

size_t ZSTD_ldm_getTableSize(ldmParams_t parameters) {
    (void) parameters;
    return 0;
}
