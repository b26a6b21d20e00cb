// How the data space's objects are archived: members in the order of declaration (docs/wire-format.md).
#pragma once

#include "entente/codec/archive.hpp"
#include "entente/contract/wire.hpp"

namespace entente::policy {

template <class Archive>
void serialize(Archive& archive, Constraint& c) {
    archive(c.left_operand, c.op, c.right_operand);
}
template <class Archive>
void serialize(Archive& archive, Rule& r) {
    archive(r.action, r.constraints);
}
template <class Archive>
void serialize(Archive& archive, Policy& p) {
    archive(p.profiles, p.permissions, p.prohibitions, p.obligations, p.unread);
}

}  // namespace entente::policy

namespace entente::contract {

template <class Archive>
void serialize(Archive& archive, Version& v) {
    archive(v.round, v.content, v.size_bytes, v.lots);
}
template <class Archive>
void serialize(Archive& archive, Offer& o) {
    archive(o.id, o.asset, o.assigner, o.assignee, o.policy);
}
template <class Archive>
void serialize(Archive& archive, SignedOffer& o) {
    archive(o.offer, o.assigner_key, o.assigner_signature);
}
template <class Archive>
void serialize(Archive& archive, Acceptance& a) {
    archive(a.accepted_by, a.agreed_at_ms);
}
template <class Archive>
void serialize(Archive& archive, Agreement& a) {
    archive(a.id, a.offer, a.acceptance, a.assignee_key, a.assignee_signature);
}
template <class Archive>
void serialize(Archive& archive, Transfer& t) {
    archive(t.id, t.agreement, t.asset, t.version, t.state, t.code, t.sentence);
}
template <class Archive>
void serialize(Archive& archive, Outcome& o) {
    archive(o.accepted, o.code, o.sentence);
}
template <class Archive>
void serialize(Archive& archive, Asset& a) {
    archive(a.id, a.kind, a.federation, a.provider);
}
template <class Archive>
void serialize(Archive& archive, CatalogEntry& e) {
    archive(e.asset, e.offer, e.version);
}
template <class Archive>
void serialize(Archive& archive, Catalog& c) {
    archive(c.entries, c.cursor);
}
template <class Archive>
void serialize(Archive& archive, TransferRequest& r) {
    archive(r.agreement, r.asset, r.version);
}
template <class Archive>
void serialize(Archive& archive, HubView& v) {
    archive(v.catalog, v.own_version, v.own_agreements, v.own_transfers);
}
template <class Archive>
void serialize(Archive& archive, Publication& p) {
    archive(p.asset, p.offer);
}

}  // namespace entente::contract
