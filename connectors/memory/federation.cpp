#include "connectors/memory/federation.hpp"

#include "connectors/memory/federation_impl.hpp"
#include "entente/codec/sha256.hpp"

namespace entente::memory {

namespace coordinator = round::coordinator;
namespace participant = round::participant;

namespace {

// Keys of a simulation: reproducible, and of no worth outside it.
codec::SigningKey simulated_key(const plan::Plan& plan, std::string_view id) {
    const std::string text = "entente simulation " + plan.federation.id + " " + std::string(id);
    const Digest seed = codec::sha256(as_bytes(text));
    return codec::SigningKey(std::span<const std::byte, codec::SigningKey::seed_bytes>(seed.bytes));
}

std::string plural(std::uint64_t n, const char* noun) { return std::to_string(n) + " " + noun + (n == 1 ? "" : "s"); }

}  // namespace

Federation::Federation(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Federation::~Federation() = default;
Federation::Federation(Federation&&) noexcept = default;
Federation& Federation::operator=(Federation&&) noexcept = default;

Result<Federation> Federation::create(FederationOptions options) {
    if (options.partners.empty()) {
        return Error{Code::invalid_argument, "federation.no-partners", "federation: expected at least one partner, found none"};
    }
    if (!options.train || !options.evaluation || options.train->size() == 0 || options.evaluation->size() == 0) {
        return Error{Code::invalid_argument, "federation.no-data", "federation: expected training and evaluation examples"};
    }
    auto impl = std::make_unique<Impl>(std::move(options));
    ENTENTE_TRY(impl->set_up());
    return Federation(std::move(impl));
}

Result<bool> Federation::advance(std::uint32_t max_batches) { return impl_->advance(max_batches); }
FederationView Federation::view() const { return impl_->view(); }
const std::vector<RoundResult>& Federation::rounds() const noexcept { return impl_->results; }
const std::vector<round::Entry>& Federation::ledger() const noexcept { return impl_->ledger; }
std::span<const float> Federation::parameters() const noexcept { return impl_->coordinator->parameters(); }
Digest Federation::model_digest() const { return impl_->coordinator->view().model; }
std::uint64_t Federation::agreements() const noexcept { return impl_->agreements; }

Status Federation::Impl::set_up() {
    executor = options.executor != nullptr ? options.executor : &inline_executor();
    const plan::Plan& plan = options.plan;
    ENTENTE_ASSIGN(auto machine, round::Coordinator::create(plan, simulated_key(plan, plan.federation.coordinator)));
    coordinator = std::make_unique<round::Coordinator>(std::move(machine));
    const codec::PublicKey coordinator_key = simulated_key(plan, plan.federation.coordinator).public_key();
    space = std::make_shared<Space>(plan.federation.id, [this] { return now_ms; });
    ENTENTE_TRY(space->exchange().admit(plan.federation.coordinator, coordinator_key));
    coordinator_connector = std::make_unique<MemoryConnector>(space, plan.federation.coordinator);
    send(coordinator::Started{now_ms});

    partners.reserve(options.partners.size());
    for (PartnerSetup& setup : options.partners) {
        codec::SigningKey key = simulated_key(plan, setup.id);
        ENTENTE_TRY(space->exchange().admit(setup.id, key.public_key()));
        send(coordinator::Joined{setup.id, setup.name, key.public_key(), now_ms});
        participant::Options member{plan, setup.id, std::move(key), coordinator_key, setup.name};
        ENTENTE_ASSIGN(auto half, round::Participant::create(std::move(member)));
        Partner partner;
        partner.machine = std::make_unique<round::Participant>(std::move(half));
        partner.connector = std::make_unique<MemoryConnector>(space, setup.id);
        if (options.alone) partner.alone = plan::initial_parameters(plan);
        partner.setup = std::move(setup);
        partners.push_back(std::move(partner));
    }
    for (Partner& partner : partners) send(partner, participant::Started{now_ms});
    return done();
}

// One slice: training while there is any, otherwise the protocol until it is quiet again.
Result<bool> Federation::Impl::advance(std::uint32_t max_batches) {
    ++now_ms;
    for (const Partner& partner : partners) send(coordinator::Seen{partner.setup.id, now_ms});
    if (training()) {
        ENTENTE_TRY(train(max_batches));
        if (busy()) return true;
        ENTENTE_TRY(report_trained());
    }
    bool moved = false;
    for (;;) {
        ENTENTE_ASSIGN(const bool more, exchange());
        if (!more) break;
        moved = true;
    }
    if (const auto& failure = coordinator->failure()) return *failure;
    for (const Partner& partner : partners) ENTENTE_TRY(Status(partner.outcome));
    ENTENTE_TRY(score_round());
    if (training()) return true;
    const auto v = coordinator->view();
    if (v.phase == coordinator::Phase::finished) return false;
    if (moved) return true;
    // Nobody trains and nothing moves: only time can. Where no deadline runs, this is the end.
    const auto wait_ms = coordinator->next_tick_ms(now_ms);
    if (!wait_ms) {
        stuck = v.waiting_for;
        return false;
    }
    now_ms += *wait_ms;
    send(coordinator::Tick{now_ms});
    return true;
}

FederationView Federation::Impl::view() const {
    FederationView v;
    v.coordinator = coordinator->view();
    v.finished = v.coordinator.phase == coordinator::Phase::finished;
    std::size_t busy = 0;
    for (const Partner& partner : partners) {
        PartnerState state;
        state.id = partner.setup.id;
        state.name = partner.setup.name;
        state.examples = partner.setup.rows.size();
        const auto machine = partner.machine->view();
        state.activity = machine.activity;
        state.update_agreement = machine.update_agreement;
        state.model_agreement = machine.model_agreement;
        state.progress = partner.training ? partner.training->progress() : 0;
        state.loss = partner.loss;
        state.bytes_up = partner.bytes_up;
        state.bytes_down = partner.bytes_down;
        if (partner.training && !partner.training->finished()) ++busy;
        v.partners.push_back(std::move(state));
    }
    if (v.finished) {
        v.sentence = "Done: " + plural(v.coordinator.completed, "round") + ", the final model is published.";
    } else if (!stuck.empty()) {
        v.sentence = stuck;
    } else {
        v.sentence = "Round " + std::to_string(v.coordinator.completed + 1) + " of " + std::to_string(v.coordinator.rounds) +
                     ". " + (busy > 0 ? plural(busy, "partner") + " still train; the round closes when all have delivered."
                                      : "The updates are being exchanged.");
    }
    return v;
}

}  // namespace entente::memory
