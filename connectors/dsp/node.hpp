// One connector's half of the Dataspace Protocol 2025-1, both roles, without I/O: calls in, answers out, and messages
// that are due. The host owns sockets, store and clock.
//
//   Node node({.participant = "plant-a", .address = "https://plant-a.example/dsp/2025-1", .new_id = uuid}, behaviour);
//   Step step = node.receive({"POST", "/negotiations/request", "coordinator", body}, now);
//   store(step);                  // one transaction: what changed
//   node.commit(step);            // only now has it happened
//   answer(step.answer);          // flushed ...
//   node.answered(step);          // ... and only then may our own next message leave
//   for (Due& due : node.due(now)) post(due, [&](Reply r) { step = node.sent(due, r, now); store(step); node.commit(step); });
//
// Promises. A message of ours is stored before it leaves and keeps its @id on every repetition; a state moves when the
// peer has acknowledged; a peer's message is applied once, whatever arrives how often; a message that overtakes the
// acknowledgement of ours is that acknowledgement; messages of one process leave one after the other. A process that
// another participant asks for does not exist for it (404). Nothing waits for ever: every process has a deadline.
//
// Errors never leave as exceptions: an answer bears a typed error of the protocol. One thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <utility>

#include "connectors/dsp/behaviour.hpp"
#include "connectors/dsp/reader.hpp"
#include "connectors/dsp/writer.hpp"

namespace entente::dsp {

struct NodeOptions {
    std::string participant;              // our id: the assigner or assignee of agreements
    std::string address;                  // our base address, without a slash at its end
    std::function<std::string()> new_id;  // "urn:uuid:…", never the same twice
    // What a peer is called in offers and agreements; empty: as it is known here.
    std::function<std::string(const std::string& peer)> called = {};
    std::size_t open_per_peer = 100;      // processes that are not final
    std::int64_t negotiation_deadline_ms = 60'000;
    std::int64_t transfer_deadline_ms = 3'600'000;
    std::uint32_t attempts = 8;           // of sending one message
    std::int64_t first_retry_ms = 100;    // doubles each time
};

struct Call {
    std::string method;
    std::string path;    // below the base address, decoded
    std::string caller;  // participant id, verified; empty: nobody that is known
    std::string body;
    std::size_t offset = 0;  // of the query: where a catalogue goes on
};

// The type of error that answers a call of this path.
ErrorType error_type(std::string_view path);

struct Answer {
    int status = 200;  // 0: nobody waits for one
    std::string body;  // empty, or JSON
    std::string link;  // of a catalogue that goes on: a Link header's value
};

// What one event changes. Nothing has happened until it is committed.
struct Step {
    Answer answer;
    std::optional<Negotiation> negotiation;
    std::optional<TransferProcess> transfer;
    Kind kind = Kind::contract_request;
    Cause cause = Cause::received;
    bool applied = false;  // a message was applied or a process given up: `kind` and `cause` say which, for the host's ears
    std::string sent_pid;  // of sent(): the process whose message is no longer under way

    [[nodiscard]] const Process* process() const {
        if (negotiation) return &*negotiation;
        return transfer ? &*transfer : nullptr;
    }
};

// A message to be posted now. It is under way until sent() is committed for it.
struct Due {
    std::string pid;
    std::string message_id;
    std::string peer;
    std::string url;
    std::string body;
};

struct Reply {
    int status = 0;     // 0: not reached
    std::string body;
    std::string error;  // when it was not reached, for a person
};

class Node {
public:
    Node(NodeOptions options, Behaviour& behaviour) : o_(std::move(options)), behaviour_(behaviour) {}

    // From the store, at start. Messages that were waiting go out again.
    void restore(Negotiation negotiation);
    void restore(TransferProcess transfer);

    [[nodiscard]] Step receive(const Call& call, std::int64_t now_ms) const;

    struct NegotiationRequest {
        std::string peer;
        std::string address;  // the provider's base address
        std::string dataset;
        std::string offer;    // a JSON object, as it stood in the catalogue
        std::map<std::string, std::string> extensions;
    };
    // resource_exhausted "dsp.too-many", invalid_argument "dsp.*"
    [[nodiscard]] Result<Step> request(const NegotiationRequest& request, std::int64_t now_ms) const;

