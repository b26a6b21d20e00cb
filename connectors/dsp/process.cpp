#include "connectors/dsp/process.hpp"

#include "entente/codec/archive.hpp"

namespace entente::dsp {

template <class Archive>
void serialize(Archive& archive, DataAddress& a) {
    archive(a.endpoint_type, a.endpoint, a.authorization, a.auth_type);
}
template <class Archive>
void serialize(Archive& archive, Message& m) {
    archive(m.kind, m.id, m.provider_pid, m.consumer_pid, m.callback_address, m.policy, m.agreement_id, m.format, m.address,
            m.code, m.reasons, m.extensions);
}
template <class Archive>
void serialize(Archive& archive, Outgoing& o) {
    archive(o.message, o.after_ms, o.not_before_ms, o.attempts);
}
template <class Archive>
void serialize(Archive& archive, Passage& p) {
    archive(p.at_ms, p.sender, p.kind);
}
template <class Archive>
void serialize_process(Archive& archive, Process& p) {
    archive(p.pid, p.peer_pid, p.role, p.peer, p.peer_address, p.created_ms, p.deadline_ms, p.outbox, p.applied, p.history,
            p.code, p.reasons, p.ended_by_peer, p.last_error, p.extensions);
}
template <class Archive>
void serialize(Archive& archive, Negotiation& n) {
    serialize_process(archive, n);
    archive(n.state, n.dataset, n.offer, n.agreement);
}
template <class Archive>
void serialize(Archive& archive, TransferProcess& t) {
    serialize_process(archive, t);
    archive(t.state, t.agreement_id, t.format, t.address, t.resuming);
}

Bytes encode(const Negotiation& negotiation) { return codec::encode(negotiation); }
Bytes encode(const TransferProcess& transfer) { return codec::encode(transfer); }
Result<Negotiation> decode_negotiation(ByteView row) { return codec::decode<Negotiation>(row); }
Result<TransferProcess> decode_transfer(ByteView row) { return codec::decode<TransferProcess>(row); }

}  // namespace entente::dsp
