#include "connectors/folder/folder_connector.hpp"

#include <algorithm>
#include <utility>

#include "entente/codec/sha256.hpp"

namespace entente::folder {

using namespace contract;

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::size_t most_movements = 64;  // of one book; older ended ones are forgotten
constexpr std::int64_t first_pause_ms = 20;
constexpr std::int64_t longest_pause_ms = 2'000;

bool ended(const Transfer& t) { return t.state == TransferState::completed || t.state == TransferState::terminated; }

Error cancelled() { return Error{Code::cancelled, "connector.cancelled", "the call was cancelled"}; }

Status may_start(const CallOptions& options) {
    if (options.cancel.cancelled()) return cancelled();
    if (options.timeout_ms > 0) return done();
    return Error{Code::deadline_exceeded, "connector.deadline", "the call's deadline had passed before it began"};
}

template <class T, class Work>
void call(const CallOptions& options, const Completion<T>& completion, Work&& work) {
    if (Status started = may_start(options); !started.ok()) return completion(started.error());
    completion(work());
}

void forget_oldest(Book& book) {
    while (book.movements.size() > most_movements) {
        const auto oldest = std::find_if(book.movements.begin(), book.movements.end(), [](const Movement& m) { return ended(m.transfer); });
        if (oldest == book.movements.end()) return;
        book.movements.erase(oldest);
    }
}

// Passes bytes on and remembers whether it was the sink that refused.
class Watched final : public ByteSink {
public:
    explicit Watched(ByteSink& to) : to_(to) {}
    Status append(ByteView piece) override {
        hash_.update(piece);
        Status stored = to_.append(piece);
        if (!stored.ok()) refusal = stored.error();
        return stored;
    }
    Digest digest() noexcept { return hash_.finish(); }
    std::optional<Error> refusal;

private:
    ByteSink& to_;
    codec::Sha256 hash_;
};

}  // namespace

void FolderConnector::publish(Asset asset, SignedOffer offer, CallOptions options, Completion<Done> completion) {
    call<Done>(options, completion, [&]() -> Status {
        ENTENTE_TRY(refresh());
        Exchange exchange = books();
        ENTENTE_TRY(exchange.publish(shelf_.self(), asset, offer));
        const std::string reader = offer.offer.assignee.empty() ? std::string(everyone) : offer.offer.assignee;
        if (!offer.offer.assignee.empty()) ENTENTE_TRY(check_id(reader));
        Listing listing{{asset, std::move(offer)}, exchange.current(asset.id), {}, false};
        std::vector<Book> elsewhere;
        for (const Book* book : shelf_.own_books()) {
            Book copy = *book;
            const Listing* known = copy.listing(asset.id);
            if (known == nullptr) continue;
            listing.envelope = known->envelope;
            if (!listing.version) listing.version = known->version;  // it was withdrawn: what it offered comes back
            if (copy.reader != reader) elsewhere.push_back(std::move(copy));
        }
        if (listing.version && !shelf_.open_content(shelf_.self(), asset.id, *listing.version).ok()) listing.version.reset();
        Book book = shelf_.own(reader);
        if (Listing* known = book.listing(asset.id)) {
            *known = std::move(listing);
        } else {
            book.listings.push_back(std::move(listing));
        }
        ENTENTE_TRY(shelf_.put(std::move(book)));
        for (Book& other : elsewhere) {
            std::erase_if(other.listings, [&asset](const Listing& l) { return l.publication.asset.id == asset.id; });
            ENTENTE_TRY(shelf_.put(std::move(other)));
        }
        return done();
    });
}

void FolderConnector::deliver(std::string asset, Version version, std::shared_ptr<ByteSource> content, CallOptions options,
                              Completion<Done> completion) {
    call<Done>(options, completion, [&] { return keep(asset, version, *content); });
}

