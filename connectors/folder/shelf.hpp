// One participant's place in the shared folder: its own books and contents, and what it can read of the others'.
//
//   ENTENTE_ASSIGN(Shelf shelf, Shelf::open(std::move(options)));
//   ENTENTE_TRY(shelf.admit("plant-b", key));
//   ENTENTE_TRY(shelf.scan());
//   for (const Book* book : shelf.books_of("plant-b")) ...
//   Book mine = shelf.own("plant-b");  ...change it...  ENTENTE_TRY(shelf.put(std::move(mine)));
//
// Layout, every path with one writer:
//
//   <root>/<author>/<reader>.book                        what the author says to this reader
//   <root>/<author>/_everyone.book                       what it says to all
//   <root>/<author>/content/<asset>-<round>-<content>    what its assets offer now
//
// Names are made here, from identifiers that were checked and from digests; no name that was found in the folder is
// ever opened. What cannot be read (half-written, changed, foreign, a link, too large, older than what was seen)
// is passed over: the last good state stands, problems() says why, and the next scan looks again.
// Not thread-safe.
#pragma once

#include <map>

#include "connectors/folder/book.hpp"
#include "connectors/folder/files.hpp"

namespace entente::folder {

struct ShelfOptions {
    std::string root;
    std::string federation;
    std::string self;
    codec::SigningKey key;
    std::function<std::int64_t()> now_ms;  // since 1970
    CrashHook crash;                       // tests only
};

struct Problem {
    std::string path;      // inside the folder
    std::string reason;    // stable: "folder.damaged", "folder.bad-signature", ...
    std::string sentence;  // for a person

    friend bool operator==(const Problem&, const Problem&) = default;
};

// The federation's plan, signed, which the coordinator lays beside the participants' places.
inline constexpr const char* plan_name = "plan.frame";

class Shelf {
public:
    // Makes the own place when it is not there and reads back what was said in an earlier life. "contract.bad-id",
    // unavailable "connector.unreachable" when the root is not there.
    static Result<Shelf> open(ShelfOptions options);

    // Whose books are read, and by which key they are judged. conflict "connector.other-key".
    Status admit(const std::string& participant, const codec::PublicKey& key);
    void forget(const std::string& participant);

    // Reads what has changed. True when something has; unavailable "connector.unreachable" when the root, or the own
    // place in it, has gone (a stick that was pulled out). An own file that is not as it was written is written again.
    Result<bool> scan();

    [[nodiscard]] const std::string& self() const noexcept { return o_.self; }
    [[nodiscard]] const std::string& federation() const noexcept { return o_.federation; }
    // Another number whenever anything that the books say, or who is admitted, has changed.
    [[nodiscard]] std::uint64_t revision() const noexcept { return revision_; }
    [[nodiscard]] const codec::PublicKey& public_key() const noexcept { return o_.key.public_key(); }
    [[nodiscard]] std::int64_t now_ms() const { return o_.now_ms(); }
    [[nodiscard]] const std::map<std::string, codec::PublicKey>& participants() const noexcept { return participants_; }

    // The books that a participant has written for this one: at most two, the one for everybody last.
    [[nodiscard]] std::vector<const Book*> books_of(const std::string& participant) const;
    // The own book for a reader as it stands, or an empty one.
    [[nodiscard]] Book own(const std::string& reader) const;
    [[nodiscard]] std::vector<const Book*> own_books() const;
    // Writes a changed own book; one that says nothing new is not written. What could not be written was not said.
    Status put(Book book);
    // Writes the own book for a reader again, with a new sequence: a sign of life.
    Status touch(const std::string& reader);

    // Writes the file of one version and returns its SHA-256.
    Result<Digest> put_content(const std::string& asset, const contract::Version& version, contract::ByteSource& content);
    [[nodiscard]] Result<std::shared_ptr<contract::ByteSource>> open_content(const std::string& author, const std::string& asset,
                                                                             const contract::Version& version) const;
    // Removes the own files of versions that no own book names any more.
    void sweep();

    // What is passed over at the moment, in order of path.
    [[nodiscard]] std::vector<Problem> problems() const;

private:
    struct Shown {  // another's book as it was last read
        Digest file;
        std::optional<Book> book;
    };

    explicit Shelf(ShelfOptions options) : o_(std::move(options)) {}
    [[nodiscard]] Result<Directory> own_directory() const;
    Status recall(const Directory& own);
    Status write(Book book, std::uint64_t after);
    Status restore_own(const Directory& own);
    bool read_book(const Directory& place, const std::string& author, const codec::PublicKey& key, const std::string& reader);
    void look_for_strangers(const Directory& root);
    void note(const std::string& path, const Error& error);
    void settle(const std::string& path) { problems_.erase(path); }

    ShelfOptions o_;
    std::map<std::string, codec::PublicKey> participants_;
    std::map<std::string, Book> own_;                                  // by reader
    std::map<std::string, Digest> own_files_;                          // as they were written
    std::map<std::pair<std::string, std::string>, Shown> shown_;       // by author and reader
    std::map<std::string, Problem> problems_;                          // by path
    std::uint64_t revision_ = 1;
};

}  // namespace entente::folder
