// The transparency log as anybody may serve it: notes, checkpoints, proofs, tiles, and signed receipts.
#include "entente/codec/merkle.hpp"
#include "entente/proof/receipt.hpp"
#include "entente/proof/tiles.hpp"
#include "entente/proof/tlog_proof.hpp"
#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using namespace entente;
using namespace entente::proof;

void run(ByteView bytes) {
    const std::string_view text = text_of(bytes);
    if (const auto note = read_note(text); note.ok()) {
        expect(write_note(*note) == text, "a note is written as it was read");
        const auto signed_by = check_checkpoint(*note, "entente-log/digits", key(1).public_key());
        if (signed_by.ok()) expect(signed_by->size == 5, "nobody signs for another");
    }
    if (const auto checkpoint = read_checkpoint(text); checkpoint.ok()) {
        expect(text.starts_with(text_of(*checkpoint)), "a checkpoint is written as it was read");
    }
    if (const auto proof = read_tlog_proof(text); proof.ok()) {
        const auto again = read_tlog_proof(write_tlog_proof(*proof));
        expect(again.ok() && *again == *proof, "a proof is read as it was written");
        static_cast<void>(check(*proof, Digest{}, "entente-log/digits", key(1).public_key()));
    }
    if (const auto tile = tile_from_path(text); tile.ok()) expect(path_of(*tile) == text, "a tile has one path");
    if (const auto entries = read_bundle(bytes); entries.ok()) {
        Bytes again;
        for (const Bytes& entry : *entries) append_entry(again, entry);
        expect(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()), "a bundle is written as it was read");
    }
    if (const auto envelope = dsse_from_json(text); envelope.ok()) {
        const auto again = dsse_from_json(to_json(*envelope));
        expect(again.ok() && *again == *envelope, "an envelope is read as it was written");
        static_cast<void>(check_receipt(*envelope, key(1).public_key()));
    }
    if (const auto receipt = receipt_from_payload(bytes); receipt.ok()) expect(payload_of(*receipt) == text, "a receipt has one form");
}

std::vector<Bytes> seeds() {
    TileTree tree;
    for (std::uint8_t i = 0; i < 5; ++i) tree.add(codec::merkle_leaf(Bytes(3, std::byte{i})));
    Note note = sign_checkpoint({log_origin("digits"), tree.size(), tree.root()}, key(1));
    cosign(note, "plant-a", key(2), 1'800'000'000);
    Receipt receipt;
    receipt.federation = "digits";
    receipt.round = 3;
    receipt.rule = "fedavg";
    receipt.updates = 2;
    receipt.weight = 100;
    receipt.population = 2;
    Bytes bundle;
    append_entry(bundle, Bytes(64, std::byte{1}));
    append_entry(bundle, Bytes(3, std::byte{2}));
    return {bytes_of(write_note(note)), bytes_of(note.text), bytes_of(write_tlog_proof({3, {Digest{}, Digest{}, Digest{}}, note})),
            bytes_of(path_of({false, 0, 1'234'067, tile_width})), bytes_of(path_of({true, 0, 273, 112})), bundle,
            bytes_of(to_json(sign(receipt, key(1)))), bytes_of(payload_of(receipt))};
}

}  // namespace

Target log_files() { return {"log_files", run, seeds}; }

}  // namespace fuzz