// The content first, then the book that names it: a reader never meets a version without its bytes.
Status FolderConnector::keep(const std::string& asset, const Version& version, ByteSource& content) {
    ENTENTE_TRY(refresh());
    Exchange exchange = books();
    ENTENTE_TRY(exchange.deliver(shelf_.self(), asset, version));
    ENTENTE_ASSIGN(const Digest envelope, shelf_.put_content(asset, version, content));
    for (const Book* book : shelf_.own_books()) {
        Book changed = *book;
        Listing* listing = changed.listing(asset);
        if (listing == nullptr || listing->withdrawn) continue;
        listing->version = version;
        listing->envelope = envelope;
        ENTENTE_TRY(shelf_.put(std::move(changed)));
        shelf_.sweep();
        return done();
    }
    return Error{Code::internal, "folder.no-listing", asset + " is offered but stands in no book"};
}

void FolderConnector::catalog(CatalogQuery query, CallOptions options, Completion<Catalog> completion) {
    call<Catalog>(options, completion, [&]() -> Result<Catalog> {
        ENTENTE_TRY(refresh());
        const Exchange& exchange = books();
        Catalog found = exchange.catalog(shelf_.self(), query);
        found.cursor = view_of(exchange).catalog.cursor;
        return found;
    });
}

void FolderConnector::negotiate(Agreement proposal, CallOptions options, Completion<Agreement> completion) {
    const auto begin = [&]() -> Result<std::optional<Agreement>> {
        ENTENTE_TRY(may_start(options));
        ENTENTE_TRY(refresh());
        const std::string& provider = proposal.offer.offer.assigner;
        if (shelf_.participants().count(provider) == 0) {
            return Error{Code::not_found, "connector.no-offer", "no offer over " + proposal.offer.offer.asset};
        }
        ENTENTE_ASSIGN(auto answer, answer_to(proposal, provider));
        if (answer) return answer;
        // What the provider would refuse for its form alone need not travel. Its clock is its own affair.
        Exchange exchange = books();
        ENTENTE_TRY(exchange.negotiate(shelf_.self(), proposal, proposal.acceptance.agreed_at_ms));
        Book book = shelf_.own(provider);
        const auto open = std::find_if(book.proposals.begin(), book.proposals.end(), [&](const Agreement& p) { return p.offer == proposal.offer; });
        if (open != book.proposals.end() && answer_to(*open, provider).ok()) {
            proposal = *open;  // asked already and not answered yet: the first one stands
            return std::optional<Agreement>();
        }
        std::erase_if(book.proposals, [&](const Agreement& p) { return p.offer.offer.asset == proposal.offer.offer.asset; });
        book.proposals.push_back(proposal);
        ENTENTE_TRY(shelf_.put(std::move(book)));
        pause_ms_ = 0;
        return std::optional<Agreement>();
    };
    auto begun = begin();
    if (!begun.ok()) return completion(begun.error());
    if (begun->has_value()) return completion(std::move(**begun));
    const std::string provider = proposal.offer.offer.assigner;
    negotiations_.push_back({std::move(proposal), provider, shelf_.now_ms() + options.timeout_ms, options.cancel, std::move(completion)});
}

void FolderConnector::transfer(TransferRequest request, ByteSink& sink, CallOptions options, Completion<Transfer> completion) {
    call<Transfer>(options, completion, [&] { return receive(request, sink, options); });
}

