// Secrets in files of mode 600: a private key, made on first use; a password.
#pragma once

#include <filesystem>

#include "entente/codec/sign.hpp"

namespace entente::native {

// 32 bytes as 64 hexadecimal digits. data_loss "key.malformed", permission_denied "key.too-open" when others may
// read it, and the errors of files.hpp.
Result<codec::SigningKey> load_or_make_key(const std::filesystem::path& path);

// A secret that somebody else gave us: one line in a file that nobody else may read. permission_denied "secret.too-open",
// invalid_argument "config.secret" when it is empty, and the errors of files.hpp.
Result<std::string> read_secret(const std::filesystem::path& path);

}  // namespace entente::native
