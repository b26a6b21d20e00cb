# entente_compile_options(target): the flags of Entente's own code. Third-party code never gets them.
set(ENTENTE_ABI_FLAGS)   # needed in every object and at every link, third party included
if(EMSCRIPTEN)
    if(ENTENTE_WITHOUT_EXCEPTIONS)
        # `throw` and `catch` may be read (cereal has them) and do nothing: core's errors are values.
        list(APPEND ENTENTE_ABI_FLAGS -fignore-exceptions)
    else()
        list(APPEND ENTENTE_ABI_FLAGS -fwasm-exceptions)
    endif()
    if(ENTENTE_WASM_THREADS)
        list(APPEND ENTENTE_ABI_FLAGS -pthread)
    endif()
endif()
if(ENTENTE_SANITIZER STREQUAL "address")
    list(APPEND ENTENTE_ABI_FLAGS -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(ENTENTE_SANITIZER STREQUAL "fuzzer")
    list(APPEND ENTENTE_ABI_FLAGS -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(ENTENTE_SANITIZER STREQUAL "thread")
    list(APPEND ENTENTE_ABI_FLAGS -fsanitize=thread -fno-omit-frame-pointer)
elseif(NOT ENTENTE_SANITIZER STREQUAL "")
    message(FATAL_ERROR "ENTENTE_SANITIZER: expected empty, address, thread or fuzzer, found ${ENTENTE_SANITIZER}")
endif()

set(_entente_warnings -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wno-missing-field-initializers)
if(ENTENTE_WARNINGS_AS_ERRORS)
    list(APPEND _entente_warnings -Werror)
    # gcc 12 sees these in its own inlined containers where they are not; the sanitizer presets look for real.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        list(APPEND _entente_warnings -Wno-array-bounds -Wno-stringop-overflow
            -Wno-stringop-overread -Wno-restrict -Wno-maybe-uninitialized)
        # Below -O2 it takes the frames of Asio's coroutines for allocated and freed differently.
        if(NOT ENTENTE_SANITIZER STREQUAL "")
            list(APPEND _entente_warnings -Wno-mismatched-new-delete)
        endif()
        # Asio's fences, which the thread sanitizer does not model.
        if(ENTENTE_SANITIZER STREQUAL "thread")
            list(APPEND _entente_warnings -Wno-tsan)
        endif()
    endif()
endif()

function(entente_compile_options target)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "INTERFACE_LIBRARY")
        target_compile_features(${target} INTERFACE cxx_std_20)
        return()
    endif()
    target_compile_features(${target} PUBLIC cxx_std_20)
    set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
    target_compile_options(${target} PRIVATE
        $<$<COMPILE_LANGUAGE:CXX>:${_entente_warnings}>
        -ffp-contract=off   # a contracted multiply-add changes bits between machines
        $<$<CONFIG:Debug>:-D_GLIBCXX_ASSERTIONS>)
    if(ENTENTE_SANITIZER)
        target_compile_definitions(${target} PRIVATE _GLIBCXX_ASSERTIONS)
    endif()
    target_compile_options(${target} PUBLIC ${ENTENTE_ABI_FLAGS})
    target_link_options(${target} PUBLIC ${ENTENTE_ABI_FLAGS})
endfunction()
