// A participant in the page: the round's state machine, fed with what TypeScript fetched, and its training in slices.
#include "entente/round/participant.hpp"

#include <algorithm>
#include <optional>

#include "entente/contract/wire.hpp"
#include "entente/nn/training.hpp"
#include "json.hpp"
#include "objects.hpp"

namespace entente::wasm {
namespace {

namespace part = round::participant;

// How good the models of one round are on the partner's own held-out rows; -1 is not known.
struct Point {
    std::uint64_t round = 0;
    double federated = -1;  // the model that came
    double alone = -1;      // a model that has only ever seen this data, with the same number of epochs
    double loss = -1;
};

enum class Stage : std::uint8_t { idle, training, scoring_federated, training_alone, scoring_alone, scoring_final, scoring_final_alone };

// The score of each round is taken on at most so many of the held-out rows; the last one on all of them.
constexpr std::uint32_t score_rows = 2'000;

std::string_view to_string(Stage stage) {
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
        const auto all = static_cast<std::uint32_t>(test_rows_.empty() ? test_->size() : test_rows_.size());
        for (std::uint32_t i = 0; i < std::min(all, score_rows); ++i) {
            const auto at = static_cast<std::uint32_t>(std::uint64_t{i} * all / std::min(all, score_rows));
            some_rows_.push_back(test_rows_.empty() ? at : test_rows_[at]);
        }
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
        if (stage_ != Stage::training) return Error{Code::not_found, "training.none", "participant: it does not train now"};
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
        ENTENTE_ASSIGN(training_, nn::LocalTraining::start(plan_.task.model, plan::training_options(plan_, job_->round, id_),
                                                           *train_, train_rows_, *job_->parameters, executor()));
        if (job_->correction) ENTENTE_TRY(training_->correct(*job_->correction));
        return done();
    }
    Status begin_alone();
    [[nodiscard]] bool alone_due() const { return alone_rounds_ < alone_target_ || alone_scored_ < alone_rounds_; }
    [[nodiscard]] bool final_alone_due() const {
        return final_score_ && !final_alone_score_ && !alone_due() && !alone_.empty();
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
    std::optional<task::Score> final_score_;
    std::optional<task::Score> final_alone_score_;
    bool final_pending_ = false;
    std::uint64_t rounds_ = 0;
};

// One JSON object a command; what is binary is named by its place in memory.
struct ParticipantObject::Writer {
    ParticipantObject& self;

