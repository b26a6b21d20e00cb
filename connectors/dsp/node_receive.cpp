// Calls of other connectors: routes, and what becomes of their messages.
#include "connectors/dsp/progress.hpp"
#include "connectors/dsp/terms.hpp"

namespace entente::dsp {
namespace {

struct Route {
    std::string_view first;  // "negotiations"
    std::string_view second;  // "request", or a pid
    std::string_view rest;    // "agreement/verification"
};

std::string_view cut(std::string_view& path) {
    while (path.starts_with('/')) path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

Route split(std::string_view path) {
    while (path.ends_with('/')) path.remove_suffix(1);
    Route r;
    r.first = cut(path);
    r.second = cut(path);
    while (path.starts_with('/')) path.remove_prefix(1);
    r.rest = path;
    return r;
}

int status_of(const Error& error) {
    switch (error.code) {
        case Code::not_found: return 404;
        case Code::too_large: return 413;
        case Code::resource_exhausted: return 429;
        case Code::unauthenticated: return 401;
        case Code::unavailable:
        case Code::no_space:
        case Code::internal: return 503;
        default: return 400;
    }
}

Step refuse(ErrorType type, const Error& error, const std::string& provider_pid = {}, const std::string& consumer_pid = {}) {
    Step step;
    step.answer = {status_of(error), write_error(type, error, provider_pid, consumer_pid), {}};
    return step;
}

ErrorType error_type(const Negotiation&) { return ErrorType::negotiation; }
ErrorType error_type(const TransferProcess&) { return ErrorType::transfer; }

template <class P>
Step refuse(const P& p, const Error& error) {
    return refuse(error_type(p), error, p.provider_pid(), p.consumer_pid());
}

std::string state_of(const Negotiation& n) {
    return write_negotiation_state({n.provider_pid(), n.consumer_pid(), std::string(word(n.state))});
}
std::string state_of(const TransferProcess& t) {
    return write_transfer_state({t.provider_pid(), t.consumer_pid(), std::string(word(t.state))});
}

void keep(Step& step, Negotiation n) { step.negotiation = std::move(n); }
void keep(Step& step, TransferProcess t) { step.transfer = std::move(t); }

Error unknown(const std::string& pid) {
    return {Code::not_found, "dsp.unknown", "expected a process that is yours, found none under " + pid.substr(0, max_pid_shown)};
}

// The message kinds of each path below a process.
std::initializer_list<Kind> kinds_at(const Negotiation&, std::string_view rest) {
    static constexpr std::initializer_list<Kind> none{};
    static constexpr std::initializer_list<Kind> request{Kind::contract_request}, offers{Kind::contract_offer},
        agreement{Kind::agreement}, verification{Kind::verification}, events{Kind::acceptance, Kind::finalization},
        termination{Kind::negotiation_termination};
    if (rest == "request") return request;
    if (rest == "offers") return offers;
    if (rest == "agreement") return agreement;
    if (rest == "agreement/verification") return verification;
    if (rest == "events") return events;
    if (rest == "termination") return termination;
    return none;
}
std::initializer_list<Kind> kinds_at(const TransferProcess&, std::string_view rest) {
    static constexpr std::initializer_list<Kind> none{};
    static constexpr std::initializer_list<Kind> start{Kind::transfer_start}, completion{Kind::transfer_completion},
        suspension{Kind::transfer_suspension}, termination{Kind::transfer_termination};
    if (rest == "start") return start;
    if (rest == "completion") return completion;
    if (rest == "suspension") return suspension;
    if (rest == "termination") return termination;
    return none;
}

// Is the message on its way to the peer one that, once acknowledged, makes theirs right?
template <class P>
bool overtakes(const P& p, Kind theirs) {
    if (p.outbox.empty() || p.outbox.front().attempts == 0) return false;
    const auto between = after_sending(p, p.outbox.front().message);
    return between && next(*between, other(p.role), theirs);
}

// Consumer: the provider's new address after our resumption.
bool renews(const Negotiation&, const Message&) { return false; }
bool renews(const TransferProcess& t, const Message& m) {
    return m.kind == Kind::transfer_start && t.role == Role::consumer && resumes(t);
}

// EDC may lose its own change of state to a fast peer, and then says the same again under another @id.
bool says_again(const Negotiation& n, const Message& m, const std::string& peer) {
    if (m.kind == Kind::verification) return n.state == NegotiationState::verified || n.state == NegotiationState::finalized;
    if (m.kind != Kind::agreement || (n.state != NegotiationState::agreed && n.state != NegotiationState::verified)) return false;
    return check_agreement(m.policy, {n.agreement, n.dataset, peer, assignee_of(n.agreement)}).ok() && id_of(m.policy) == id_of(n.agreement);
}
bool says_again(const TransferProcess&, const Message&, const std::string&) { return false; }

Status take(Negotiation& n, const Message& m, const std::string& participant, const std::string& peer) {
    if (m.kind == Kind::contract_request || m.kind == Kind::contract_offer) {
        if (const auto target = target_of(m.policy); target != n.dataset) {
            return Error{Code::invalid_argument, "dsp.target",
                         "expected an offer of " + n.dataset + " in this negotiation, found one of " + target};
        }
        n.offer = m.policy;
    }
    if (m.kind == Kind::agreement) {
        ENTENTE_TRY(check_agreement(m.policy, {n.offer, n.dataset, peer, participant}));
        n.agreement = m.policy;
        for (const auto& [name, text] : m.extensions) n.extensions[name] = text;
    }
    return done();
}

Status take(TransferProcess& t, const Message& m, const std::string&, const std::string&) {
    for (const auto& [name, text] : m.extensions) t.extensions[name] = text;
    if (m.kind != Kind::transfer_start) return done();
    if (m.address) t.address = m.address;
    t.resuming = t.role == Role::provider;
    return done();
}

}  // namespace

ErrorType error_type(std::string_view path) {
    const std::string_view first = split(path).first;
    return first == "catalog" ? ErrorType::catalog : first == "transfers" ? ErrorType::transfer : ErrorType::negotiation;
}

Step Node::receive(const Call& call, std::int64_t now_ms) const {
    const Route route = split(call.path);
    const ErrorType type = error_type(call.path);
    if (call.caller.empty()) {
        return refuse(type, {Code::unauthenticated, "dsp.identity", "expected a token that says who is calling, found none that is good"});
    }
    const bool post = call.method == "POST";
    if (route.first == "catalog") {
        if (post && route.second == "request" && route.rest.empty()) return catalogue(call);
        if (!post && route.second == "datasets" && !route.rest.empty()) return dataset(call, std::string(route.rest));
    }
    const std::string pid(route.second);
    const std::string rest(route.rest);
    if (route.first == "negotiations") {
        if (post && rest.empty() && pid == "request") return begin_negotiation(call, Kind::contract_request, now_ms);
        if (post && rest.empty() && pid == "offers") return begin_negotiation(call, Kind::contract_offer, now_ms);
        return continue_process(negotiations_, call, pid, rest, now_ms);
    }
    if (route.first == "transfers") {
        if (post && rest.empty() && pid == "request") return begin_transfer(call, now_ms);
        return continue_process(transfers_, call, pid, rest, now_ms);
    }
    return refuse(type, {Code::not_found, "dsp.path", "expected a path of the Dataspace Protocol, found " + call.path.substr(0, 256)});
}

Step Node::catalogue(const Call& call) const {
    auto filter = read_catalog_request(call.body);
    if (!filter.ok()) return refuse(ErrorType::catalog, filter.error());
    filter->offset += call.offset;
    Behaviour::Found found = behaviour_.catalogue(call.caller, *filter);
    for (Dataset& d : found.datasets) d.endpoint = o_.address;
    Step step;
    const std::size_t end = filter->offset + found.datasets.size();
    if (end < found.total && !found.datasets.empty()) {
        // The same request, sent to that address, goes on from there.
        step.answer.link = "<" + o_.address + "/catalog/request?offset=" + std::to_string(call.offset + found.datasets.size()) + ">; rel=\"next\"";
    }
    step.answer.body = write_catalog({o_.new_id(), o_.participant, o_.address, std::move(found.datasets)});
    return step;
}

Step Node::dataset(const Call& call, const std::string& id) const {
    Behaviour::Found found = behaviour_.catalogue(call.caller, {.dataset = id, .offset = 0, .limit = 1});
    if (found.datasets.empty()) {
        return refuse(ErrorType::catalog, {Code::not_found, "dsp.no-dataset", "expected a dataset that you may see, found none under " + id.substr(0, 256)});
    }
    found.datasets.front().endpoint = o_.address;
    Step step;
    step.answer.body = write_dataset(found.datasets.front());
    return step;
}

Status Node::room_for(const std::string& peer) const {
    const auto it = open_.find(peer);
    if (it == open_.end() || it->second < o_.open_per_peer) return done();
    return Error{Code::resource_exhausted, "dsp.too-many",
                 "expected at most " + std::to_string(o_.open_per_peer) + " open processes with " + peer + ", found as many; try again later"};
}

Step Node::begin_negotiation(const Call& call, Kind kind, std::int64_t now_ms) const {
    const auto message = read_message(call.body, {kind});
    if (!message.ok()) return refuse(ErrorType::negotiation, message.error());
    const bool we_provide = kind == Kind::contract_request;
    const std::string& theirs = we_provide ? message->consumer_pid : message->provider_pid;
    const auto fail = [&](const Error& error) {
        return refuse(ErrorType::negotiation, error, message->provider_pid, message->consumer_pid);
    };
    if (message->callback_address.empty()) {
        return fail({Code::invalid_argument, "dsp.schema", "expected a callbackAddress in the message that begins a negotiation, found none"});
    }
    Step step;
    if (const auto known = by_peer_pid_.find({call.caller, theirs}); known != by_peer_pid_.end()) {
        const auto it = negotiations_.find(known->second);
        const bool again = it != negotiations_.end() && !it->second.applied.empty() && it->second.applied.front() == message->id;
        if (!again) return fail({Code::invalid_argument, "dsp.duplicate", "expected a pid that is new, found that of another negotiation"});
        step.answer = {201, state_of(it->second), {}};
        return step;
    }
    if (const Status s = behaviour_.admit_address(call.caller, message->callback_address); !s.ok()) return fail(s.error());
    if (const Status s = room_for(call.caller); !s.ok()) return fail(s.error());
    auto n = begun<Negotiation>(we_provide ? Role::provider : Role::consumer, call.caller, message->callback_address, message->extensions, now_ms);
    n.peer_pid = theirs;
    n.state = we_provide ? NegotiationState::requested : NegotiationState::offered;
    n.offer = message->policy;
    n.dataset = target_of(message->policy);
    n.applied.push_back(message->id);
    note(n, other(n.role), kind, now_ms);
    behaviour_.complete(n);
    if (const Status s = behaviour_.admit(n); !s.ok()) return fail(s.error());
    step.answer = {201, state_of(n), {}};
    follow(n, kind, Cause::received, now_ms);
    step.kind = kind;
    step.applied = true;
    step.negotiation = std::move(n);
    return step;
}

Step Node::begin_transfer(const Call& call, std::int64_t now_ms) const {
    const auto message = read_message(call.body, {Kind::transfer_request});
    if (!message.ok()) return refuse(ErrorType::transfer, message.error());
    const auto fail = [&](const Error& error) { return refuse(ErrorType::transfer, error, {}, message->consumer_pid); };
    Step step;
    // The same consumer's pid is the same transfer, however often it is asked for.
    if (const auto known = by_peer_pid_.find({call.caller, message->consumer_pid}); known != by_peer_pid_.end()) {
        const auto it = transfers_.find(known->second);
        if (it == transfers_.end() || it->second.agreement_id != message->agreement_id) {
            return fail({Code::invalid_argument, "dsp.duplicate", "expected a pid that is new, found that of another process"});
        }
        step.answer = {201, state_of(it->second), {}};
        return step;
    }
    if (const Status s = behaviour_.admit_address(call.caller, message->callback_address); !s.ok()) return fail(s.error());
    if (const Status s = room_for(call.caller); !s.ok()) return fail(s.error());
    auto t = begun<TransferProcess>(Role::provider, call.caller, message->callback_address, message->extensions, now_ms);
    t.peer_pid = message->consumer_pid;
    t.agreement_id = message->agreement_id;
    t.format = message->format;
    t.address = message->address;
    t.applied.push_back(message->id);
    note(t, Role::consumer, Kind::transfer_request, now_ms);
    behaviour_.complete(t);
    if (const Status s = behaviour_.admit(t); !s.ok()) return fail(s.error());
    step.answer = {201, state_of(t), {}};
    follow(t, Kind::transfer_request, Cause::received, now_ms);
    step.kind = Kind::transfer_request;
    step.applied = true;
    step.transfer = std::move(t);
    return step;
}

template <class P>
Step Node::continue_process(const std::map<std::string, P, std::less<>>& all, const Call& call, const std::string& pid,
                            const std::string& rest, std::int64_t now_ms) const {
    const auto it = all.find(pid);
    if (it == all.end() || it->second.peer != call.caller) return refuse(error_type(P{}), unknown(pid), pid, pid);
    const P& process = it->second;
    if (call.method == "GET" && rest.empty()) {
        Step step;
        step.answer.body = state_of(process);
        return step;
    }
    const auto kinds = kinds_at(process, rest);
    if (call.method != "POST" || kinds.size() == 0) {
        return refuse(process, {Code::not_found, "dsp.path", "expected a path of the Dataspace Protocol, found " + call.path.substr(0, 256)});
    }
    const auto message = read_message(call.body, kinds);
    if (!message.ok()) return refuse(process, message.error());
    return apply(process, *message, now_ms);
}

template <class P>
Step Node::apply(P p, const Message& m, std::int64_t now_ms) const {
    Step step;
    if (!m.id.empty() && std::find(p.applied.begin(), p.applied.end(), m.id) != p.applied.end()) return step;
    const bool we_provide = p.role == Role::provider;
    const std::string& ours = we_provide ? m.provider_pid : m.consumer_pid;
    const std::string& theirs = we_provide ? m.consumer_pid : m.provider_pid;
    if (ours != p.pid || (!p.peer_pid.empty() && theirs != p.peer_pid)) return refuse(error_type(p), unknown(ours), m.provider_pid, m.consumer_pid);

    // Whoever answers in a process has taken the message that began it.
    if (!p.outbox.empty() && !p.outbox.front().message.callback_address.empty() && p.outbox.front().attempts > 0) {
        p.peer_pid = theirs;
        acknowledge(p, now_ms);
    }
    auto to = next(p.state, other(p.role), m.kind);
    if (!to && renews(p, m)) to = p.state;
    if (!to && overtakes(p, m.kind)) {
        if (p.peer_pid.empty()) p.peer_pid = theirs;
        acknowledge(p, now_ms);
        to = next(p.state, other(p.role), m.kind);
    }
    if (!to && says_again(p, m, called(p.peer))) return step;
    if (!to) {
        return refuse(p, {Code::invalid_argument, "dsp.state", "expected a message that " + std::string(word(p.state)) + " allows from the " +
                                                       std::string(to_string(other(p.role))) + ", found a " + std::string(type_of(m.kind))});
    }
    p.peer_pid = theirs;
    Status taken = take(p, m, o_.participant, called(p.peer));
    if constexpr (std::is_same_v<P, Negotiation>) {
        if (taken.ok() && m.kind == Kind::agreement) taken = behaviour_.admit_agreement(p);
        if (!taken.ok() && m.kind == Kind::agreement) {
            // Terms that were altered on the last step: nothing is verified, and the peer reads why.
            step = refuse(p, taken.error());
            p.agreement.clear();
            p.last_error = taken.error().message;
            enqueue(p, {.send = Kind::negotiation_termination, .code = taken.error().reason, .reasons = {taken.error().message}}, now_ms);
            settle(p, now_ms);
            keep(step, std::move(p));
            return step;
        }
    }
    if (!taken.ok()) return refuse(p, taken.error());
    p.state = *to;
    p.applied.push_back(m.id);
    if (p.applied.size() > max_applied) p.applied.erase(p.applied.begin() + 1);  // the first one began it
    note(p, other(p.role), m.kind, now_ms);
    if (m.kind == termination_of(p) || m.kind == Kind::transfer_suspension) {
        // Our own reason stands where we were about to end it ourselves.
        const bool ours_too = !p.outbox.empty() && p.outbox.back().message.kind == termination_of(p);
        if (!ours_too) {
            p.code = m.code;
            p.reasons = m.reasons;
        }
        p.ended_by_peer = is_final(p.state);
    }
    settle(p, now_ms);
    follow(p, m.kind, Cause::received, now_ms);
    step.kind = m.kind;
    step.applied = true;
    keep(step, std::move(p));
    return step;
}

}  // namespace entente::dsp
