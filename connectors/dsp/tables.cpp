#include "connectors/dsp/tables.hpp"

#include <array>

namespace entente::dsp {
namespace {

constexpr Role P = Role::provider;
constexpr Role C = Role::consumer;

template <class State>
struct Row {
    State from;
    Role sender;
    Kind kind;
    State to;
};

using N = NegotiationState;
constexpr std::array<Row<N>, 14> negotiation{{
    {N::requested, C, Kind::negotiation_termination, N::terminated},
    {N::requested, P, Kind::contract_offer, N::offered},
    {N::requested, P, Kind::agreement, N::agreed},
    {N::requested, P, Kind::negotiation_termination, N::terminated},
    {N::offered, C, Kind::contract_request, N::requested},
    {N::offered, C, Kind::acceptance, N::accepted},
    {N::offered, C, Kind::negotiation_termination, N::terminated},
    {N::offered, P, Kind::negotiation_termination, N::terminated},
    {N::accepted, P, Kind::agreement, N::agreed},
    {N::accepted, P, Kind::negotiation_termination, N::terminated},
    {N::agreed, C, Kind::verification, N::verified},
    {N::agreed, C, Kind::negotiation_termination, N::terminated},
    {N::verified, P, Kind::finalization, N::finalized},
    {N::verified, P, Kind::negotiation_termination, N::terminated},
}};

using T = TransferState;
constexpr std::array<Row<T>, 13> transfer{{
    {T::requested, P, Kind::transfer_start, T::started},
    {T::requested, P, Kind::transfer_termination, T::terminated},
    {T::requested, C, Kind::transfer_termination, T::terminated},
    {T::started, P, Kind::transfer_completion, T::completed},
    {T::started, C, Kind::transfer_completion, T::completed},
    {T::started, P, Kind::transfer_suspension, T::suspended},
    {T::started, C, Kind::transfer_suspension, T::suspended},
    {T::started, P, Kind::transfer_termination, T::terminated},
    {T::started, C, Kind::transfer_termination, T::terminated},
    {T::suspended, P, Kind::transfer_start, T::started},
    {T::suspended, C, Kind::transfer_start, T::started},
    {T::suspended, P, Kind::transfer_termination, T::terminated},
    {T::suspended, C, Kind::transfer_termination, T::terminated},
}};

template <class State, std::size_t rows>
std::optional<State> find(const std::array<Row<State>, rows>& table, State state, Role sender, Kind kind) {
    for (const Row<State>& row : table) {
        if (row.from == state && row.sender == sender && row.kind == kind) return row.to;
    }
    return std::nullopt;
}

}  // namespace

std::optional<NegotiationState> next(NegotiationState state, Role sender, Kind kind) noexcept {
    return find(negotiation, state, sender, kind);
}
std::optional<TransferState> next(TransferState state, Role sender, Kind kind) noexcept {
    return find(transfer, state, sender, kind);
}

std::string_view word(NegotiationState state) noexcept {
    constexpr std::array<std::string_view, 7> words{"REQUESTED", "OFFERED",   "ACCEPTED",  "AGREED",
                                                    "VERIFIED",  "FINALIZED", "TERMINATED"};
    return words[static_cast<std::size_t>(state)];
}
std::string_view word(TransferState state) noexcept {
    constexpr std::array<std::string_view, 5> words{"REQUESTED", "STARTED", "SUSPENDED", "COMPLETED", "TERMINATED"};
    return words[static_cast<std::size_t>(state)];
}

std::string_view to_string(Role role) noexcept { return role == Role::provider ? "provider" : "consumer"; }

std::string_view type_of(Kind kind) noexcept {
    constexpr std::array<std::string_view, 12> names{
        "ContractRequestMessage",          "ContractOfferMessage",
        "ContractNegotiationEventMessage", "ContractAgreementMessage",
        "ContractAgreementVerificationMessage", "ContractNegotiationEventMessage",
        "ContractNegotiationTerminationMessage", "TransferRequestMessage",
        "TransferStartMessage",            "TransferSuspensionMessage",
        "TransferCompletionMessage",       "TransferTerminationMessage"};
    return names[static_cast<std::size_t>(kind)];
}

}  // namespace entente::dsp