    std::string operator()(part::OfferUpdates& c) {
        const std::string asset = c.asset.id;
        return Json().text("type", "offer").text("asset", asset)
            .raw("blob", self.blob(contract::encode(contract::Publication{std::move(c.asset), std::move(c.offer)}))).done();
    }
    std::string operator()(part::Watch& c) {
        return Json().text("type", "watch").number("cursor", c.cursor).number("wait_ms", c.wait_ms).done();
    }
    std::string operator()(part::Wait& c) { return Json().text("type", "wait").number("ms", c.ms).done(); }
    std::string operator()(part::Negotiate& c) {
        return Json().text("type", "negotiate").raw("blob", self.blob(contract::encode(c.proposal))).done();
    }
    std::string operator()(part::Fetch& c) {
        return Json().text("type", "fetch").number("limit", c.limit_bytes).number("size", c.request.version.size_bytes)
            .raw("blob", self.blob(contract::encode(c.request))).done();
    }
    std::string operator()(part::Conclude& c) {
        return Json().text("type", "conclude").text("transfer", c.transfer).raw("blob", self.blob(contract::encode(c.outcome))).done();
    }
    std::string operator()(part::Train& c) {
        self.federated_ = c.parameters;
        self.rounds_ = c.round;
        const std::uint64_t round = c.round;
        self.job_ = std::move(c);
        self.scoring_.reset();  // of the own model: begun again later, the federation goes first
        self.training_.reset();
        self.stage_ = Stage::training;
        return Json().text("type", "train").number("round", round).done();
    }
    std::string operator()(part::KeepState& c) {
        self.blobs_.push_back(c.state);
        return Json().text("type", "keep").raw("blob", place(*c.state)).done();
    }
    std::string operator()(part::Deliver& c) {
        self.blobs_.push_back(c.envelope);
        return Json().text("type", "deliver").text("asset", c.asset).number("round", c.version.round)
            .text("content", to_hex(c.version.content)).number("size", c.version.size_bytes)
            .raw("blob", place(*c.envelope)).done();
    }
    std::string operator()(part::Finish& c) {
        self.final_ = c.parameters;
        self.final_pending_ = c.parameters != nullptr;
        self.scoring_.reset();
        self.stage_ = Stage::idle;
        Json json;
        json.text("type", "finish").flag("ok", c.outcome.ok()).number("rounds", c.rounds);
        if (!c.outcome.ok()) json.text("code", c.outcome.error().reason).text("sentence", c.outcome.error().message);
        return json.done();
    }
    std::string operator()(part::Notice& c) {
        static constexpr const char* kinds[] = {"agreed", "model-received", "trained", "delivered", "accepted", "refused", "abandoned", "retrying"};
        return Json().text("type", "notice").text("kind", kinds[static_cast<std::size_t>(c.kind)]).number("round", c.round)
            .text("code", c.code).text("sentence", c.sentence).done();
    }
};

std::string ParticipantObject::commands_json(part::Commands commands) {
    return json_list(commands, [this](const part::Command& command) {
        part::Command copy = command;
        return std::visit(Writer{*this}, copy);
    });
}

Status ParticipantObject::begin_alone() {
    if (alone_scored_ < alone_rounds_) return score(Stage::scoring_alone, alone_, some_rows_);
    if (alone_rounds_ >= alone_target_) return done();
    if (alone_.empty()) alone_ = plan::initial_parameters(plan_);
    if (!alone_training_) {
        const auto options = plan::training_options(plan_, alone_rounds_ + 1, id_);
        ENTENTE_ASSIGN(alone_training_, nn::LocalTraining::start(plan_.task.model, options, *train_, train_rows_, alone_, executor()));
    }
    stage_ = Stage::training_alone;
    return done();
}

// What follows when a stage has come to its end.
Result<std::string> ParticipantObject::finish_stage(double train_ms) {
    switch (stage_) {
        case Stage::idle: break;
        case Stage::training: {
            const auto parameters = training_->parameters();
            trained_ = {};
            trained_.parameters.assign(parameters.begin(), parameters.end());
            trained_.examples = training_->rows();
            trained_.steps = training_->steps();
            trained_.mean_loss = training_->mean_loss();
            trained_.train_ms = static_cast<std::int64_t>(train_ms);
            point(job_->round).loss = trained_.mean_loss;
            training_.reset();
            ENTENTE_TRY(score(Stage::scoring_federated, *job_->parameters, some_rows_));
            break;
        }
        case Stage::scoring_federated: {
            trained_.global_score = scoring_->score();
            scoring_.reset();
            point(job_->round).federated = trained_.global_score->accuracy();
            alone_target_ = job_->round;
            job_.reset();
            stage_ = Stage::idle;
            return feed(std::move(trained_));
        }
        case Stage::training_alone: {
            const auto parameters = alone_training_->parameters();
            alone_.assign(parameters.begin(), parameters.end());
            alone_training_.reset();
            ++alone_rounds_;
            stage_ = Stage::idle;
            break;
        }
        case Stage::scoring_alone:
            alone_scored_ = alone_rounds_;
            point(alone_rounds_).alone = scoring_->score().accuracy();
            scoring_.reset();
            stage_ = Stage::idle;
            break;
        case Stage::scoring_final:
            final_score_ = scoring_->score();
            scoring_.reset();
            stage_ = Stage::idle;
            break;
        case Stage::scoring_final_alone:
            final_alone_score_ = scoring_->score();
            scoring_.reset();
            stage_ = Stage::idle;
            break;
    }
    return std::string("[]");
}

Result<std::string> ParticipantObject::work(std::uint32_t max_batches, double train_ms) {
    std::string commands = "[]";
    if (stage_ == Stage::idle) {
        if (final_pending_) {
            final_pending_ = false;
            ENTENTE_TRY(score(Stage::scoring_final, *final_, test_rows_));
        } else if (final_alone_due()) {
            ENTENTE_TRY(score(Stage::scoring_final_alone, alone_, test_rows_));
        } else {
            ENTENTE_TRY(begin_alone());
        }
    }
    bool ended = false;
    if (stage_ == Stage::training && !training_) ENTENTE_TRY(begin_training());
    if (stage_ == Stage::training || stage_ == Stage::training_alone) {
        nn::LocalTraining& training = stage_ == Stage::training ? *training_ : *alone_training_;
        ENTENTE_ASSIGN(const nn::StepReport report, training.step(max_batches));
        if (stage_ == Stage::training) {
            loss_ = report.mean_loss;
            steps_ += report.batches;
        }
        examples_ += report.examples;
        ended = training.finished();
    } else if (stage_ != Stage::idle) {
        ENTENTE_TRY(scoring_->step(max_batches));
        ended = scoring_->finished();
    }
    if (ended) {
        ENTENTE_ASSIGN(commands, finish_stage(train_ms));
    }
    const bool more = stage_ != Stage::idle || final_pending_ || alone_due() || final_alone_due();
    return Json().flag("more", more).raw("commands", commands).raw("view", view_json()).done();
}

std::string ParticipantObject::view_json() const {
    const part::View v = machine_.view();
    double progress = 0;
    if (stage_ == Stage::training && training_) progress = training_->progress();
    if (stage_ == Stage::scoring_federated) progress = 1;
    if (stage_ == Stage::training_alone) progress = alone_training_->progress();
    const auto share = [](double value) { return value < 0 ? std::string("null") : json_number(value); };
    Json json;
    json.text("activity", v.activity).text("stage", to_string(stage_)).number("progress", progress).number("loss", loss_)
        .number("steps", steps_).number("examples", examples_).number("round", v.round).number("rounds", plan_.round.rounds)
        .number("contributions", v.contributions).number("refusals", v.refusals)
        .number("train_rows", train_rows_.empty() ? train_->size() : train_rows_.size())
        .number("test_rows", test_rows_.empty() ? test_->size() : test_rows_.size()).number("score_rows", some_rows_.size())
        .text("model_agreement", v.model_agreement).text("update_agreement", v.update_agreement)
        .raw("points", json_list(points_, [&share](const Point& p) {
                 return Json().number("round", p.round).raw("federated", share(p.federated))
                     .raw("alone", share(p.alone)).raw("loss", share(p.loss)).done();
             }))
        .raw("crossings", json_list(v.crossings, [this, &v](const part::Crossing& c) {
                 // The final model is the last thing that ever arrives.
                 const bool last = final_ != nullptr && &c == &v.crossings.back();
                 return Json().number("round", c.round).flag("outgoing", c.outgoing).flag("final", last).text("agreement", c.agreement)
                     .text("content", to_hex(c.content)).number("size", c.size_bytes).number("clipped", c.clipped).done();
             }));
    if (final_alone_score_) json.number("final_alone", final_alone_score_->accuracy());
    if (final_score_) {
        json.raw("final", Json().number("accuracy", final_score_->accuracy()).number("examples", final_score_->examples)
                              .number("correct", final_score_->correct)
                              .raw("confusion", json_list(final_score_->confusion, [](auto n) { return std::to_string(n); }))
                              .done());
    }
    return json.done();
}

std::int64_t ms(double now) { return static_cast<std::int64_t>(now); }

Code code_of(std::uint32_t status) {
    for (const Code code : {Code::invalid_argument, Code::unauthenticated, Code::permission_denied, Code::not_found,
                            Code::conflict, Code::gone, Code::too_large, Code::resource_exhausted, Code::unavailable,
                            Code::no_space, Code::deadline_exceeded, Code::cancelled}) {
        if (static_cast<std::uint32_t>(http_status(code)) == status) return code;
    }
    return status >= 400 && status < 500 ? Code::invalid_argument : Code::unavailable;
}

const Answer* feed(Handle handle, part::Event event) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        return self->feed(std::move(event));
    });
}

}  // namespace
}  // namespace entente::wasm

