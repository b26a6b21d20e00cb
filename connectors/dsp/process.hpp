// A contract negotiation or a transfer as one side knows it: its state, whom it is with, and what is still to be sent.
// Everything that must survive a restart is in here, so one row of a store holds one process.
//
//   Bytes row = encode(negotiation);
//   ENTENTE_ASSIGN(Negotiation back, decode_negotiation(row));
//
// A message is in the outbox from before its first byte leaves until the peer has acknowledged it; only then does the
// state move. Plain values.
#pragma once

#include "connectors/dsp/message.hpp"
#include "connectors/dsp/tables.hpp"
#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"

namespace entente::dsp {

// A message that waits to be sent or acknowledged.
struct Outgoing {
    Message message;
    std::int64_t after_ms = 0;       // the pause between the acknowledgement before it and this one
    std::int64_t not_before_ms = 0;  // of the head alone
    std::uint32_t attempts = 0;

    friend bool operator==(const Outgoing&, const Outgoing&) = default;
};

struct Passage {  // a message that was applied, of either side
    std::int64_t at_ms = 0;
    Role sender = Role::provider;
    Kind kind = Kind::contract_request;

    friend bool operator==(const Passage&, const Passage&) = default;
};

struct Process {
    std::string pid;           // ours
    std::string peer_pid;      // theirs; empty until it is known
    Role role = Role::provider;
    std::string peer;          // their participant id: fixed for good
    std::string peer_address;  // base of their paths: our messages go there
    std::int64_t created_ms = 0;
    std::int64_t deadline_ms = 0;
    std::vector<Outgoing> outbox;      // in order; at most one of them is under way
    std::vector<std::string> applied;  // @ids of their messages, latest last, bounded
    std::vector<Passage> history;      // latest last, bounded
    std::string code;                  // why it ended, or was suspended
    std::vector<std::string> reasons;
    bool ended_by_peer = false;
    std::string last_error;            // the latest refusal of a message, by either side, for a person
    std::map<std::string, std::string> extensions;  // of the message that began it, ours or theirs, and of theirs since

    [[nodiscard]] const std::string& provider_pid() const { return role == Role::provider ? pid : peer_pid; }
    [[nodiscard]] const std::string& consumer_pid() const { return role == Role::consumer ? pid : peer_pid; }

    friend bool operator==(const Process&, const Process&) = default;
};

struct Negotiation : Process {
    NegotiationState state = NegotiationState::requested;
    std::string dataset;
    std::string offer;      // the latest one, a JSON object with its target
    std::string agreement;  // a JSON object, from AGREED on

    friend bool operator==(const Negotiation&, const Negotiation&) = default;
};

struct TransferProcess : Process {
    TransferState state = TransferState::requested;
    std::string agreement_id;  // as it is on the wire
    std::string format;
    std::optional<DataAddress> address;  // pull: where to read; push: where to write
    // Consumer: we resumed, and the provider's new address is still to come. Provider: the consumer resumed, and a
    // start with a new address is owed.
    bool resuming = false;

    friend bool operator==(const TransferProcess&, const TransferProcess&) = default;
};

Bytes encode(const Negotiation& negotiation);
Bytes encode(const TransferProcess& transfer);
// invalid_argument "archive.*"
Result<Negotiation> decode_negotiation(ByteView row);
Result<TransferProcess> decode_transfer(ByteView row);

}  // namespace entente::dsp
