// After a restart the truth is the ledger and the stored envelopes: the sum is folded again from them, so nothing
// is lost and nothing is counted twice.
#include "coordinator_impl.hpp"
#include "entente/codec/sha256.hpp"
#include "model_envelope.hpp"

namespace entente::round {

using namespace coordinator;

namespace {

Error damaged(const char* reason, std::string message) { return Error{Code::data_loss, reason, std::move(message)}; }

// Nothing says that it is damaged: whoever starts this again asks again.
Error unread(const Digest& blob) {
    return {Code::internal, "ledger.unread-blob", "ledger: the blob " + short_hex(blob) + " cannot be read just now; look after the disk, then start again"};
}

Result<Bytes> read_all(contract::ByteSource& source, std::uint64_t limit) {
    contract::BoundedSink sink(limit);
    std::vector<std::byte> buffer(64 * 1024);
    for (;;) {
        ENTENTE_ASSIGN(const std::size_t n, source.read(buffer));
        if (n == 0) return sink.take();
        ENTENTE_TRY(sink.append(ByteView(buffer.data(), n)));
    }
}

}  // namespace

Result<Commands> Coordinator::Impl::restore(const std::vector<Record>& records) {
    if (records.empty()) return Commands{};
    for (const Record& record : records) {
        ENTENTE_TRY(replay(record));
        receipts.see(record);
    }
    if (!activated || (model_blob.is_zero() && records.size() > 1)) {
        return damaged("ledger.incomplete", "ledger: expected the federation's activation and a model, found neither");
    }
    if (model_blob.is_zero()) return Commands{};  // killed between the two: Started makes the model
    Commands commands;
    loading.insert(model_blob);
    commands.push_back(LoadBlob{model_blob});
    if (!memory_blob.is_zero()) {
        loading.insert(memory_blob);
        commands.push_back(LoadBlob{memory_blob});
    }
    for (const auto& [id, record] : accepted) {
        loading.insert(record.blob);
        commands.push_back(LoadBlob{record.blob});
    }
    parameters.clear();
    return commands;
}

// What each record changes. Decisions are evidence, not state, but for an agreement that has ended.
struct Coordinator::Impl::Replay {
    Impl& to;
    std::int64_t at_ms;

