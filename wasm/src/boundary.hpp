// The border between JavaScript and the core: flat C functions, opaque handles, one kind of answer.
//
//   const Answer* ent_plan_open(const std::byte* envelope, std::uint32_t size, ...);
//
// Every function returns the address of an Answer {status, pointer, size} of three 32-bit words:
//   status 0   pointer/size are bytes (JSON text or binary), or pointer is a new handle and size is 0
//   status 1   pointer/size are the JSON text {"code", "reason", "message"} of an Error
// The bytes are valid until the next call of any function; the caller copies them out at once. A handle lives until
// ent_release; a wrong or released one is an Error, never undefined behaviour. No exception leaves a function; what ships
// has none, and traps where memory ends: the host calls it no more then. JSON is written here, never read: what comes in
// are numbers, text and binary messages. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "entente/base/bytes.hpp"
#include "entente/base/executor.hpp"
#include "entente/base/result.hpp"

namespace entente::wasm {

struct Answer {
    std::uint32_t status;
    std::uint32_t pointer;
    std::uint32_t size;
};

using Handle = std::uint32_t;

// Anything that JavaScript holds by handle.
class Object {
public:
    Object() = default;
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
    virtual ~Object() = default;
};

Handle keep(std::shared_ptr<Object> object);
std::shared_ptr<Object> held(Handle handle);  // null when unknown
void release(Handle handle);

template <class T>
Result<std::shared_ptr<T>> find(Handle handle) {
    auto object = std::dynamic_pointer_cast<T>(held(handle));
    if (object == nullptr) {
        return Error{Code::not_found, "handle.unknown", "handle " + std::to_string(handle) + ": released, or of another kind"};
    }
    return object;
}

const Answer* answer(const Error& error);
const Answer* answer(Bytes bytes);
const Answer* answer(std::string text);
const Answer* answer(std::span<const std::byte> place);  // memory of its owner, as it lies there
const Answer* answer_handle(Handle handle);

template <class T>
const Answer* answer(Result<T> result) {
    if (!result.ok()) return answer(result.error());
    if constexpr (std::is_same_v<T, Done>) {
        return answer(std::string());
    } else if constexpr (std::is_same_v<T, Handle>) {
        return answer_handle(result.value());
    } else {
        return answer(std::move(result).value());
    }
}

// What goes wrong inside `body`, as an Answer.
const Answer* guarded(FunctionRef<const Answer*()> body) noexcept;

// Runs `body`, which returns a Result of Bytes, text, Handle or Done, and turns whatever happens into an Answer.
template <class Body>
const Answer* guard(Body&& body) noexcept {
    const auto run = [&] { return answer(body()); };
    return guarded(run);
}

inline ByteView view(const std::byte* data, std::uint32_t size) { return {data, size}; }
inline std::string_view text(const char* data, std::uint32_t size) { return {data, size}; }

}  // namespace entente::wasm
