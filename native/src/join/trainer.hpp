// Trains on a thread of its own, so that the network thread can say that this partner is alive.
//
//   trainer.start(plan, round, id, parameters);
//   while (!trainer.wait_for(1'000)) heartbeat(trainer.progress());
//   Result<round::participant::Trained> result = trainer.take();
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "threads/worker_pool.hpp"
#include "entente/data/dataset.hpp"
#include "entente/round/participant.hpp"

namespace entente::native {

class Trainer {
public:
    struct Progress {
        double fraction = 0;
        double examples_per_second = 0;
        double loss = 0;
        double seconds_left = 0;
    };

    // Empty rows: all of the data set. Threads: how many train together; the result does not depend on it.
    Trainer(std::shared_ptr<const data::Dataset> dataset, std::vector<std::uint32_t> rows, unsigned threads);
    ~Trainer();
    Trainer(const Trainer&) = delete;
    Trainer& operator=(const Trainer&) = delete;

    void start(const plan::Plan& plan, const std::string& participant, const round::participant::Train& train);
    bool wait_for(std::int64_t ms);  // true: finished
    [[nodiscard]] Progress progress();
    Result<round::participant::Trained> take();

private:
    struct Job {
        nn::ModelSpec model;
        nn::TrainingOptions options;
        round::participant::Train train;
    };
    void work();
    Result<round::participant::Trained> train(const Job& job);

    std::shared_ptr<const data::Dataset> dataset_;
    std::vector<std::uint32_t> rows_;
    WorkerPool pool_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Job> job_;
    std::optional<Result<round::participant::Trained>> result_;
    Progress progress_;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace entente::native
