// Scores models on a thread of its own, at low priority: nobody waits for a score.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/data/dataset.hpp"
#include "entente/nn/model_spec.hpp"
#include "entente/plan/plan.hpp"
#include "entente/task/score.hpp"

namespace entente::native {

class Evaluator {
public:
    using Scored = std::function<void(const Digest& model, const task::Score& score)>;  // on the evaluator's thread

    // `latest_only`: a model that still waits makes way for a newer one.
    Evaluator(plan::TaskTerms task, std::shared_ptr<const data::Dataset> dataset, std::vector<std::uint32_t> rows,
              bool latest_only, Scored scored);
    ~Evaluator();
    Evaluator(const Evaluator&) = delete;
    Evaluator& operator=(const Evaluator&) = delete;

    void submit(const Digest& model, std::vector<float> parameters);
    // Until everything submitted so far is scored.
    void finish();

private:
    struct Job {
        Digest model;
        std::vector<float> parameters;
    };
    void work();

    plan::TaskTerms task_;
    std::shared_ptr<const data::Dataset> dataset_;
    std::vector<std::uint32_t> rows_;
    bool latest_only_;
    Scored scored_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> jobs_;
    bool busy_ = false;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace entente::native
