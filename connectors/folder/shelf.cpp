#include "connectors/folder/shelf.hpp"

#include <algorithm>
#include <set>

#include "entente/codec/sha256.hpp"

namespace entente::folder {

using namespace contract;

namespace {

constexpr std::string_view book_suffix = ".book";
constexpr const char* content_folder = "content";
constexpr std::size_t most_names = 4'096;  // of one folder that are looked at

std::string book_name(const std::string& reader) { return reader + std::string(book_suffix); }

// Digests and numbers only: an asset's id never becomes part of a path.
std::string content_prefix(const std::string& asset) { return to_hex(codec::sha256(as_bytes(asset))).substr(0, 24) + "-"; }
std::string content_name(const std::string& asset, const Version& version) {
    return content_prefix(asset) + std::to_string(version.round) + "-" + to_hex(version.content);
}

Error gone(const std::string& path) {
    return Error{Code::unavailable, "connector.unreachable",
                 path + " has gone: expected the folder that this participant began in; is the share mounted, the stick plugged in?"};
}

bool is_reader(const std::string& name) { return name == everyone || check_id(name).ok(); }

}  // namespace

Result<Shelf> Shelf::open(ShelfOptions options) {
    ENTENTE_TRY(check_id(options.self));
    Shelf shelf(std::move(options));
    ENTENTE_ASSIGN(const Directory root, Directory::open_root(shelf.o_.root));
    ENTENTE_ASSIGN(const Directory own, root.make(shelf.o_.self));
    ENTENTE_ASSIGN(const Directory contents, own.make(content_folder));
    ENTENTE_TRY(shelf.recall(own));
    for (const Directory* place : {&own, &contents}) {
        ENTENTE_ASSIGN(const std::vector<std::string> names, place->names(most_names));
        for (const std::string& name : names) {
            if (name.starts_with(temporary_prefix)) place->remove(name);
        }
    }
    shelf.sweep();
    return shelf;
}

// What this participant said in an earlier life. A book that does not bear its own signature was not its own.
Status Shelf::recall(const Directory& own) {
    ENTENTE_ASSIGN(const std::vector<std::string> names, own.names(most_names));
    for (const std::string& name : names) {
        if (!name.ends_with(book_suffix)) continue;
        const std::string reader = name.substr(0, name.size() - book_suffix.size());
        if (!is_reader(reader)) continue;
        const std::string path = o_.self + "/" + name;
        auto file = own.read(name, book_limit_bytes);
        if (!file.ok()) {
            note(path, file.error());
            continue;
        }
        auto book = open_book(*file, {o_.federation, o_.self, reader, public_key()});
        if (!book.ok()) {
            note(path, book.error());
            continue;
        }
        own_files_[reader] = codec::sha256(*file);
        own_.insert_or_assign(reader, std::move(book).value());
    }
    // An asset stands in one book. Where a crash has left it in two, the one written last is right.
    std::map<std::string, std::pair<std::uint64_t, std::string>> latest;
    for (const auto& [reader, book] : own_) {
        for (const Listing& l : book.listings) {
            auto& known = latest[l.publication.asset.id];
            known = std::max(known, std::make_pair(book.sequence, reader));
        }
    }
    for (auto& [reader, book] : own_) {
        const std::string& here = reader;
        std::erase_if(book.listings, [&](const Listing& l) { return latest.at(l.publication.asset.id).second != here; });
    }
    return done();
}

Status Shelf::admit(const std::string& participant, const codec::PublicKey& key) {
    ENTENTE_TRY(check_id(participant));
    const auto [it, added] = participants_.emplace(participant, key);
    if (added) ++revision_;
    if (it->second == key) return done();
    return Error{Code::conflict, "connector.other-key", participant + " is known under another key"};
}

void Shelf::forget(const std::string& participant) {
    participants_.erase(participant);
    ++revision_;
    std::erase_if(shown_, [&participant](const auto& entry) { return entry.first.first == participant; });
    std::erase_if(problems_, [&participant](const auto& entry) { return entry.first.starts_with(participant + "/"); });
}

// Never made anew: an empty mount point must not be taken for the folder.
Result<Directory> Shelf::own_directory() const {
    ENTENTE_ASSIGN(const Directory root, Directory::open_root(o_.root));
    auto own = root.open(o_.self);
    if (!own.ok() && own.error().code == Code::not_found) return gone(o_.root + "/" + o_.self);
    return own;
}

Result<bool> Shelf::scan() {
    ENTENTE_ASSIGN(const Directory own, own_directory());
    ENTENTE_TRY(restore_own(own));
    ENTENTE_ASSIGN(const Directory root, Directory::open_root(o_.root));
    bool changed = false;
    for (const auto& [participant, key] : participants_) {
        if (participant == o_.self) continue;
        auto place = root.open(participant);
        if (!place.ok()) {
            // Nothing there is no problem: it has not said anything yet, or its part has not arrived.
            if (place.error().code == Code::not_found) {
                settle(participant);
            } else {
                note(participant, place.error());
            }
            continue;
        }
        settle(participant);
        changed = read_book(*place, participant, key, o_.self) || changed;
        changed = read_book(*place, participant, key, std::string(everyone)) || changed;
    }
    look_for_strangers(root);
    return changed;
}

// A copy of the whole folder may have brought back an older state of this participant's own files, or lost them.
Status Shelf::restore_own(const Directory& own) {
    for (const auto& [reader, digest] : own_files_) {
        const auto file = own.read(book_name(reader), book_limit_bytes);
        if (file.ok() && codec::sha256(*file) == digest) continue;
        ENTENTE_TRY(own.replace(book_name(reader), seal(own_.at(reader), o_.key), o_.crash));
    }
    return done();
}

bool Shelf::read_book(const Directory& place, const std::string& author, const codec::PublicKey& key, const std::string& reader) {
    const std::string path = author + "/" + book_name(reader);
    auto file = place.read(book_name(reader), book_limit_bytes);
    if (!file.ok()) {
        if (file.error().code == Code::not_found) {
            settle(path);
        } else {
            note(path, file.error());
        }
        return false;
    }
    const Digest digest = codec::sha256(*file);
    Shown& shown = shown_[{author, reader}];
    if (shown.book && shown.file == digest) {
        settle(path);
        return false;
    }
    auto book = open_book(*file, {o_.federation, author, reader, key});
    if (!book.ok()) {
        note(path, book.error());
        return false;
    }
    if (shown.book && book->sequence < shown.book->sequence) {
        note(path, {Code::conflict, "folder.older", path + ": it is older than what was there before; the newer one still counts"});
        return false;
    }
    settle(path);
    shown.file = digest;
    shown.book = std::move(book).value();
    ++revision_;
    return true;
}

// Nothing of theirs is read; that they are there is worth a word.
void Shelf::look_for_strangers(const Directory& root) {
    std::erase_if(problems_, [](const auto& entry) { return entry.second.reason == "folder.stranger"; });
    const auto names = root.names(most_names);
    if (!names.ok()) return;
    for (const std::string& name : *names) {
        if (name == o_.self || participants_.count(name) > 0 || name.starts_with('.') || name == plan_name) continue;
        const bool shaped = check_id(name).ok();
        note(shaped ? name : "?", {Code::not_found, "folder.stranger",
                                   shaped ? name + " has a place in the folder but is not known here"
                                          : "the folder holds an entry whose name is no participant's"});
    }
}

std::vector<const Book*> Shelf::books_of(const std::string& participant) const {
    std::vector<const Book*> books;
    for (const std::string& reader : {o_.self, std::string(everyone)}) {
        const auto it = shown_.find({participant, reader});
        if (it != shown_.end() && it->second.book) books.push_back(&*it->second.book);
    }
    return books;
}

Book Shelf::own(const std::string& reader) const {
    const auto it = own_.find(reader);
    return it == own_.end() ? Book::empty(o_.federation, o_.self, reader) : it->second;
}

std::vector<const Book*> Shelf::own_books() const {
    std::vector<const Book*> books;
    for (const auto& [reader, book] : own_) books.push_back(&book);
    return books;
}

Status Shelf::put(Book book) {
    const std::string reader = book.reader;
    if (!is_reader(reader)) return check_id(reader);
    Book before = own(reader);
    book.sequence = before.sequence;
    if (book == before && own_files_.count(reader) > 0) return done();
    ENTENTE_TRY(write(std::move(book), before.sequence));
    ++revision_;
    return done();
}

Status Shelf::touch(const std::string& reader) {
    ENTENTE_TRY(check_id(reader));
    return write(own(reader), own(reader).sequence);
}

Status Shelf::write(Book book, std::uint64_t after) {
    const std::string reader = book.reader;
    // Follows the clock, so that it also grows past what an earlier life wrote that is not in the folder any more.
    book.sequence = std::max(after + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(now_ms(), 0)));
    const Bytes file = seal(book, o_.key);
    if (file.size() > book_limit_bytes) {
        return Error{Code::too_large, "folder.too-large", "the book for " + reader + " would be larger than its readers accept"};
    }
    ENTENTE_ASSIGN(const Directory directory, own_directory());
    ENTENTE_TRY(directory.replace(book_name(reader), file, o_.crash));
    own_files_[reader] = codec::sha256(file);
    own_.insert_or_assign(reader, std::move(book));
    return done();
}

