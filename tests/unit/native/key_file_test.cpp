#include "cli/key_file.hpp"

#include <doctest/doctest.h>

#include "base/files.hpp"
#include "support.hpp"

using namespace entente;
using native::load_or_make_key;

TEST_CASE("a key is made once, for its owner's eyes only, and is the same afterwards") {
    const TemporaryFolder folder;
    const auto path = folder.path / "key";
    const auto made = load_or_make_key(path);
    REQUIRE(made.ok());
    CHECK(load_or_make_key(path)->public_key() == made->public_key());
    using std::filesystem::perms;
    CHECK((std::filesystem::status(path).permissions() & perms::all) == (perms::owner_read | perms::owner_write));
}

TEST_CASE("a key that others may read, or that is damaged, is refused and left as it is") {
    const TemporaryFolder folder;
    const auto path = folder.path / "key";
    REQUIRE(load_or_make_key(path).ok());
    std::filesystem::permissions(path, std::filesystem::perms::group_read, std::filesystem::perm_options::add);
    CHECK(load_or_make_key(path).error().reason == "key.too-open");
    for (const char* text : {"", "zz", "00", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg"}) {
        REQUIRE(native::write_file(path, as_bytes(std::string_view(text)), 0600).ok());
        CAPTURE(text);
        CHECK(load_or_make_key(path).error().reason == "key.malformed");
        CHECK(native::read_text_file(path).value() == text);
    }
}

TEST_CASE("a key file is 64 digits and a line end, and another file is another key") {
    const TemporaryFolder folder;
    const auto first = load_or_make_key(folder.path / "a");
    const auto second = load_or_make_key(folder.path / "b");
    REQUIRE(first.ok());
    REQUIRE(second.ok());
    CHECK(first->public_key() != second->public_key());
    CHECK(native::read_text_file(folder.path / "a")->size() == 65);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 2);
}

TEST_CASE("space around the digits does not matter, more digits do") {
    const TemporaryFolder folder;
    const auto path = folder.path / "key";
    const std::string digits(64, '7');
    REQUIRE(native::write_file(path, as_bytes(std::string_view(digits)), 0600).ok());
    const auto key = load_or_make_key(path);
    REQUIRE(key.ok());
    for (const std::string& text : {digits + "\r\n", digits + " \n\n"}) {
        REQUIRE(native::write_file(path, as_bytes(std::string_view(text)), 0600).ok());
        CHECK(load_or_make_key(path)->public_key() == key->public_key());
    }
    for (const std::string& text : {digits + "7", digits + "77", digits.substr(1), digits + "\n" + digits, std::string(4097, '7')}) {
        REQUIRE(native::write_file(path, as_bytes(std::string_view(text)), 0600).ok());
        CHECK_FALSE(load_or_make_key(path).ok());
        CHECK(native::read_text_file(path).value() == text);
    }
}

TEST_CASE("where no key can be kept, none is made") {
    const TemporaryFolder folder;
    CHECK_FALSE(load_or_make_key(folder.path / "none" / "key").ok());
    CHECK_FALSE(load_or_make_key(folder.path).ok());
    for (const auto mode : {std::filesystem::perms::others_read, std::filesystem::perms::group_write, std::filesystem::perms::others_exec}) {
        const auto path = folder.path / "open";
        REQUIRE(load_or_make_key(path).ok());
        std::filesystem::permissions(path, mode, std::filesystem::perm_options::add);
        CHECK(load_or_make_key(path).error().reason == "key.too-open");
        std::filesystem::remove(path);
    }
}
