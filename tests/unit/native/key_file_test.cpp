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
