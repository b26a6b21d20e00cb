# entente_add_library(name glob...): a static library entente_<name> with alias entente::<name> of all files that
# match; INTERFACE while none does.
function(entente_add_library name)
    file(GLOB sources CONFIGURE_DEPENDS ${ARGN})
    if(sources)
        add_library(entente_${name} STATIC ${sources})
    else()
        add_library(entente_${name} INTERFACE)
    endif()
    add_library(entente::${name} ALIAS entente_${name})
    set_target_properties(entente_${name} PROPERTIES EXPORT_NAME ${name})
    entente_compile_options(entente_${name})
endfunction()

# entente_link(target libraries...): PUBLIC, or INTERFACE while the target has no sources.
function(entente_link target)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "INTERFACE_LIBRARY")
        target_link_libraries(${target} INTERFACE ${ARGN})
    else()
        target_link_libraries(${target} PUBLIC ${ARGN})
    endif()
endfunction()

function(entente_include_root target)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "INTERFACE_LIBRARY")
        target_include_directories(${target} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
    else()
        target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
    endif()
endfunction()

# Only for executables that people run: nothing but libc, libm and the loader stays dynamic.
function(entente_link_statically target)
    if(NOT EMSCRIPTEN AND NOT ENTENTE_SANITIZER)
        target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc)
    endif()
endfunction()
