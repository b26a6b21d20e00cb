# Header-only packages of the system as INTERFACE targets that em++ can use too.
#
#   entente_header_only(entente_cereal cereal)      # -> target entente::headers_cereal
#
# `-isystem /usr/include`, which the packages' own CMake files add, breaks em++: it would find the host's libc.
# So each package gets a directory in the build tree that holds nothing but a link to its headers.
function(entente_header_only name)
    cmake_parse_arguments(arg "OPTIONAL" "" "" ${ARGN})
    set(farm ${PROJECT_BINARY_DIR}/headers/${name})
    add_library(entente_headers_${name} INTERFACE)
    add_library(entente::headers_${name} ALIAS entente_headers_${name})
    foreach(directory IN LISTS arg_UNPARSED_ARGUMENTS)
        unset(found)
        foreach(prefix IN LISTS ENTENTE_HEADER_PREFIXES)
            if(EXISTS ${prefix}/${directory})
                set(found ${prefix}/${directory})
                break()
            endif()
        endforeach()
        if(NOT found)
            if(arg_OPTIONAL)
                message(STATUS "${name}: no headers ${directory}")
                continue()
            endif()
            message(FATAL_ERROR "${name}: expected the headers ${directory} in one of: ${ENTENTE_HEADER_PREFIXES}. "
                                "script/bootstrap installs them.")
        endif()
        file(MAKE_DIRECTORY ${farm})
        file(CREATE_LINK ${found} ${farm}/${directory} SYMBOLIC)
    endforeach()
    target_include_directories(entente_headers_${name} SYSTEM INTERFACE $<BUILD_INTERFACE:${farm}>)
endfunction()

set(ENTENTE_HEADER_PREFIXES /usr/local/include /usr/include CACHE STRING "Where header-only packages are searched")

entente_header_only(cereal cereal)
entente_header_only(xtensor xtensor xtl)
entente_header_only(tomlplusplus toml++)
# The distribution's header would otherwise expect its shared library.
target_compile_definitions(entente_headers_tomlplusplus INTERFACE TOML_HEADER_ONLY=1)
entente_header_only(cli11 CLI)
entente_header_only(doctest doctest OPTIONAL)
if(NOT EMSCRIPTEN)
    entente_header_only(boost boost)
    entente_header_only(fmt fmt)
    target_compile_definitions(entente_headers_fmt INTERFACE FMT_HEADER_ONLY=1)
endif()
