#include "server/evaluator.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace entente::native {

namespace {
constexpr std::uint32_t slice_batches = 8;
constexpr int low_priority = 10;
}  // namespace

Evaluator::Evaluator(plan::TaskTerms task, std::shared_ptr<const data::Dataset> dataset, std::vector<std::uint32_t> rows,
                     bool latest_only, Scored scored)
    : task_(std::move(task)),
      dataset_(std::move(dataset)),
      rows_(std::move(rows)),
      latest_only_(latest_only),
      scored_(std::move(scored)),
      thread_([this] { work(); }) {}

Evaluator::~Evaluator() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Evaluator::submit(const Digest& model, std::vector<float> parameters) {
    {
        const std::lock_guard lock(mutex_);
        if (latest_only_) jobs_.clear();
        jobs_.push_back({model, std::move(parameters)});
    }
    changed_.notify_all();
}

void Evaluator::finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stop_ || (jobs_.empty() && !busy_); });
}

void Evaluator::work() {
    // On Linux a thread has a priority of its own.
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), low_priority);
    for (;;) {
        Job job;
        {
            std::unique_lock lock(mutex_);
            busy_ = false;
            changed_.notify_all();
            changed_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
            if (stop_) return;
            job = std::move(jobs_.front());
            jobs_.pop_front();
            busy_ = true;
        }
        auto evaluation = task::Evaluation::start(task_.model, job.parameters, *dataset_, rows_, 64, task_.loss);
        job.parameters = {};
        if (!evaluation.ok()) continue;
        bool good = true;
        while (good && !evaluation->finished()) {
            good = evaluation->step(slice_batches).ok();
            const std::lock_guard lock(mutex_);
            if (stop_) return;
        }
        if (good) scored_(job.model, evaluation->score());
    }
}

}  // namespace entente::native
