// Signed notes (C2SP signed-note), the checkpoints of a log that they carry (C2SP tlog-checkpoint), and what witnesses add
// (C2SP tlog-cosignature, cosignature/v1).
//
//   Note note = sign_checkpoint({.origin = "entente-log/bearings", .size = 7, .root = root}, key);
//   std::string file = write_note(note);
//
//   ENTENTE_ASSIGN(Note read, read_note(text));
//   ENTENTE_ASSIGN(Checkpoint now, check_checkpoint(read, origin, key));    // signed by the log, and of this log
//   ENTENTE_ASSIGN(std::int64_t seen_s, check_cosignature(read, "plant-a", plant_key));
//
// Signatures of others are kept as they are and decide nothing. A note is at most 64 KiB and has at most 64 signatures.
// Errors: invalid_argument "note.malformed", "checkpoint.malformed", "checkpoint.other-log"; too_large "note.too-large";
// unauthenticated "note.unsigned" (no signature of this key) and "note.bad-signature". Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"
#include "entente/codec/sign.hpp"

namespace entente::proof {

enum class NoteAlgorithm : std::uint8_t { ed25519 = 0x01, cosignature = 0x04 };

struct NoteSignature {
    std::string name;
    std::uint32_t key_id = 0;
    Bytes signature;  // Ed25519: 64 bytes; a cosignature: 8 of time before them

    friend bool operator==(const NoteSignature&, const NoteSignature&) = default;
};

struct Note {
    std::string text;  // ends with a newline
    std::vector<NoteSignature> signatures;

    friend bool operator==(const Note&, const Note&) = default;
};

// The first four bytes of SHA-256(name, newline, algorithm, key), big-endian.
std::uint32_t key_id(std::string_view name, NoteAlgorithm algorithm, const codec::PublicKey& key);
// "name+key id+base64(algorithm, key)": how other tools are told a key.
std::string verifier_key(std::string_view name, NoteAlgorithm algorithm, const codec::PublicKey& key);

std::string write_note(const Note& note);
Result<Note> read_note(std::string_view bytes);

void sign_note(Note& note, std::string_view name, const codec::SigningKey& key);
Status check_note(const Note& note, std::string_view name, const codec::PublicKey& key);

struct Checkpoint {
    std::string origin;
    std::uint64_t size = 0;
    Digest root;

    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

std::string log_origin(std::string_view federation);  // "entente-log/<federation>"

std::string text_of(const Checkpoint& checkpoint);
Result<Checkpoint> read_checkpoint(std::string_view text);  // lines behind the third are passed over
Note sign_checkpoint(const Checkpoint& checkpoint, const codec::SigningKey& key);
// The log's own signature, then what it says.
Result<Checkpoint> check_checkpoint(const Note& note, std::string_view origin, const codec::PublicKey& key);

// Takes the place of an earlier one of the same key.
void cosign(Note& note, std::string_view name, const codec::SigningKey& key, std::int64_t time_s);
// When it was cosigned, in seconds since 1970.
Result<std::int64_t> check_cosignature(const Note& note, std::string_view name, const codec::PublicKey& key);

}  // namespace entente::proof
