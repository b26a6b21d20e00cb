// Large zeros as the system gives them: no page is touched before it is needed, and then by the thread that needs it.
//
//   std::vector<std::int64_t, ZeroPages<std::int64_t>> sums(d);   // all zero; d * 8 bytes are only promised
//
// For vectors of numbers that keep the size they are made with: what a vector grows by later is not set to zero.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <utility>

namespace entente {

template <class T>
struct ZeroPages {
    static_assert(std::is_arithmetic_v<T>);
    using value_type = T;

    ZeroPages() = default;
    template <class U>
    ZeroPages(const ZeroPages<U>&) noexcept {}  // NOLINT(google-explicit-constructor): what an allocator must be

    T* allocate(std::size_t count) {
        auto* zeros = static_cast<T*>(std::calloc(count, sizeof(T)));
        if (zeros == nullptr) throw std::bad_alloc();
        return zeros;
    }
    void deallocate(T* zeros, std::size_t) noexcept { std::free(zeros); }

    // Memory that has just been allocated is what a value-initialised element must be.
    template <class U>
    void construct(U*) noexcept {}
    template <class U, class... Arguments>
    void construct(U* at, Arguments&&... arguments) {
        ::new (static_cast<void*>(at)) U(std::forward<Arguments>(arguments)...);
    }

    friend bool operator==(const ZeroPages&, const ZeroPages&) = default;
};

}  // namespace entente
