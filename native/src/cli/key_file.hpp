// A private key in a file of mode 600, made on first use.
#pragma once

#include <filesystem>

#include "entente/codec/sign.hpp"

namespace entente::native {

// 32 bytes as 64 hexadecimal digits. data_loss "key.malformed", permission_denied "key.too-open" when others may
// read it, and the errors of files.hpp.
Result<codec::SigningKey> load_or_make_key(const std::filesystem::path& path);

}  // namespace entente::native
