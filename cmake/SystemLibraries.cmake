# entente_system_library(name library header): the static library as imported target entente::<name>.
# Used by the build and by the installed package alike.
function(entente_system_library name library header)
    if(TARGET entente::${name})
        return()
    endif()
    find_library(ENTENTE_${name}_LIBRARY NAMES lib${library}.a ${library})
    find_path(ENTENTE_${name}_INCLUDE ${header})
    mark_as_advanced(ENTENTE_${name}_LIBRARY ENTENTE_${name}_INCLUDE)
    if(NOT ENTENTE_${name}_LIBRARY OR NOT ENTENTE_${name}_INCLUDE)
        message(FATAL_ERROR "${name}: expected lib${library}.a and ${header}. script/bootstrap installs them.")
    endif()
    add_library(entente::${name} UNKNOWN IMPORTED GLOBAL)
    set_target_properties(entente::${name} PROPERTIES
        IMPORTED_LOCATION ${ENTENTE_${name}_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${ENTENTE_${name}_INCLUDE})
    if(library STREQUAL "sodium" AND ENTENTE_${name}_LIBRARY MATCHES "\\.a$")
        target_compile_definitions(entente::${name} INTERFACE SODIUM_STATIC=1)
    endif()
endfunction()