Result<Transfer> FolderConnector::receive(const TransferRequest& request, ByteSink& sink, const CallOptions& options) {
    ENTENTE_TRY(refresh());
    const std::int64_t started_ms = shelf_.now_ms();
    Exchange exchange = books();
    ENTENTE_TRY(exchange.open(shelf_.self(), request, started_ms));
    std::string provider;
    Digest envelope;
    for (const auto& [participant, key] : shelf_.participants()) {
        for (const Book* book : shelf_.books_of(participant)) {
            for (const Listing& l : book->listings) {
                if (l.publication.asset.id != request.asset || l.version != request.version) continue;
                provider = participant;
                envelope = l.envelope;
            }
        }
    }
    ENTENTE_ASSIGN(const auto content, shelf_.open_content(provider, request.asset, request.version));

    Book book = shelf_.own(provider);
    Watched watched(sink);
    const Status streamed = [&]() -> Status {
        std::vector<std::byte> buffer(piece_bytes);
        for (;;) {
            if (options.cancel.cancelled()) return cancelled();
            if (shelf_.now_ms() - started_ms >= options.timeout_ms) {
                return Error{Code::deadline_exceeded, "connector.deadline", "transfer: the time was over before all bytes had come"};
            }
            ENTENTE_ASSIGN(const std::size_t n, content->read(buffer));
            if (n == 0) break;
            ENTENTE_TRY(watched.append(ByteView(buffer).first(n)));
        }
        if (watched.digest() == envelope) return done();
        return Error{Code::unavailable, "folder.damaged",
                     request.asset + ": the bytes in the folder are not those that " + provider + " wrote; it may still be on its way"};
    }();
    if (!streamed.ok() && !watched.refusal) return streamed.error();  // nothing was received: nothing is said

    // One that is under way already (stopped before its verdict) is the same transfer.
    const auto same = [&](const Movement& m) { return m.transfer.agreement == request.agreement && m.transfer.version == request.version && m.transfer.asset == request.asset; };
    const auto under_way = std::find_if(book.movements.begin(), book.movements.end(), [&](const Movement& m) { return same(m) && !ended(m.transfer); });
    Movement movement;
    if (under_way != book.movements.end()) {
        movement = *under_way;
        book.movements.erase(under_way);
    } else {
        Bytes id = encode(request);
        append_le(id, static_cast<std::uint64_t>(std::count_if(book.movements.begin(), book.movements.end(), same)));
        append_le(id, started_ms);
        movement = {{"tr-" + to_hex(codec::sha256(id)).substr(0, 24), request.agreement, request.asset, request.version,
                     TransferState::started, {}, {}},
                    started_ms};
    }
    if (watched.refusal) {
        movement.transfer.state = TransferState::terminated;
        movement.transfer.code = watched.refusal->reason;
        movement.transfer.sentence = watched.refusal->message;
    }
    book.movements.push_back(movement);
    forget_oldest(book);
    ENTENTE_TRY(shelf_.put(std::move(book)));
    if (watched.refusal) return *watched.refusal;
    return movement.transfer;
}

void FolderConnector::conclude(std::string transfer, Outcome outcome, CallOptions options, Completion<Done> completion) {
    call<Done>(options, completion, [&]() -> Status {
        ENTENTE_TRY(refresh());
        return judge(transfer, outcome);
    });
}

Status FolderConnector::judge(const std::string& transfer, const Outcome& outcome) {
    for (const Book* own : shelf_.own_books()) {
        Book book = *own;
        for (Movement& m : book.movements) {
            if (m.transfer.id != transfer) continue;
            if (ended(m.transfer)) return done();
            ENTENTE_ASSIGN(m.transfer.state, advance(m.transfer.state, outcome.accepted ? TransferMessage::complete : TransferMessage::terminate));
            m.transfer.code = outcome.code;
            m.transfer.sentence = outcome.sentence;
            return shelf_.put(std::move(book));
        }
    }
    for (const auto& [participant, key] : shelf_.participants()) {
        for (const Book* book : shelf_.books_of(participant)) {
            for (const Movement& m : book->movements) {
                if (m.transfer.id == transfer) {
                    return Error{Code::permission_denied, "transfer.foreign", transfer + " is another participant's"};
                }
            }
        }
    }
    return Error{Code::not_found, "transfer.unknown", "no transfer " + transfer};
}

void FolderConnector::transfers(std::string asset, CallOptions options, Completion<std::vector<Transfer>> completion) {
    call<std::vector<Transfer>>(options, completion, [&]() -> Result<std::vector<Transfer>> {
        ENTENTE_TRY(refresh());
        return transfers_of(books(), asset);
    });
}