using namespace entente;
using namespace entente::wasm;
namespace part = entente::round::participant;

extern "C" {

// test = 0: every tenth row of `train` is held out. state: what the last "keep" carried; empty at first.
const Answer* ent_participant_create(Handle plan, const char* id, std::uint32_t id_size, const std::byte* seed,
                                     std::uint32_t seed_size, const char* accepted_by, std::uint32_t accepted_by_size,
                                     Handle train, Handle test, const std::byte* state, std::uint32_t state_size) {
    return guard([&]() -> Result<Handle> {
        ENTENTE_ASSIGN(const auto plan_object, find<PlanObject>(plan));
        ENTENTE_ASSIGN(codec::SigningKey key, signing_key(seed, seed_size));
        ENTENTE_ASSIGN(const auto train_object, find<DataObject>(train));
        std::shared_ptr<const data::Dataset> test_data;
        if (test != 0) {
            ENTENTE_ASSIGN(const auto test_object, find<DataObject>(test));
            test_data = test_object->data;
        }
        part::Options options{plan_object->plan, std::string(text(id, id_size)), std::move(key), plan_object->coordinator,
                              std::string(text(accepted_by, accepted_by_size))};
        const ByteView kept = view(state, state_size);
        options.state.assign(kept.begin(), kept.end());
        ENTENTE_ASSIGN(auto machine, round::Participant::create(std::move(options)));
        auto object = std::make_shared<ParticipantObject>(plan_object->plan, std::string(text(id, id_size)), std::move(machine));
        ENTENTE_TRY(object->use(train_object->data, std::move(test_data)));
        return keep(std::move(object));
    });
}

// Events. Each answers with the commands that follow, a JSON list; binary parts are [pointer, size] and valid until
// the next call.
const Answer* ent_participant_started(Handle handle, double now_ms) { return feed(handle, part::Started{ms(now_ms)}); }
const Answer* ent_participant_offered(Handle handle) { return feed(handle, part::Offered{}); }
const Answer* ent_participant_kept(Handle handle) { return feed(handle, part::Kept{}); }
const Answer* ent_participant_delivered(Handle handle) { return feed(handle, part::Delivered{}); }
const Answer* ent_participant_waited(Handle handle, double now_ms) { return feed(handle, part::Waited{ms(now_ms)}); }

const Answer* ent_participant_watched(Handle handle, const std::byte* bytes, std::uint32_t size, double now_ms) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        ENTENTE_ASSIGN(contract::HubView hub, contract::decode_hub_view(view(bytes, size)));
        return self->feed(part::Watched{std::move(hub.catalog), std::move(hub.own_version), std::move(hub.own_agreements),
                                        std::move(hub.own_transfers), ms(now_ms)});
    });
}

