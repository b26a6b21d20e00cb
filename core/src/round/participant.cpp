#include "entente/round/participant.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "entente/policy/evaluate.hpp"
#include "model_envelope.hpp"
#include "opened_update.hpp"
#include "participant_state.hpp"
#include "plan/tables.hpp"
#include "update_content.hpp"

namespace entente::round {

using namespace participant;

namespace {

constexpr std::int64_t longest_watch_ms = 25'000;  // one long poll
constexpr std::int64_t witness_watch_ms = 1'000;   // a round waits for who looks at the log at every poll
constexpr std::int64_t first_pause_ms = 250;
constexpr std::int64_t longest_pause_ms = 10'000;

bool temporary(const Error& error) {
    const Code code = error.code;
    return error.reason == "participant.suspended" || code == Code::unavailable || code == Code::deadline_exceeded || code == Code::no_space ||
           code == Code::resource_exhausted || code == Code::internal;
}

}  // namespace

struct OpenedModel {
    Result<ModelEnvelope> model;  // without its parameters
    std::shared_ptr<const std::vector<float>> parameters;
};

class Participant::Impl {
public:
    explicit Impl(Options options)
        : o(std::move(options)),
          public_key(o.key.public_key()),
          asset{contract::update_stream_asset(o.plan.federation.id, o.id), contract::AssetKind::update_stream,
                o.plan.federation.id, o.id} {
        for (contract::Agreement& agreement : o.agreements) {
            const bool own = agreement.offer.offer.asset == asset.id;
            (own ? view.update_agreement : view.model_agreement) = agreement.id;
            (own ? update_agreement : model_agreement) = std::move(agreement);
        }
        o.agreements.clear();
        state = fresh_state(o.plan);
        if (stateful() && !o.state.empty()) {
            // Zeros are where the paper begins: a damaged state costs speed, not correctness.
            if (auto kept = decode_state(o.plan, o.state); kept.ok()) state = std::move(kept).value();
        }
        o.state = {};
    }

    void on(Started& e);
    void on(Offered& e);
    void on(Watched& e);
    void on(Agreed& e);
    void on(Fetched& e);
    void on(Trained& e);
    void on(Kept& e);
    void on(Delivered& e);
    void on(Waited& e);
    void on(Failed& e);

    Options o;
    codec::PublicKey public_key;
    contract::Asset asset;
    Commands out;
    View view;

private:
    enum class Step : std::uint8_t { idle, offering, watching, negotiating, fetching, training, keeping, delivering, finished };

    struct Base {  // what the present training starts from
        std::uint64_t round = 0;
        Digest content;
        std::shared_ptr<const std::vector<float>> parameters;
        std::vector<float> control;  // SCAFFOLD's c
        bool measure = false;        // it lacks the sums that everybody scales with
    };

    void emit(Command command) { out.push_back(std::move(command)); }
    void go(Step step, const char* activity, Command command);
    [[nodiscard]] std::int64_t watch_ms() const { return o.plan.round.witnesses > 0 ? witness_watch_ms : longest_watch_ms; }
    void watch(std::int64_t wait_ms) { go(Step::watching, delivered ? "awaiting-receipt" : "watching", Watch{cursor, wait_ms}); }
    void notice(Notice::Kind kind, std::string code, std::string sentence) {
        emit(Notice{kind, view.round, std::move(code), std::move(sentence)});
    }
    void finish(Status outcome, std::shared_ptr<const std::vector<float>> parameters = nullptr);
    void offer();
    void adopt_agreements(const Watched& e);
    void read_receipt(const std::vector<contract::Transfer>& transfers);
    void negotiate(const contract::CatalogEntry& entry, std::int64_t now_ms);
    [[nodiscard]] bool stateful() const { return !state.settled.empty(); }
    [[nodiscard]] bool controlled() const { return aggregate::traits_of(o.plan.aggregation.strategy.name).control; }
    void read_verdict(const std::vector<contract::Transfer>& transfers);
    void settle();
    Result<std::vector<float>> difference(Trained& e) const;
    void send(std::vector<float> delta, std::uint64_t weight, std::vector<codec::Measure> measures);
    [[nodiscard]] std::shared_ptr<const std::vector<float>> correction() const;
    std::vector<float> control_delta(const std::vector<float>& delta, std::uint64_t steps) const;
    void cross(bool outgoing, const std::string& agreement, const Digest& content, std::uint64_t size, std::uint64_t clipped);
    [[nodiscard]] policy::Facts facts(std::int64_t now_ms, std::int64_t agreed_at_ms, std::uint64_t round) const;