void FolderConnector::agreements(std::string asset, CallOptions options, Completion<std::vector<Agreement>> completion) {
    call<std::vector<Agreement>>(options, completion, [&]() -> Result<std::vector<Agreement>> {
        ENTENTE_TRY(refresh());
        return agreements_over(asset);
    });
}

void FolderConnector::withdraw(std::string asset, CallOptions options, Completion<Done> completion) {
    call<Done>(options, completion, [&]() -> Status {
        ENTENTE_TRY(refresh());
        Exchange exchange = books();
        for (const Book* own : shelf_.own_books()) {
            Book book = *own;
            Listing* listing = book.listing(asset);
            if (listing == nullptr) continue;
            if (listing->withdrawn) return done();  // as it was
            listing->withdrawn = true;
            ENTENTE_TRY(shelf_.put(std::move(book)));
            shelf_.sweep();
            return done();
        }
        return exchange.withdraw(shelf_.self(), asset);  // another's or nobody's: it knows which
    });
}

void FolderConnector::wait(std::uint64_t cursor, CallOptions options, Completion<std::uint64_t> completion) {
    if (Status started = may_start(options); !started.ok()) return completion(started.error());
    auto now = view(options);
    if (!now.ok()) return completion(now.error());
    if (now->catalog.cursor != cursor) return completion(now->catalog.cursor);
    waits_.push_back({cursor, shelf_.now_ms() + options.timeout_ms, options.cancel, std::move(completion)});
}

std::int64_t FolderConnector::poll() {
    const std::int64_t now_ms = shelf_.now_ms();
    const Status refreshed = refresh();
    std::vector<std::function<void()>> due;  // run last: a completion may call this connector again
    const auto settle = [&due](auto& completion, auto result) {
        due.push_back([completion = std::move(completion), result = std::move(result)] { completion(result); });
    };
    for (auto it = negotiations_.begin(); it != negotiations_.end();) {
        std::optional<Result<Agreement>> result;
        if (it->cancel.cancelled()) {
            result = cancelled();
        } else if (!refreshed.ok()) {
            result = refreshed.error();
        } else if (auto answer = answer_to(it->proposal, it->provider); !answer.ok()) {
            result = answer.error();
        } else if (answer->has_value()) {
            result = **answer;
        } else if (it->deadline_ms <= now_ms) {
            result = Error{Code::deadline_exceeded, "connector.deadline",
                           it->provider + " has not answered yet; the proposal lies in the folder and may be asked for again"};
        }
        if (result) settle(it->completion, *std::move(result));
        it = result ? negotiations_.erase(it) : std::next(it);
    }
    if (!waits_.empty()) {
        const std::uint64_t cursor = refreshed.ok() ? view_of(books()).catalog.cursor : 0;
        for (auto it = waits_.begin(); it != waits_.end();) {
            std::optional<Result<std::uint64_t>> result;
            if (it->cancel.cancelled()) {
                result = cancelled();
            } else if (!refreshed.ok()) {
                result = refreshed.error();
            } else if (cursor != it->cursor || it->deadline_ms <= now_ms) {
                result = cursor;
            }
            if (result) settle(it->completion, *std::move(result));
            it = result ? waits_.erase(it) : std::next(it);
        }
    }
    pause_ms_ = std::clamp(due.empty() ? 2 * pause_ms_ : 0, first_pause_ms, longest_pause_ms);
    std::int64_t pause = pause_ms_;
    for (const Negotiation& n : negotiations_) pause = std::min(pause, std::max<std::int64_t>(n.deadline_ms - now_ms, 1));
    for (const Wait& w : waits_) pause = std::min(pause, std::max<std::int64_t>(w.deadline_ms - now_ms, 1));
    for (const auto& complete : due) complete();
    return pause;
}

}  // namespace entente::folder
