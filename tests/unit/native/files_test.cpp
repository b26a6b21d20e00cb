#include "base/files.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <thread>

#include "cli/native_environment.hpp"
#include "support.hpp"

using namespace entente;

TEST_CASE("a file is replaced whole, and nothing lies beside it") {
    const TemporaryFolder folder;
    const auto path = folder.path / "file";
    REQUIRE(native::write_file(path, as_bytes(std::string_view("old"))).ok());
    REQUIRE(native::write_file(path, as_bytes(std::string_view("new"))).ok());
    CHECK(native::read_text_file(path).value() == "new");
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("a command that writes a file again leaves it to whom it was") {
    const TemporaryFolder folder;
    const auto path = folder.path / "calibration.entw";
    native::NativeEnvironment environment;
    for (const unsigned mode : {0600u, 0640u}) {
        REQUIRE(native::write_file(path, as_bytes(std::string_view("old")), mode).ok());
        REQUIRE(environment.write_file(path.string(), as_bytes(std::string_view("new"))).ok());
        CHECK(static_cast<unsigned>(std::filesystem::status(path).permissions()) == mode);
        CHECK(native::read_text_file(path).value() == "new");
    }
}

TEST_CASE("what a killed process left half written goes, and nothing else") {
    const TemporaryFolder folder;
    REQUIRE(native::make_directory(folder.path / "log/tile").ok());
    REQUIRE(native::make_directory(folder.path / "blobs").ok());
    for (const char* name : {"key", "key.tmp-17", "log/tile/000", "log/tile/000.tmp-17", "blobs/a.tmp-17"}) put_text(folder.path / name, "x");
    REQUIRE(native::drop_temporaries(folder.path, {"blobs"}).ok());
    for (const char* name : {"key", "log/tile/000", "blobs/a.tmp-17"}) CHECK(std::filesystem::exists(folder.path / name));
    for (const char* name : {"key.tmp-17", "log/tile/000.tmp-17"}) CHECK_FALSE(std::filesystem::exists(folder.path / name));
}

TEST_CASE("a folder is made with its parents; what stands in its way is said") {
    const TemporaryFolder folder;
    CHECK(native::make_directory(folder.path / "a/b/c/").ok());
    CHECK(native::make_directory(folder.path / "a/b/c").ok());
    CHECK(std::filesystem::is_directory(folder.path / "a/b/c"));
    put_text(folder.path / "file", "x");
    CHECK_FALSE(native::make_directory(folder.path / "file/below").ok());
    CHECK_FALSE(native::make_directory(folder.path / "file").ok());
}

TEST_CASE("reading says what it found: no file, a folder, too much") {
    const TemporaryFolder folder;
    CHECK(native::read_file(folder.path / "none", 10).error().reason == "file.missing");
    CHECK_FALSE(native::read_file(folder.path, 10).ok());
    put_text(folder.path / "file", "eleven byte");
    CHECK(native::read_file(folder.path / "file", 10).error().reason == "file.too-large");
    CHECK(native::read_file(folder.path / "file", 11).ok());
}

TEST_CASE("gzip that is damaged or grows beyond the limit is refused") {
    const TemporaryFolder folder;
    put_text(folder.path / "a.gz", "this is not gzip");
    CHECK(native::read_maybe_gzip((folder.path / "a").string(), 100).error().reason == "file.gzip");
    // 1,000 zeros, as gzip -9 writes them.
    const unsigned char zeros[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x63, 0x60, 0x18, 0x05, 0xa3, 0x60,
                                   0x14, 0x0c, 0x77, 0x00, 0x00, 0x80, 0x17, 0x0b, 0x06, 0xe8, 0x03, 0x00, 0x00};
    put_text(folder.path / "b.gz", {reinterpret_cast<const char*>(zeros), sizeof zeros});
    CHECK(native::read_maybe_gzip((folder.path / "b").string(), 1000).value().size() == 1000);
    CHECK_FALSE(native::read_maybe_gzip((folder.path / "b").string(), 999).ok());
}

TEST_CASE("a file that is written and not kept leaves nothing") {
    const TemporaryFolder folder;
    {
        auto writer = native::FileWriter::create(folder.path / "part").value();
        REQUIRE(writer.write(as_bytes(std::string_view("half"))).ok());
    }
    CHECK(std::filesystem::is_empty(folder.path));
}

TEST_CASE("an open source stays readable when its name disappears") {
    const TemporaryFolder folder;
    put_text(folder.path / "file", "content");
    const auto source = native::open_file(folder.path / "file", 3).value();
    std::filesystem::remove(folder.path / "file");
    std::array<std::byte, 16> piece{};
    CHECK(source->read(piece).value() == 4);
    CHECK(source->read(piece).value() == 0);
}

TEST_CASE("a pipe is read to its end, and no further than the limit") {
    const TemporaryFolder folder;
    const auto pipe = folder.path / "pipe";
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    const std::string sent(700'000, 'p');
    const auto read_piped = [&](std::uint64_t limit) {
        std::thread writer([&] { put_text(pipe, sent.substr(0, 60'000)); });
        auto read = native::read_file(pipe, limit);
        writer.join();
        return read;
    };
    CHECK(read_piped(60'000)->size() == 60'000);
    CHECK(read_piped(59'999).error().reason == "file.too-large");
    std::thread writer([&] { put_text(pipe, sent); });
    CHECK(native::read_text_file(pipe).value() == sent);
    writer.join();
}

TEST_CASE("bytes behind a gzip member, a second one too, are refused rather than left out") {
    const TemporaryFolder folder;
    const unsigned char member[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x63, 0x60, 0x18, 0x05, 0xa3, 0x60,
                                    0x14, 0x0c, 0x77, 0x00, 0x00, 0x80, 0x17, 0x0b, 0x06, 0xe8, 0x03, 0x00, 0x00};
    const std::string one(reinterpret_cast<const char*>(member), sizeof member);
    const std::string name = (folder.path / "a").string();
    for (const std::string& more : {std::string(1, '\0'), std::string("x"), one}) {
        put_text(name + ".gz", one + more);
        CHECK(native::read_maybe_gzip(name, 10'000).error().reason == "file.gzip");
    }
    for (std::size_t size = 0; size < one.size(); ++size) {
        put_text(name + ".gz", one.substr(0, size));
        CAPTURE(size);
        CHECK(native::read_maybe_gzip(name, 10'000).error().reason == "file.gzip");
    }
    std::string changed = one;
    changed[22] = static_cast<char>(changed[22] ^ 1);  // the checksum
    put_text(name + ".gz", changed);
    CHECK(native::read_maybe_gzip(name, 10'000).error().reason == "file.gzip");
}

TEST_CASE("the plain file comes before the packed one, and neither is missing by its own name") {
    const TemporaryFolder folder;
    const std::string name = (folder.path / "a").string();
    CHECK(native::read_maybe_gzip(name, 10).error().message.find(name + ":") != std::string::npos);
    put_text(name, "plain");
    put_text(name + ".gz", "not gzip");
    CHECK(native::read_maybe_gzip(name, 10)->size() == 5);
}

TEST_CASE("a failed write leaves the old file and nothing beside it") {
    const TemporaryFolder folder;
    const auto path = folder.path / "taken";
    std::filesystem::create_directories(path / "inside");
    CHECK_FALSE(native::write_file(path, as_bytes(std::string_view("x"))).ok());
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
    CHECK_FALSE(native::write_file(folder.path / "none" / "file", as_bytes(std::string_view("x"))).ok());
    CHECK(std::filesystem::is_directory(path / "inside"));
}

TEST_CASE("each failure of the system has its code") {
    CHECK(native::system_error(ENOSPC, "f", true).code == Code::no_space);
    CHECK(native::system_error(EDQUOT, "f", true).reason == "disk.full");
    CHECK(native::system_error(EACCES, "f", true).reason == "file.unwritable");
    CHECK(native::system_error(EACCES, "f", false).reason == "file.unreadable");
    CHECK(native::system_error(EROFS, "f", true).reason == "file.unwritable");
    CHECK(native::system_error(ENOENT, "f", false).reason == "file.missing");
    CHECK(native::system_error(EIO, "f", false).reason == "file.failed");
    CHECK(native::system_error(EIO, "the-file", false).message.find("the-file: ") == 0);
}

TEST_CASE("random bytes are as many as asked for, and others each time") {
    CHECK(native::random_bytes(0).empty());
    CHECK(native::random_bytes(1000).size() == 1000);
    CHECK(native::random_bytes(32) != native::random_bytes(32));
}
