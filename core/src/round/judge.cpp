// May this update enter this round, and may this aggregate leave? Every condition in one place, each with its code.
#include <cmath>

#include "coordinator_impl.hpp"
#include "entente/codec/sha256.hpp"
#include "model_envelope.hpp"
#include "update_sink.hpp"

namespace entente::round {

using namespace coordinator;

namespace {

Error refuse_with(Code code, const char* reason, std::string sentence) {
    return Error{code, reason, std::move(sentence)};
}

constexpr std::size_t read_chunk = 64 * 1024;

}  // namespace

Result<Coordinator::Impl::Staged> Coordinator::Impl::read_update(contract::ByteSource& content,
                                                                 codec::FrameHeader& header) const {
    UpdateSink sink(plan.aggregation.grid, fold.parameters());
    codec::FrameDecoder decoder(plan::update_limits(plan), sink);
    codec::Sha256 blob;
    std::vector<std::byte> buffer(read_chunk);
    std::uint64_t size = 0;
    for (;;) {
        ENTENTE_ASSIGN(const std::size_t n, content.read(buffer));
        if (n == 0) break;
        const ByteView bytes(buffer.data(), n);
        blob.update(bytes);
        size += n;
        ENTENTE_TRY(decoder.put(bytes));
    }
    ENTENTE_ASSIGN(const codec::FrameInfo info, decoder.finish());
    header = info.header;
    if (!sink.complete()) {
        return refuse_with(Code::invalid_argument, "update.shape", "update: it has fewer parameters than the plan's model");
    }
    Staged update;
    update.record.blob = blob.finish();
    update.record.size_bytes = size;
    update.values = sink.take();
    return update;
}

std::shared_ptr<OpenedUpdate> Coordinator::Impl::open_update(contract::ByteSource& content) const {
    codec::FrameHeader header;
    auto update = read_update(content, header);
    return std::make_shared<OpenedUpdate>(OpenedUpdate{std::move(header), std::move(update)});
}

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
    if (header.round != round) {
        return refuse_with(Code::conflict, header.round < round ? "update.late" : "update.future",
                           "update: expected round " + std::to_string(round) + ", found round " +
                               std::to_string(header.round));
    }
    if (header.base_model != model_content) {
        return refuse_with(Code::conflict, "update.stale-base",
                           "update: expected one trained on the model " + short_hex(model_content) +
                               ", found one trained on " + short_hex(header.base_model));
    }
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

Result<Coordinator::Impl::Staged> Coordinator::Impl::judge(const std::string& id, const Member& member,
                                                           const contract::Transfer& transfer,
                                                           OpenedUpdate opened, std::int64_t now_ms) {
    if (!member.update_agreement) {
        return refuse_with(Code::permission_denied, "update.no-agreement", "update: there is no agreement with " + id);
    }
    const codec::FrameHeader& header = opened.header;
    ENTENTE_ASSIGN(Staged update, std::move(opened.update));
    ENTENTE_TRY(check_update(id, member, transfer, header));
    const policy::Verdict verdict = policy::evaluate(member.update_agreement->offer.offer.policy, policy::Point::ingest,
                                                     facts(now_ms, &*member.update_agreement));
    persist(now_ms, PolicyDecided{policy::Point::ingest, member.update_agreement->id, id, round, verdict.permitted,
                                  verdict.code, verdict.sentence});
    ENTENTE_TRY(verdict.status());
    const std::uint64_t weight = plan.aggregation.weighting == plan::Weighting::uniform ? 1 : header.weight;
    ENTENTE_TRY(fold.validate(update.values, weight));
    UpdateAccepted& record = update.record;
    record.round = round;
    record.participant = id;
    record.agreement = header.agreement;
    record.transfer = transfer.id;
    record.content = header.content;
    record.weight = weight;
    record.measures = header.measures;
    return update;
}

void Coordinator::Impl::refuse(const std::string& id, Member& member, const contract::Transfer& transfer,
                               const Error& error, std::int64_t now_ms) {
    ++member.refusals;
    member.last_refusal = error.message;
    persist(now_ms, UpdateRefused{round, id, transfer.id, transfer.version.content, error.reason, error.message});
    emit(Conclude{transfer.id, {false, error.reason, error.message}});
}

std::optional<std::string> Coordinator::Impl::may_release(std::int64_t now_ms) {
    std::optional<std::string> forbidden;
    for (const auto& [id, record] : accepted) {
        const contract::Agreement& agreement = *members.at(id).update_agreement;
        policy::Facts known = facts(now_ms, &agreement);
        known.cohort = accepted.size();
        const policy::Verdict verdict = policy::evaluate(agreement.offer.offer.policy, policy::Point::release, known);
        persist(now_ms, PolicyDecided{policy::Point::release, agreement.id, id, round, verdict.permitted, verdict.code,
                                      verdict.sentence});
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
    return known;
}

void Coordinator::Impl::count(const UpdateAccepted& record) {
    Member& member = members[record.participant];
    member.judged = contract::Version{record.round, record.content, record.size_bytes};
    ++member.contributions;
    member.bytes_up += record.size_bytes;
    accepted[record.participant] = record;
}

}  // namespace entente::round
