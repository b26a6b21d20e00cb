#include "cli/thread_pool.hpp"

namespace entente::native {

ThreadPool::ThreadPool(unsigned threads) {
    for (unsigned i = 1; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::take_jobs() {
    for (std::size_t i = next_++; i < count_; i = next_++) (*job_)(i);
}

void ThreadPool::run(std::size_t count, const std::function<void(std::size_t)>& job) {
    {
        const std::lock_guard lock(mutex_);
        job_ = &job;
        count_ = count;
        next_ = 0;
        busy_ = threads_.size();
        ++generation_;
    }
    wake_.notify_all();
    take_jobs();
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [this] { return busy_ == 0; });
}

void ThreadPool::work() {
    std::uint64_t done_generation = 0;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [&] { return stop_ || generation_ != done_generation; });
            if (stop_) return;
            done_generation = generation_;
        }
        take_jobs();
        {
            const std::lock_guard lock(mutex_);
            --busy_;
        }
        finished_.notify_one();
    }
}

}  // namespace entente::native
