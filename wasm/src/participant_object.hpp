// A participant in the page: the round's state machine, fed with what TypeScript fetched, and its training in slices.
#pragma once

#include "entente/round/participant.hpp"

#include <algorithm>
#include <optional>

#include "entente/nn/training.hpp"
#include "json.hpp"
#include "objects.hpp"

namespace entente::wasm {

namespace part = round::participant;

// How good the models of one round are on the partner's own held-out rows.
struct Point {
    std::uint64_t round = 0;
    Quality federated;      // the model that came
    Quality alone;          // a model that has only ever seen this data, with the same number of epochs
    double loss = -1;
};

enum class Stage : std::uint8_t { idle, training, scoring_federated, training_alone, scoring_alone, scoring_final, scoring_final_alone };

// The score of each round is taken on at most so many of the held-out rows; the last one on all of them.
constexpr std::uint32_t score_rows = 2'000;

inline std::string_view to_string(Stage stage) {
    switch (stage) {
        case Stage::idle: return "idle";
        case Stage::scoring_federated: return "scoring-federated";
        case Stage::training: return "training";
        case Stage::training_alone: return "training-alone";
        case Stage::scoring_alone: return "scoring-alone";
        case Stage::scoring_final: return "scoring-final";
        case Stage::scoring_final_alone: return "scoring-final-alone";
    }
    return "idle";
}

class ParticipantObject final : public Trainer {
public:
    ParticipantObject(plan::Plan plan, std::string id, round::Participant machine)
        : plan_(std::move(plan)), id_(std::move(id)), machine_(std::move(machine)) {}

    // A table has its own split. Where nothing lies behind it, the rows that train are scored.
    Status use(std::shared_ptr<TableRows> rows) {
        table_ = std::move(rows);
        take_table();
        // A round that gathers statistics is none for the own model either.
        if (!table_->sums().empty()) alone_rounds_ = alone_scored_ = 1;
        return done();
    }

    // With a test set, all rows train; without, every tenth is held out.
    Status use(std::shared_ptr<const data::Dataset> train, std::shared_ptr<const data::Dataset> test) {
        train_ = std::move(train);
        test_ = test ? std::move(test) : train_;
        if (test_ == train_) {
            for (std::uint32_t row = 0; row < train_->size(); ++row) (row % 10 == 9 ? test_rows_ : train_rows_).push_back(row);
            if (test_rows_.empty()) {
                return Error{Code::invalid_argument, "data.too-few",
                             "data: expected at least 10 rows, found " + std::to_string(train_->size())};
            }
        }
        choose_some();
        return done();
    }

    void take_table() {
        train_ = table_->train();
        test_ = table_->test()->size() > 0 ? table_->test() : train_;
        choose_some();
    }

    void choose_some() {
        some_rows_.clear();
        const auto all = static_cast<std::uint32_t>(test_rows_.empty() ? test_->size() : test_rows_.size());
        for (std::uint32_t i = 0; i < std::min(all, score_rows); ++i) {
            const auto at = static_cast<std::uint32_t>(std::uint64_t{i} * all / std::min(all, score_rows));
            some_rows_.push_back(test_rows_.empty() ? at : test_rows_[at]);
        }
    }

    Result<Quality> quality(const task::Score& score, std::span<const float> parameters) const {
        return table_ ? table_->quality(parameters) : Result<Quality>(Quality{score.accuracy(), {}});
    }

    // Statistics of everybody have come: what was trained and scored on is another data set now.
    Status scale(const std::shared_ptr<const task::Shared>& shared) {
        if (!shared || !table_) return done();
        ENTENTE_ASSIGN(const bool anew, table_->scale(*shared));
        if (!anew) return done();
        alone_training_.reset();
        scoring_.reset();
        take_table();
        return done();
    }

    std::string feed(part::Event event) {
        blobs_.clear();
        return commands_json(machine_.handle(std::move(event)));
    }

    // At most max_batches mini-batches of whatever there is to do.
    Result<std::string> work(std::uint32_t max_batches, double train_ms);
    [[nodiscard]] std::string view_json() const;

