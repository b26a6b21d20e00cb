# What stands before the compiler and the linker.
find_program(ENTENTE_CCACHE ccache)
if(ENTENTE_CCACHE)
    foreach(language C CXX)
        if(NOT DEFINED CMAKE_${language}_COMPILER_LAUNCHER)
            set(CMAKE_${language}_COMPILER_LAUNCHER ${ENTENTE_CCACHE})
        endif()
    endforeach()
endif()

# em++ optimises its JavaScript with acorn. Debian keeps that module where a node from elsewhere does not look.
if(EMSCRIPTEN AND EXISTS /usr/share/nodejs/acorn)
    set(CMAKE_C_LINKER_LAUNCHER ${CMAKE_COMMAND} -E env NODE_PATH=/usr/share/nodejs)
    set(CMAKE_CXX_LINKER_LAUNCHER ${CMAKE_C_LINKER_LAUNCHER})
endif()

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES AND PROJECT_IS_TOP_LEVEL)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
