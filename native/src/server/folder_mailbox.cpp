#include "server/folder_mailbox.hpp"

#include <algorithm>
#include <sstream>

#include "entente/codec/sha256.hpp"

namespace entente::native {

using namespace contract;
using folder::Answer;
using folder::Book;
using folder::Listing;
using folder::Movement;

namespace {

constexpr std::int64_t first_pause_ms = 50;
constexpr std::int64_t longest_pause_ms = 1'000;
constexpr std::uint64_t partners_file_limit = 1024 * 1024;

bool running(const Transfer& t) { return t.state != TransferState::completed && t.state != TransferState::terminated; }

}  // namespace

FolderMailbox::FolderMailbox(FolderMailboxOptions options, folder::Shelf shelf)
    : o_(std::move(options)), shelf_(std::move(shelf)), federation_(o_.host.machine().plan().federation.id) {}

Result<std::unique_ptr<FolderMailbox>> FolderMailbox::open(FolderMailboxOptions options) {
    const plan::Plan& plan = options.host.machine().plan();
    ENTENTE_ASSIGN(auto shelf, folder::Shelf::open({.root = options.root, .federation = plan.federation.id, .self = plan.federation.coordinator,
                                                    .key = std::move(options.key), .now_ms = now_ms, .crash = {}}));
    ENTENTE_ASSIGN(const folder::Directory root, folder::Directory::open_root(options.root));
    ENTENTE_TRY(root.replace(folder::plan_name, options.plan_envelope, {}));
    return std::unique_ptr<FolderMailbox>(new FolderMailbox(std::move(options), std::move(shelf)));
}

std::int64_t FolderMailbox::step() {
    const std::uint64_t before = shelf_.revision();
    if (Status worked = work(); !worked.ok()) say_once(worked.error().message);
    for (const folder::Problem& p : shelf_.problems()) say_once(p.sentence + " (" + p.path + ", " + p.reason + ")");
    pause_ms_ = shelf_.revision() != before ? first_pause_ms : std::clamp(2 * pause_ms_, first_pause_ms, longest_pause_ms);
    return pause_ms_;
}

Status FolderMailbox::work() {
    ENTENTE_TRY(admit());
    ENTENTE_TRY(shelf_.scan());
    for (const auto& [partner, key] : shelf_.participants()) read(partner);
    // Receipts before the model: one that comes later would tell its reader that the round went on without it.
    for (const auto& [partner, key] : shelf_.participants()) {
        const auto books = shelf_.books_of(partner);
        ENTENTE_TRY(write_for(partner, books.empty() ? nullptr : books.front()));
    }
    return write_model();
}

Status FolderMailbox::admit() {
    ENTENTE_ASSIGN(const std::string text, read_text_file(o_.partners_file, partners_file_limit));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string partner;
        std::string hex;
        if (!(words >> partner >> hex) || shelf_.participants().count(partner) > 0) continue;
        auto key = codec::public_key_from_hex(hex);
        Status admitted = key.ok() ? o_.host.admit(partner, partner, *key) : Status(key.error());
        if (admitted.ok()) admitted = shelf_.admit(partner, *key);
        if (!admitted.ok()) say_once(o_.partners_file + ": " + partner + ": " + admitted.error().message);
    }
    return done();
}

// What a partner has said since the last look, told to the hub as its own calls would.
void FolderMailbox::read(const std::string& partner) {
    const auto books = shelf_.books_of(partner);
    if (books.empty() || books.front()->reader != shelf_.self()) return;
    const Book& book = *books.front();
    std::uint64_t& heard = heard_[partner];
    const bool news = heard != book.sequence;
    heard = book.sequence;
    if (news) o_.host.seen(partner);
    // Contents may arrive after the book that names them, so listings are looked at every time.
    for (const Listing& listing : book.listings) take_listing(partner, listing);
    if (!news) return;
    hub::HubSpace& space = o_.host.space();
    const Book mine = shelf_.own(partner);
    for (const Agreement& proposal : book.proposals) {
        const auto same = [&proposal](const Answer& a) { return a.proposal == proposal.id; };
        if (std::any_of(mine.answers.begin(), mine.answers.end(), same)) continue;
        auto agreed = space.negotiate(partner, proposal, folder::judged_at_ms(proposal, now_ms()));
        answers_[partner].push_back(agreed.ok() ? Answer{proposal.id, std::move(agreed).value(), {}, {}}
                                                : Answer{proposal.id, std::nullopt, agreed.error().reason, agreed.error().message});
    }
    for (const Movement& m : book.movements) {
        if (running(m.transfer) || !moved_.insert(partner + "/" + m.transfer.id).second) continue;
        const auto opened = space.open(partner, {m.transfer.agreement, m.transfer.asset, m.transfer.version});
        if (!opened.ok()) continue;  // of a version that is no longer offered
        const Outcome outcome{m.transfer.state == TransferState::completed, m.transfer.code, m.transfer.sentence};
        static_cast<void>(space.conclude(partner, opened->id, outcome));
    }
}

