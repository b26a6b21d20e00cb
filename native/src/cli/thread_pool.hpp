// An Executor on threads that wait for work.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "entente/base/executor.hpp"

namespace entente::native {

class ThreadPool final : public Executor {
public:
    explicit ThreadPool(unsigned threads);  // the calling thread is one of them
    ~ThreadPool() override;
    [[nodiscard]] unsigned width() const override { return static_cast<unsigned>(threads_.size()) + 1; }
    void run(std::size_t count, const std::function<void(std::size_t)>& job) override;

private:
    void work();
    void take_jobs();

    std::vector<std::thread> threads_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable finished_;
    const std::function<void(std::size_t)>* job_ = nullptr;
    std::size_t count_ = 0;
    std::atomic<std::size_t> next_{0};
    std::size_t busy_ = 0;
    std::uint64_t generation_ = 0;
    bool stop_ = false;
};

}  // namespace entente::native
