// May this update enter this round, and may this aggregate leave? Every condition in one place, each with its code.
#include <cmath>

#include "coordinator_impl.hpp"
#include "entente/aggregate/local_work.hpp"
#include "model_envelope.hpp"
#include "next_model.hpp"

namespace entente::round {

using namespace coordinator;

namespace {

Error refuse_with(Code code, const char* reason, std::string sentence) {
    return Error{code, reason, std::move(sentence)};
}

}  // namespace

Status Coordinator::Impl::check_update(const std::string& id, const Member& member, const contract::Transfer& transfer,
                                       const codec::FrameHeader& header) const {
    if (header.signer != member.key || header.sender != id) {
        return refuse_with(Code::permission_denied, "update.foreign-signature",
                           "update: expected the signature of " + id + ", found another key's");
    }
    if (header.agreement != member.update_agreement->id || transfer.agreement != header.agreement) {
        return refuse_with(Code::permission_denied, "update.foreign-agreement",
                           "update: expected the agreement " + member.update_agreement->id + ", found \"" +
                               header.agreement + "\"");
    }
    ENTENTE_TRY(check_belongs(plan, header, "update"));
    if (header.content != transfer.version.content) {
        return refuse_with(Code::invalid_argument, "update.other-content",
                           "update: its content is not what the catalogue announced");
    }
    if (phase != Phase::collecting) {
        return refuse_with(Code::conflict, "update.no-round", "update: no round is open");
    }
    ENTENTE_TRY(check_round(id, header));
    if (accepted.count(id) > 0) {
        return refuse_with(Code::conflict, "update.duplicate",
                           "update: round " + std::to_string(round) + " has counted one of " + id + " already");
    }
    const bool finite = std::all_of(header.measures.begin(), header.measures.end(),
                                    [](const codec::Measure& m) { return std::isfinite(m.value); });
    if (!finite) {
        return refuse_with(Code::invalid_argument, "update.not-finite", "update: a reported measure is not a finite number");
    }
    return done();
}

// Is it of this round, or no later than the plan bears, and was its sender asked?
Status Coordinator::Impl::check_round(const std::string& id, const codec::FrameHeader& header) const {
    const auto base = bases.find(header.round);
    const bool timely = header.round == round || (header.round < round && plan.round.max_staleness > 0 && base != bases.end());
    if (!timely) {
        return refuse_with(Code::conflict, header.round < round ? "update.late" : "update.future",
                           "update: expected round " + std::to_string(round) + ", found round " +
                               std::to_string(header.round));
    }
    if (header.base_model != base->second.content) {
        return refuse_with(Code::conflict, "update.stale-base",
                           "update: expected one trained on the model " + short_hex(base->second.content) +
                               ", found one trained on " + short_hex(header.base_model));
    }
    if (plan::lot_of(plan, header.round, id) > base->second.lots) {
        return refuse_with(Code::permission_denied, "update.not-asked",
                           "update: round " + std::to_string(header.round) + " did not draw " + id);
    }
    return done();
}

// What the update counts for: less for a stale one, and in FedNova less for each of many steps.
Result<std::uint32_t> Coordinator::Impl::factor_of(const codec::FrameHeader& header) const {
    const std::uint8_t unit = plan::fold_bounds(plan).factor_log2;
    if (aggregate::traits_of(plan.aggregation.strategy.name).normalised) {
        ENTENTE_ASSIGN(const std::uint64_t steps, steps_of(header.measures));
        return aggregate::to_factor(1 / plan::gradient_weight(plan, header.round, steps), unit);
    }
    const std::uint64_t stale = completed - bases.at(header.round).version;
    return aggregate::to_factor(aggregate::staleness_weight(stale, static_cast<double>(plan.round.staleness_exponent)), unit);
}

Result<StagedUpdate> Coordinator::Impl::judge(const std::string& id, const Member& member,
                                                           const contract::Transfer& transfer,
                                                           OpenedUpdate opened, std::int64_t now_ms) {
    if (!member.update_agreement) {
        return refuse_with(Code::permission_denied, "update.no-agreement", "update: there is no agreement with " + id);
    }
    if (member.suspended) return refuse_with(Code::permission_denied, "participant.suspended", "update: " + id + " is suspended: " + *member.suspended);
    const codec::FrameHeader& header = opened.header;
    ENTENTE_ASSIGN(StagedUpdate update, std::move(opened.update));
    ENTENTE_TRY(check_update(id, member, transfer, header));
    const policy::Verdict verdict = policy::evaluate(member.update_agreement->offer.offer.policy, policy::Point::ingest,
                                                     facts(now_ms, &*member.update_agreement));
    persist(now_ms, decided(policy::Point::ingest, member.update_agreement->id, id, round, verdict));
    ENTENTE_TRY(verdict.status());
    const std::uint64_t weight = plan.aggregation.weighting == plan::Weighting::uniform ? 1 : header.weight;
    ENTENTE_ASSIGN(const std::uint32_t factor, factor_of(header));
    const auto before = static_cast<std::uint32_t>(waiting.size());
    if (const auto* numbers = std::get_if<aggregate::Sparse>(&update.update)) {
        ENTENTE_TRY(fold.validate(*numbers, weight, factor, before));
    } else {
        ENTENTE_TRY(fold.validate({&std::get<aggregate::PackedUpdate>(update.update), weight, factor}, before));
    }
    UpdateAccepted& record = update.record;
    record.round = round;
    record.participant = id;
    record.agreement = header.agreement;
    record.transfer = transfer.id;
    record.content = header.content;
    record.weight = weight;
    record.base_round = header.round;
    record.factor = factor;
    record.measures = header.measures;
    return update;
}

void Coordinator::Impl::refuse(const std::string& id, Member& member, const contract::Transfer& transfer,
                               const Error& error, std::int64_t now_ms) {
    ++member.refusals;
    member.last_refusal = error.message;
    persist(now_ms, UpdateRefused{round, id, transfer.id, transfer.version.content, error.reason, error.message,
                                  transfer.version.round, transfer.version.size_bytes});
    emit(Conclude{transfer.id, {false, error.reason, error.message}});
}

std::optional<std::string> Coordinator::Impl::may_release(std::int64_t now_ms) {
    std::optional<std::string> forbidden;
    for (const auto& [id, record] : accepted) {
        const auto old = former.find(record.agreement);
        const contract::Agreement& agreement = old != former.end() ? old->second : *members.at(id).update_agreement;
        policy::Facts known = facts(now_ms, &agreement);
        known.cohort = accepted.size();
        const policy::Verdict verdict = policy::evaluate(agreement.offer.offer.policy, policy::Point::release, known);
        persist(now_ms, decided(policy::Point::release, agreement.id, id, round, verdict));
        if (!verdict.permitted && !forbidden) forbidden = verdict.sentence;
    }
    return forbidden;
}

policy::Facts Coordinator::Impl::facts(std::int64_t now_ms, const contract::Agreement* agreement) const {
    policy::Facts known;
    known.federation = plan::federation_iri(plan);
    known.cohort = plan.contract.min_cohort_size;
    known.round = round;
    known.schema = schema;
    known.now_ms = now_ms;
    known.agreed_at_ms = agreement != nullptr ? agreement->acceptance.agreed_at_ms : now_ms;
    known.operations = plan::update_operations;
    known.kept_ms = 0;  // none is kept for longer than its agreement lets
    return known;
}

void Coordinator::Impl::count(const UpdateAccepted& record) {
    Member& member = members[record.participant];
    member.judged = contract::Version{record.base_round, record.content, record.size_bytes};
    ++member.contributions;
    member.bytes_up += record.size_bytes;
    accepted[record.participant] = record;
    keep(record);
}

}  // namespace entente::round
