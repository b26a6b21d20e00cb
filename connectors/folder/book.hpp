// What one participant says to one reader, as one signed file: the only thing that ever changes in the folder.
//
//   Book book = Book::empty("digits-demo", "plant-a", "coordinator");
//   book.listings.push_back({publication, version, envelope_digest, false});
//   Bytes file = seal(book, key);                                             // "entbook1", body, signature
//   Result<Book> back = open_book(file, {"digits-demo", "plant-a", "coordinator", key.public_key()});
//
// A book is written anew whenever it changes, so a reader sees one state of it or the next and never a mixture. The
// signature covers federation, author and reader: a book that is copied to another place in the folder, or brought
// from another federation, is refused there. Offers and agreements inside keep their own signatures; the book's
// signature covers what has none of its own (versions, answers, transfers and their outcomes).
// Plain values; thread-safe like any other.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entente/codec/sign.hpp"
#include "entente/contract/wire.hpp"

namespace entente::folder {

inline constexpr std::uint64_t book_limit_bytes = 8 * 1024 * 1024;

// The reader of what is meant for everybody. No participant's id begins with an underscore.
inline constexpr std::string_view everyone = "_everyone";

// An asset that the author offers, and what it offers now.
struct Listing {
    contract::Publication publication;
    std::optional<contract::Version> version;
    Digest envelope;  // SHA-256 of the file that holds the version
    bool withdrawn = false;

    friend bool operator==(const Listing&, const Listing&) = default;
};

// The author's answer, as provider, to one of the reader's proposals.
struct Answer {
    std::string proposal;                          // its id
    std::optional<contract::Agreement> agreement;  // in force; empty: refused, for this reason:
    std::string reason;
    std::string message;

    friend bool operator==(const Answer&, const Answer&) = default;
};

// A transfer that the author began, as consumer, and its verdict.
struct Movement {
    contract::Transfer transfer;
    std::int64_t started_at_ms = 0;

    friend bool operator==(const Movement&, const Movement&) = default;
};

struct Book {
    std::string federation;
    std::string author;
    std::string reader;
    std::uint64_t sequence = 0;  // grows with every writing
    std::vector<Listing> listings;
    std::vector<contract::Agreement> proposals;  // the author's, as consumer of the reader's assets
    std::vector<Answer> answers;
    std::vector<Movement> movements;  // oldest first

    static Book empty(std::string federation, std::string author, std::string reader);
    [[nodiscard]] Listing* listing(std::string_view asset);

    friend bool operator==(const Book&, const Book&) = default;
};

Bytes seal(const Book& book, const codec::SigningKey& author);

struct Expected {
    std::string federation;
    std::string author;
    std::string reader;
    codec::PublicKey key;
};
// invalid_argument "folder.damaged" (half-written, flipped bits, not a book), unauthenticated "folder.bad-signature",
// permission_denied "folder.foreign" (signed by the author, but for another place).
Result<Book> open_book(ByteView file, const Expected& expected);

}  // namespace entente::folder