Result<Digest> Shelf::put_content(const std::string& asset, const Version& version, ByteSource& content) {
    ENTENTE_ASSIGN(const Directory own, own_directory());
    ENTENTE_ASSIGN(const Directory contents, own.make(content_folder));
    Digest digest;
    ENTENTE_TRY(contents.replace(content_name(asset, version), content, version.size_bytes, digest, o_.crash));
    return digest;
}

Result<std::shared_ptr<ByteSource>> Shelf::open_content(const std::string& author, const std::string& asset,
                                                        const Version& version) const {
    ENTENTE_TRY(check_id(author));
    ENTENTE_ASSIGN(const Directory root, Directory::open_root(o_.root));
    const auto open = [&]() -> Result<std::shared_ptr<ByteSource>> {
        ENTENTE_ASSIGN(const Directory place, root.open(author));
        ENTENTE_ASSIGN(const Directory contents, place.open(content_folder));
        return contents.stream(content_name(asset, version), version.size_bytes);
    };
    auto source = open();
    if (source.ok() || source.error().code == Code::unavailable) return source;
    // The book has arrived before its content, or something else lies in its place: come back later.
    return Error{Code::unavailable, "folder.incomplete", source.error().message + "; it may still be on its way"};
}

void Shelf::sweep() {
    std::set<std::string> named;
    for (const auto& [reader, book] : own_) {
        for (const Listing& l : book.listings) {
            if (l.version && !l.withdrawn) named.insert(content_name(l.publication.asset.id, *l.version));
        }
    }
    const auto own = own_directory();
    if (!own.ok()) return;
    const auto contents = own->open(content_folder);
    if (!contents.ok()) return;
    const auto names = contents->names(most_names);
    if (!names.ok()) return;
    for (const std::string& name : *names) {
        if (named.count(name) == 0) contents->remove(name);
    }
}

std::vector<Problem> Shelf::problems() const {
    std::vector<Problem> all;
    for (const auto& [path, problem] : problems_) all.push_back(problem);
    return all;
}

void Shelf::note(const std::string& path, const Error& error) { problems_[path] = {path, error.reason, error.message}; }

}  // namespace entente::folder