    Result<nn::LocalTraining*> training() override {
        if (stage_ != Stage::training || job_->measure) return Error{Code::not_found, "training.none", "participant: it does not train now"};
        if (!training_) ENTENTE_TRY(begin_training());
        return &*training_;
    }
    [[nodiscard]] const data::Dataset& data() const override { return *train_; }

    [[nodiscard]] const plan::Plan& plan() const { return plan_; }
    // 0 federated, 1 alone.
    [[nodiscard]] Result<std::span<const float>> parameters(std::uint32_t which) const {
        if (which == 1 && !alone_.empty()) return std::span<const float>(alone_);
        if (which == 0 && final_) return std::span<const float>(*final_);
        if (which == 0 && federated_) return std::span<const float>(*federated_);
        return Error{Code::not_found, "model.none-yet", "model: none has arrived yet"};
    }
    [[nodiscard]] std::uint64_t rounds() const { return rounds_; }
    [[nodiscard]] std::shared_ptr<TableRows> table() const { return table_; }  // null: digits

private:
    struct Writer;

    std::string commands_json(part::Commands commands);
    std::string blob(Bytes bytes) {
        blobs_.push_back(std::make_shared<const Bytes>(std::move(bytes)));
        return place(*blobs_.back());
    }
    static std::string place(const Bytes& bytes) {
        return "[" + std::to_string(static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(bytes.data()))) + "," +
               std::to_string(bytes.size()) + "]";
    }
    Status score(Stage stage, std::span<const float> parameters, const std::vector<std::uint32_t>& rows) {
        ENTENTE_ASSIGN(scoring_, task::Evaluation::start(plan_.task.model, parameters, *test_, rows, 64, plan_.task.loss));
        stage_ = stage;
        return done();
    }
    Status begin_training() {
        ENTENTE_TRY(scale(job_->shared));
        ENTENTE_ASSIGN(training_, nn::LocalTraining::start(plan_.task.model, plan::training_options(plan_, job_->round, id_),
                                                           *train_, train_rows_, *job_->parameters, executor()));
        if (job_->correction) ENTENTE_TRY(training_->correct(*job_->correction));
        return done();
    }
    Status begin_alone();
    [[nodiscard]] bool alone_due() const { return alone_rounds_ < alone_target_ || alone_scored_ < alone_rounds_; }
    [[nodiscard]] bool final_alone_due() const {
        return final_score_ && !final_alone_ && !alone_due() && !alone_.empty();
    }
    Result<std::string> finish_stage(double train_ms);
    Point& point(std::uint64_t round) {
        for (Point& p : points_) {
            if (p.round == round) return p;
        }
        points_.push_back({.round = round});
        return points_.back();
    }

    plan::Plan plan_;
    std::string id_;
    round::Participant machine_;
    std::shared_ptr<TableRows> table_;  // null: digits
    std::shared_ptr<const data::Dataset> train_;
    std::shared_ptr<const data::Dataset> test_;
    std::vector<std::uint32_t> train_rows_;  // empty: all
    std::vector<std::uint32_t> test_rows_;   // empty: all
    std::vector<std::uint32_t> some_rows_;   // of the test rows, for the score of each round
    std::vector<std::shared_ptr<const Bytes>> blobs_;  // of the last commands, until the next call

    Stage stage_ = Stage::idle;
    std::optional<part::Train> job_;
    std::optional<nn::LocalTraining> training_;
    std::optional<task::Evaluation> scoring_;
    part::Trained trained_;
    double loss_ = 0;
    std::uint64_t examples_ = 0;  // trained on since the page began, for the speed
    std::vector<Point> points_;
    std::uint64_t steps_ = 0;

    std::vector<float> alone_;
    std::uint64_t alone_rounds_ = 0;
    std::uint64_t alone_scored_ = 0;
    std::uint64_t alone_target_ = 0;
    std::optional<nn::LocalTraining> alone_training_;  // kept while a federated round goes first

    std::shared_ptr<const std::vector<float>> federated_;
    std::shared_ptr<const std::vector<float>> final_;
    std::shared_ptr<const task::Shared> final_shared_;
    std::optional<task::Score> final_score_;
    Quality final_quality_;
    std::optional<Quality> final_alone_;
    bool final_pending_ = false;
    std::uint64_t rounds_ = 0;
};

}  // namespace entente::wasm
