// How one process moves: what it may send next, what an acknowledgement does, when a message of the peer counts. The
// same for negotiations and transfers. Private to node.
#pragma once

#include <algorithm>

#include "connectors/dsp/node.hpp"
#include "connectors/dsp/terms.hpp"

namespace entente::dsp {

inline constexpr std::size_t max_applied = 32;
inline constexpr std::size_t max_history = 64;
inline constexpr std::int64_t longest_retry_ms = 10'000;
inline constexpr std::int64_t farewell_ms = 30'000;  // for telling the peer that it is over

inline Kind termination_of(const Negotiation&) { return Kind::negotiation_termination; }
inline Kind termination_of(const TransferProcess&) { return Kind::transfer_termination; }
inline bool resumes(const Negotiation&) { return false; }
inline bool resumes(const TransferProcess& t) { return t.resuming && t.state == TransferState::started; }

// Where `message` of ours leads. A message that begins a process leaves it where it was created; a start in STARTED is
// what a provider owes whose consumer has resumed.
template <class P>
auto after_sending(const P& p, const Message& message) {
    if (!message.callback_address.empty()) return std::optional(p.state);
    if (message.kind == Kind::transfer_start && p.role == Role::provider && resumes(p)) return std::optional(p.state);
    return next(p.state, p.role, message.kind);
}

template <class P>
void note(P& p, Role sender, Kind kind, std::int64_t now_ms) {
    p.history.push_back({now_ms, sender, kind});
    if (p.history.size() > max_history) p.history.erase(p.history.begin());
}

// Drops what the state no longer allows, and fixes when the new head may go.
template <class P>
void settle(P& p, std::int64_t now_ms) {
    if (is_final(p.state)) p.outbox.clear();
    while (!p.outbox.empty() && !after_sending(p, p.outbox.front().message)) p.outbox.erase(p.outbox.begin());
    if (p.outbox.empty()) return;
    Outgoing& head = p.outbox.front();
    if (head.not_before_ms == 0) head.not_before_ms = now_ms + head.after_ms;
}

inline void sent_note(Negotiation&, Kind) {}
inline void sent_note(TransferProcess& t, Kind kind) {
    if (kind == Kind::transfer_start) t.resuming = t.role == Role::consumer;
}

// A new process of ours with `peer`, whoever has begun it.
template <class P>
P Node::begun(Role role, const std::string& peer, const std::string& address, const std::map<std::string, std::string>& extensions,
              std::int64_t now_ms) const {
    P p;
    p.pid = o_.new_id();
    p.role = role;
    p.peer = peer;
    p.peer_address = without_slash(address);
    p.created_ms = now_ms;
    p.deadline_ms = now_ms + (std::is_same_v<P, Negotiation> ? o_.negotiation_deadline_ms : o_.transfer_deadline_ms);
    p.extensions = extensions;
    return p;
}

template <class P>
void Node::enqueue(P& p, const Act& act, std::int64_t now_ms) const {
    Message m;
    m.kind = act.send;
    m.id = o_.new_id();
    m.policy = act.policy;
    m.address = act.address;
    m.code = act.code;
    m.reasons = act.reasons;
    m.extensions = act.extensions;
    if (act.send == termination_of(p)) {
        // Only what may already be on its way stays before it.
        while (p.outbox.size() > 1 || (p.outbox.size() == 1 && p.outbox.front().attempts == 0)) p.outbox.pop_back();
        p.code = act.code;
        p.reasons = act.reasons;
    }
    p.outbox.push_back({std::move(m), act.after_ms, 0, 0});
    if (p.outbox.size() == 1) p.outbox.front().not_before_ms = now_ms + act.after_ms;
}

template <class P>
void Node::follow(P& p, Kind kind, Cause cause, std::int64_t now_ms) const {
    const std::vector<Act> acts = behaviour_.next(p, kind, cause);
    if (is_final(p.state)) return;
    for (const Act& act : acts) enqueue(p, act, now_ms);
    settle(p, now_ms);
}

template <class P>
void Node::acknowledge(P& p, std::int64_t now_ms) const {
    const Message message = p.outbox.front().message;
    p.outbox.erase(p.outbox.begin());
    const auto to = after_sending(p, message);
    if (!to) return settle(p, now_ms);
    sent_note(p, message.kind);
    p.state = *to;
    if constexpr (std::is_same_v<P, Negotiation>) {
        if (message.kind == Kind::contract_offer || message.kind == Kind::contract_request) p.offer = message.policy;
        if (message.kind == Kind::agreement) p.agreement = message.policy;
    }
    note(p, p.role, message.kind, now_ms);
    settle(p, now_ms);
    follow(p, message.kind, Cause::acknowledged, now_ms);
}

// We end it: with a word to the peer where the protocol allows one, in silence elsewhere.
template <class P>
void Node::give_up(P& p, const std::string& code, const std::string& sentence, std::int64_t now_ms) const {
    const Kind termination = termination_of(p);
    const bool tried = !p.outbox.empty() && p.outbox.front().message.kind == termination;
    const bool may = next(p.state, p.role, termination).has_value();
    if (!tried) {
        p.code = code;
        p.reasons = {sentence};
    }
    p.outbox.clear();
    if (tried || !may || p.peer_pid.empty()) {
        p.state = decltype(p.state)::terminated;
        note(p, p.role, termination, now_ms);
    } else {
        enqueue(p, {.send = termination, .code = code, .reasons = {sentence}}, now_ms);
        p.deadline_ms = now_ms + farewell_ms;
    }
    follow(p, termination, Cause::failed, now_ms);
}

}  // namespace entente::dsp
