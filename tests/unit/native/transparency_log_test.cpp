#include "proof/transparency_log.hpp"

#include <doctest/doctest.h>

#include "entente/codec/merkle.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::native;

namespace {

codec::SigningKey key_of(unsigned value) {
    std::array<std::byte, 32> seed{};
    seed.fill(static_cast<std::byte>(value));
    return codec::SigningKey(seed);
}

std::vector<round::Entry> ledger(std::size_t count, std::string_view salt = "r") {
    std::vector<round::Entry> entries;
    for (std::size_t i = 0; i < count; ++i) {
        const auto last = entries.empty() ? std::nullopt : std::optional(entries.back());
        entries.push_back(round::chain(last, {static_cast<std::int64_t>(i), round::ParticipantLeft{"plant-a", std::string(salt) + std::to_string(i)}}));
    }
    return entries;
}

std::unique_ptr<TransparencyLog> open_log(const TemporaryFolder& folder) {
    return TransparencyLog::open({folder.path / "log", "bearings", key_of(1)}).value();
}

std::vector<round::Entry> first(const std::vector<round::Entry>& all, std::size_t count) {
    return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)};
}

proof::Checkpoint shown_by(const TransparencyLog& log) {
    const proof::Note note = proof::read_note(log.note()).value();
    return proof::check_checkpoint(note, "entente-log/bearings", key_of(1).public_key()).value();
}

}  // namespace

TEST_CASE("each record gets a leaf; its proof, the tiles and the bundles lead to the checkpoint") {
    const TemporaryFolder folder;
    const auto log = open_log(folder);
    const auto all = ledger(600);
    for (const auto& entry : all) {
        log->add(entry);
        if (entry.sequence % 97 == 0) REQUIRE(log->publish().ok());
    }
    CHECK(log->behind());
    REQUIRE(log->publish().ok());
    CHECK_FALSE(log->behind());
    CHECK(shown_by(*log) == log->checkpoint());
    CHECK(log->checkpoint().size == 600);

    std::vector<Digest> leaves;
    for (std::uint64_t n = 0; n < 3; ++n) {
        const std::uint32_t width = n < 2 ? 256 : 88;
        const Bytes bundle = log->tile({true, 0, n, width}).value();
        const std::vector<Bytes> entries = proof::read_bundle(bundle).value();
        for (const Bytes& entry : entries) leaves.push_back(proof::leaf_of(proof::decode_log_entry(entry).value()));
        CHECK(log->tile({false, 0, n, width}).value().size() == 32 * width);
    }
    CHECK(codec::merkle_root_of_leaves(leaves) == log->checkpoint().root);
    for (const std::uint64_t index : {0u, 255u, 256u, 599u}) {
        const Digest leaf = proof::leaf_of(log->entry_of(all[index].record));
        CHECK(leaf == leaves[index]);
        CHECK(proof::check(log->proof_of(index).value(), leaf, log->origin(), key_of(1).public_key()).ok());
    }
    CHECK(log->tile({false, 0, 2, 89}).error().reason == "log.no-tile");
    CHECK(log->tile({false, 0, 3, 1}).error().reason == "log.no-tile");
    CHECK(log->tile({false, 2, 0, 1}).error().reason == "log.no-tile");
    CHECK(log->consistency(3, 601).error().reason == "proof.range");
}

