#include "connectors/dsp/node.hpp"

#include "connectors/dsp/progress.hpp"
#include "connectors/dsp/terms.hpp"

namespace entente::dsp {
namespace {

// Peers of different processes do not come back all at once. The same every time, so that tests can foretell it.
std::int64_t jitter(const std::string& pid, std::int64_t delay_ms) {
    std::uint32_t hash = 2166136261u;  // FNV-1a
    for (const char c : pid) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return delay_ms / 4 > 0 ? static_cast<std::int64_t>(hash % static_cast<std::uint32_t>(delay_ms / 4)) : 0;
}

std::string path_of(const Process& p, const Message& m) {
    const std::string root = of_negotiation(m.kind) ? "/negotiations/" : "/transfers/";
    const std::string end = [&]() -> std::string {
        switch (m.kind) {
            case Kind::contract_request:
            case Kind::transfer_request: return "request";
            case Kind::contract_offer: return "offers";
            case Kind::acceptance:
            case Kind::finalization: return "events";
            case Kind::agreement: return "agreement";
            case Kind::verification: return "agreement/verification";
            case Kind::negotiation_termination:
            case Kind::transfer_termination: return "termination";
            case Kind::transfer_start: return "start";
            case Kind::transfer_suspension: return "suspension";
            case Kind::transfer_completion: return "completion";
        }
        return {};
    }();
    if (!m.callback_address.empty()) return root + end;  // it begins a process
    return root + in_path(p.peer_pid) + "/" + end;
}

// Worth saying again: nobody there, not yet, or too much at once. A peer that does not know the process may be about to;
// one that refuses to begin it by name has decided.
bool again_later(int status, const Message& message, const Refusal& refusal) {
    if (status == 404) return message.callback_address.empty() || refusal.code.empty();
    return status == 0 || status == 408 || status == 409 || status == 429 || status >= 500;
}

void learn_pid(Process& p, const std::string& body) {
    if (!p.peer_pid.empty()) return;
    const auto state = read_state(body);
    if (state.ok()) p.peer_pid = p.role == Role::consumer ? state->provider_pid : state->consumer_pid;
}

std::string first_sentence(const Refusal& refusal, int status) {
    if (!refusal.reasons.empty()) return refusal.reasons.front();
    return "the peer answered with HTTP status " + std::to_string(status);
}

template <class P>
Step step_of(P p, Kind kind, Cause cause, bool applied) {
    Step step;
    step.kind = kind;
    step.cause = cause;
    step.applied = applied;
    if constexpr (std::is_same_v<P, Negotiation>) step.negotiation = std::move(p);
    else step.transfer = std::move(p);
    return step;
}

}  // namespace

void Node::restore(Negotiation n) {
    // It may have been sent before we went down.
    if (!n.outbox.empty()) n.outbox.front().attempts = std::max<std::uint32_t>(n.outbox.front().attempts, 1);
    index(n, !is_final(n.state));
    negotiations_.insert_or_assign(n.pid, std::move(n));
}

void Node::restore(TransferProcess t) {
    if (!t.outbox.empty()) t.outbox.front().attempts = std::max<std::uint32_t>(t.outbox.front().attempts, 1);
    index(t, !is_final(t.state));
    transfers_.insert_or_assign(t.pid, std::move(t));
}

void Node::index(const Process& p, bool open) {
    if (!p.outbox.empty()) waiting_.insert({p.outbox.front().not_before_ms, p.pid});
    if (!p.peer_pid.empty()) by_peer_pid_[{p.peer, p.peer_pid}] = p.pid;
    if (!open) return;
    deadlines_.insert({p.deadline_ms, p.pid});
    ++open_[p.peer];
}

void Node::unindex(const Process& p) {
    if (!p.outbox.empty()) waiting_.erase({p.outbox.front().not_before_ms, p.pid});
    if (deadlines_.erase({p.deadline_ms, p.pid}) == 0) return;
    if (const auto it = open_.find(p.peer); it != open_.end() && --it->second == 0) open_.erase(it);
}

void Node::commit(const Step& step) {
    if (step.negotiation) {
        if (const auto it = negotiations_.find(step.negotiation->pid); it != negotiations_.end()) unindex(it->second);
        index(*step.negotiation, !is_final(step.negotiation->state));
        negotiations_.insert_or_assign(step.negotiation->pid, *step.negotiation);
    }
    if (step.transfer) {
        if (const auto it = transfers_.find(step.transfer->pid); it != transfers_.end()) unindex(it->second);
        index(*step.transfer, !is_final(step.transfer->state));
        transfers_.insert_or_assign(step.transfer->pid, *step.transfer);
    }
    if (!step.sent_pid.empty()) under_way_.erase(step.sent_pid);
    else if (step.answer.status != 0 && step.process() != nullptr) answering_.insert(step.process()->pid);
}

void Node::answered(const Step& step) {
    if (step.process() != nullptr) answering_.erase(step.process()->pid);
}

// Stored before its first byte leaves: the peer's answer may come before its acknowledgement.
template <class P>
Step Node::open(P p, Message opening, std::int64_t now_ms) const {
    const Kind kind = opening.kind;
    opening.id = o_.new_id();
    opening.callback_address = o_.address;
    opening.extensions = p.extensions;
    p.outbox.push_back({std::move(opening), 0, now_ms, 0});
    Step step = step_of(std::move(p), kind, Cause::acknowledged, false);
    step.answer.status = 0;
    return step;
}

Result<Step> Node::request(const NegotiationRequest& r, std::int64_t now_ms) const {
    ENTENTE_TRY(room_for(r.peer));
    auto n = begun<Negotiation>(Role::consumer, r.peer, r.address, r.extensions, now_ms);
    n.dataset = r.dataset;
    ENTENTE_ASSIGN(n.offer, offer_for(r.offer, r.dataset, called(r.peer)));
    Message m{.kind = Kind::contract_request};
    m.policy = n.offer;
    return open(std::move(n), std::move(m), now_ms);
}

Result<Step> Node::request(const TransferWish& w, std::int64_t now_ms) const {
    ENTENTE_TRY(room_for(w.peer));
    auto t = begun<TransferProcess>(Role::consumer, w.peer, w.address, w.extensions, now_ms);
    t.agreement_id = w.agreement_id;
    t.format = w.format;
    Message m{.kind = Kind::transfer_request};
    m.agreement_id = w.agreement_id;
    m.format = w.format;
    m.address = w.push_to;
    return open(std::move(t), std::move(m), now_ms);
}

Result<Step> Node::act(const std::string& pid, const Act& act, std::int64_t now_ms) const {
    const auto say = [&](auto p) -> Result<Step> {
        // A provider whose consumer has resumed owes a start in STARTED.
        const bool owed = act.send == Kind::transfer_start && p.role == Role::provider && resumes(p);
        const bool allowed = next(p.state, p.role, act.send).has_value() || owed || !p.outbox.empty();
        if (is_final(p.state) || !allowed || of_negotiation(act.send) != of_negotiation(termination_of(p))) {
            return Error{Code::conflict, "dsp.state", "expected a process in which a " + std::string(type_of(act.send)) +
                                                          " may be sent now, found it in " + std::string(word(p.state))};
        }
        enqueue(p, act, now_ms);
        settle(p, now_ms);
        Step step = step_of(std::move(p), act.send, Cause::acknowledged, false);
        step.answer.status = 0;
        return step;
    };
    if (const auto it = negotiations_.find(pid); it != negotiations_.end()) return say(it->second);
    if (const auto it = transfers_.find(pid); it != transfers_.end()) return say(it->second);
    return Error{Code::not_found, "dsp.unknown", "expected a process of ours, found none under " + pid.substr(0, max_pid_shown)};
}

std::vector<Due> Node::due(std::int64_t now_ms) {
    std::vector<Due> list;
    for (auto it = waiting_.begin(); it != waiting_.end() && it->first <= now_ms; ++it) {
        const std::string& pid = it->second;
        if (under_way_.contains(pid) || answering_.contains(pid)) continue;
        const auto n = negotiations_.find(pid);
        Process& p = n != negotiations_.end() ? static_cast<Process&>(n->second) : transfers_.find(pid)->second;
        Outgoing& head = p.outbox.front();
        // Until the peer's pid is known, only what begins the process can be addressed.
        if (p.peer_pid.empty() && head.message.callback_address.empty()) continue;
        Message m = head.message;
        m.provider_pid = p.provider_pid();
        m.consumer_pid = p.consumer_pid();
        if (!m.callback_address.empty()) (p.role == Role::consumer ? m.provider_pid : m.consumer_pid).clear();
        ++head.attempts;
        under_way_.insert(pid);
        list.push_back({pid, m.id, p.peer, p.peer_address + path_of(p, m), write(m)});
    }
    return list;
}

template <class P>
Step Node::sent_in(const P& process, const Due& due, const Reply& reply, std::int64_t now_ms) const {
    P p = process;
    // Their next message may have been the acknowledgement; then the answer says nothing new.
    if (p.outbox.empty() || p.outbox.front().message.id != due.message_id) return {};
    const Kind kind = p.outbox.front().message.kind;
    if (reply.status >= 200 && reply.status < 300) {
        learn_pid(p, reply.body);
        acknowledge(p, now_ms);
        return step_of(std::move(p), kind, Cause::acknowledged, true);
    }
    const Refusal refusal = read_refusal(reply.body);
    const bool reached = reply.status != 0;
    p.last_error = reached ? first_sentence(refusal, reply.status) : reply.error;
    Outgoing& head = p.outbox.front();
    if (again_later(reply.status, head.message, refusal) && head.attempts < o_.attempts) {
        const std::int64_t delay = std::min(longest_retry_ms, o_.first_retry_ms << std::min<std::uint32_t>(head.attempts - 1, 16));
        head.not_before_ms = now_ms + delay + jitter(p.pid, delay);
        return step_of(std::move(p), kind, Cause::failed, false);
    }
    const std::string code = !refusal.code.empty() ? refusal.code : reached ? "peer.refused" : "peer.unreachable";
    const std::string sentence = p.last_error;
    give_up(p, code, sentence, now_ms);
    return step_of(std::move(p), kind, Cause::failed, true);
}

Step Node::sent(const Due& due, const Reply& reply, std::int64_t now_ms) const {
    Step step;
    if (const auto n = negotiations_.find(due.pid); n != negotiations_.end()) step = sent_in(n->second, due, reply, now_ms);
    else if (const auto t = transfers_.find(due.pid); t != transfers_.end()) step = sent_in(t->second, due, reply, now_ms);
    step.answer.status = 0;
    step.sent_pid = due.pid;
    return step;
}

std::optional<Step> Node::expire(std::int64_t now_ms) const {
    if (deadlines_.empty() || deadlines_.begin()->first > now_ms) return std::nullopt;
    const std::string& pid = deadlines_.begin()->second;
    const auto end = [&](auto p) {
        const std::string silent = p.outbox.empty() ? p.peer + " has sent nothing more" : p.peer + " has not taken our " +
                                   std::string(type_of(p.outbox.front().message.kind));
        give_up(p, "dsp.deadline", "expected an end before the deadline, found " + std::string(word(p.state)) + ": " + silent, now_ms);
        Step step = step_of(std::move(p), Kind::negotiation_termination, Cause::failed, true);
        if (step.transfer) step.kind = Kind::transfer_termination;
        step.answer.status = 0;
        return step;
    };
    if (const auto n = negotiations_.find(pid); n != negotiations_.end()) return end(n->second);
    return end(transfers_.find(pid)->second);
}

std::optional<std::int64_t> Node::next_ms() const {
    std::optional<std::int64_t> earliest;
    for (const auto& [when, pid] : waiting_) {
        if (under_way_.contains(pid) || answering_.contains(pid)) continue;
        earliest = when;
        break;
    }
    if (!deadlines_.empty()) earliest = std::min(earliest.value_or(deadlines_.begin()->first), deadlines_.begin()->first);
    return earliest;
}

}  // namespace entente::dsp
