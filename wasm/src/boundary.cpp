#include "boundary.hpp"

#include <map>
#include <new>

#include "entente/base/json_text.hpp"

namespace entente::wasm {

namespace {

std::map<Handle, std::shared_ptr<Object>>& table() {
    static std::map<Handle, std::shared_ptr<Object>> objects;
    return objects;
}

// The bytes of the last answer, and the answer itself.
std::string last_bytes;
Bytes last_binary;
Answer last;

std::uint32_t address(const void* pointer) {
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(pointer));
}

}  // namespace

Handle keep(std::shared_ptr<Object> object) {
    static Handle next = 0;
    table().emplace(++next, std::move(object));
    return next;
}

std::shared_ptr<Object> held(Handle handle) {
    const auto entry = table().find(handle);
    return entry == table().end() ? nullptr : entry->second;
}

void release(Handle handle) { table().erase(handle); }

const Answer* answer(std::string text) {
    last_bytes = std::move(text);
    last = {0, address(last_bytes.data()), static_cast<std::uint32_t>(last_bytes.size())};
    return &last;
}

const Answer* answer(Bytes bytes) {
    last_binary = std::move(bytes);
    last = {0, address(last_binary.data()), static_cast<std::uint32_t>(last_binary.size())};
    return &last;
}

const Answer* answer(std::span<const std::byte> place) {
    last = {0, address(place.data()), static_cast<std::uint32_t>(place.size())};
    return &last;
}

const Answer* answer_handle(Handle handle) {
    last = {0, handle, 0};
    return &last;
}

const Answer* answer(const Error& error) {
    answer("{\"code\":" + json_text(to_string(error.code)) + ",\"reason\":" + json_text(error.reason) +
           ",\"message\":" + json_text(error.message) + "}");
    last.status = 1;
    return &last;
}

const Answer* guarded(FunctionRef<const Answer*()> body) noexcept {
#ifdef ENTENTE_WITHOUT_EXCEPTIONS
    // Else operator new would give null, and nobody looks. The host hears of a trap, and calls no more.
    std::set_new_handler([] { __builtin_trap(); });
#endif
    try {
        return body();
    } catch (const std::bad_alloc&) {
        return answer(Error{Code::resource_exhausted, "memory.exhausted", "memory: the browser gives no more of it"});
    } catch (const std::exception& e) {
        return answer(Error{Code::internal, "internal.exception", std::string("internal error: ") + e.what()});
    } catch (...) {
        return answer(Error{Code::internal, "internal.exception", "internal error of unknown kind"});
    }
}

}  // namespace entente::wasm

extern "C" void ent_release(entente::wasm::Handle handle) { entente::wasm::release(handle); }