    struct TransferWish {
        std::string peer;
        std::string address;
        std::string agreement_id;
        std::string format;
        std::optional<DataAddress> push_to;
        std::map<std::string, std::string> extensions;
    };
    [[nodiscard]] Result<Step> request(const TransferWish& wish, std::int64_t now_ms) const;

    // Says something in a process of our own accord. not_found "dsp.unknown", conflict "dsp.state".
    [[nodiscard]] Result<Step> act(const std::string& pid, const Act& act, std::int64_t now_ms) const;

    void commit(const Step& step);
    void answered(const Step& step);

    // What may be posted now, at most one message of each process.
    std::vector<Due> due(std::int64_t now_ms);
    [[nodiscard]] Step sent(const Due& due, const Reply& reply, std::int64_t now_ms) const;
    // A process whose deadline has passed is given up. Empty: none.
    [[nodiscard]] std::optional<Step> expire(std::int64_t now_ms) const;
    // When due() or expire() will have something to say. Empty: when something else happens.
    [[nodiscard]] std::optional<std::int64_t> next_ms() const;

    [[nodiscard]] const std::map<std::string, Negotiation, std::less<>>& negotiations() const { return negotiations_; }
    [[nodiscard]] const std::map<std::string, TransferProcess, std::less<>>& transfers() const { return transfers_; }
    [[nodiscard]] const NodeOptions& options() const { return o_; }

private:
    [[nodiscard]] Step catalogue(const Call& call) const;
    [[nodiscard]] Step dataset(const Call& call, const std::string& id) const;
    [[nodiscard]] Step begin_negotiation(const Call& call, Kind kind, std::int64_t now_ms) const;
    [[nodiscard]] Step begin_transfer(const Call& call, std::int64_t now_ms) const;
    template <class P>
    [[nodiscard]] P begun(Role role, const std::string& peer, const std::string& address, const std::map<std::string, std::string>& extensions,
                          std::int64_t now_ms) const;
    template <class P>
    [[nodiscard]] Step open(P process, Message opening, std::int64_t now_ms) const;
    template <class P>
    [[nodiscard]] Step continue_process(const std::map<std::string, P, std::less<>>& all, const Call& call,
                                        const std::string& pid, const std::string& rest, std::int64_t now_ms) const;
    template <class P>
    [[nodiscard]] Step apply(P process, const Message& message, std::int64_t now_ms) const;
    template <class P>
    [[nodiscard]] Step sent_in(const P& process, const Due& due, const Reply& reply, std::int64_t now_ms) const;

    template <class P>
    void acknowledge(P& process, std::int64_t now_ms) const;
    template <class P>
    void follow(P& process, Kind kind, Cause cause, std::int64_t now_ms) const;
    template <class P>
    void enqueue(P& process, const Act& act, std::int64_t now_ms) const;
    template <class P>
    void give_up(P& process, const std::string& code, const std::string& sentence, std::int64_t now_ms) const;
    [[nodiscard]] Status room_for(const std::string& peer) const;

    [[nodiscard]] std::string called(const std::string& peer) const { return o_.called ? o_.called(peer) : peer; }
    void index(const Process& process, bool open);
    void unindex(const Process& process);

    NodeOptions o_;
    Behaviour& behaviour_;
    std::map<std::string, Negotiation, std::less<>> negotiations_;  // by our pid
    std::map<std::string, TransferProcess, std::less<>> transfers_;
    std::set<std::pair<std::int64_t, std::string>> waiting_;    // heads of outboxes, by when
    std::set<std::pair<std::int64_t, std::string>> deadlines_;  // of processes that are not final
    std::map<std::string, std::size_t, std::less<>> open_;      // by peer
    std::map<std::pair<std::string, std::string>, std::string> by_peer_pid_;  // (peer, their pid) -> ours
    std::set<std::string, std::less<>> under_way_;  // processes with a message between due() and sent()
    std::set<std::string, std::less<>> answering_;  // processes whose peer has not read our answer yet
};

}  // namespace entente::dsp
