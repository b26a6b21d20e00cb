#include "dsp/provider.hpp"

#include "connectors/dsp/exchange_behaviour.hpp"

namespace entente::native {

using namespace contract;
using dsp::Cause;
using dsp::Kind;
using dsp::Role;

void DspProvider::heard(const dsp::Step& step) {
    if (!step.applied) return;
    if (step.negotiation && step.negotiation->role == Role::provider) heard(*step.negotiation);
    if (step.transfer && step.transfer->role == Role::provider) heard(*step.transfer, step);
}

// Both have committed themselves once the consumer has verified.
void DspProvider::heard(const dsp::Negotiation& n) {
    if (n.state != dsp::NegotiationState::verified && n.state != dsp::NegotiationState::finalized) return;
    const auto acceptance = dsp::read_acceptance(n.extensions);
    if (!acceptance.ok() || o_.space.exchange().agreement(acceptance->id) != nullptr) return;
    const auto agreed = o_.space.negotiate(n.peer, *acceptance, n.created_ms);
    static_cast<void>(agreed);  // it was judged before it was agreed to; a full disk is tried again at the next message
}

void DspProvider::heard(const dsp::TransferProcess& t, const dsp::Step& step) {
    if (step.cause == Cause::received && (step.kind == Kind::transfer_request || step.kind == Kind::transfer_start)) return start(t);
    if (t.state == dsp::TransferState::started || t.state == dsp::TransferState::requested) return;
    if (t.state == dsp::TransferState::completed) {
        const auto told = dsp::read_outcome(t.extensions);
        conclude(t, told.ok() ? *told : Outcome{true, {}, {}});
    } else if (t.state == dsp::TransferState::terminated) {
        const std::string reason = t.reasons.empty() ? std::string() : t.reasons.front();
        conclude(t, reason == dsp::received_whole ? Outcome{true, {}, {}} : Outcome{false, t.code, reason});
    }
}

Result<dsp::DataAddress> DspProvider::address_for(const dsp::TransferProcess& t) {
    const Agreement* agreement = o_.space.exchange().agreement(t.agreement_id);
    if (agreement == nullptr) return Error{Code::permission_denied, "agreement.unknown", "no agreement " + t.agreement_id};
    const std::string& asset = agreement->offer.offer.asset;
    ENTENTE_ASSIGN(const Version wanted, dsp::read_version(t.extensions));
    ENTENTE_ASSIGN(const Transfer opened, o_.space.open(t.peer, {t.agreement_id, asset, wanted}, t.peer_pid));
    if (opened.state != TransferState::started) return Error{Code::conflict, opened.code, opened.sentence};
    Grant grant;
    grant.transfer = t.pid;
    grant.agreement = t.agreement_id;
    grant.peer = t.peer;
    grant.size_bytes = wanted.size_bytes;
    ENTENTE_ASSIGN(grant.blob, o_.blob_of(asset, wanted));
    return o_.data.grant(grant);
}

void DspProvider::start(const dsp::TransferProcess& t) {
    auto address = address_for(t);
    if (!address.ok()) return refuse(t.pid, address.error());
    running_.insert(t.pid);
    dsp::Act act{.send = Kind::transfer_start};
    act.address = std::move(address).value();
    o_.service.act(t.pid, act, [](const Result<std::string>&) {});
}

Status DspProvider::permitted(const Grant& grant) const {
    const auto t = o_.service.node().transfers().find(grant.transfer);
    if (t == o_.service.node().transfers().end()) return Error{Code::not_found, "dsp.unknown", "no transfer " + grant.transfer};
    ENTENTE_ASSIGN(const Transfer known, o_.space.exchange().readable(grant.peer, t->second.peer_pid));
    if (known.state == TransferState::started) return o_.space.exchange().in_force(grant.peer, known, o_.space.now_ms());
    return Error{Code::permission_denied, known.code.empty() ? "transfer.ended" : known.code, "this transfer has ended"};
}

void DspProvider::refuse(const std::string& pid, const Error& why) {
    o_.service.act(pid, {.send = Kind::transfer_termination, .code = why.reason, .reasons = {why.message}}, [](const Result<std::string>&) {});
}

void DspProvider::conclude(const dsp::TransferProcess& t, const Outcome& outcome) {
    running_.erase(t.pid);
    const Status told = o_.space.conclude(t.peer, t.peer_pid, outcome);
    static_cast<void>(told);  // of a peer that has left, or that the exchange had ended already
}

void DspProvider::settle() {
    const auto& transfers = o_.service.node().transfers();
    for (const std::string& pid : std::set<std::string>(running_)) {
        const auto it = transfers.find(pid);
        if (it == transfers.end() || dsp::is_final(it->second.state)) {
            running_.erase(pid);
            continue;
        }
        const dsp::TransferProcess& t = it->second;
        const auto known = o_.space.exchange().readable(t.peer, t.peer_pid);
        if (known.ok() && known->state != TransferState::terminated) continue;
        running_.erase(pid);
        refuse(pid, known.ok() ? Error{Code::conflict, known->code, known->sentence} : known.error());
    }
}

void DspProvider::resume() {
    for (const auto& [pid, n] : o_.service.node().negotiations()) {
        if (n.role == Role::provider) heard(n);
    }
    for (const auto& [pid, t] : o_.service.node().transfers()) {
        if (t.role != Role::provider) continue;
        if (t.state == dsp::TransferState::requested && t.outbox.empty()) start(t);
        if (t.state == dsp::TransferState::started || t.state == dsp::TransferState::suspended) running_.insert(pid);
    }
    settle();
}

}  // namespace entente::native
