// Where independent pieces of work run. Core owns no threads: a host passes an Executor in.
//
//   executor.run(tiles, [&](std::size_t tile) { fold_tile(tile); });
//
// Rule of determinism: jobs partition outputs, never a reduction, so neither width() nor the order in which
// jobs run can change a bit of the result.
#pragma once

#include <cstddef>
#include <functional>

namespace entente {

class Executor {
public:
    Executor() = default;
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;
    virtual ~Executor() = default;

    // How many jobs can run at the same moment, at least 1. A hint for choosing how finely to cut.
    [[nodiscard]] virtual unsigned width() const = 0;

    // Calls job(0) ... job(count - 1), each exactly once, in any order and possibly at the same time, and
    // returns when all have returned. `job` must not throw and must not call run() on the same executor.
    virtual void run(std::size_t count, const std::function<void(std::size_t)>& job) = 0;
};

// Runs every job in ascending order on the calling thread.
class InlineExecutor final : public Executor {
public:
    [[nodiscard]] unsigned width() const override { return 1; }
    void run(std::size_t count, const std::function<void(std::size_t)>& job) override {
        for (std::size_t i = 0; i < count; ++i) job(i);
    }
};

}  // namespace entente