    Status operator()(const Activated& r) const {
        if (const Digest now = plan::digest_of(to.plan); r.plan != now) {
            return damaged("ledger.other-plan", "ledger: it was begun with the plan " + short_hex(r.plan) +
                                                    ", the plan now is " + short_hex(now));
        }
        if (r.coordinator != to.public_key) {
            return damaged("ledger.other-key", "ledger: it was begun with another coordinator key");
        }
        to.activated = true;
        return done();
    }
    Status operator()(const ParticipantAdmitted& r) const {
        to.come_in(r.participant, r.key);
        to.members[r.participant].name = r.name;
        return done();
    }
    Status operator()(const ParticipantLeft& r) const {
        to.members[r.participant].left = true;
        for (auto& [whose, update] : to.stored) {
            const bool counting = to.phase == Phase::collecting && whose.first == to.round;
            if (whose.second == r.participant && !counting) update.until_ms = std::min(update.until_ms, at_ms);
        }
        return done();
    }
    Status operator()(const AgreementConcluded& r) const {
        const contract::Offer& offer = r.agreement.offer.offer;
        const bool of_model = offer.assigner == to.plan.federation.coordinator;
        to.adopt(to.members[of_model ? to.consumer_of(r.agreement) : offer.assigner], r.agreement);
        return done();
    }
    Status operator()(const PolicyDecided& r) const {
        if (r.point == policy::Point::monitor && !r.permitted) to.members[r.participant].ended = true;
        return done();
    }
    Status operator()(const RoundOpened& r) const {
        to.round = r.round;
        to.opened_at_ms = at_ms;
        to.deadline_ms = r.deadline_ms;
        to.phase = Phase::collecting;
        to.lots = r.lots;
        to.goal = r.goal;
        to.bases[r.round].lots = r.lots;
        to.accepted.clear();
        to.former.clear();
        to.expected.clear();
        for (const auto& [id, member] : to.members) {
            const bool agreed = member.update_agreement && member.model_agreement && !member.left;
            if (agreed && to.asked(id)) to.expected.insert(id);
        }
        return done();
    }
    Status operator()(const UpdateAccepted& r) const {
        to.count(r);
        return done();
    }
    Status operator()(const UpdateRefused& r) const {
        Member& member = to.members[r.participant];
        ++member.refusals;
        member.last_refusal = r.sentence;
        member.judged = contract::Version{r.base_round, r.content, r.size_bytes};
        return done();
    }
    Status operator()(const UpdatesDeleted& r) const {
        for (const std::string& id : r.participants) to.stored.erase({r.round, id});
        return done();
    }
    Status operator()(const ReceiptIssued& r) const {
        to.receipt_round = r.receipt.round;
        return done();
    }
    Status operator()(const WitnessesMissing&) const { return done(); }
    Status operator()(const KeyRotated& r) const {
        to.come_in(r.participant, r.key);
        return done();
    }
    Status operator()(const SuspensionChanged& r) const {
        to.members[r.participant].suspended = r.suspended ? std::optional(r.reason) : std::nullopt;
        return done();
    }
    Status operator()(const RoundClosed& r) const {
        to.closed_population = r.population;
        to.closed_pending = true;
        return done();
    }
    Status operator()(const RoundAbandoned&) const {
        to.round_over(to.round, at_ms, false);
        to.accepted.clear();
        to.phase = Phase::waiting;
        ++to.round;
        return done();
    }
    Status operator()(const ModelPublished& r) const {
        if (to.closed_pending) {
            to.closed_pending = false;
            to.round_over(to.round, at_ms, true);
            to.accepted.clear();
            ++to.completed;
            to.phase = Phase::waiting;
        }
        to.round = r.round;
        to.published_round = r.round;
        to.model_content = r.content;
        to.model_blob = r.blob;
        to.memory_blob = r.memory;
        if (!r.memory.is_zero()) to.stored_memories.insert(r.memory);
        to.model_bytes = r.size_bytes;
        to.remember_base();
        if (r.final) to.phase = Phase::finished;
        return done();
    }
};

Status Coordinator::Impl::replay(const Record& record) { return std::visit(Replay{*this, record.at_ms}, record.body); }

void Coordinator::Impl::on(BlobLoaded& e) {
    if (failure || loading.erase(e.blob) == 0) return;
    if (!e.found.ok() || e.content == nullptr) {
        failure = damaged("ledger.missing-blob", "ledger: the blob " + short_hex(e.blob) +
                                                     " is named but cannot be read; restore the data folder from a copy");
        return;
    }
    if (e.blob == model_blob) {
        auto envelope = read_all(*e.content, plan::envelope_limit(plan::model_limits(plan)));
        if (!envelope.ok()) {
            failure = envelope.error().code == Code::too_large ? envelope.error() : unread(e.blob);
            return;
        }
        auto model = open_model(plan, *envelope, public_key);
        if (!model.ok()) {
            failure = model.error();
            return;
        }
        parameters = std::move(model->parameters);
        sums = std::move(model->sums);
        return;
    }
    if (e.blob == memory_blob) {
        auto memory = read_all(*e.content, strategy->save().size());
        if (!memory.ok() && memory.error().code != Code::too_large) {
            failure = unread(e.blob);
            return;
        }
        const bool whole = memory.ok() && codec::sha256(*memory) == memory_blob && strategy->load(*memory).ok();
        if (!whole) failure = damaged("ledger.damaged-blob", "ledger: what the strategy remembers is damaged on disk");
        return;
    }
    for (const auto& [id, record] : accepted) {
        if (record.blob != e.blob) continue;
        const auto opened = open_update(plan, *e.content);
        if (opened == nullptr) {
            failure = unread(e.blob);
            return;
        }
        if (!opened->update.ok() || opened->update->record.blob != e.blob) {
            failure = damaged("ledger.damaged-blob", "ledger: the update of " + id + " is damaged on disk");
            return;
        }
        opened->update->record = record;
        take_in(std::move(*opened->update));
        return;
    }
}

}  // namespace entente::round
