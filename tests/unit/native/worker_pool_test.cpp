#include "threads/worker_pool.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

using entente::WorkerPool;

TEST_CASE("worker pool: every unit runs once, on a lane of its own, job after job") {
    for (const unsigned width : {0u, 1u, 2u, 3u, 5u}) {
        WorkerPool pool(width);
        REQUIRE(pool.width() == (width == 0 ? 1 : width));
        std::vector<std::atomic<int>> busy(pool.width());
        std::atomic<int> clashes{0};
        for (std::size_t units = 0; units < 300; ++units) {
            std::vector<int> runs(units, 0);
            pool.run(units, [&](std::size_t unit, unsigned lane) {
                if (lane >= busy.size() || busy[lane].fetch_add(1) != 0) clashes.fetch_add(1);
                runs[unit] += 1;
                busy[lane].fetch_sub(1);
            });
            for (const int count : runs) REQUIRE(count == 1);
        }
        CHECK(clashes.load() == 0);
    }
}

TEST_CASE("worker pool: a pool that fell asleep wakes up, and one that never worked ends") {
    { WorkerPool idle(4); }
    WorkerPool pool(3);
    for (int i = 0; i < 3; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        std::atomic<unsigned> sum{0};
        pool.run(1000, [&](std::size_t unit, unsigned) { sum.fetch_add(static_cast<unsigned>(unit)); });
        CHECK(sum.load() == 499'500);
    }
}

TEST_CASE("worker pool: the caller alone can finish a job") {
    // One unit holds a helper up; everything else is still done by the other lanes.
    WorkerPool pool(2);
    std::atomic<std::size_t> others{0};
    pool.run(100, [&](std::size_t unit, unsigned) {
        if (unit != 0) {
            others.fetch_add(1);
            return;
        }
        while (others.load() < 99) std::this_thread::yield();
    });
    CHECK(others.load() == 99);
}
