// Threads for work that is cut into units: an Executor over a fixed number of threads.
//
//   WorkerPool pool(WorkerPool::hardware());
//   training.use(pool);
//
// Units are claimed one by one, never dealt out in halves: with a busy neighbour on one core the other lanes take
// what is left, and the caller (lane 0) always works itself, so that a pool is not slower than no pool. A helper
// spins for some microseconds after a job, since in training the next one follows at once, and then sleeps.
//
// run() is for one caller at a time; the destructor waits for the helpers. Results cannot depend on the pool:
// see entente/base/executor.hpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "entente/base/executor.hpp"

namespace entente {

class WorkerPool final : public Executor {
public:
    // `width` lanes in all, the caller's included; 0 counts as 1.
    explicit WorkerPool(unsigned width);
    ~WorkerPool() override;
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // How many threads this process may really use (its CPU affinity counts).
    static unsigned hardware() noexcept;

    [[nodiscard]] unsigned width() const noexcept override;
    void run(std::size_t units, Work work) override;

private:
    void help(unsigned lane);
    bool claim(std::uint32_t job, std::uint32_t& unit);
    void run_some(std::uint32_t units, const Work& work);
    void ring();
    void wait_for_ring(std::uint32_t heard);
    void wait_a_little(std::uint32_t done);

    // The job's number in the high half, the next unit in the low half: a late helper can never take a unit of
    // another job. While a job is prepared the low half is `closed`.
    std::atomic<std::uint64_t> ticket_;
    std::atomic<const Work*> work_{nullptr};
    std::atomic<std::uint32_t> units_{0};
    std::atomic<std::uint32_t> done_{0};
    std::atomic<std::uint32_t> bell_{0};  // rung for a job and at the end
    std::atomic<bool> over_{false};
    std::vector<std::thread> helpers_;
};

}  // namespace entente
