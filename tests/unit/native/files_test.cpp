#include "base/files.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

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
