#include "connectors/memory/federation.hpp"

#include <algorithm>

#include "connectors/memory/federation_impl.hpp"

namespace entente::memory {

namespace coordinator = round::coordinator;

namespace {

std::string plural(std::uint64_t n, const char* noun) { return std::to_string(n) + " " + noun + (n == 1 ? "" : "s"); }

}  // namespace

Federation::Federation(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Federation::~Federation() = default;
Federation::Federation(Federation&&) noexcept = default;
Federation& Federation::operator=(Federation&&) noexcept = default;

namespace {

Status check(const FederationOptions& options) {
    if (options.partners.empty()) {
        return Error{Code::invalid_argument, "federation.no-partners", "federation: expected at least one partner, found none"};
    }
    if (options.train.size() == 0 || options.evaluation.size() == 0) {
        return Error{Code::invalid_argument, "federation.no-data", "federation: expected training and evaluation examples"};
    }
    if (plan::sums_length(options.plan) > 0) {
        return Error{Code::invalid_argument, "federation.unscaled", "federation: expected examples that are scaled already, found a plan whose first round gathers statistics"};
    }
    return done();
}

}  // namespace

Result<Federation> Federation::create(FederationOptions options) {
    ENTENTE_TRY(check(options));
    auto impl = std::make_unique<Impl>(std::move(options));
    ENTENTE_TRY(impl->set_up());
    ENTENTE_TRY(impl->begin());
    return Federation(std::move(impl));
}

Result<Federation> Federation::resume(FederationOptions options, ByteView checkpoint) {
    ENTENTE_TRY(check(options));
    auto impl = std::make_unique<Impl>(std::move(options));
    ENTENTE_TRY(impl->set_up());
    ENTENTE_TRY(impl->restore(checkpoint));
    return Federation(std::move(impl));
}

bool Federation::at_rest() const noexcept { return impl_->at_rest; }
Bytes Federation::checkpoint() const { return impl_->checkpoint(); }
Result<bool> Federation::advance(std::uint32_t max_batches) { return impl_->advance(max_batches); }
FederationView Federation::view() const { return impl_->view(); }
Progress Federation::progress() const { return impl_->progress(); }
const std::vector<RoundResult>& Federation::rounds() const noexcept { return impl_->results; }
const std::vector<round::Entry>& Federation::ledger() const noexcept { return impl_->ledger; }
std::span<const float> Federation::parameters() const noexcept { return impl_->coordinator->parameters(); }
std::span<const float> Federation::alone(std::size_t partner) const noexcept { return impl_->partners[partner].alone; }
Result<std::vector<task::Score>> Federation::score_partners() const { return impl_->score_partners(); }
Digest Federation::model_digest() const { return impl_->coordinator->summary().model; }
std::uint64_t Federation::agreements() const noexcept { return impl_->agreements; }

// One slice: training while there is any, otherwise the protocol until it is quiet again.
Result<bool> Federation::Impl::advance(std::uint32_t max_batches) {
    ++now_ms;
    at_rest = false;
    be_seen();
    if (has_work()) {
        ENTENTE_TRY(work(max_batches));
        const bool more = has_work();
        // The next ones train while the coordinator takes these in.
        if (more && options.partner_by_partner && coordinator->summary().completed == scored) return true;
        carry_out_trained();
        if (more && !options.partner_by_partner) return true;
    }
    bool moved = false;
    while (exchange()) moved = true;
    if (const auto& failure = coordinator->failure()) return *failure;
    for (const std::size_t i : present) ENTENTE_TRY(Status(partners[i].outcome));
    const std::uint64_t scored_before = scored;
    ENTENTE_TRY(score_round());
    at_rest = scored != scored_before;
    ENTENTE_TRY(seat_those_asked());
    while (exchange()) moved = true;
    if (has_work()) return true;
    const auto v = coordinator->summary();
    if (v.phase == coordinator::Phase::finished) {
        at_rest = true;
        return false;
    }
    if (at_rest) return true;
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

Progress Federation::Impl::progress() const {
    return {scored, options.plan.round.rounds, trained, static_cast<std::uint32_t>(present.size())};
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
        state.update_agreement = partner.update_agreement;
        state.model_agreement = partner.model_agreement;
        state.loss = partner.loss;
        state.bytes_up = partner.bytes_up;
        state.bytes_down = partner.bytes_down;
        state.activity = "away";
        if (partner.seat) {
            const auto& training = partner.seat->training;
            state.activity = partner.seat->fetch ? "fetching" : partner.seat->machine.view().activity;
            state.progress = training ? training->progress() : 0;
            if (training && !training->finished()) ++busy;
        }
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
