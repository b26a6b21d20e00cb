#include "entente/round/coordinator.hpp"

#include "coordinator_impl.hpp"
#include "next_model.hpp"

// The flow of a round, top to bottom. What an update must satisfy stands in judge.cpp, what a restart does in
// restore.cpp.
namespace entente::round {

using namespace coordinator;

Coordinator::Coordinator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Coordinator::~Coordinator() = default;
Coordinator::Coordinator(Coordinator&&) noexcept = default;
Coordinator& Coordinator::operator=(Coordinator&&) noexcept = default;

Result<Coordinator> Coordinator::create(plan::Plan plan, codec::SigningKey key, Executor& executor) {
    ENTENTE_TRY(plan::check(plan));
    const std::uint64_t d = plan::parameter_count(plan);
    ENTENTE_ASSIGN(auto fold, aggregate::Fold::create(plan::wire_length(plan), plan::fold_bounds(plan)));
    ENTENTE_ASSIGN(auto strategy, aggregate::make_strategy(plan.aggregation.strategy, d));
    return Coordinator(std::make_unique<Impl>(std::move(plan), std::move(key), std::move(fold), std::move(strategy), executor));
}

Result<Commands> Coordinator::restore(const std::vector<Record>& records) { return impl_->restore(records); }

void Coordinator::keep_updates(std::uint64_t rounds) { impl_->kept_rounds = rounds; }

Commands Coordinator::handle(Event event) {
    impl_->out.clear();
    std::visit([this](auto& e) { impl_->on(e); }, event);
    return std::move(impl_->out);
}

std::shared_ptr<OpenedUpdate> Coordinator::open(contract::ByteSource& content) const { return open_update(impl_->plan, content); }

const plan::Plan& Coordinator::plan() const noexcept { return impl_->plan; }
View Coordinator::view() const { return impl_->view(); }
View Coordinator::summary() const { return impl_->summary(); }

std::optional<std::string> Coordinator::suspension(const std::string& participant) const {
    const Impl::Member* member = impl_->find(participant);
    return member == nullptr ? std::nullopt : member->suspended;
}
std::span<const float> Coordinator::parameters() const noexcept { return impl_->parameters; }
const std::optional<Error>& Coordinator::failure() const noexcept { return impl_->failure; }

std::optional<std::int64_t> Coordinator::next_tick_ms(std::int64_t now_ms) const { return impl_->next_tick_ms(now_ms); }

// 1. The federation starts, or goes on after a restart: the model is offered, and the round opens when enough are here.
void Coordinator::Impl::on(Started& e) {
    if (failure) return;
    if (!activated) {
        activated = true;
        persist(e.now_ms, Activated{plan::digest_of(plan), schema, public_key});
    }
    if (model_blob.is_zero()) {
        parameters = plan::initial_parameters(plan);
        sums.assign(static_cast<std::size_t>(plan::sums_length(plan)), 0.0f);
        seal(e.now_ms, false);
    }
    emit(OfferModel{model_asset(), model_offer()});
    delete_due(e.now_ms);
    witness_until_ms = e.now_ms + std::int64_t{1000} * plan.round.deadline_s;
    if (closed_pending) {
        finish_close(e.now_ms);
    } else if (phase == Phase::collecting) {
        // An outage of the coordinator is not the participants' delay.
        deadline_ms = std::max(deadline_ms, e.now_ms + std::int64_t{1000} * plan.round.deadline_s);
        for (auto& [id, member] : members) member.last_seen_ms = e.now_ms;
        publish();
        advance(e.now_ms);
    } else {
        if (phase == Phase::finished) {
            publish();
        } else {
            advance(e.now_ms);
        }
    }
}

void Coordinator::Impl::on(Joined& e) {
    const Member* before = find(e.participant);
    const bool known = before != nullptr && !before->left && before->key == e.key;
    come_in(e.participant, e.key);
    Member& member = members[e.participant];
    member.name = e.name;
    member.last_seen_ms = e.now_ms;
    if (!known) persist(e.now_ms, ParticipantAdmitted{e.participant, e.name, e.key});
}

void Coordinator::Impl::on(Left& e) {
    Member* member = find(e.participant);
    if (member == nullptr || member->left) return;
    member->left = true;
    persist(e.now_ms, ParticipantLeft{e.participant, e.reason});
    // Nothing of it is kept for longer than the open round needs.
    for (auto& [whose, update] : stored) {
        const bool counting = phase == Phase::collecting && whose.first == round;
        if (whose.second == e.participant && !counting) update.until_ms = std::min(update.until_ms, e.now_ms);
    }
    delete_due(e.now_ms);
    advance(e.now_ms);
}

void Coordinator::Impl::on(Rotated& e) {
    const Member* member = find(e.rotation.participant);
    if (member == nullptr || member->left || member->key != e.rotation.former) return;
    come_in(e.rotation.participant, e.rotation.key);
    persist(e.now_ms, std::move(e.rotation));
    advance(e.now_ms);
}

void Coordinator::Impl::on(Suspension& e) {
    Member* member = find(e.participant);
    if (member == nullptr || member->left || member->suspended.has_value() == e.suspended) return;
    member->suspended = e.suspended ? std::optional(e.reason) : std::nullopt;
    persist(e.now_ms, SuspensionChanged{e.participant, e.suspended, e.reason});
    advance(e.now_ms);
}

void Coordinator::Impl::on(Seen& e) {
    Member* member = find(e.participant);
    if (member == nullptr || member->left) return;
    const bool was_present = present(*member, e.now_ms);
    member->last_seen_ms = std::max(member->last_seen_ms, e.now_ms);
    if (!was_present) advance(e.now_ms);
}

// 2. What the connector shows: new offers become agreements, new versions are retrieved.
void Coordinator::Impl::on(Watched& e) {
    if (failure || phase == Phase::restoring) return;
    for (const contract::Agreement& agreement : e.model_agreements) record_model_agreement(agreement, e.now_ms);
    for (const contract::CatalogEntry& entry : e.catalog.entries) {
        if (entry.asset.kind != contract::AssetKind::update_stream) continue;
        Member* member = find(entry.asset.provider);
        if (member == nullptr || member->left || member->suspended) continue;
        const bool other = member->ended && member->update_agreement && member->update_agreement->offer != entry.offer;
        if (!member->update_agreement || other) {
            consider_offer(entry, *member, e.now_ms);
        } else if (entry.version && !member->retrieving && member->judged != entry.version &&
                   !held_back(entry.asset.provider)) {
            member->retrieving = true;
            emit(Retrieve{entry.asset.provider,
                          {member->update_agreement->id, entry.asset.id, *entry.version},
                          plan::envelope_limit(plan::update_limits(plan))});
        }
    }
    advance(e.now_ms);
}

void Coordinator::Impl::on(Negotiated& e) {
    Member* member = find(e.participant);
    if (member == nullptr) return;
    member->negotiating = false;
    if (!e.agreement.ok()) return;  // the next Watched tries again
    if (!contract::verify(*e.agreement, {member->key, public_key}).ok()) return;
    adopt(*member, *e.agreement);
    persist(e.now_ms, AgreementConcluded{*e.agreement});
    advance(e.now_ms);
}

// 3. An update has arrived and lies staged: judged, then made durable, then counted.
void Coordinator::Impl::on(Retrieved& e) {
    Member* member = find(e.participant);
    if (member == nullptr) return;
    member->retrieving = false;
    if (e.transfer.ok() && !e.opened && e.content != nullptr) e.opened = open_update(plan, *e.content);
    if (!e.transfer.ok() || !e.opened) return;  // nothing arrived; the next Watched tries again
    const contract::Transfer& transfer = *e.transfer;
    auto judged = judge(e.participant, *member, transfer, std::move(*e.opened), e.now_ms);
    if (!judged.ok()) {
        member->judged = transfer.version;
        refuse(e.participant, *member, transfer, judged.error(), e.now_ms);
        emit(DropStaged{e.token});
        return;
    }
    StagedUpdate& update = *judged;
    emit(KeepStaged{e.token, update.record.blob});
    persist(e.now_ms, update.record);
    staged.emplace(e.token, std::move(update));
}

void Coordinator::Impl::on(Stored& e) {
    const auto it = staged.find(e.token);
    if (it == staged.end()) return;
    StagedUpdate update = std::move(it->second);
    staged.erase(it);
    count(update.record);
    emit(Conclude{update.record.transfer, {true, "update.accepted", "Counted in round " + std::to_string(round) + "."}});
    take_in(std::move(update));
    advance(e.now_ms);
}

void Coordinator::Impl::on(StorageFailed& e) {
    const auto it = staged.find(e.token);
    if (it == staged.end()) return;
    // Neither counted nor judged: it still lies with the participant's connector, and the next Watched asks again.
    staged.erase(it);
}

// Several at once: the sums, which are the larger part, are read and written once for all of them. A sparse update
// touches few of them.
void Coordinator::Impl::take_in(StagedUpdate update) {
    if (const auto* numbers = std::get_if<aggregate::Sparse>(&update.update)) {
        return fold.accumulate(*numbers, update.record.weight, update.record.factor);
    }
    waiting.push_back(std::move(update));
    std::uint64_t bytes = 0;
    for (const StagedUpdate& w : waiting) bytes += std::get<aggregate::PackedUpdate>(w.update).content().size();
    if (bytes >= sizeof(std::int64_t) * fold.parameters()) fold_waiting();
}

void Coordinator::Impl::fold_waiting() {
    std::vector<aggregate::Contribution> all;
    for (const StagedUpdate& w : waiting) {
        all.push_back({&std::get<aggregate::PackedUpdate>(w.update), w.record.weight, w.record.factor});
    }
    fold.accumulate(all, executor);
    waiting.clear();
}

void Coordinator::Impl::empty_fold() {
    waiting.clear();
    fold.reset();
}

void Coordinator::Impl::on(Tick& e) {
    if (!failure && phase != Phase::restoring && phase != Phase::finished) monitor(e.now_ms);
    if (phase != Phase::restoring) delete_due(e.now_ms);
    advance(e.now_ms);
}

// 4. Open, close or abandon, whichever is due.
void Coordinator::Impl::advance(std::int64_t now_ms) {
    if (failure || phase == Phase::restoring || phase == Phase::finished) return;
    if (phase == Phase::waiting) {
        if (unwitnessed() && now_ms < witness_until_ms) return;
        if (const std::set<std::string> whom = enough(now_ms); !whom.empty()) open(whom, now_ms);
        return;
    }
    if (!staged.empty()) return;  // its Stored decides
    const bool enough = accepted.size() >= plan.round.min_cohort;
    const bool due = now_ms >= deadline_ms;
    const bool full = (goal > 0 && accepted.size() >= goal) || nobody_awaited(now_ms);
    if (enough && (full || due)) {
        close(now_ms);
    } else if (due) {
        abandon("the deadline has passed with " + std::to_string(accepted.size()) + " of at least " +
                    std::to_string(plan.round.min_cohort) + " updates",
                now_ms);
    }
}

void Coordinator::Impl::open(const std::set<std::string>& whom, std::int64_t now_ms) {
    if (unwitnessed()) persist(now_ms, WitnessesMissing{round, cosigners(), plan.round.witnesses});
    if (published_round != round) seal(now_ms, false);
    phase = Phase::collecting;
    opened_at_ms = now_ms;
    deadline_ms = now_ms + std::int64_t{1000} * plan.round.deadline_s;
    draw(whom);
    accepted.clear();
    former.clear();
    empty_fold();
    bases[round].lots = lots;
    persist(now_ms, RoundOpened{round, model_content, deadline_ms, lots, goal});
    publish();
}

// 5. Close: may this aggregate leave? Then which updates are in is fixed, and the model follows from them.
void Coordinator::Impl::close(std::int64_t now_ms) {
    if (const auto verdict = may_release(now_ms)) {
        abandon("the result may not be released: " + *verdict, now_ms);
        // More of the same would end the same way: wait for one more participant.
        needed = std::max<std::size_t>(needed, expected.size() + 1);
        waiting_reason = *verdict;
        return;
    }
    RoundClosed closed{round, {}, static_cast<std::uint32_t>(population())};
    for (const auto& [id, record] : accepted) closed.participants.push_back(id);
    closed_population = closed.population;
    persist(now_ms, std::move(closed));
    closed_pending = true;
    finish_close(now_ms);
}

void Coordinator::Impl::finish_close(std::int64_t now_ms) {
    fold_waiting();
    if (auto made = next_model(plan, fold, accepted, closed_population, *strategy, parameters, sums, executor); !made.ok()) {
        failure = made.error();
        return;
    }
    empty_fold();
    ++completed;
    ++round;
    phase = completed >= plan.round.rounds ? Phase::finished : Phase::waiting;
    seal(now_ms, phase == Phase::finished);
    round_over(round - 1, now_ms, true);
    delete_due(now_ms);
    if (phase == Phase::finished) {
        publish();
    } else {
        advance(now_ms);
    }
}

void Coordinator::Impl::abandon(std::string reason, std::int64_t now_ms) {
    persist(now_ms, RoundAbandoned{round, std::move(reason)});
    round_over(round, now_ms, false);
    accepted.clear();
    empty_fold();
    ++round;
    delete_due(now_ms);
    phase = Phase::waiting;
    advance(now_ms);
}

}  // namespace entente::round
