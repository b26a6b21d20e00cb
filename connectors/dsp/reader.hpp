// Bytes from another connector, turned into messages: strict about what the schemas of the Dataspace Protocol 2025-1
// ask, tolerant about how JSON-LD may spell it (prefixed or expanded names, single values for arrays, several contexts).
//
//   ENTENTE_ASSIGN(const Message message, read_message(body, {Kind::contract_request}));
//
// Errors: invalid_argument "dsp.json" and "dsp.schema" with message, member, expected and found; too_large
// "dsp.too-large". Nothing is allocated beyond the size of the input, which is at most 1 MiB and 32 levels deep. Pure.
#pragma once

#include <initializer_list>
#include <string_view>

#include "connectors/dsp/message.hpp"
#include "entente/base/result.hpp"

namespace entente::dsp {

// One of `expected`; anything else is refused.
Result<Message> read_message(std::string_view json, std::initializer_list<Kind> expected);

// What a peer answers with, or what it says of itself when asked: ContractNegotiation, TransferProcess.
struct ProcessState {
    std::string provider_pid;
    std::string consumer_pid;
    std::string state;  // "REQUESTED"; empty when it was not said

    friend bool operator==(const ProcessState&, const ProcessState&) = default;
};
Result<ProcessState> read_state(std::string_view json);

// ContractNegotiationError, TransferError, CatalogError; whatever can be made of it, for a person. Empty when it is none.
struct Refusal {
    std::string code;
    std::vector<std::string> reasons;

    friend bool operator==(const Refusal&, const Refusal&) = default;
};
Refusal read_refusal(std::string_view json) noexcept;

// Where version 2025-1 over HTTPS is served, relative to the root: "/2025-1". not_found "dsp.version" when it is not.
Result<std::string> read_version_path(std::string_view json);

}  // namespace entente::dsp
