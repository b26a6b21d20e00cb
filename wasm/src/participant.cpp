#include "participant_object.hpp"

#include "entente/contract/wire.hpp"

namespace entente::wasm {

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
        self.final_shared_ = c.shared;
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
            ENTENTE_ASSIGN(point(job_->round).federated, quality(*trained_.global_score, *job_->parameters));
            if (const double metric = point(job_->round).federated.first; table_ && metric >= 0) trained_.global_metric = metric;
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
        case Stage::scoring_alone: {
            alone_scored_ = alone_rounds_;
            ENTENTE_ASSIGN(point(alone_rounds_).alone, quality(scoring_->score(), alone_));
            scoring_.reset();
            stage_ = Stage::idle;
            break;
        }
        case Stage::scoring_final: {
            final_score_ = scoring_->score();
            ENTENTE_ASSIGN(final_quality_, quality(*final_score_, *final_));
            scoring_.reset();
            stage_ = Stage::idle;
            break;
        }
        case Stage::scoring_final_alone: {
            ENTENTE_ASSIGN(final_alone_, quality(scoring_->score(), alone_));
            scoring_.reset();
            stage_ = Stage::idle;
            break;
        }
    }
    return std::string("[]");
}

Result<std::string> ParticipantObject::work(std::uint32_t max_batches, double train_ms) {
    std::string commands = "[]";
    if (stage_ == Stage::idle) {
        if (final_pending_) {
            final_pending_ = false;
            ENTENTE_TRY(scale(final_shared_));
            ENTENTE_TRY(score(Stage::scoring_final, *final_, test_rows_));
        } else if (final_alone_due()) {
            ENTENTE_TRY(score(Stage::scoring_final_alone, alone_, test_rows_));
        } else {
            ENTENTE_TRY(begin_alone());
        }
    }
    bool ended = false;
    if (stage_ == Stage::training && job_->measure) {
        trained_ = {};
        if (table_) trained_.sums = table_->sums();
        job_.reset();
        stage_ = Stage::idle;
        commands = feed(std::move(trained_));
        return Json().flag("more", final_pending_ || alone_due()).raw("commands", commands).raw("view", view_json()).done();
    }
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
    const auto with_all = [](Json& o, std::string_view key, const Quality& q) {
        if (!q.all.empty()) o.raw(key, q.all);
    };
    Json json;
    json.text("activity", v.activity).text("stage", to_string(stage_)).number("progress", progress).number("loss", loss_)
        .number("steps", steps_).number("examples", examples_).number("round", v.round).number("rounds", plan_.round.rounds)
        .number("contributions", v.contributions).number("refusals", v.refusals)
        .number("train_rows", train_rows_.empty() ? train_->size() : train_rows_.size())
        .number("test_rows", test_rows_.empty() ? test_->size() : test_rows_.size()).number("score_rows", some_rows_.size())
        .text("model_agreement", v.model_agreement).text("update_agreement", v.update_agreement)
        .raw("points", json_list(points_, [&share, &with_all](const Point& p) {
                 Json o;
                 o.number("round", p.round).raw("federated", share(p.federated.first)).raw("alone", share(p.alone.first)).raw("loss", share(p.loss));
                 with_all(o, "federated_metrics", p.federated);
                 with_all(o, "alone_metrics", p.alone);
                 return o.done();
             }))
        .raw("crossings", json_list(v.crossings, [this, &v](const part::Crossing& c) {
                 // The final model is the last thing that ever arrives.
                 const bool last = final_ != nullptr && &c == &v.crossings.back();
                 return Json().number("round", c.round).flag("outgoing", c.outgoing).flag("sums", c.sums).flag("final", last).text("agreement", c.agreement)
                     .text("content", to_hex(c.content)).number("size", c.size_bytes).number("clipped", c.clipped).done();
             }));
    if (final_alone_) {
        json.raw("final_alone", share(final_alone_->first));
        with_all(json, "final_alone_metrics", *final_alone_);
    }
    if (final_score_) {
        Json o;
        o.raw("accuracy", share(final_quality_.first)).number("examples", final_score_->examples).number("correct", final_score_->correct)
            .raw("confusion", json_list(final_score_->confusion, [](auto n) { return std::to_string(n); }));
        with_all(o, "metrics", final_quality_);
        json.raw("final", o.done());
    }
    return json.done();
}

}  // namespace entente::wasm