const Answer* ent_participant_agreed(Handle handle, const std::byte* bytes, std::uint32_t size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        ENTENTE_ASSIGN(contract::Agreement agreement, contract::decode_agreement(view(bytes, size)));
        return self->feed(part::Agreed{std::move(agreement)});
    });
}

const Answer* ent_participant_fetched(Handle handle, const std::byte* transfer, std::uint32_t transfer_size,
                                      const std::byte* envelope, std::uint32_t envelope_size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        ENTENTE_ASSIGN(contract::Transfer opened, contract::decode_transfer(view(transfer, transfer_size)));
        const ByteView bytes = view(envelope, envelope_size);
        return self->feed(part::Fetched{std::move(opened), Bytes(bytes.begin(), bytes.end())});
    });
}

// status: of HTTP; 0 when there was no answer at all.
const Answer* ent_participant_failed(Handle handle, std::uint32_t status, const char* reason, std::uint32_t reason_size,
                                     const char* message, std::uint32_t message_size, double now_ms) {
    return feed(handle, part::Failed{Error{code_of(status), std::string(text(reason, reason_size)),
                                           std::string(text(message, message_size))}, ms(now_ms)});
}

const Answer* ent_participant_work(Handle handle, std::uint32_t max_batches, double train_ms) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        return self->work(max_batches, train_ms);
    });
}

const Answer* ent_participant_view(Handle handle) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        return self->view_json();
    });
}

const Answer* ent_participant_predict(Handle handle, std::uint32_t which, const float* example, std::uint32_t size) {
    return guard([&]() -> Result<Bytes> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        ENTENTE_ASSIGN(const auto parameters, self->parameters(which));
        return predict(self->plan(), parameters, example, size);
    });
}

const Answer* ent_participant_safetensors(Handle handle) {
    return guard([&]() -> Result<Bytes> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        ENTENTE_ASSIGN(const auto parameters, self->parameters(0));
        ENTENTE_TRY(policy::permits(plan::model_policy(self->plan()), policy::operation::export_model).status());
        return safetensors(self->plan(), parameters, self->rounds());
    });
}

}  // extern "C"
