#include "entente/proof/tlog_proof.hpp"

#include <algorithm>

#include "entente/base/base64.hpp"
#include "entente/proof/tree.hpp"
#include "lines.hpp"

namespace entente::proof {
namespace {

constexpr std::string_view first_line = "c2sp.org/tlog-proof@v1";
constexpr std::size_t most_hashes = 64;

Error malformed(std::string expected) { return {Code::invalid_argument, "proof.malformed", "proof: expected " + std::move(expected)}; }

}  // namespace

std::string write_tlog_proof(const TlogProof& proof) {
    std::string text = std::string(first_line) + "\nindex " + std::to_string(proof.index) + "\n";
    for (const Digest& hash : proof.path) text += to_base64(hash.bytes) + "\n";
    return text + "\n" + write_note(proof.checkpoint);
}

Result<TlogProof> read_tlog_proof(std::string_view text) {
    if (cut_line(text) != first_line) return malformed("the line " + std::string(first_line));
    std::string_view line = cut_line(text);
    if (line.starts_with("extra ")) line = cut_line(text);
    constexpr std::string_view word = "index ";
    const std::string_view digits = line.starts_with(word) ? line.substr(word.size()) : std::string_view();
    const bool number = !digits.empty() && digits.size() <= 19 && (digits.size() == 1 || digits.front() != '0') &&
                        std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!number) return malformed("a line with the entry's index");
    TlogProof proof;
    for (const char c : digits) proof.index = 10 * proof.index + static_cast<std::uint64_t>(c - '0');
    for (line = cut_line(text); !line.empty(); line = cut_line(text)) {
        const auto bytes = from_base64(line);
        if (!bytes.ok() || bytes->size() != 32 || proof.path.size() == most_hashes) return malformed("at most 64 hashes of 32 bytes");
        std::copy(bytes->begin(), bytes->end(), proof.path.emplace_back().bytes.begin());
    }
    ENTENTE_ASSIGN(proof.checkpoint, read_note(text));
    return proof;
}

Result<Checkpoint> check(const TlogProof& proof, const Digest& leaf, std::string_view origin, const codec::PublicKey& log) {
    ENTENTE_ASSIGN(Checkpoint checkpoint, check_checkpoint(proof.checkpoint, origin, log));
    ENTENTE_TRY(check_inclusion(leaf, proof.index, checkpoint.size, checkpoint.root, proof.path));
    return checkpoint;
}

}  // namespace entente::proof
