#include "entente/proof/note.hpp"

#include <algorithm>

#include "entente/base/base64.hpp"
#include "entente/codec/sha256.hpp"
#include "lines.hpp"

namespace entente::proof {
namespace {

constexpr std::size_t most_bytes = 64 * 1024;
constexpr std::size_t most_signatures = 64;
constexpr std::string_view dash = "\xe2\x80\x94 ";  // an em dash and a space
constexpr std::size_t id_bytes = 4;
constexpr std::size_t time_bytes = 8;

Error malformed(std::string expected) { return {Code::invalid_argument, "note.malformed", "note: expected " + std::move(expected)}; }
Error unsigned_by(std::string_view name) {
    return {Code::unauthenticated, "note.unsigned", "note: it bears no signature of " + std::string(name) + "'s key"};
}
Error bad_signature(std::string_view name) {
    return {Code::unauthenticated, "note.bad-signature", "note: the signature of " + std::string(name) + " does not fit what it says"};
}

template <class T>
void append_be(Bytes& out, T value) {
    for (std::size_t i = sizeof(T); i-- > 0;) out.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xffu));
}

std::uint64_t read_be(ByteView bytes) {
    std::uint64_t value = 0;
    for (const std::byte b : bytes) value = (value << 8u) | std::to_integer<std::uint64_t>(b);
    return value;
}

std::string hex8(std::uint32_t id) {
    Bytes bytes;
    append_be(bytes, id);
    return to_hex(bytes);
}

Bytes key_material(NoteAlgorithm algorithm, const codec::PublicKey& key) {
    Bytes bytes{static_cast<std::byte>(algorithm)};
    bytes.insert(bytes.end(), key.bytes.begin(), key.bytes.end());
    return bytes;
}

bool good_name(std::string_view name) {
    return !name.empty() && std::none_of(name.begin(), name.end(), [](char c) { return c == ' ' || c == '+'; });
}

Result<NoteSignature> read_signature(std::string_view line) {
    const Error wrong = malformed("signature lines of an em dash, a name and base64");
    if (!line.starts_with(dash)) return wrong;
    line.remove_prefix(dash.size());
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return wrong;
    const auto bytes = from_base64(line.substr(space + 1));
    if (!bytes.ok() || bytes->size() <= id_bytes || !good_name(line.substr(0, space))) return wrong;
    const auto id = static_cast<std::uint32_t>(read_be(ByteView(*bytes).first(id_bytes)));
    return NoteSignature{std::string(line.substr(0, space)), id, Bytes(bytes->begin() + id_bytes, bytes->end())};
}

const NoteSignature* find(const Note& note, std::string_view name, std::uint32_t id) {
    const auto it = std::find_if(note.signatures.begin(), note.signatures.end(),
                                 [&](const NoteSignature& s) { return s.name == name && s.key_id == id; });
    return it == note.signatures.end() ? nullptr : &*it;
}

void replace(Note& note, NoteSignature signature) {
    std::erase_if(note.signatures, [&](const NoteSignature& s) { return s.name == signature.name && s.key_id == signature.key_id; });
    note.signatures.push_back(std::move(signature));
}

std::string cosigned_text(const Note& note, std::uint64_t time_s) {
    return "cosignature/v1\ntime " + std::to_string(time_s) + "\n" + note.text;
}

bool holds(const codec::PublicKey& key, std::string_view text, ByteView bytes) {
    codec::Signature signature;
    if (bytes.size() != signature.bytes.size()) return false;
    std::copy(bytes.begin(), bytes.end(), signature.bytes.begin());
    return codec::verify_bare(key, as_bytes(text), signature);
}

bool read_size(std::string_view text, std::uint64_t& size) {
    if (text.empty() || text.size() > 19 || (text.size() > 1 && text.front() == '0')) return false;
    size = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return false;
        size = 10 * size + static_cast<std::uint64_t>(c - '0');
    }
    return true;
}

}  // namespace

std::uint32_t key_id(std::string_view name, NoteAlgorithm algorithm, const codec::PublicKey& key) {
    codec::Sha256 hash;
    hash.update(as_bytes(name));
    hash.update(as_bytes(std::string_view("\n")));
    hash.update(key_material(algorithm, key));
    const Digest digest = hash.finish();
    return static_cast<std::uint32_t>(read_be(ByteView(digest.bytes).first(id_bytes)));
}

std::string verifier_key(std::string_view name, NoteAlgorithm algorithm, const codec::PublicKey& key) {
    return std::string(name) + "+" + hex8(key_id(name, algorithm, key)) + "+" + to_base64(key_material(algorithm, key));
}

