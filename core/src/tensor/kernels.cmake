# Appends the kernels' sources to ENTENTE_KERNEL_SOURCES (absolute paths) and sets their per-file flags.
#   include(core/src/tensor/kernels.cmake)
#   target_sources(entente_core PRIVATE ${ENTENTE_KERNEL_SOURCES})
# Call it in the directory that defines the target: source properties are per directory.
# The whole of core needs -ffp-contract=off; it is repeated here because these files must never lose it.
# -O3 overrides the -O2 of RelWithDebInfo: gcc 12 vectorises plain loops properly only there. Bits do not
# depend on it.
set(_entente_kernels ${CMAKE_CURRENT_LIST_DIR})
list(APPEND ENTENTE_KERNEL_SOURCES
    ${_entente_kernels}/kernels.cpp
    ${_entente_kernels}/kernels_scalar.cpp
    ${_entente_kernels}/kernels_v128.cpp)

set(_entente_common -ffp-contract=off -fno-math-errno -fno-trapping-math
    "$<$<CONFIG:Release,RelWithDebInfo>:-O3>")
set_source_files_properties(${_entente_kernels}/kernels_scalar.cpp PROPERTIES
    COMPILE_OPTIONS "${_entente_common}")

if(EMSCRIPTEN)
    set_source_files_properties(${_entente_kernels}/kernels_v128.cpp PROPERTIES
        COMPILE_OPTIONS "${_entente_common};-msimd128")
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set_source_files_properties(${_entente_kernels}/kernels_v128.cpp PROPERTIES
        COMPILE_OPTIONS "${_entente_common};-msse4.2")
    list(APPEND ENTENTE_KERNEL_SOURCES
        ${_entente_kernels}/kernels_avx2.cpp
        ${_entente_kernels}/kernels_avx512.cpp)
    set_source_files_properties(${_entente_kernels}/kernels_avx2.cpp PROPERTIES
        COMPILE_OPTIONS "${_entente_common};-mavx2;-mno-fma")
    set_source_files_properties(${_entente_kernels}/kernels_avx512.cpp PROPERTIES
        COMPILE_OPTIONS
        "${_entente_common};-mavx512f;-mavx512vl;-mavx512bw;-mavx512dq;-mprefer-vector-width=512")
else()
    set_source_files_properties(${_entente_kernels}/kernels_v128.cpp PROPERTIES
        COMPILE_OPTIONS "${_entente_common}")
endif()
