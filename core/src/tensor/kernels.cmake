# Appends the kernels' sources to ENTENTE_KERNEL_SOURCES (absolute paths) and sets their per-file flags.
#   include(core/src/tensor/kernels.cmake)
#   target_sources(entente_core PRIVATE ${ENTENTE_KERNEL_SOURCES})
# Call it in the directory that defines the target: source properties are per directory.
# The whole of core needs -ffp-contract=off; it is repeated here because these files must never lose it.
# -O3 overrides the -O2 of RelWithDebInfo: gcc 12 vectorises plain loops properly only there. Bits do not
# depend on it.
set(_entente_kernels ${CMAKE_CURRENT_LIST_DIR})
set(_entente_common -ffp-contract=off -fno-math-errno -fno-trapping-math
    "$<$<CONFIG:Release,RelWithDebInfo>:-O3>")
list(APPEND ENTENTE_KERNEL_SOURCES ${_entente_kernels}/kernels.cpp)

# entente_kernels(FILE FLAG...)
macro(entente_kernels file)
    list(APPEND ENTENTE_KERNEL_SOURCES ${_entente_kernels}/kernels_${file}.cpp)
    set_source_files_properties(${_entente_kernels}/kernels_${file}.cpp PROPERTIES
        COMPILE_OPTIONS "${_entente_common};${ARGN}")
endmacro()

entente_kernels(scalar)
if(EMSCRIPTEN)
    entente_kernels(v128 -msimd128)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    set(_entente_avx512 -mavx512f -mavx512vl -mavx512bw -mavx512dq -mprefer-vector-width=512)
    entente_kernels(v128 -msse4.2)
    entente_kernels(avx2 -mavx2 -mno-fma)
    entente_kernels(avx512 ${_entente_avx512})
    entente_kernels(scalar_fused -mavx2 -mfma)
    entente_kernels(avx2_fused -mavx2 -mfma)
    entente_kernels(avx512_fused ${_entente_avx512} -mfma)
else()
    entente_kernels(v128)
    entente_kernels(scalar_fused)
    entente_kernels(v128_fused)
endif()
