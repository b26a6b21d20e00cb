// A proof that can be checked offline, C2SP tlog-proof@v1: an entry's place, the hashes that lead from it to the root, and
// the signed checkpoint with that root, as one text.
//
//   std::string file = write_tlog_proof({.index = 73'894, .path = path, .checkpoint = note});
//   ENTENTE_ASSIGN(TlogProof proof, read_tlog_proof(file));
//   ENTENTE_TRY(check(proof, leaf, origin, log_key));
//
// Errors: invalid_argument "proof.malformed", and those of note.hpp and tree.hpp. Plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "entente/proof/note.hpp"

namespace entente::proof {

struct TlogProof {
    std::uint64_t index = 0;
    std::vector<Digest> path;
    Note checkpoint;

    friend bool operator==(const TlogProof&, const TlogProof&) = default;
};

std::string write_tlog_proof(const TlogProof& proof);
Result<TlogProof> read_tlog_proof(std::string_view text);  // extra data is passed over

// The checkpoint is the log's, and the leaf is in it. What the checkpoint says.
Result<Checkpoint> check(const TlogProof& proof, const Digest& leaf, std::string_view origin, const codec::PublicKey& log);

}  // namespace entente::proof
