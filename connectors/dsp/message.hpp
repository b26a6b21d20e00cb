// A message of the Dataspace Protocol 2025-1 (contract negotiation, sections 5 and 6; transfer process, 7 and 8), as a
// plain value. reader.hpp makes one from bytes, writer.hpp bytes from one.
//
//   Message m{.kind = Kind::verification, .id = "urn:uuid:1", .provider_pid = "urn:uuid:2", .consumer_pid = "urn:uuid:3"};
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entente::dsp {

// Who we are in a process. The provider offers the data, the consumer asks for it.
enum class Role : std::uint8_t { provider, consumer };
constexpr bool is_known(Role role) { return role <= Role::consumer; }
constexpr Role other(Role role) { return role == Role::provider ? Role::consumer : Role::provider; }
std::string_view to_string(Role role) noexcept;

enum class Kind : std::uint8_t {
    contract_request,         // ContractRequestMessage: the first one, or a counter-offer
    contract_offer,           // ContractOfferMessage
    acceptance,               // ContractNegotiationEventMessage ACCEPTED
    agreement,                // ContractAgreementMessage
    verification,             // ContractAgreementVerificationMessage
    finalization,             // ContractNegotiationEventMessage FINALIZED
    negotiation_termination,  // ContractNegotiationTerminationMessage
    transfer_request,
    transfer_start,
    transfer_suspension,
    transfer_completion,
    transfer_termination,
};
constexpr bool is_known(Kind kind) { return kind <= Kind::transfer_termination; }
constexpr bool of_negotiation(Kind kind) { return kind <= Kind::negotiation_termination; }
std::string_view type_of(Kind kind) noexcept;  // its @type

// Where bytes are to be had (pull) or put (push). Read from any spelling that is in use, written in both that are needed.
struct DataAddress {
    std::string endpoint_type;
    std::string endpoint;
    std::string authorization;  // the token, without "Bearer "
    std::string auth_type;      // "bearer"

    friend bool operator==(const DataAddress&, const DataAddress&) = default;
};

struct Message {
    Kind kind = Kind::contract_request;
    std::string id;  // @id: the same on every repetition. Empty when the sender gave none
    std::string provider_pid;
    std::string consumer_pid;
    std::string callback_address;        // contract_request and contract_offer that begin a negotiation; transfer_request
    std::string policy;                  // the offer or agreement: a JSON object, as it stood
    std::string agreement_id;            // transfer_request
    std::string format;                  // transfer_request
    std::optional<DataAddress> address;  // transfer_start of a pull, transfer_request of a push
    std::string code;                    // terminations and suspensions
    std::vector<std::string> reasons;
    std::map<std::string, std::string> extensions;  // members below words.hpp's `ns`, by what follows it

    friend bool operator==(const Message&, const Message&) = default;
};

}  // namespace entente::dsp
