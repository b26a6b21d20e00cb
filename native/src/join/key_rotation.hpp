// entente key rotate: a partner takes a new key, which its former one signs; the coordinator puts both on the ledger and believes
// the former one no more, at once. The partner's agreements end with its key: at its next start it makes new ones.
//
//   ENTENTE_ASSIGN(const RotatedKey rotated, rotate_key({.state_folder = "plant-a"}));
//
// The new key is on disk before anybody hears of it, and takes the former one's place when the coordinator has agreed. Killed in
// between, the same command ends what it began, and entente join waits for that ("key.begun"). Errors: conflict "folder.in-use" while
// entente join runs; not_found "file.missing" for one that has not joined; what the coordinator says. Blocks.
#pragma once

#include <string>

#include "entente/codec/sign.hpp"

namespace entente::native {

inline constexpr const char* next_key_file = "partner.key.next";

struct KeyRotation {
    std::string state_folder = "entente-partner";
    std::string url;      // empty: as it was when it joined
    std::string ca_file;  // PEM; empty: the system's trust store
    std::string tls_certificate = {};  // the own one, for a coordinator that asks for it
    std::string tls_key = {};
};
struct RotatedKey {
    std::string participant;
    codec::PublicKey former;
    codec::PublicKey key;
};

Result<RotatedKey> rotate_key(const KeyRotation& wanted);

}  // namespace entente::native
