#include "threads/worker_pool.hpp"

#include <algorithm>

#if defined(__linux__)
#include <sched.h>
#elif defined(__EMSCRIPTEN__)
#include <emscripten/threading.h>
#endif

namespace entente {

namespace {

constexpr std::uint32_t closed = 0xffffffffu;
constexpr int spins = 20'000;  // some tens of microseconds

void pause() noexcept {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

constexpr std::uint32_t job_of(std::uint64_t ticket) { return static_cast<std::uint32_t>(ticket >> 32); }
constexpr std::uint32_t unit_of(std::uint64_t ticket) { return static_cast<std::uint32_t>(ticket); }
constexpr std::uint64_t ticket_of(std::uint32_t job, std::uint32_t unit) { return std::uint64_t{job} << 32 | unit; }

}  // namespace

unsigned WorkerPool::hardware() noexcept {
#if defined(__linux__)
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return static_cast<unsigned>(std::max(1, CPU_COUNT(&allowed)));
#endif
    return std::max(1u, std::thread::hardware_concurrency());
}

WorkerPool::WorkerPool(unsigned width) : ticket_(ticket_of(0, closed)) {
    for (unsigned lane = 1; lane < width; ++lane) helpers_.emplace_back([this, lane] { help(lane); });
}

WorkerPool::~WorkerPool() {
    over_.store(true, std::memory_order_release);
    ring();
    for (std::thread& helper : helpers_) helper.join();
}

unsigned WorkerPool::width() const noexcept { return static_cast<unsigned>(helpers_.size()) + 1; }

#if defined(__EMSCRIPTEN__)
// Its libc++ sleeps and looks again instead of waiting.
void WorkerPool::ring() {
    bell_.fetch_add(1, std::memory_order_release);
    __builtin_wasm_memory_atomic_notify(reinterpret_cast<int*>(&bell_), 0xffffffffu);
}
void WorkerPool::wait_for_ring(std::uint32_t heard) {
    __builtin_wasm_memory_atomic_wait32(reinterpret_cast<int*>(&bell_), static_cast<int>(heard), -1);
}
#else
void WorkerPool::ring() {
    bell_.fetch_add(1, std::memory_order_release);
    bell_.notify_all();
}
void WorkerPool::wait_for_ring(std::uint32_t heard) { bell_.wait(heard, std::memory_order_acquire); }
#endif

// The last units are with helpers that may have lost their processor.
void WorkerPool::wait_a_little([[maybe_unused]] std::uint32_t done) {
#if defined(__EMSCRIPTEN__)
    constexpr std::int64_t nap_ns = 50'000;
    // A page's own thread must not sleep, and there is no yield.
    if (emscripten_is_main_browser_thread() == 0) __builtin_wasm_memory_atomic_wait32(reinterpret_cast<int*>(&done_), static_cast<int>(done), nap_ns);
#else
    std::this_thread::yield();
#endif
}

// Takes the next unit of `job`; false if there is none left or the job is over.
bool WorkerPool::claim(std::uint32_t job, std::uint32_t& unit) {
    std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
    for (;;) {
        unit = unit_of(ticket);
        if (job_of(ticket) != job || unit >= units_.load(std::memory_order_relaxed)) return false;
        if (ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel, std::memory_order_acquire)) return true;
    }
}

void WorkerPool::help(unsigned lane) {
    std::uint32_t last = 0;
    for (;;) {
        const std::uint32_t bell = bell_.load(std::memory_order_acquire);
        std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
        for (int i = 0; i < spins && (job_of(ticket) == last || unit_of(ticket) == closed); ++i) {
            if (over_.load(std::memory_order_acquire)) return;
            pause();
            ticket = ticket_.load(std::memory_order_acquire);
        }
        if (job_of(ticket) == last || unit_of(ticket) == closed) {
            if (over_.load(std::memory_order_acquire)) return;
            wait_for_ring(bell);
            continue;
        }
        last = job_of(ticket);
        for (std::uint32_t unit = 0; claim(last, unit);) {
            (*work_.load(std::memory_order_relaxed))(unit, lane);
            done_.fetch_add(1, std::memory_order_release);
        }
    }
}

void WorkerPool::run_some(std::uint32_t units, const Work& work) {
    const std::uint32_t job = job_of(ticket_.load(std::memory_order_relaxed)) + 1;
    ticket_.store(ticket_of(job, closed), std::memory_order_release);
    work_.store(&work, std::memory_order_relaxed);
    units_.store(units, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    ticket_.store(ticket_of(job, 0), std::memory_order_release);
    ring();
    for (std::uint32_t unit = 0; claim(job, unit);) {
        work(unit, 0);
        done_.fetch_add(1, std::memory_order_release);
    }
    std::uint32_t done = done_.load(std::memory_order_acquire);
    for (int i = 0; done != units; ++i) {
        if (i < spins) pause();
        else wait_a_little(done);
        done = done_.load(std::memory_order_acquire);
    }
}

void WorkerPool::run(std::size_t units, Work work) {
    if (helpers_.empty() || units < 2) {
        for (std::size_t unit = 0; unit < units; ++unit) work(unit, 0);
        return;
    }
    constexpr std::size_t most = 1u << 30;
    for (std::size_t from = 0; from < units; from += most) {
        auto shifted = [&](std::size_t unit, unsigned lane) { work(from + unit, lane); };
        run_some(static_cast<std::uint32_t>(std::min(most, units - from)), shifted);
    }
}

}  // namespace entente
