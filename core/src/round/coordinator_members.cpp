#include <cmath>

#include "coordinator_impl.hpp"
#include "entente/codec/sha256.hpp"
#include "model_envelope.hpp"

namespace entente::round {

using namespace coordinator;

Coordinator::Impl::Impl(plan::Plan plan_in, codec::SigningKey key_in, aggregate::Fold fold_in,
                        std::unique_ptr<aggregate::Strategy> strategy_in, Executor& executor_in)
    : plan(std::move(plan_in)),
      key(std::move(key_in)),
      public_key(key.public_key()),
      schema(plan::schema_digest(plan)),
      receipts(proof::Blinder::of(key, plan.federation.id)),
      fold(std::move(fold_in)),
      strategy(std::move(strategy_in)),
      executor(executor_in),
      needed(plan.round.min_cohort) {}

Coordinator::Impl::Member* Coordinator::Impl::find(const std::string& id) {
    const auto it = members.find(id);
    return it == members.end() ? nullptr : &it->second;
}

void Coordinator::Impl::come_in(const std::string& id, const codec::PublicKey& with) {
    Member& member = members[id];
    if (member.key != with || member.left) {
        if (phase == Phase::collecting && member.update_agreement) former.insert_or_assign(member.update_agreement->id, *member.update_agreement);
        member.update_agreement.reset();
        member.model_agreement.reset();
        member.update_window.reset();
        member.model_window.reset();
        if (accepted.count(id) == 0) member.judged.reset();  // its new key makes other bytes of the same content
        member.refused_offer.clear();
        member.negotiating = false;
        member.ended = false;
    }
    member.key = with;
    member.left = false;
}

bool Coordinator::Impl::present(const Member& member, std::int64_t now_ms) const {
    return !member.left && !member.suspended && now_ms - member.last_seen_ms <= std::int64_t{1000} * plan.round.presence_s;
}

std::set<std::string> Coordinator::Impl::active(std::int64_t now_ms) const {
    std::set<std::string> ids;
    for (const auto& [id, member] : members) {
        if (member.update_agreement && member.model_agreement && present(member, now_ms)) ids.insert(id);
    }
    return ids;
}

std::set<std::string> Coordinator::Impl::enough(std::int64_t now_ms) {
    std::set<std::string> all = active(now_ms);
    if (all.size() < needed) return {};
    monitor(now_ms);
    std::set<std::string> holding = all;
    std::erase_if(holding, [this](const std::string& id) { return members.at(id).ended; });
    return holding.size() >= needed ? holding : all;
}

std::size_t Coordinator::Impl::population() const {
    const auto agreed = [](const auto& m) { return m.second.update_agreement && m.second.model_agreement && !m.second.left; };
    return std::max<std::size_t>(accepted.size(), static_cast<std::size_t>(std::count_if(members.begin(), members.end(), agreed)));
}

bool Coordinator::Impl::nobody_awaited(std::int64_t now_ms) const {
    return std::all_of(expected.begin(), expected.end(), [&](const std::string& id) {
        return accepted.count(id) > 0 || members.at(id).ended || !present(members.at(id), now_ms);
    });
}

void Coordinator::Impl::draw(const std::set<std::string>& present_ones) {
    // 0.1f lies a little above a tenth: it asks 10 of 100 nevertheless, not 11.
    const auto share = [](float part, std::size_t of) {
        return static_cast<std::size_t>(std::ceil(static_cast<double>(part) * static_cast<double>(of) - 1e-4));
    };
    const plan::RoundTerms& terms = plan.round;
    const std::size_t all = present_ones.size();
    std::size_t wanted = std::min(all, std::max<std::size_t>(share(terms.fraction, all), terms.min_cohort));
    if (terms.goal > 0) wanted = std::min<std::size_t>(wanted, terms.goal);
    const bool sampled = terms.fraction < 1 || terms.over_selection > 1;
    const std::size_t ask = sampled ? std::min(all, share(terms.over_selection, wanted)) : all;
    goal = wanted < ask ? static_cast<std::uint32_t>(wanted) : 0;
    lots = 0xffff'ffff;
    if (ask < all) {
        std::vector<std::uint32_t> drawn;
        for (const std::string& id : present_ones) drawn.push_back(plan::lot_of(plan, round, id));
        std::sort(drawn.begin(), drawn.end());
        lots = std::max(drawn[ask - 1], 1u);  // 0 is the final model's
    }
    expected.clear();
    for (const std::string& id : present_ones) {
        if (asked(id)) expected.insert(id);
    }
}

bool Coordinator::Impl::held_back(const std::string& id) const {
    if (plan.round.max_staleness == 0) return false;
    return phase == Phase::waiting || (phase == Phase::collecting && accepted.count(id) > 0);
}

void Coordinator::Impl::remember_base() {
    Base& base = bases[round];
    base.content = model_content;
    base.version = completed;
    for (auto it = bases.begin(); it != bases.end();) {
        it = it->second.version + plan.round.max_staleness < completed ? bases.erase(it) : std::next(it);
    }
}

std::string Coordinator::Impl::consumer_of(const contract::Agreement& agreement) const {
    // The offer stands for all participants and names none; the key tells.
    const auto it = std::find_if(members.begin(), members.end(),
                                 [&agreement](const auto& m) { return m.second.key == agreement.assignee_key; });
    return it == members.end() ? std::string() : it->first;
}

void Coordinator::Impl::record_model_agreement(const contract::Agreement& agreement, std::int64_t now_ms) {
    const contract::Offer& offer = agreement.offer.offer;
    const std::string consumer = consumer_of(agreement);
    Member* member = find(consumer);
    if (member == nullptr || offer.asset != model_asset().id) return;
    if (member->model_agreement && (!member->ended || member->model_agreement->id == agreement.id)) return;
    if (!contract::verify(agreement, {public_key, member->key}).ok()) return;
    policy::Facts known = facts(now_ms, &agreement);
    known.operations = plan::model_operations;
    const policy::Verdict verdict = policy::evaluate(offer.policy, policy::Point::negotiation, known);
    persist(now_ms, decided(policy::Point::negotiation, agreement.id, consumer, round, verdict));
    if (!verdict.permitted) return;
    adopt(*member, agreement);
    persist(now_ms, AgreementConcluded{agreement});
}

void Coordinator::Impl::consider_offer(const contract::CatalogEntry& entry, Member& member, std::int64_t now_ms) {
    const contract::Offer& offer = entry.offer.offer;
    if (member.negotiating || member.refused_offer == offer.id) return;
    if (entry.offer.assigner_key != member.key) return;
    auto proposal = contract::conclude(entry.offer, {plan.federation.operator_name, now_ms}, key);
    if (!proposal.ok()) return;  // not the signature of its assigner
    const policy::Verdict verdict = policy::evaluate(offer.policy, policy::Point::negotiation, facts(now_ms, nullptr));
    persist(now_ms, decided(policy::Point::negotiation, offer.id, offer.assigner, round, verdict));
    if (!verdict.permitted) {
        member.refused_offer = offer.id;
        member.last_refusal = verdict.sentence;
        return;
    }
    member.negotiating = true;
    emit(Negotiate{offer.assigner, std::move(proposal).value()});
}

void Coordinator::Impl::adopt(Member& member, const contract::Agreement& agreement) {
    const bool of_model = agreement.offer.offer.assigner == plan.federation.coordinator;
    (of_model ? member.model_agreement : member.update_agreement) = agreement;
    (of_model ? member.model_window : member.update_window) =
        policy::window_of(agreement.offer.offer.policy, agreement.acceptance.agreed_at_ms);
    member.ended = false;
    if (!of_model) retention_ms[agreement.id] = policy::retention_ms(agreement.offer.offer.policy);
}

void Coordinator::Impl::monitor(std::int64_t now_ms) {
    for (auto& [id, member] : members) {
        if (member.ended || member.left) continue;
        for (const auto& [agreement, window] : {std::pair(&member.update_agreement, &member.update_window),
                                                std::pair(&member.model_agreement, &member.model_window)}) {
            if (!*agreement || (*window)->contains(now_ms, round)) continue;
            const policy::Verdict verdict =
                policy::evaluate((*agreement)->offer.offer.policy, policy::Point::monitor, facts(now_ms, &**agreement));
            if (verdict.permitted) continue;
            persist(now_ms, decided(policy::Point::monitor, (*agreement)->id, id, round, verdict));
            const Error why = verdict.status().error();
            emit(EndAgreement{(*agreement)->id, {false, why.reason, "The agreement has ended: " + why.message + "."}});
            member.ended = true;
            member.last_refusal = why.message;
        }
    }
}

contract::Asset Coordinator::Impl::model_asset() const {
    return {contract::global_model_asset(plan.federation.id), contract::AssetKind::global_model, plan.federation.id,
            plan.federation.coordinator};
}

contract::SignedOffer Coordinator::Impl::model_offer() const {
    // One standing offer for all participants of the federation: no assignee is named.
    return contract::sign({"offer:" + plan.federation.id + ":global", model_asset().id, plan.federation.coordinator, {},
                           plan::model_policy(plan)},
                          key);
}

void Coordinator::Impl::seal(std::int64_t now_ms, bool final) {
    auto sealed = seal_model(plan, round, final, parameters, strategy->control(), sums, key);
    if (!sealed.ok()) {
        failure = sealed.error();
        return;
    }
    model_content = sealed->content;
    model_blob = codec::sha256(*sealed->envelope);
    model_bytes = sealed->envelope->size();
    published_round = round;
    remember_base();
    memory_blob = Digest{};
    if (Bytes memory = final ? Bytes{} : strategy->save(); !memory.empty()) {
        memory_blob = codec::sha256(memory);
        stored_memories.insert(memory_blob);
        emit(StoreBlob{memory_blob, std::make_shared<const Bytes>(std::move(memory))});
    }
    emit(StoreBlob{model_blob, std::move(sealed->envelope)});
    if (closed_pending) issue_receipt(now_ms);
    closed_pending = false;
    persist(now_ms, ModelPublished{round, final, model_content, model_blob, model_bytes, memory_blob});
}

void Coordinator::Impl::issue_receipt(std::int64_t now_ms) {
    if (receipts.issued()) return;  // before a restart
    ReceiptIssued record{receipt_of(receipts.of_round(), plan.federation.id, plan::digest_of(plan), plan.aggregation.strategy.name, model_content), {}};
    record.signature = key.sign_bare(proof::pae(proof::receipt_type, as_bytes(std::string_view(proof::payload_of(record.receipt)))));
    persist(now_ms, std::move(record));
    receipt_round = receipts.of_round().round;
    witness_until_ms = now_ms + std::int64_t{1000} * plan.round.deadline_s;
}

void Coordinator::Impl::publish() {
    if (failure) return;
    const std::uint32_t whom = phase == Phase::finished ? 0 : lots;
    emit(PublishModel{model_asset().id, {published_round, model_content, model_bytes, whom}, model_blob});
}

View Coordinator::Impl::summary() const {
    View v;
    v.phase = phase;
    v.round = round;
    v.completed = completed;
    v.rounds = plan.round.rounds;
    v.opened_at_ms = opened_at_ms;
    v.deadline_ms = deadline_ms;
    v.expected = static_cast<std::uint32_t>(expected.size());
    v.delivered = static_cast<std::uint32_t>(accepted.size());
    v.model = model_content;
    v.model_bytes = model_bytes;
    if (phase == Phase::waiting) {
        v.waiting_for = waiting_reason.empty()
                            ? "A round opens when " + std::to_string(needed) + " partners are present and agreed."
                            : "The last result was not released: " + waiting_reason + ". A round opens when " +
                                  std::to_string(needed) + " partners are present.";
        if (unwitnessed()) {
            v.waiting_for = witness_sentence();
            v.unwitnessed = receipt_round;
        }
    }
    return v;
}

View Coordinator::Impl::view() const {
    View v = summary();
    for (const auto& [id, member] : members) {
        ParticipantView p;
        p.id = id;
        p.name = member.name;
        p.update_agreement = member.update_agreement ? member.update_agreement->id : "";
        p.model_agreement = member.model_agreement ? member.model_agreement->id : "";
        p.last_seen_ms = member.last_seen_ms;
        p.contributions = member.contributions;
        p.refusals = member.refusals;
        p.last_refusal = member.last_refusal;
        p.bytes_up = member.bytes_up;
        const bool agreed = member.update_agreement && member.model_agreement;
        if (member.left) {
            p.standing = Standing::left;
        } else if (member.suspended) {
            p.standing = Standing::suspended;
        } else if (!member.refused_offer.empty() || member.ended) {
            p.standing = Standing::refused;
        } else if (accepted.count(id) > 0) {
            p.standing = Standing::delivered;
        } else if (agreed && phase == Phase::collecting && asked(id)) {
            p.standing = Standing::training;
        } else if (agreed) {
            p.standing = Standing::agreed;
        }
        v.participants.push_back(std::move(p));
    }
    return v;
}

std::optional<std::int64_t> Coordinator::Impl::next_tick_ms(std::int64_t now_ms) const {
    if (unwitnessed() && now_ms < witness_until_ms) return witness_until_ms - now_ms;
    if (phase != Phase::collecting) return std::nullopt;
    std::int64_t next = deadline_ms;
    for (const std::string& id : expected) {
        if (accepted.count(id) > 0) continue;
        const Member& member = members.at(id);
        const std::int64_t vanishes = member.last_seen_ms + std::int64_t{1000} * plan.round.presence_s + 1;
        if (present(member, now_ms)) next = std::min(next, vanishes);
    }
    return std::max<std::int64_t>(next - now_ms, 0);
}

}  // namespace entente::round

namespace entente::round::coordinator {

std::string_view to_string(Phase phase) noexcept {
    switch (phase) {
        case Phase::restoring: return "restoring";
        case Phase::waiting: return "waiting";
        case Phase::collecting: return "collecting";
        case Phase::finished: return "finished";
    }
    return "unknown";
}

std::string_view to_string(Standing standing) noexcept {
    switch (standing) {
        case Standing::admitted: return "admitted";
        case Standing::agreed: return "agreed";
        case Standing::training: return "training";
        case Standing::delivered: return "delivered";
        case Standing::absent: return "absent";
        case Standing::refused: return "refused";
        case Standing::left: return "left";
        case Standing::suspended: return "suspended";
    }
    return "unknown";
}

}  // namespace entente::round::coordinator
