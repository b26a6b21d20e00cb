#include "entente/contract/contract.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "entente/codec/archive.hpp"
#include "entente/codec/sha256.hpp"
#include "acceptance.hpp"
#include "serial.hpp"

namespace entente::contract {
namespace {

constexpr std::string_view offer_context = "offer";
constexpr std::string_view acceptance_context = "acceptance";
constexpr std::size_t id_digits = 24;

// What the assignee signs: the offer with its signature, and the acceptance.
Bytes acceptance_message(const Agreement& agreement) {
    Bytes message = codec::encode(agreement.offer);
    const Bytes acceptance = codec::encode(agreement.acceptance);
    message.insert(message.end(), acceptance.begin(), acceptance.end());
    return message;
}

std::string id_of(const Agreement& agreement) {
    Bytes all = acceptance_message(agreement);
    all.insert(all.end(), agreement.assignee_key.bytes.begin(), agreement.assignee_key.bytes.end());
    return "agr-" + to_hex(codec::sha256(all)).substr(0, id_digits);
}

Error bad_signature(const char* what) {
    return Error{Code::unauthenticated, "contract.bad-signature", std::string(what) + ": its signature does not hold"};
}


using TS = TransferState;
using TM = TransferMessage;
struct Transition {
    TS from;
    TM message;
    TS to;
};
constexpr std::array<Transition, 9> transfer_table{{
    {TS::requested, TM::start, TS::started},
    {TS::requested, TM::terminate, TS::terminated},
    {TS::started, TM::suspend, TS::suspended},
    {TS::started, TM::complete, TS::completed},
    {TS::started, TM::terminate, TS::terminated},
    {TS::suspended, TM::start, TS::started},
    {TS::suspended, TM::complete, TS::completed},
    {TS::suspended, TM::terminate, TS::terminated},
    {TS::started, TM::start, TS::started},
}};

}  // namespace

Status check_id(std::string_view id) {
    const bool shaped = !id.empty() && id.size() <= 64 && id.front() != '-' && id.back() != '-' &&
                        std::all_of(id.begin(), id.end(), [](char c) {
                            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                        });
    if (shaped) return done();
    return Error{Code::invalid_argument, "contract.bad-id",
                 "id: expected 1 to 64 of a-z, 0-9 and inner hyphens, found \"" + std::string(id.substr(0, 80)) + "\""};
}

std::string update_stream_asset(std::string_view federation, std::string_view participant) {
    return "urn:fl:" + std::string(federation) + ":" + std::string(participant) + ":updates";
}

std::string global_model_asset(std::string_view federation) { return "urn:fl:" + std::string(federation) + ":global"; }

SignedOffer sign(Offer offer, const codec::SigningKey& assigner) {
    const Bytes message = codec::encode(offer);
    return SignedOffer{std::move(offer), assigner.public_key(), assigner.sign(offer_context, message)};
}

Status verify(const SignedOffer& offer) {
    if (codec::verify(offer.assigner_key, offer_context, codec::encode(offer.offer), offer.assigner_signature)) return done();
    return bad_signature("offer");
}

Result<Agreement> conclude(const SignedOffer& offer, Acceptance acceptance, const codec::SigningKey& assignee) {
    ENTENTE_TRY(verify(offer));
    Agreement agreement;
    agreement.offer = offer;
    agreement.acceptance = std::move(acceptance);
    agreement.assignee_key = assignee.public_key();
    agreement.assignee_signature = assignee.sign(acceptance_context, acceptance_message(agreement));
    agreement.id = id_of(agreement);
    return agreement;
}

Status verify_acceptance(const Agreement& agreement, const Parties& parties) {
    if (agreement.offer.assigner_key != parties.assigner || agreement.assignee_key != parties.assignee) {
        return Error{Code::permission_denied, "contract.foreign-key",
                     "agreement " + agreement.id + ": expected the keys of both parties, found others"};
    }
    if (!codec::verify(agreement.assignee_key, acceptance_context, acceptance_message(agreement),
                       agreement.assignee_signature)) {
        return bad_signature("agreement");
    }
    if (agreement.id == id_of(agreement)) return done();
    return Error{Code::invalid_argument, "contract.bad-id", "agreement: its id does not follow from its content"};
}

Status verify(const Agreement& agreement, const Parties& parties) {
    ENTENTE_TRY(verify_acceptance(agreement, parties));
    return verify(agreement.offer);
}

Result<TransferState> advance(TransferState state, TransferMessage message) {
    for (const auto& row : transfer_table) {
        if (row.from == state && row.message == message) return row.to;
    }
    return Error{Code::conflict, "contract.bad-transition",
                 "message " + std::to_string(static_cast<int>(message)) + " is not allowed in state " + std::string(to_string(state))};
}

std::string_view to_string(NegotiationState state) noexcept {
    constexpr std::array<std::string_view, 7> names{"requested", "offered",  "accepted",  "agreed",
                                                    "verified",  "finalized", "terminated"};
    return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(TransferState state) noexcept {
    constexpr std::array<std::string_view, 5> names{"requested", "started", "suspended", "completed", "terminated"};
    return names[static_cast<std::size_t>(state)];
}

}  // namespace entente::contract
