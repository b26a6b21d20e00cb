// Which message is allowed in which state, and where it leads: Dataspace Protocol 2025-1, the state machines of contract
// negotiation and of transfer. Total: what is not in a table is not allowed.
//
//   auto next = after_receiving(Role::provider, NegotiationState::offered, Kind::acceptance);   // accepted
//
// Pure.
#pragma once

#include <optional>

#include "connectors/dsp/message.hpp"
#include "entente/contract/contract.hpp"

namespace entente::dsp {

using contract::NegotiationState;
using contract::TransferState;

// `sender` sends `kind` while the negotiation is in `state`.
std::optional<NegotiationState> next(NegotiationState state, Role sender, Kind kind) noexcept;
std::optional<TransferState> next(TransferState state, Role sender, Kind kind) noexcept;

constexpr bool is_final(NegotiationState s) { return s == NegotiationState::finalized || s == NegotiationState::terminated; }
constexpr bool is_final(TransferState s) { return s == TransferState::completed || s == TransferState::terminated; }

std::string_view word(NegotiationState state) noexcept;  // "REQUESTED"
std::string_view word(TransferState state) noexcept;

}  // namespace entente::dsp