void FolderMailbox::take_listing(const std::string& partner, const Listing& listing) {
    hub::HubSpace& space = o_.host.space();
    const Asset& asset = listing.publication.asset;
    if (listing.withdrawn) {
        if (offered_.erase(asset.id) > 0) static_cast<void>(space.withdraw(partner, asset.id));
        return;
    }
    const auto told = offered_.find(asset.id);
    if (told == offered_.end() || told->second != listing.publication.offer) {
        if (Status offered = space.publish(partner, asset, listing.publication.offer); !offered.ok()) {
            return say_once(partner + ": " + offered.error().message);
        }
        offered_.insert_or_assign(asset.id, listing.publication.offer);
    }
    if (!listing.version || space.exchange().current(asset.id) == listing.version) return;
    auto blob = take_content(partner, asset.id, listing);
    if (!blob.ok()) return say_once(partner + ": " + blob.error().message);
    if (Status taken = o_.host.uploaded(partner, asset.id, *listing.version, *blob); !taken.ok()) say_once(partner + ": " + taken.error().message);
}

Result<Digest> FolderMailbox::take_content(const std::string& partner, const std::string& asset, const Listing& listing) {
    const std::uint64_t limit = plan::envelope_limit(plan::update_limits(o_.host.machine().plan()));
    if (listing.version->size_bytes > limit) {
        return Error{Code::too_large, "http.too-large", "update: expected at most " + std::to_string(limit) + " bytes, found " +
                                                            std::to_string(listing.version->size_bytes)};
    }
    ENTENTE_ASSIGN(const auto content, shelf_.open_content(partner, asset, *listing.version));
    ENTENTE_ASSIGN(auto upload, o_.blobs.begin(listing.version->size_bytes));
    codec::Sha256 hash;
    std::vector<std::byte> buffer(64 * 1024);
    for (;;) {
        ENTENTE_ASSIGN(const std::size_t n, content->read(buffer));
        if (n == 0) break;
        hash.update(ByteView(buffer).first(n));
        ENTENTE_TRY(upload.append(ByteView(buffer).first(n)));
    }
    // Before it gets its name: under the same one another participant's bytes may lie.
    if (hash.finish() == listing.envelope) return upload.finish();
    return Error{Code::unavailable, "folder.damaged", asset + ": the bytes in the folder are not those that were written"};
}

// The global model: one book and one file for everybody.
Status FolderMailbox::write_model() {
    if (shelf_.participants().empty()) return done();
    const HubView view = o_.host.space().view(shelf_.participants().begin()->first);
    const std::string global = global_model_asset(federation_);
    Book book = shelf_.own(std::string(folder::everyone));
    for (const CatalogEntry& entry : view.catalog.entries) {
        if (entry.asset.id != global) continue;
        Listing* listing = book.listing(global);
        if (listing == nullptr) listing = &book.listings.emplace_back();
        listing->publication = {entry.asset, entry.offer};
        listing->withdrawn = false;
        if (entry.version && listing->version != entry.version) {
            const auto content = o_.host.content_of(global);
            if (!content || content->version != *entry.version) continue;
            ENTENTE_ASSIGN(const auto source, o_.blobs.open_blob(content->blob));
            ENTENTE_ASSIGN(listing->envelope, shelf_.put_content(global, *entry.version, *source));
            listing->version = entry.version;
        }
    }
    const std::uint64_t before = shelf_.revision();
    ENTENTE_TRY(shelf_.put(std::move(book)));
    if (shelf_.revision() != before) shelf_.sweep();
    return done();
}

// What the hub shows this partner: the agreements that the coordinator has concluded over its updates, what became
// of its updates, and the answers to its own proposals.
Status FolderMailbox::write_for(const std::string& partner, const Book* theirs) {
    HubView view = o_.host.space().view(partner);
    Book book = shelf_.own(partner);
    book.proposals = std::move(view.own_agreements);
    std::vector<Movement> movements;
    for (Transfer& transfer : view.own_transfers) {
        const auto known = std::find_if(book.movements.begin(), book.movements.end(), [&](const Movement& m) { return m.transfer.id == transfer.id; });
        movements.push_back({std::move(transfer), known == book.movements.end() ? now_ms() : known->started_at_ms});
    }
    book.movements = std::move(movements);
    for (Answer& answer : answers_[partner]) book.answers.push_back(answer);
    // A refusal of what is not proposed any more has been read.
    if (theirs != nullptr) {
        std::erase_if(book.answers, [theirs](const Answer& a) {
            return !a.agreement && std::none_of(theirs->proposals.begin(), theirs->proposals.end(),
                                                [&a](const Agreement& p) { return p.id == a.proposal; });
        });
    }
    ENTENTE_TRY(shelf_.put(std::move(book)));
    answers_.erase(partner);
    return done();
}

void FolderMailbox::say_once(const std::string& text) {
    constexpr std::size_t most_sentences = 1'000;
    if (said_.size() > most_sentences) said_.clear();
    if (said_.insert(text).second && o_.say) o_.say(text);
}

}  // namespace entente::native
