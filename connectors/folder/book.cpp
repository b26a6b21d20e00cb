#include "connectors/folder/book.hpp"

#include <algorithm>

#include "entente/codec/archive.hpp"

namespace entente::folder {

using namespace contract;

namespace {

constexpr std::string_view magic = "entbook1";
constexpr std::string_view context = "folder-book";

// The data space's objects travel in their canonical encoding (contract/wire.hpp), as bytes inside the archive.
struct PackedListing {
    Bytes publication;
    std::optional<Bytes> version;
    Digest envelope;
    bool withdrawn = false;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(publication, version, envelope, withdrawn);
    }
};

struct PackedAnswer {
    std::string proposal;
    std::optional<Bytes> agreement;
    std::string reason;
    std::string message;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(proposal, agreement, reason, message);
    }
};

struct PackedMovement {
    Bytes transfer;
    std::int64_t started_at_ms = 0;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(transfer, started_at_ms);
    }
};

struct PackedBook {
    std::string federation;
    std::string author;
    std::string reader;
    std::uint64_t sequence = 0;
    std::vector<PackedListing> listings;
    std::vector<Bytes> proposals;
    std::vector<PackedAnswer> answers;
    std::vector<PackedMovement> movements;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(federation, author, reader, sequence, listings, proposals, answers, movements);
    }
};

struct Sealed {
    Bytes body;
    codec::Signature signature;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(body, signature);
    }
};

PackedBook pack(const Book& book) {
    PackedBook packed{book.federation, book.author, book.reader, book.sequence, {}, {}, {}, {}};
    for (const Listing& l : book.listings) {
        packed.listings.push_back(
            {encode(l.publication), l.version ? std::optional(encode(*l.version)) : std::nullopt, l.envelope, l.withdrawn});
    }
    for (const Agreement& proposal : book.proposals) packed.proposals.push_back(encode(proposal));
    for (const Answer& a : book.answers) {
        packed.answers.push_back(
            {a.proposal, a.agreement ? std::optional(encode(*a.agreement)) : std::nullopt, a.reason, a.message});
    }
    for (const Movement& m : book.movements) packed.movements.push_back({encode(m.transfer), m.started_at_ms});
    return packed;
}

Result<Book> unpack(const PackedBook& packed) {
    Book book{packed.federation, packed.author, packed.reader, packed.sequence, {}, {}, {}, {}};
    for (const PackedListing& p : packed.listings) {
        ENTENTE_ASSIGN(Publication publication, decode_publication(p.publication));
        Listing listing{std::move(publication), std::nullopt, p.envelope, p.withdrawn};
        if (p.version) {
            ENTENTE_ASSIGN(listing.version, decode_version(*p.version));
        }
        book.listings.push_back(std::move(listing));
    }
    for (const Bytes& p : packed.proposals) {
        ENTENTE_ASSIGN(Agreement proposal, decode_agreement(p));
        book.proposals.push_back(std::move(proposal));
    }
    for (const PackedAnswer& p : packed.answers) {
        Answer answer{p.proposal, std::nullopt, p.reason, p.message};
        if (p.agreement) {
            ENTENTE_ASSIGN(answer.agreement, decode_agreement(*p.agreement));
        }
        book.answers.push_back(std::move(answer));
    }
    for (const PackedMovement& p : packed.movements) {
        ENTENTE_ASSIGN(Transfer transfer, decode_transfer(p.transfer));
        book.movements.push_back({std::move(transfer), p.started_at_ms});
    }
    return book;
}

Error damaged(const std::string& what) {
    return Error{Code::invalid_argument, "folder.damaged", "expected a whole book, found " + what};
}

}  // namespace

Book Book::empty(std::string federation, std::string author, std::string reader) {
    return {std::move(federation), std::move(author), std::move(reader), 0, {}, {}, {}, {}};
}

Listing* Book::listing(std::string_view asset) {
    const auto it = std::find_if(listings.begin(), listings.end(),
                                 [asset](const Listing& l) { return l.publication.asset.id == asset; });
    return it == listings.end() ? nullptr : &*it;
}

Bytes seal(const Book& book, const codec::SigningKey& author) {
    Sealed sealed{codec::encode(pack(book)), {}};
    sealed.signature = author.sign(context, sealed.body);
    const ByteView head = as_bytes(magic);
    Bytes file(head.begin(), head.end());
    const Bytes tail = codec::encode(sealed);
    file.insert(file.end(), tail.begin(), tail.end());
    return file;
}

Result<Book> open_book(ByteView file, const Expected& expected) {
    if (file.size() > book_limit_bytes) return damaged("more bytes than a book may have");
    const ByteView head = as_bytes(magic);
    if (file.size() < head.size() || !std::equal(head.begin(), head.end(), file.begin())) {
        return damaged("bytes that do not begin as one");
    }
    // Everything is copied at most once more: bounded by the file's own limit.
    const codec::ArchiveLimits limits{.depth = 32, .allocation_bytes = 2 * book_limit_bytes};
    auto sealed = codec::decode<Sealed>(file.subspan(head.size()), limits);
    if (!sealed.ok()) return damaged(sealed.error().message);
    // Signature first: what an unknown hand wrote is not even parsed.
    if (!codec::verify(expected.key, context, sealed->body, sealed->signature)) {
        return Error{Code::unauthenticated, "folder.bad-signature",
                     "expected a book signed by " + expected.author + ", found another signature or changed bytes"};
    }
    auto packed = codec::decode<PackedBook>(sealed->body, limits);
    if (!packed.ok()) return damaged(packed.error().message);
    if (packed->federation != expected.federation || packed->author != expected.author || packed->reader != expected.reader) {
        return Error{Code::permission_denied, "folder.foreign",
                     "expected the book of " + expected.author + " for " + expected.reader + " in " + expected.federation +
                         ", found that of " + packed->author + " for " + packed->reader + " in " + packed->federation};
    }
    auto book = unpack(*packed);
    if (!book.ok()) return damaged(book.error().message);
    return book;
}

}  // namespace entente::folder
