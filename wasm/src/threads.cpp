// The lanes that trainings run on. Only the bundle with threads has more than one.
#include "objects.hpp"

#ifdef __EMSCRIPTEN_PTHREADS__
#include <algorithm>

#include "threads/worker_pool.hpp"

namespace entente::wasm {
namespace {
std::unique_ptr<WorkerPool> pool;
}

Executor& executor() { return pool ? static_cast<Executor&>(*pool) : inline_executor(); }

}  // namespace entente::wasm

// Once, before anything trains: `width` lanes, the caller's among them. As many Workers less one must be loaded.
extern "C" const entente::wasm::Answer* ent_threads(std::uint32_t width) {
    return entente::wasm::guard([&]() -> entente::Result<std::string> {
        if (entente::wasm::pool) return entente::Error{entente::Code::conflict, "threads.started", "threads: they run already"};
        entente::wasm::pool = std::make_unique<entente::WorkerPool>(std::clamp(width, 1u, 64u));
        return std::to_string(entente::wasm::pool->width());
    });
}
#else
namespace entente::wasm {
Executor& executor() { return inline_executor(); }
}  // namespace entente::wasm
#endif
