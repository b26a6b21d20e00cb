// What a data folder was when its coordinator stopped: a signed list of its files.
//
//   ENTENTE_TRY(drop_manifest(folder));              // at the start: from here on the files change
//   ENTENTE_TRY(write_manifest(folder, federation, key));   // at the end, when all of them are closed
//   check_manifest(folder, federation, key, found);  // verify: calls found(path, what is wrong)
//
// It covers what nothing else does: whole databases, dead pages included, and the key. Blobs are named after their bytes and
// the log is a function of the ledger, so they are not in it. A signed note (proof/note.hpp) with a line for each file:
// SHA-256, size, path.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "entente/codec/sign.hpp"

namespace entente::native {

Status drop_manifest(const std::filesystem::path& folder);
Status write_manifest(const std::filesystem::path& folder, const std::string& federation, const codec::SigningKey& key);
// False: there is none, because the coordinator runs or was killed.
bool check_manifest(const std::filesystem::path& folder, const std::string& federation, const codec::PublicKey& key,
                    const std::function<void(const std::string& path, const std::string& sentence)>& found);

}  // namespace entente::native