// Wherever a process dies between the ledger and the shown checkpoint, what it shows next goes on from all that was ever shown.
TEST_CASE("killed at any point, the log never shows two histories") {
    const auto all = ledger(300);
    for (const std::size_t size : {std::size_t{1}, std::size_t{5}, std::size_t{255}, std::size_t{256}, std::size_t{257}}) {
        for (const char* died : {"log-appended", "log-tiled", "log-signed"}) {
            CAPTURE(size);
            CAPTURE(died);
            const TemporaryFolder folder;
            std::vector<proof::Checkpoint> ever;
            {
                const auto log = open_log(folder);
                REQUIRE(log->restore(first(all, size)).ok());
                REQUIRE(log->publish().ok());
                ever.push_back(shown_by(*log));
                const auto checkpoint = folder.path / "log/checkpoint";
                std::filesystem::copy_file(checkpoint, folder.path / "before");
                const auto tiles = folder.path / "log/tile";
                std::filesystem::copy(tiles, folder.path / "tiles", std::filesystem::copy_options::recursive);
                for (std::size_t i = size; i < size + 3; ++i) log->add(all[i]);
                REQUIRE(log->publish().ok());
                if (std::string_view(died) == "log-signed") ever.push_back(shown_by(*log));
                if (std::string_view(died) != "log-signed") std::filesystem::copy_file(folder.path / "before", checkpoint, std::filesystem::copy_options::overwrite_existing);
                if (std::string_view(died) == "log-appended") {
                    std::filesystem::remove_all(tiles);
                    std::filesystem::rename(folder.path / "tiles", tiles);
                }
            }
            const auto log = open_log(folder);
            CHECK(log->checkpoint() == ever.back());
            REQUIRE(log->restore(first(all, size + 3)).ok());
            REQUIRE(log->publish().ok());
            for (std::size_t i = size + 3; i < all.size(); ++i) log->add(all[i]);
            REQUIRE(log->publish().ok());
            const proof::Checkpoint now = shown_by(*log);
            CHECK(now.size == 300);
            for (const proof::Checkpoint& then : ever) {
                CHECK(proof::check_consistency(then.size, then.root, now.size, now.root, log->consistency(then.size, now.size).value()).ok());
            }
            for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{size}, std::uint64_t{299}}) {
                const Digest leaf = proof::leaf_of(log->entry_of(all[static_cast<std::size_t>(index)].record));
                CHECK(proof::check(log->proof_of(index).value(), leaf, log->origin(), key_of(1).public_key()).ok());
            }
        }
    }
}

TEST_CASE("a ledger that was taken back or rewritten is not signed over") {
    const TemporaryFolder folder;
    {
        const auto log = open_log(folder);
        REQUIRE(log->restore(ledger(10)).ok());
        REQUIRE(log->publish().ok());
    }
    CHECK(open_log(folder)->restore(ledger(9)).error().reason == "log.rolled-back");
    CHECK(open_log(folder)->restore(ledger(10, "x")).error().reason == "log.other-history");
    CHECK(open_log(folder)->restore(ledger(10)).ok());
    CHECK(TransparencyLog::open({folder.path / "log", "bearings", key_of(2)}).error().reason == "log.damaged");
    put_text(folder.path / "log/checkpoint", "nonsense");
    CHECK(TransparencyLog::open({folder.path / "log", "bearings", key_of(1)}).error().reason == "log.damaged");
}

TEST_CASE("what a full disk would not take is written when there is room") {
    const TemporaryFolder folder;
    const auto log = open_log(folder);
    for (const auto& entry : ledger(257)) log->add(entry);
    put_text(folder.path / "log/tile", "a file where the folder should be");
    CHECK_FALSE(log->publish().ok());
    CHECK(log->checkpoint().size == 0);
    std::filesystem::remove(folder.path / "log/tile");
    REQUIRE(log->publish().ok());
    CHECK(log->proof_of(3).ok());
    CHECK(log->tile({true, 0, 0, 256}).ok());
    CHECK(log->tile({false, 1, 0, 1}).ok());
}

TEST_CASE("a witness's cosignature is kept with the checkpoint that it is over") {
    const TemporaryFolder folder;
    const auto log = open_log(folder);
    REQUIRE(log->restore(ledger(10)).ok());
    REQUIRE(log->publish().ok());
    proof::Note note = proof::read_note(log->note()).value();
    const proof::Note before = note;
    proof::cosign(note, "plant-a", key_of(7), 1'800'000'000);
    CHECK(log->add_cosignature(proof::write_note(note), "plant-a", key_of(8).public_key()).error().reason == "note.unsigned");
    CHECK(log->add_cosignature(proof::write_note(note), "plant-b", key_of(7).public_key()).error().reason == "note.unsigned");
    REQUIRE(log->add_cosignature(proof::write_note(note), "plant-a", key_of(7).public_key()).ok());
    REQUIRE(log->add_cosignature(proof::write_note(note), "plant-a", key_of(7).public_key()).ok());
    const auto again = open_log(folder);
    const proof::Note shown = proof::read_note(again->note()).value();
    CHECK(shown.signatures.size() == 2);
    CHECK(proof::check_cosignature(shown, "plant-a", key_of(7).public_key()).value() == 1'800'000'000);
    REQUIRE(again->restore(ledger(11)).ok());
    REQUIRE(again->publish().ok());
    CHECK(again->add_cosignature(proof::write_note(note), "plant-a", key_of(7).public_key()).error().reason == "log.other-checkpoint");
}