std::string write_note(const Note& note) {
    std::string out = note.text + "\n";
    for (const NoteSignature& signature : note.signatures) {
        Bytes bytes;
        append_be(bytes, signature.key_id);
        bytes.insert(bytes.end(), signature.signature.begin(), signature.signature.end());
        out += std::string(dash) + signature.name + " " + to_base64(bytes) + "\n";
    }
    return out;
}

Result<Note> read_note(std::string_view bytes) {
    if (bytes.size() > most_bytes) {
        return Error{Code::too_large, "note.too-large", "note: expected at most 65536 bytes, found " + std::to_string(bytes.size())};
    }
    const bool control = std::any_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; });
    if (control) return malformed("no control characters but newlines");
    const std::size_t blank = bytes.rfind("\n\n");
    if (blank == std::string_view::npos || !bytes.ends_with('\n')) return malformed("a text, an empty line and signatures");
    Note note{std::string(bytes.substr(0, blank + 1)), {}};
    std::string_view rest = bytes.substr(blank + 2);
    if (rest.empty()) return malformed("a signature");
    while (!rest.empty()) {
        if (note.signatures.size() == most_signatures) return malformed("at most 64 signatures");
        ENTENTE_ASSIGN(note.signatures.emplace_back(), read_signature(cut_line(rest)));
    }
    return note;
}

void sign_note(Note& note, std::string_view name, const codec::SigningKey& key) {
    const codec::Signature signature = key.sign_bare(as_bytes(note.text));
    replace(note, {std::string(name), key_id(name, NoteAlgorithm::ed25519, key.public_key()),
                   Bytes(signature.bytes.begin(), signature.bytes.end())});
}

Status check_note(const Note& note, std::string_view name, const codec::PublicKey& key) {
    const NoteSignature* signature = find(note, name, key_id(name, NoteAlgorithm::ed25519, key));
    if (signature == nullptr) return unsigned_by(name);
    return holds(key, note.text, signature->signature) ? done() : Status(bad_signature(name));
}

std::string log_origin(std::string_view federation) { return "entente-log/" + std::string(federation); }

std::string text_of(const Checkpoint& checkpoint) {
    return checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" + to_base64(checkpoint.root.bytes) + "\n";
}

Result<Checkpoint> read_checkpoint(std::string_view text) {
    const Error wrong{Code::invalid_argument, "checkpoint.malformed", "checkpoint: expected lines of an origin, a size and a root in base64"};
    if (std::count(text.begin(), text.end(), '\n') < 3) return wrong;
    Checkpoint checkpoint;
    checkpoint.origin = std::string(cut_line(text));
    const bool sized = read_size(cut_line(text), checkpoint.size);
    const auto root = from_base64(cut_line(text));
    if (checkpoint.origin.empty() || !sized || !root.ok() || root->size() != checkpoint.root.bytes.size()) return wrong;
    std::copy(root->begin(), root->end(), checkpoint.root.bytes.begin());
    return checkpoint;
}

Note sign_checkpoint(const Checkpoint& checkpoint, const codec::SigningKey& key) {
    Note note{text_of(checkpoint), {}};
    sign_note(note, checkpoint.origin, key);
    return note;
}

Result<Checkpoint> check_checkpoint(const Note& note, std::string_view origin, const codec::PublicKey& key) {
    ENTENTE_TRY(check_note(note, origin, key));
    ENTENTE_ASSIGN(Checkpoint checkpoint, read_checkpoint(note.text));
    if (checkpoint.origin != origin) {
        return Error{Code::invalid_argument, "checkpoint.other-log",
                     "checkpoint: expected the log " + std::string(origin) + ", found " + checkpoint.origin};
    }
    return checkpoint;
}

void cosign(Note& note, std::string_view name, const codec::SigningKey& key, std::int64_t time_s) {
    const auto time = static_cast<std::uint64_t>(time_s);
    const codec::Signature signature = key.sign_bare(as_bytes(std::string_view(cosigned_text(note, time))));
    Bytes bytes;
    append_be(bytes, time);
    bytes.insert(bytes.end(), signature.bytes.begin(), signature.bytes.end());
    replace(note, {std::string(name), key_id(name, NoteAlgorithm::cosignature, key.public_key()), std::move(bytes)});
}

Result<std::int64_t> check_cosignature(const Note& note, std::string_view name, const codec::PublicKey& key) {
    const NoteSignature* signature = find(note, name, key_id(name, NoteAlgorithm::cosignature, key));
    if (signature == nullptr) return unsigned_by(name);
    const ByteView bytes = signature->signature;
    if (bytes.size() <= time_bytes) return bad_signature(name);
    const std::uint64_t time = read_be(bytes.first(time_bytes));
    const bool good = (time >> 63u) == 0 && holds(key, cosigned_text(note, time), bytes.subspan(time_bytes));
    return good ? Result<std::int64_t>(static_cast<std::int64_t>(time)) : Result<std::int64_t>(bad_signature(name));
}

}  // namespace entente::proof