    Step step = Step::idle;
    std::uint64_t cursor = 0;
    std::optional<contract::Agreement> model_agreement;
    std::optional<contract::Agreement> update_agreement;
    std::optional<contract::Agreement> proposed;  // over the model, on its way
    std::uint64_t done_round = 0;                // nothing more to do for this round and those before
    std::optional<contract::Version> delivered;  // waits for its receipt
    Base base;
    ParticipantState state;
    std::optional<Deliver> pending;              // an update that has not got through yet
    std::int64_t last_seen_ms = 0;               // the latest time that an event told
    std::int64_t pause_ms = first_pause_ms;
};

Participant::Participant(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Participant::~Participant() = default;
Participant::Participant(Participant&&) noexcept = default;
Participant& Participant::operator=(Participant&&) noexcept = default;

Result<Participant> Participant::create(Options options) {
    ENTENTE_TRY(plan::check(options.plan));
    ENTENTE_TRY(plan::check_machine(options.plan));
    ENTENTE_TRY(contract::check_id(options.id));
    return Participant(std::make_unique<Impl>(std::move(options)));
}

Commands Participant::handle(Event event) {
    impl_->out.clear();
    std::visit([this](auto& e) { impl_->on(e); }, event);
    return std::move(impl_->out);
}

std::shared_ptr<const OpenedModel> Participant::open(const plan::Plan& plan, ByteView envelope,
                                                     const codec::PublicKey& coordinator) {
    auto model = open_model(plan, envelope, coordinator);
    std::vector<float> parameters = model.ok() ? std::move(model->parameters) : std::vector<float>();
    return std::make_shared<const OpenedModel>(
        OpenedModel{std::move(model), std::make_shared<const std::vector<float>>(std::move(parameters))});
}

const plan::Plan& Participant::plan() const noexcept { return impl_->o.plan; }
View Participant::view() const { return impl_->view; }

void Participant::Impl::go(Step next, const char* activity, Command command) {
    step = next;
    view.activity = activity;
    emit(std::move(command));
}

void Participant::Impl::finish(Status outcome, std::shared_ptr<const std::vector<float>> parameters) {
    go(Step::finished, "finished", Finish{std::move(outcome), std::move(parameters), view.contributions});
}

policy::Facts Participant::Impl::facts(std::int64_t now_ms, std::int64_t agreed_at_ms, std::uint64_t round) const {
    policy::Facts known;
    known.federation = plan::federation_iri(o.plan);
    known.cohort = o.plan.contract.min_cohort_size;
    known.round = round;
    known.schema = plan::schema_digest(o.plan);
    known.now_ms = now_ms;
    known.agreed_at_ms = agreed_at_ms;
    known.operations = plan::model_operations;
    return known;
}

// 1. The own update stream is offered, under the plan's terms and the own key.
void Participant::Impl::on(Started& e) {
    last_seen_ms = e.now_ms;
    if (update_agreement) return watch(0);
    offer();
}

void Participant::Impl::offer() {
    go(Step::offering, "watching",
       OfferUpdates{asset, contract::sign({"offer:" + o.plan.federation.id + ":" + o.id + ":updates", asset.id, o.id,
                                           o.plan.federation.coordinator, plan::update_policy(o.plan)},
                                          o.key)});
}

void Participant::Impl::on(Offered&) {
    pause_ms = first_pause_ms;
    watch(0);
}

// 2. What the connector shows decides what comes next.
void Participant::Impl::on(Watched& e) {
    pause_ms = first_pause_ms;
    last_seen_ms = e.now_ms;
    cursor = e.catalog.cursor;
    adopt_agreements(e);
    if (stateful()) read_verdict(e.own_transfers);
    read_receipt(e.own_transfers);
    const std::string global = contract::global_model_asset(o.plan.federation.id);
    const auto entry = std::find_if(e.catalog.entries.begin(), e.catalog.entries.end(),
                                    [&global](const auto& candidate) { return candidate.asset.id == global; });
    if (entry == e.catalog.entries.end()) return watch(watch_ms());
    if (!model_agreement) {
        return negotiate(*entry, e.now_ms);
    }
    if (!update_agreement || !entry->version) return watch(watch_ms());
    const contract::Version& version = *entry->version;
    if (delivered && delivered->round < version.round) {
        // Where late updates count, the receipt comes late as well.
        if (version.round - delivered->round <= o.plan.round.max_staleness) return watch(watch_ms());
        notice(Notice::Kind::refused, "update.late", "The round went on without this update.");
        delivered.reset();
    }
    if (done_round == 0 && e.own_version && e.own_version->round == version.round) {
        // Killed or reloaded after delivering: the receipt is still to come, or was read above.
        done_round = version.round;
        const bool judged = std::any_of(e.own_transfers.begin(), e.own_transfers.end(), [&e](const auto& t) {
            return t.version == *e.own_version && t.state != contract::TransferState::started;
        });
        if (!judged) delivered = e.own_version;
    }
    if (version.round <= done_round) return watch(watch_ms());
    const bool final = version.lots == 0;
    if (!final && plan::lot_of(o.plan, version.round, o.id) > version.lots) {
        done_round = version.round;  // the lot fell on others
        return watch(watch_ms());
    }
    view.round = version.round;
    go(Step::fetching, "fetching",
       Fetch{{model_agreement->id, global, version}, plan::envelope_limit(plan::model_limits(o.plan))});
}

void Participant::Impl::adopt_agreements(const Watched& e) {
    if (update_agreement) return;
    for (const contract::Agreement& agreement : e.own_agreements) {
        if (!contract::verify(agreement, {public_key, o.coordinator_key}).ok()) continue;
        update_agreement = agreement;
        view.update_agreement = agreement.id;
        notice(Notice::Kind::agreed, {}, "Agreement " + agreement.id + " over your updates is in force.");
        return;
    }
}

void Participant::Impl::read_receipt(const std::vector<contract::Transfer>& transfers) {
    if (!delivered) return;
    for (const contract::Transfer& transfer : transfers) {
        if (transfer.version != *delivered) continue;
        if (transfer.state == contract::TransferState::completed) {
            ++view.contributions;
            notice(Notice::Kind::accepted, transfer.code, transfer.sentence);
            delivered.reset();
            return;
        }
        if (transfer.state == contract::TransferState::terminated) {
            ++view.refusals;
            notice(Notice::Kind::refused, transfer.code, transfer.sentence);
            delivered.reset();
            return;
        }
    }
}

void Participant::Impl::negotiate(const contract::CatalogEntry& entry, std::int64_t now_ms) {
    const contract::SignedOffer& offered = entry.offer;
    if (offered.assigner_key != o.coordinator_key) {
        return finish(Error{Code::permission_denied, "contract.foreign-key",
                            "global model: expected an offer signed by the coordinator, found another key's"});
    }
    const policy::Verdict verdict =
        policy::evaluate(offered.offer.policy, policy::Point::negotiation, facts(now_ms, now_ms, 1));
    if (!verdict.permitted) return finish(verdict.status());
    auto proposal = contract::conclude(offered, {o.accepted_by, now_ms}, o.key);
    if (!proposal.ok()) return finish(proposal.error());
    proposed = *proposal;
    go(Step::negotiating, "watching", Negotiate{std::move(proposal).value()});
}

void Participant::Impl::on(Agreed& e) {
    // What comes back as it was proposed was verified then.
    if (std::exchange(proposed, std::nullopt) != e.agreement) {
        if (auto good = contract::verify(e.agreement, {o.coordinator_key, public_key}); !good.ok()) return finish(good.error());
    }
    model_agreement = e.agreement;
    view.model_agreement = e.agreement.id;
    notice(Notice::Kind::agreed, {}, "Agreement " + e.agreement.id + " over the global model is in force.");
    watch(0);
}

// 3. The model has come: checked, then trained on.
void Participant::Impl::on(Fetched& e) {
    cross(false, e.transfer.agreement, e.transfer.version.content, e.transfer.version.size_bytes, 0);
    if (!e.opened) e.opened = Participant::open(o.plan, e.envelope, o.coordinator_key);
    Result<ModelEnvelope> model = e.opened->model;
    if (model.ok() && (model->content != e.transfer.version.content || model->round != e.transfer.version.round)) {
        model = Error{Code::invalid_argument, "model.other-content", "global model: it is not what the catalogue announced"};
    }
    if (model.ok()) {
        const policy::Verdict verdict =
            policy::evaluate(model_agreement->offer.offer.policy, policy::Point::ingest,
                             facts(last_seen_ms, model_agreement->acceptance.agreed_at_ms, e.transfer.version.contract_round()));
        if (!verdict.permitted) return finish(verdict.status());
    }
    done_round = e.transfer.version.round;
    if (!model.ok()) {
        emit(Conclude{e.transfer.id, {false, model.error().reason, model.error().message}});
        notice(Notice::Kind::refused, model.error().reason, model.error().message);
        return watch(watch_ms());
    }
    emit(Conclude{e.transfer.id, {true, {}, {}}});
    // The next round with the same model: nothing was published in between.
    if (base.round != 0 && base.round < model->round && base.content == model->content) {
        emit(Notice{Notice::Kind::abandoned, base.round, "round.abandoned",
                    "Round " + std::to_string(base.round) + " came to nothing: by its deadline there were fewer than " + std::to_string(o.plan.round.min_cohort) +
                        " updates, or its result might not be released. The model is as before."});
    }
    base = {model->round, model->content, e.opened->parameters, std::move(model->control)};
    std::shared_ptr<const task::Shared> shared;
    if (task::has_sums(model->sums)) {
        auto read = plan::read_sums(o.plan, model->sums);
        if (!read.ok()) return finish(read.error());
        shared = std::make_shared<const task::Shared>(std::move(read).value());
    }
    if (model->final) {
        finish(done(), base.parameters);
        std::get<Finish>(out.back()).shared = std::move(shared);
        return;
    }
    notice(Notice::Kind::model_received, {}, "The model of round " + std::to_string(base.round) + " has arrived.");
    settle();
    base.measure = !model->sums.empty() && !shared;
    go(Step::training, base.measure ? "measuring" : "training", Train{base.round, base.parameters, correction(), std::move(shared), base.measure});
}

// 4. Trained: the difference, rounded to the plan's grid, signed, delivered.
void Participant::Impl::on(Trained& e) {
    auto delta = difference(e);
    if (!delta.ok()) return finish(delta.error());
    // Everybody's sums count once, however many rows they are of.
    if (base.measure) return send(std::move(delta).value(), 1, {});
    std::vector<codec::Measure> measures;
    measures.push_back({"train.loss", e.mean_loss});
    measures.push_back({"train.steps", static_cast<double>(e.steps)});
    measures.push_back({"train.ms", static_cast<double>(e.train_ms)});
    if (e.global_score) {
        measures.push_back({"eval.examples", static_cast<double>(e.global_score->examples)});
        measures.push_back({"eval.correct", static_cast<double>(e.global_score->correct)});
        measures.push_back({"eval.loss", e.global_score->loss_sum});
    }
    if (e.global_metric) measures.push_back({participant::measure_metric, *e.global_metric});
    send(std::move(delta).value(), e.examples, std::move(measures));
}

// [plan::wire_length]: of the parameters, of SCAFFOLD's control, and the sums in units of the grid.
Result<std::vector<float>> Participant::Impl::difference(Trained& e) const {
    const auto length = static_cast<std::size_t>(plan::wire_length(o.plan)), sums = static_cast<std::size_t>(plan::sums_length(o.plan));
    if (base.measure) {
        if (e.sums.size() != sums) return Error{Code::internal, "update.shape", "measuring returned another number of sums"};
        std::vector<float> delta(length);
        const double unit = std::ldexp(1.0, -int{o.plan.aggregation.grid.scale_log2});
        for (std::size_t i = 0; i < sums; ++i) delta[length - sums + i] = static_cast<float>(e.sums[i] * unit);
        return delta;
    }
    if (e.parameters.size() != base.parameters->size()) return Error{Code::internal, "update.shape", "training returned another number of parameters"};
    std::vector<float> delta = std::move(e.parameters);
    for (std::size_t i = 0; i < delta.size(); ++i) delta[i] -= (*base.parameters)[i];
    if (controlled()) {
        const std::vector<float> second = control_delta(delta, e.steps);
        delta.insert(delta.end(), second.begin(), second.end());
    }
    delta.resize(length);
    return delta;
}

void Participant::Impl::send(std::vector<float> delta, std::uint64_t weight, std::vector<codec::Measure> measures) {
    const PhiloxKey key = derive_key(o.plan.training.seed, base.round, o.id, Purpose::quantise);
    auto made = make_content(o.plan, std::move(delta), state.settled, key);
    if (!made.ok()) return finish(made.error());

    codec::FrameHeader header;
    header.federation = o.plan.federation.id;
    header.sender = o.id;
    header.agreement = update_agreement->id;
    header.plan = plan::digest_of(o.plan);
    header.schema = plan::schema_digest(o.plan);
    header.base_model = base.content;
    header.round = base.round;
    header.encoding = plan::update_encoding(o.plan);
    header.tensors = plan::wire_tensors(o.plan);
    header.weight = std::min<std::uint64_t>(std::max<std::uint64_t>(weight, 1), o.plan.aggregation.max_weight);
    header.measures = std::move(measures);
    header.measures.push_back({"clipped", static_cast<double>(made->clipped)});
    auto envelope = codec::encode_frame(codec::FrameKind::update, std::move(header), made->bytes, o.key);
    if (!envelope.ok()) return finish(envelope.error());
    auto sealed = codec::peek_frame(*envelope, plan::update_limits(o.plan));
    if (!sealed.ok()) return finish(sealed.error());

    const contract::Version version{base.round, sealed->header.content, envelope->size()};
    cross(true, update_agreement->id, version.content, version.size_bytes, made->clipped);
    notice(Notice::Kind::trained, {}, base.measure ? "The statistics of the own rows are summed up." : "Trained on round " + std::to_string(base.round) + ".");
    pending = Deliver{asset.id, version, std::make_shared<const Bytes>(std::move(envelope).value())};
    if (o.beside_coordinator) {
        pending->opened = sealed_update(o.plan, std::move(sealed->header), std::move(made->bytes), *pending->envelope);
    }
    if (!stateful()) return go(Step::delivering, "delivering", *pending);
    state.pending = std::move(made->kept);
    state.round = base.round;
    state.update = version.content;
    state.base = base.content;
    state.counted = false;
    go(Step::keeping, "delivering", KeepState{std::make_shared<const Bytes>(encode_state(o.plan, state))});
}

void Participant::Impl::on(Kept&) { go(Step::delivering, "delivering", *pending); }

void Participant::Impl::on(Delivered&) {
    pause_ms = first_pause_ms;
    delivered = pending->version;
    notice(Notice::Kind::delivered, {}, "The update of round " + std::to_string(delivered->round) + " was delivered.");
    pending.reset();
    watch(watch_ms());
}

// Was the update that the pending state belongs to counted?
void Participant::Impl::read_verdict(const std::vector<contract::Transfer>& transfers) {
    for (const contract::Transfer& transfer : transfers) {
        if (transfer.version.round != state.round || transfer.version.content != state.update) continue;
        if (transfer.state == contract::TransferState::completed) state.counted = true;
    }
}

// Before a training: the state follows the update if it is in the model. A model that is still the update's base says
// that its round was abandoned.
void Participant::Impl::settle() {
    if (state.pending.empty()) return;
    if (state.counted && state.base != base.content && state.round < base.round) state.settled = std::move(state.pending);
    state.pending.clear();
    state.counted = false;
}

// Karimireddy et al. 2020, algorithm 1, line 10: y <- y - eta_l (g - c_i + c).
std::shared_ptr<const std::vector<float>> Participant::Impl::correction() const {
    if (!controlled()) return nullptr;
    std::vector<float> toward = base.control;
    for (std::size_t i = 0; i < toward.size(); ++i) toward[i] -= state.settled[i];
    return std::make_shared<const std::vector<float>>(std::move(toward));
}

// Line 12, option II: c_i+ - c_i = (x - y) / (K eta_l) - c.
std::vector<float> Participant::Impl::control_delta(const std::vector<float>& delta, std::uint64_t steps) const {
    const double walked = static_cast<double>(std::max<std::uint64_t>(steps, 1)) * static_cast<double>(plan::training_options(o.plan, base.round, o.id).learning_rate);
    std::vector<float> moved(delta.size());
    for (std::size_t i = 0; i < moved.size(); ++i) {
        moved[i] = static_cast<float>(-static_cast<double>(delta[i]) / walked - static_cast<double>(base.control[i]));
    }
    return moved;
}

// 5. What failed is tried again, unless trying again cannot help.
void Participant::Impl::on(Waited& e) {
    last_seen_ms = e.now_ms;
    if (pending && step == Step::keeping) {
        return go(Step::keeping, "delivering", KeepState{std::make_shared<const Bytes>(encode_state(o.plan, state))});
    }
    if (pending) return go(Step::delivering, "delivering", *pending);
    if (step == Step::offering) return offer();
    watch(0);
}

void Participant::Impl::on(Failed& e) {
    last_seen_ms = e.now_ms;
    if (step == Step::finished) return;
    // A coordinator that was killed may not know a transfer that it had just opened: another one is opened.
    const bool forgotten = step == Step::fetching && e.error.reason == "transfer.unknown";
    if (temporary(e.error) || forgotten) {
        notice(Notice::Kind::retrying, e.error.reason, e.error.message);
        view.activity = "waiting";
        emit(Wait{pause_ms});
        pause_ms = std::min(2 * pause_ms, longest_pause_ms);
        return;
    }
    if ((step == Step::delivering || step == Step::keeping) && e.error.code != Code::unauthenticated) {
        ++view.refusals;
        notice(Notice::Kind::refused, e.error.reason, e.error.message);
        pending.reset();
        return watch(watch_ms());
    }
    const bool superseded = e.error.code == Code::conflict && (step == Step::fetching || step == Step::watching);
    if (superseded) return watch(0);
    finish(e.error);
}

void Participant::Impl::cross(bool outgoing, const std::string& agreement, const Digest& content, std::uint64_t size,
                              std::uint64_t clipped) {
    view.crossings.push_back({view.round, outgoing, agreement, content, size, clipped, outgoing && base.measure});
}

}  // namespace entente::round
