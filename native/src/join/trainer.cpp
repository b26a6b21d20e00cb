#include "join/trainer.hpp"

#include <chrono>

#include "base/files.hpp"

namespace entente::native {

using round::participant::Trained;

namespace {
constexpr std::uint32_t slice_batches = 32;
}

Trainer::Trainer(std::shared_ptr<const data::Dataset> dataset, std::vector<std::uint32_t> rows, unsigned threads)
    : dataset_(std::move(dataset)), rows_(std::move(rows)), pool_(threads), thread_([this] { work(); }) {}

Trainer::~Trainer() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Trainer::start(const plan::Plan& plan, const std::string& participant, const round::participant::Train& train) {
    {
        const std::lock_guard lock(mutex_);
        result_.reset();
        progress_ = {};
        job_ = Job{plan.task.model, plan::training_options(plan, train.round, participant), train};
    }
    changed_.notify_all();
}

bool Trainer::wait_for(std::int64_t ms) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return result_.has_value(); });
}

Trainer::Progress Trainer::progress() {
    const std::lock_guard lock(mutex_);
    return progress_;
}

Result<Trained> Trainer::take() {
    const std::lock_guard lock(mutex_);
    return std::move(*result_);
}

void Trainer::work() {
    for (;;) {
        Job job;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stop_ || job_; });
            if (stop_) return;
            job = std::move(*job_);
            job_.reset();
        }
        Result<Trained> result = train(job);
        {
            const std::lock_guard lock(mutex_);
            result_.emplace(std::move(result));
        }
        changed_.notify_all();
    }
}

Result<Trained> Trainer::train(const Job& job) {
    const std::int64_t started_ms = monotonic_ms();
    ENTENTE_ASSIGN(auto training,
                   nn::LocalTraining::start(job.model, job.options, *dataset_, rows_, *job.train.parameters, pool_));
    if (job.train.correction) ENTENTE_TRY(training.correct(*job.train.correction));
    while (!training.finished()) {
        ENTENTE_ASSIGN(const nn::StepReport report, training.step(slice_batches));
        const double seconds = static_cast<double>(std::max<std::int64_t>(1, monotonic_ms() - started_ms)) / 1000.0;
        const double done_part = training.progress();
        const std::lock_guard lock(mutex_);
        progress_ = {done_part, static_cast<double>(training.examples()) / seconds, report.mean_loss,
                     done_part > 0 ? seconds * (1 - done_part) / done_part : 0};
        if (stop_) return Error{Code::cancelled, "training.stopped", "training was stopped"};
    }
    Trained trained;
    trained.parameters.assign(training.parameters().begin(), training.parameters().end());
    trained.examples = training.rows();
    trained.steps = training.steps();
    trained.mean_loss = training.mean_loss();
    trained.train_ms = monotonic_ms() - started_ms;
    return trained;
}

}  // namespace entente::native
