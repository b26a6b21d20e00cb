#include "store/blob_store.hpp"

#include <doctest/doctest.h>

#include <array>

#include "support.hpp"

using namespace entente;
using native::BlobStore;

namespace {

Bytes bytes_of(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

Bytes read_all(contract::ByteSource& source) {
    Bytes all;
    std::array<std::byte, 7> piece{};
    for (;;) {
        const std::size_t count = source.read(piece).value();
        if (count == 0) return all;
        all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
    }
}

std::size_t files_below(const std::filesystem::path& folder) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) count += entry.is_regular_file() ? 1 : 0;
    return count;
}

}  // namespace

TEST_CASE("a blob is found again under the SHA-256 of its bytes") {
    const TemporaryFolder folder;
    BlobStore store = BlobStore::open(folder.path / "data").value();
    const Digest abc = store.put(bytes_of("abc")).value();
    // FIPS 180-2, appendix B.1.
    CHECK(to_hex(abc) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(store.has(abc));
    CHECK(read_all(*store.open_blob(abc).value()) == bytes_of("abc"));
    CHECK(read_all(*store.open_blob(abc, 2).value()) == bytes_of("c"));
    CHECK(store.put(bytes_of("abc")).value() == abc);
    CHECK(files_below(folder.path) == 1);
    store.remove(abc);
    CHECK_FALSE(store.has(abc));
    CHECK(store.open_blob(abc).error().code == Code::not_found);
    store.remove(abc);  // and again: nothing to do
}

TEST_CASE("what nobody names any more goes; files that are no blobs stay") {
    const TemporaryFolder folder;
    BlobStore store = BlobStore::open(folder.path / "data").value();
    const Digest named = store.put(bytes_of("abc")).value();
    const Digest forgotten = store.put(bytes_of("def")).value();
    put_text(folder.path / "data/blobs/notes", "mine");
    REQUIRE(store.keep_only([&named](const Digest& blob) { return blob == named; }).ok());
    CHECK(store.has(named));
    CHECK_FALSE(store.has(forgotten));
    CHECK(std::filesystem::exists(folder.path / "data/blobs/notes"));
    CHECK(store.settle().ok());
}

TEST_CASE("an upload in pieces is one blob; one that is dropped leaves nothing") {
    const TemporaryFolder folder;
    BlobStore store = BlobStore::open(folder.path / "data").value();
    {
        auto upload = store.begin(6).value();
        REQUIRE(upload.append(bytes_of("abc")).ok());
        REQUIRE(upload.append(bytes_of("def")).ok());
        CHECK(upload.size() == 6);
        CHECK(read_all(*store.open_blob(upload.finish().value()).value()) == bytes_of("abcdef"));
    }
    {
        auto dropped = store.begin(6).value();
        REQUIRE(dropped.append(bytes_of("xyz")).ok());
    }
    CHECK(files_below(folder.path) == 1);
}

TEST_CASE("what a killed process left half-written is gone after the next start; whole blobs stay") {
    const TemporaryFolder folder;
    BlobStore store = BlobStore::open(folder.path / "data").value();
    const Digest whole = store.put(bytes_of("whole")).value();
    put_text(folder.path / "data" / "spool" / "upload-0", "half");
    const BlobStore again = BlobStore::open(folder.path / "data").value();
    CHECK(files_below(folder.path) == 1);
    CHECK(again.has(whole));
}

TEST_CASE("a blob store says what is wrong with its folder") {
    const TemporaryFolder folder;
    put_text(folder.path / "file", "not a folder");
    const auto opened = BlobStore::open(folder.path / "file");
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().message.find("file") != std::string::npos);
}

TEST_CASE("room that the disk does not have is refused before a byte is written") {
    const TemporaryFolder folder;
    BlobStore store = BlobStore::open(folder.path / "data").value();
    const auto begun = store.begin(std::uint64_t{1} << 43u);
    REQUIRE_FALSE(begun.ok());
    CHECK(begun.error().code == Code::no_space);
    CHECK(files_below(folder.path) == 0);
}

TEST_CASE("a blob that was changed on the disk is whole again when it is put again") {
    const TemporaryFolder folder;
    BlobStore store = BlobStore::open(folder.path / "data").value();
    const Digest blob = store.put(bytes_of("the true bytes")).value();
    for (const char* damage : {"", "the true byt", "other bytes altogether"}) {
        put_text(store.path_of(blob), damage);
        CHECK(store.put(bytes_of("the true bytes")).value() == blob);
        CHECK(read_all(*store.open_blob(blob).value()) == bytes_of("the true bytes"));
    }
    CHECK(files_below(folder.path) == 1);
}

TEST_CASE("no digest leads out of the store, and no blob is anybody else's to read") {
    const TemporaryFolder folder;
    BlobStore store = BlobStore::open(folder.path / "data").value();
    for (unsigned value = 0; value < 256; ++value) {
        Digest digest{};
        digest.bytes.fill(static_cast<std::byte>(value));
        const std::string relative = std::filesystem::relative(store.path_of(digest), folder.path / "data" / "blobs").string();
        CHECK(relative.size() == 64);
        CHECK(relative.find_first_not_of("0123456789abcdef") == std::string::npos);
    }
    using std::filesystem::perms;
    const Digest blob = store.put(bytes_of("secret")).value();
    CHECK((std::filesystem::status(store.path_of(blob)).permissions() & (perms::group_all | perms::others_all)) == perms::none);
}

TEST_CASE("an empty blob is a blob") {
    const TemporaryFolder folder;
    BlobStore store = BlobStore::open(folder.path / "data").value();
    const Digest empty = store.put({}).value();
    CHECK(to_hex(empty) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(read_all(*store.open_blob(empty).value()).empty());
}

TEST_CASE("uploads side by side do not mix") {
    const TemporaryFolder folder;
    BlobStore store = BlobStore::open(folder.path / "data").value();
    auto first = store.begin(4).value();
    auto second = store.begin(4).value();
    REQUIRE(first.append(bytes_of("aa")).ok());
    REQUIRE(second.append(bytes_of("bb")).ok());
    REQUIRE(first.append(bytes_of("AA")).ok());
    REQUIRE(second.append(bytes_of("BB")).ok());
    CHECK(read_all(*store.open_blob(second.finish().value()).value()) == bytes_of("bbBB"));
    CHECK(read_all(*store.open_blob(first.finish().value()).value()) == bytes_of("aaAA"));
}

TEST_CASE("an upload that cannot take its place is an error and leaves nothing in the spool") {
    const TemporaryFolder folder;
    BlobStore store = BlobStore::open(folder.path / "data").value();
    const Digest blob = store.put(bytes_of("abc")).value();
    store.remove(blob);
    // A folder of that name, with something in it, cannot be replaced by a file.
    std::filesystem::create_directories(store.path_of(blob) / "in-the-way");
    CHECK_FALSE(store.put(bytes_of("abc")).ok());
    CHECK(std::filesystem::is_empty(folder.path / "data" / "spool"));
}
