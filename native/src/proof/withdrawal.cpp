#include "proof/withdrawal.hpp"

#include <algorithm>

#include "commands/text.hpp"

namespace entente::native {
namespace {

template <class Body>
Result<std::vector<std::uint64_t>> rounds_with(StateStore& store, std::string_view kind, const std::string& participant) {
    ENTENTE_ASSIGN(const auto entries, store.entries_of_kind(kind));
    std::vector<std::uint64_t> rounds;
    for (const round::Entry& entry : entries) {
        const auto& body = std::get<Body>(entry.record.body);
        if (std::find(body.participants.begin(), body.participants.end(), participant) != body.participants.end()) rounds.push_back(body.round);
    }
    return rounds;
}

std::string list_of(const std::vector<std::uint64_t>& rounds) {
    std::string out;
    for (const std::uint64_t round : rounds) out += (out.empty() ? "" : ",") + std::to_string(round);
    return "[" + out + "]";
}

}  // namespace

Result<Withdrawal> withdrawal_of(StateStore& store, const std::string& participant) {
    Withdrawal found;
    ENTENTE_ASSIGN(found.rounds, rounds_with<round::RoundClosed>(store, "round.closed", participant));
    ENTENTE_ASSIGN(found.deleted, rounds_with<round::UpdatesDeleted>(store, "updates.deleted", participant));
    ENTENTE_ASSIGN(const auto accepted, store.entries_of_kind("update.accepted"));
    for (const round::Entry& entry : accepted) {
        const auto& update = std::get<round::UpdateAccepted>(entry.record.body);
        const bool gone = std::find(found.deleted.begin(), found.deleted.end(), update.round) != found.deleted.end();
        if (update.participant == participant && !gone) found.counting = update.round;
    }
    return found;
}

std::string json_of(const Withdrawal& w) {
    return commands::JsonObject().raw("rounds", list_of(w.rounds)).raw("deleted", list_of(w.deleted)).whole("counting", w.counting).str();
}

}  // namespace entente::native
