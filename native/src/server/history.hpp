// What became of each round, for people: accuracy, seconds, overhead, bytes. Kept beside the ledger, never used for
// a decision.
//
// overhead_ms = wall time from one model's publication to the next, less the longest training of a participant
// whose update is in (the measure "train.ms" of its update).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "entente/round/journal.hpp"
#include "entente/task/score.hpp"

namespace entente::native {

struct RoundHistory {
    std::uint64_t round = 0;
    std::vector<std::string> contributors;
    std::optional<double> accuracy;
    std::optional<double> loss;
    std::optional<double> metric;  // of a table: the task's first, the mean of what the partners measured
    double seconds = 0;
    double overhead_ms = 0;
    std::uint64_t bytes_up = 0;
    std::uint64_t bytes_down = 0;
    std::string model_digest;
};

std::string to_json(const RoundHistory& round);

class History {
public:
    // Rounds of earlier runs, as they were stored.
    void restore(std::map<std::uint64_t, std::string> rounds) { stored_ = std::move(rounds); }
    void record(const round::Record& record);
    void model_visible(const Digest& model, std::int64_t now_ms);
    void sent_model(std::uint64_t bytes) { bytes_down_ += bytes; }
    // The coordinator's own score; it outweighs the partners'.
    void scored(const Digest& model, const task::Score& score);
    void reported(const Digest& model, const std::string& participant, std::uint64_t correct, std::uint64_t examples,
                  double loss_sum);

    [[nodiscard]] std::string json(bool with_names) const;  // an array; without the contributors' names for a partner
    // Rounds that changed since the last call.
    std::map<std::uint64_t, std::string> take_changes();
    [[nodiscard]] std::vector<double> overheads_ms() const;

private:
    struct Reported {
        std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> counts;  // correct, examples
        std::map<std::string, double> losses;
    };
    RoundHistory* of_model(const std::string& digest);
    void measured(const round::UpdateAccepted& update, double metric);

    std::map<std::uint64_t, std::string> stored_;
    std::map<std::uint64_t, RoundHistory> rounds_;
    std::map<std::string, Reported> reports_;  // by model digest
    // By the round whose model was measured. Never of a round before this run: those are text.
    std::map<std::uint64_t, std::map<std::string, double>> metrics_;
    std::map<std::uint64_t, bool> changed_;
    std::optional<std::uint64_t> closed_;
    double longest_training_ms_ = 0;
    std::uint64_t bytes_up_ = 0;
    std::uint64_t bytes_down_ = 0;
    std::int64_t visible_at_ms_ = 0;
    std::vector<std::string> contributors_;
};

}  // namespace entente::native
