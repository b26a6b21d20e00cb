// What the books in the folder say, read as one exchange; and what this participant answers to the others' proposals.
#include <algorithm>
#include <iterator>

#include "connectors/folder/folder_connector.hpp"
#include "entente/codec/sha256.hpp"

namespace entente::folder {

using namespace contract;

namespace {

constexpr std::size_t most_statements = 64;  // of one kind in one book; what is beyond does not count

bool running(const Transfer& t) { return t.state != TransferState::completed && t.state != TransferState::terminated; }

// What one provider says: which agreements it has given, and what it offers now. An agreement outlives its offer, so
// each is entered over the offer that it was made on, before the present one. Statements that break a rule do not
// count: the exchange refuses them, and the rest stands.
void enter(Exchange& exchange, const std::string& provider, const std::vector<std::pair<std::string, const Book*>>& books) {
    for (const auto& [consumer, book] : books) {
        std::size_t looked_at = 0;
        for (const Answer& answer : book->answers) {
            if (!answer.agreement || ++looked_at > most_statements) continue;
            const SignedOffer& offer = answer.agreement->offer;
            const bool global = offer.offer.asset == global_model_asset(exchange.federation());
            const Asset asset{offer.offer.asset, global ? AssetKind::global_model : AssetKind::update_stream, exchange.federation(), provider};
            if (!exchange.publish(provider, asset, offer).ok()) continue;
            static_cast<void>(exchange.negotiate(consumer, *answer.agreement, answer.agreement->acceptance.agreed_at_ms));
            static_cast<void>(exchange.withdraw(provider, asset.id));
        }
    }
    for (const auto& [consumer, book] : books) {
        std::size_t looked_at = 0;
        for (const Listing& l : book->listings) {
            if (++looked_at > most_statements) break;
            if (!exchange.publish(provider, l.publication.asset, l.publication.offer).ok()) continue;
            if (l.version) static_cast<void>(exchange.deliver(provider, l.publication.asset.id, *l.version));
            if (l.withdrawn) static_cast<void>(exchange.withdraw(provider, l.publication.asset.id));
        }
    }
}

}  // namespace

std::int64_t judged_at_ms(const Agreement& proposal, std::int64_t now_ms) {
    const std::int64_t age_ms = now_ms - proposal.acceptance.agreed_at_ms;
    return age_ms > 0 && age_ms <= longest_journey_ms ? proposal.acceptance.agreed_at_ms : now_ms;
}

Status FolderConnector::refresh() {
    ENTENTE_ASSIGN(const bool changed, shelf_.scan());
    if (changed) pause_ms_ = 0;
    return answer_proposals();
}

// Own statements first: nobody can take an asset that is one's own. Then the others', in order of id.
const Exchange& FolderConnector::books() {
    if (books_ && revision_ == shelf_.revision()) return *books_;
    const std::string& self = shelf_.self();
    Exchange exchange(shelf_.federation());
    static_cast<void>(exchange.admit(self, shelf_.public_key()));
    for (const auto& [participant, key] : shelf_.participants()) static_cast<void>(exchange.admit(participant, key));
    std::vector<std::pair<std::string, const Book*>> said;
    for (const Book* book : shelf_.own_books()) said.emplace_back(book->reader, book);
    enter(exchange, self, said);
    for (const auto& [participant, key] : shelf_.participants()) {
        said.clear();
        for (const Book* book : shelf_.books_of(participant)) said.emplace_back(self, book);
        enter(exchange, participant, said);
    }
    revision_ = shelf_.revision();
    return books_.emplace(std::move(exchange));
}

// The provider's part: every proposal that was read gets one answer, and keeps it.
Status FolderConnector::answer_proposals() {
    for (const auto& [consumer, key] : shelf_.participants()) {
        for (const Book* theirs : shelf_.books_of(consumer)) {
            if (theirs->reader != shelf_.self()) continue;
            Book mine = shelf_.own(consumer);
            std::optional<Exchange> exchange;
            std::size_t looked_at = 0;
            for (const Agreement& proposal : theirs->proposals) {
                if (++looked_at > most_statements) break;
                const bool answered = std::any_of(mine.answers.begin(), mine.answers.end(), [&](const Answer& a) { return a.proposal == proposal.id; });
                if (answered || proposal.offer.offer.assigner != shelf_.self()) continue;
                if (!exchange) exchange = books();
                auto agreed = exchange->negotiate(consumer, proposal, judged_at_ms(proposal, shelf_.now_ms()));
                if (agreed.ok()) {
                    mine.answers.push_back({proposal.id, std::move(agreed).value(), {}, {}});
                } else {
                    mine.answers.push_back({proposal.id, std::nullopt, agreed.error().reason, agreed.error().message});
                }
            }
            // Refusals of what is not proposed any more have been read; agreements stay on record.
            std::erase_if(mine.answers, [theirs](const Answer& a) {
                return !a.agreement && std::none_of(theirs->proposals.begin(), theirs->proposals.end(),
                                                    [&a](const Agreement& p) { return p.id == a.proposal; });
            });
            if (!mine.answers.empty() || !shelf_.own(consumer).answers.empty()) ENTENTE_TRY(shelf_.put(std::move(mine)));
        }
    }
    return done();
}

// Empty while there is none yet; permission_denied with the provider's reason when it has refused.
Result<std::optional<Agreement>> FolderConnector::answer_to(const Agreement& proposal, const std::string& provider) const {
    const auto key = shelf_.participants().find(provider);
    for (const Book* book : shelf_.books_of(provider)) {
        for (const Answer& answer : book->answers) {
            const bool same_offer = answer.agreement && answer.agreement->offer == proposal.offer;
            if (answer.proposal != proposal.id && !same_offer) continue;
            if (!answer.agreement) return Error{Code::permission_denied, answer.reason, answer.message};
            ENTENTE_TRY(verify(*answer.agreement, {key->second, shelf_.public_key()}));
            if (same_offer) return answer.agreement;
        }
    }
    return std::optional<Agreement>();
}

std::vector<Agreement> FolderConnector::agreements_over(const std::string& asset) const {
    std::vector<Agreement> found;
    for (const Book* book : shelf_.own_books()) {
        for (const Answer& answer : book->answers) {
            if (!answer.agreement || answer.agreement->offer.offer.asset != asset) continue;
            if (std::find(found.begin(), found.end(), *answer.agreement) == found.end()) found.push_back(*answer.agreement);
        }
    }
    return found;
}

// The provider's view. What its consumers say of their transfers counts when it is under an agreement that this
// provider has given them; a transfer of something that is no longer offered has ended whatever they say.
Result<std::vector<Transfer>> FolderConnector::transfers_of(const Exchange& exchange, const std::string& asset) const {
    ENTENTE_TRY([&]() -> Status {
        auto owned = exchange.transfers(shelf_.self(), asset);  // knows whose it is
        return owned.ok() ? done() : Status(owned.error());
    }());
    const auto current = exchange.current(asset);
    bool withdrawn = false;
    for (const Book* book : shelf_.own_books()) {
        for (const Listing& l : book->listings) withdrawn = withdrawn || (l.publication.asset.id == asset && l.withdrawn);
    }
    std::vector<Movement> all;
    for (const auto& [consumer, key] : shelf_.participants()) {
        const Book mine = shelf_.own(consumer);
        for (const Book* theirs : shelf_.books_of(consumer)) {
            for (const Movement& m : theirs->movements) {
                const bool agreed = std::any_of(mine.answers.begin(), mine.answers.end(), [&m](const Answer& a) {
                    return a.agreement && a.agreement->id == m.transfer.agreement && a.agreement->offer.offer.asset == m.transfer.asset;
                });
                if (agreed && m.transfer.asset == asset) all.push_back(m);
            }
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const Movement& a, const Movement& b) { return a.started_at_ms < b.started_at_ms; });
    std::vector<Transfer> found;
    for (Movement& m : all) {
        if (running(m.transfer) && (withdrawn || current != m.transfer.version)) {
            m.transfer.state = TransferState::terminated;
            m.transfer.code = withdrawn ? "transfer.withdrawn" : "transfer.superseded";
            m.transfer.sentence = withdrawn ? "The provider has withdrawn the asset." : "Another version has taken its place.";
        }
        found.push_back(std::move(m.transfer));
    }
    return found;
}

// The cursor is made from the content: the same after a restart, another one whenever anything else is.
HubView FolderConnector::view_of(const Exchange& exchange) const {
    HubView view;
    view.catalog = exchange.catalog(shelf_.self(), {});
    for (const Book* book : shelf_.own_books()) {
        for (const Listing& l : book->listings) {
            const std::string& asset = l.publication.asset.id;
            if (!view.own_version) view.own_version = exchange.current(asset);
            auto moved = transfers_of(exchange, asset);
            if (moved.ok()) std::move(moved->begin(), moved->end(), std::back_inserter(view.own_transfers));
            auto agreed = agreements_over(asset);
            std::move(agreed.begin(), agreed.end(), std::back_inserter(view.own_agreements));
        }
    }
    view.catalog.cursor = 0;
    const Digest content = codec::sha256(encode(view));
    view.catalog.cursor = std::max<std::uint64_t>(read_le<std::uint64_t>(ByteView(content.bytes)), 1);
    return view;
}

Result<HubView> FolderConnector::view(const CallOptions& options) {
    if (options.cancel.cancelled()) return Error{Code::cancelled, "connector.cancelled", "the call was cancelled"};
    if (options.timeout_ms <= 0) return Error{Code::deadline_exceeded, "connector.deadline", "the call's deadline had passed before it began"};
    ENTENTE_TRY(refresh());
    return view_of(books());
}

}  // namespace entente::folder
