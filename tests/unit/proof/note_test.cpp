#include "entente/proof/note.hpp"

#include <doctest/doctest.h>

#include "entente/base/base64.hpp"
#include "entente/proof/tlog_proof.hpp"
#include "entente/proof/tree.hpp"
#include "golden/proof_golden.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::proof;
using namespace entente::proof::test;

namespace {

constexpr const char* origin = "entente-log/bearings";

Checkpoint golden_checkpoint() { return {origin, 600, codec::merkle_root_of_leaves(golden_leaves(600))}; }

}  // namespace

TEST_CASE("a checkpoint is the note that the Go team's sumdb/note signs") {
    const codec::SigningKey key = golden_key();
    CHECK(log_origin("bearings") == origin);
    CHECK(verifier_key(origin, NoteAlgorithm::ed25519, key.public_key()) == golden::verifier_key);
    const Note note = sign_checkpoint(golden_checkpoint(), key);
    CHECK(write_note(note) == golden::checkpoint);
    const Note read = read_note(golden::checkpoint).value();
    CHECK(read == note);
    CHECK(check_checkpoint(read, origin, key.public_key()).value() == golden_checkpoint());
}

TEST_CASE("a changed character of a signed note is found, wherever it is") {
    const codec::PublicKey key = golden_key().public_key();
    const std::string good = golden::checkpoint;
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        const auto note = read_note(bad);
        CHECK_FALSE((note.ok() && check_checkpoint(*note, origin, key).ok()));
    }
    const Note note = read_note(good).value();
    CHECK(check_checkpoint(note, origin, key_of(3).public_key()).error().reason == "note.unsigned");
    CHECK(check_checkpoint(note, "entente-log/other", key).error().reason == "note.unsigned");
    Note other{"entente-log/other\n600\n" + to_base64(Digest{}.bytes) + "\n", {}};
    sign_note(other, origin, golden_key());
    CHECK(check_checkpoint(other, origin, key).error().reason == "checkpoint.other-log");
}

TEST_CASE("what is no note is refused") {
    const std::string line = golden::cosignature_line;
    for (const std::string& bad : std::vector<std::string>{std::string(), std::string("\n\n"), std::string("a\n"), std::string("a\n\n"), "a\n\n" + line.substr(0, line.size() - 1),
                                   "a\n\n- x AAAA\n", "a\n\n\xe2\x80\x94 x AAAA\n", "a\n\n\xe2\x80\x94 x+y AAAAAAAA\n",
                                   std::string("a\x01\n\n") + line, "a\r\n\n" + line, "a\n\n" + line + "x\n"}) {
        CAPTURE(bad);
        CHECK_FALSE(read_note(bad).ok());
    }
    std::string many = "a\n\n";
    for (int i = 0; i < 16; ++i) many += line;
    CHECK(read_note(many).value().signatures.size() == 16);
    for (int i = 0; i < 49; ++i) many += line;
    CHECK(read_note(many).error().reason == "note.malformed");
    CHECK(read_note(std::string(70'000, 'a')).error().reason == "note.too-large");
    for (const char* text : {"", "x\n", "x\n1\n", "x\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "x\n01\n", "\n1\n", "x\n-1\nAA==\n", "x\n1\nAA==\n", "x\n99999999999999999999\nAA==\n"}) {
        CHECK(read_checkpoint(text).error().reason == "checkpoint.malformed");
    }
}

TEST_CASE("a witness's cosignature: its line, its time, and what it covers") {
    const codec::SigningKey key = golden_key();
    Note note = sign_checkpoint(golden_checkpoint(), key);
    cosign(note, "plant-a", key, 1679315147);
    CHECK(write_note(note) == std::string(golden::checkpoint) + golden::cosignature_line);
    CHECK(check_cosignature(note, "plant-a", key.public_key()).value() == 1679315147);
    cosign(note, "plant-a", key, 1679315148);
    CHECK(note.signatures.size() == 2);
    CHECK(check_cosignature(note, "plant-a", key.public_key()).value() == 1679315148);
    CHECK(check_checkpoint(note, origin, key.public_key()).ok());
    CHECK(check_cosignature(note, "plant-b", key.public_key()).error().reason == "note.unsigned");
    for (std::size_t i = 0; i < 72; ++i) {
        Note bad = note;
        bad.signatures[1].signature[i] ^= std::byte{1};
        CHECK(check_cosignature(bad, "plant-a", key.public_key()).error().reason == "note.bad-signature");
    }
    note.text[note.text.size() - 2] ^= 1;
    CHECK(check_cosignature(note, "plant-a", key.public_key()).error().reason == "note.bad-signature");
}

TEST_CASE("a proof that travels: the entry, its place, the way to the root and the checkpoint") {
    const codec::SigningKey key = golden_key();
    const std::vector<Digest> leaves = golden_leaves(600);
    const TlogProof proof{123, inclusion_proof(123, 600, nodes_over(leaves)).value(), sign_checkpoint(golden_checkpoint(), key)};
    const std::string text = write_tlog_proof(proof);
    CHECK(text.starts_with("c2sp.org/tlog-proof@v1\nindex 123\n"));
    CHECK(text.ends_with(std::string("\n\n") + golden::checkpoint));
    const TlogProof read = read_tlog_proof(text).value();
    CHECK(read == proof);
    CHECK(check(read, leaves[123], origin, key.public_key()).value().size == 600);
    CHECK(check(read, leaves[124], origin, key.public_key()).error().reason == "proof.inclusion");
    std::string with_extra = text;
    with_extra.insert(with_extra.find("index"), "extra AAAA\n");
    CHECK(read_tlog_proof(with_extra).value() == proof);
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string bad = text;
        bad[i] = static_cast<char>(bad[i] ^ 1);
        const auto changed = read_tlog_proof(bad);
        CHECK_FALSE((changed.ok() && check(*changed, leaves[123], origin, key.public_key()).ok()));
    }
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
        const auto changed = read_tlog_proof(std::string_view(text).substr(0, cut));
        CHECK_FALSE((changed.ok() && check(*changed, leaves[123], origin, key.public_key()).ok()));
    }
}
