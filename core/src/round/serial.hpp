// How the ledger's records are archived: members in the order of declaration (docs/wire-format.md).
#pragma once

#include "../contract/serial.hpp"
#include "entente/round/journal.hpp"

namespace entente::policy {

constexpr bool is_known(Point point) { return point <= Point::release; }

}  // namespace entente::policy

namespace entente::proof {

template <class Archive>
void serialize(Archive& archive, Receipt& r) {
    archive(r.federation, r.plan, r.round, r.base_model, r.rule, r.updates, r.weight, r.population, r.updates_root, r.decisions,
            r.decisions_root, r.model);
}

}  // namespace entente::proof

namespace entente::round {

template <class Archive>
void serialize(Archive& archive, Activated& r) {
    archive(r.plan, r.schema, r.coordinator);
}
template <class Archive>
void serialize(Archive& archive, ParticipantAdmitted& r) {
    archive(r.participant, r.name, r.key);
}
template <class Archive>
void serialize(Archive& archive, ParticipantLeft& r) {
    archive(r.participant, r.reason);
}
template <class Archive>
void serialize(Archive& archive, AgreementConcluded& r) {
    archive(r.agreement);
}
template <class Archive>
void serialize(Archive& archive, PolicyDecided& r) {
    archive(r.point, r.agreement, r.participant, r.round, r.permitted, r.code, r.sentence, r.term, r.input);
}
template <class Archive>
void serialize(Archive& archive, RoundOpened& r) {
    archive(r.round, r.model, r.deadline_ms, r.lots, r.goal);
}
template <class Archive>
void serialize(Archive& archive, UpdateAccepted& r) {
    archive(r.round, r.participant, r.agreement, r.transfer, r.content, r.blob, r.weight, r.size_bytes, r.base_round,
            r.factor, r.measures);
}
template <class Archive>
void serialize(Archive& archive, UpdateRefused& r) {
    archive(r.round, r.participant, r.transfer, r.content, r.code, r.sentence, r.base_round, r.size_bytes);
}
template <class Archive>
void serialize(Archive& archive, RoundClosed& r) {
    archive(r.round, r.participants, r.population);
}
template <class Archive>
void serialize(Archive& archive, RoundAbandoned& r) {
    archive(r.round, r.reason);
}
template <class Archive>
void serialize(Archive& archive, ModelPublished& r) {
    archive(r.round, r.final, r.content, r.blob, r.size_bytes, r.memory);
}
template <class Archive>
void serialize(Archive& archive, UpdatesDeleted& r) {
    archive(r.round, r.participants);
}
template <class Archive>
void serialize(Archive& archive, ReceiptIssued& r) {
    archive(r.receipt, r.signature);
}
template <class Archive>
void serialize(Archive& archive, KeyRotated& r) {
    archive(r.participant, r.key, r.former, r.by_key, r.by_former);
}
template <class Archive>
void serialize(Archive& archive, SuspensionChanged& r) {
    archive(r.participant, r.suspended, r.reason);
}
template <class Archive>
void serialize(Archive& archive, WitnessesMissing& r) {
    archive(r.round, r.cosigned, r.wanted);
}
template <class Archive>
void serialize(Archive& archive, Record& r) {
    archive(r.at_ms, r.body);
}
template <class Archive>
void serialize(Archive& archive, Entry& e) {
    archive(e.sequence, e.previous, e.record);
}

}  // namespace entente::round
