# zstd and libsodium for wasm, from source. Only what core calls.
function(_entente_require_source directory file)
    if(NOT EXISTS ${directory}/${file})
        message(FATAL_ERROR "Expected ${directory}/${file}. script/bootstrap fetches the sources.")
    endif()
endfunction()

_entente_require_source(${ENTENTE_ZSTD_SOURCE_DIR} lib/zstd.h)
file(GLOB _zstd_sources
    ${ENTENTE_ZSTD_SOURCE_DIR}/lib/common/*.c
    ${ENTENTE_ZSTD_SOURCE_DIR}/lib/compress/*.c
    ${ENTENTE_ZSTD_SOURCE_DIR}/lib/decompress/*.c)
list(FILTER _zstd_sources EXCLUDE REGEX "zstd(_double_fast|_lazy|_opt|_ldm|mt_compress)\\.c$")
set_source_files_properties(${ENTENTE_ZSTD_SOURCE_DIR}/lib/compress/zstd_fast.c PROPERTIES
    COMPILE_DEFINITIONS ZSTD_compressBlock_fast_dictMatchState=ZSTD_compressBlock_fast_never)  # zstd_wasm.c has another
add_library(entente_zstd STATIC ${_zstd_sources} ${PROJECT_SOURCE_DIR}/cmake/zstd_wasm.c)
target_include_directories(entente_zstd SYSTEM PUBLIC $<BUILD_INTERFACE:${ENTENTE_ZSTD_SOURCE_DIR}/lib>)
target_compile_definitions(entente_zstd PRIVATE ZSTD_DISABLE_ASM=1 ZSTD_LEGACY_SUPPORT=0 ZSTD_NO_INLINE=1
    HUF_FORCE_DECOMPRESS_X1=1 ZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT=1 NDEBUG)
# -Os: 40 % smaller than -O3; the download weighs more than the speed.
target_compile_options(entente_zstd PRIVATE -Os -w ${ENTENTE_ABI_FLAGS})

_entente_require_source(${ENTENTE_SODIUM_SOURCE_DIR} src/libsodium/include/sodium.h)
set(_sodium ${ENTENTE_SODIUM_SOURCE_DIR}/src/libsodium)
set(ENTENTE_SODIUM_VERSION_DIR ${PROJECT_BINARY_DIR}/generated/sodium)
file(READ ${_sodium}/include/sodium/version.h.in _version_text)
string(REPLACE "@VERSION@" "1.0.18" _version_text "${_version_text}")
string(REPLACE "@SODIUM_LIBRARY_VERSION_MAJOR@" "10" _version_text "${_version_text}")
string(REPLACE "@SODIUM_LIBRARY_VERSION_MINOR@" "3" _version_text "${_version_text}")
string(REPLACE "@SODIUM_LIBRARY_MINIMAL_DEF@" "" _version_text "${_version_text}")
string(REPLACE "\"export.h\"" "\"sodium/export.h\"" _version_text "${_version_text}")
file(CONFIGURE OUTPUT ${ENTENTE_SODIUM_VERSION_DIR}/sodium/version.h CONTENT "${_version_text}" @ONLY)
set_source_files_properties(${_sodium}/crypto_core/ed25519/ref10/ed25519_ref10.c PROPERTIES
    COMPILE_DEFINITIONS ge25519_scalarmult_base=ge25519_scalarmult_base_by_table)  # sodium_wasm.c has another
add_library(entente_sodium STATIC
    ${_sodium}/crypto_core/ed25519/ref10/ed25519_ref10.c
    ${_sodium}/crypto_hash/sha512/cp/hash_sha512_cp.c
    ${_sodium}/crypto_scalarmult/crypto_scalarmult.c
    ${_sodium}/crypto_scalarmult/curve25519/ref10/x25519_ref10.c
    ${_sodium}/crypto_scalarmult/curve25519/scalarmult_curve25519.c
    ${_sodium}/crypto_sign/crypto_sign.c
    ${_sodium}/crypto_sign/ed25519/sign_ed25519.c
    ${_sodium}/crypto_sign/ed25519/ref10/keypair.c
    ${_sodium}/crypto_sign/ed25519/ref10/open.c
    ${_sodium}/crypto_sign/ed25519/ref10/sign.c
    ${_sodium}/crypto_verify/sodium/verify.c
    ${_sodium}/sodium/utils.c
    ${PROJECT_SOURCE_DIR}/cmake/sodium_wasm.c)
target_include_directories(entente_sodium SYSTEM
    PUBLIC $<BUILD_INTERFACE:${_sodium}/include> $<BUILD_INTERFACE:${ENTENTE_SODIUM_VERSION_DIR}>
    PRIVATE ${_sodium}/include/sodium ${ENTENTE_SODIUM_VERSION_DIR}/sodium)
target_compile_definitions(entente_sodium PUBLIC SODIUM_STATIC=1 PRIVATE CONFIGURED=1 NATIVE_LITTLE_ENDIAN=1 NDEBUG)
target_compile_options(entente_sodium PRIVATE -Os -w ${ENTENTE_ABI_FLAGS})

foreach(library zstd sodium)
    add_library(entente::${library} ALIAS entente_${library})
    set_target_properties(entente_${library} PROPERTIES EXPORT_NAME ${library})
endforeach()
