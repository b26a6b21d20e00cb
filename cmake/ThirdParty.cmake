# Compiled third-party libraries of core: entente::zstd and entente::sodium.
# Native: the distribution's static libraries. wasm: built here from the distribution's source packages, which
# script/bootstrap unpacks into third_party/.
set(ENTENTE_THIRD_PARTY_DIR ${PROJECT_SOURCE_DIR}/third_party CACHE PATH "Where script/bootstrap unpacks sources")
set(ENTENTE_ZSTD_SOURCE_DIR ${ENTENTE_THIRD_PARTY_DIR}/zstd CACHE PATH "zstd's source, for wasm")
set(ENTENTE_SODIUM_SOURCE_DIR ${ENTENTE_THIRD_PARTY_DIR}/libsodium CACHE PATH "libsodium's source, for wasm")

if(EMSCRIPTEN)
    include(ThirdPartyWasm)
else()
    include(SystemLibraries)
    entente_system_library(zstd zstd zstd.h)
    entente_system_library(sodium sodium sodium.h)
endif()
