#include "cli/key_file.hpp"

#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/files.hpp"

namespace entente::native {
namespace {

Result<codec::SigningKey> key_from(Bytes& seed) {
    std::array<std::byte, codec::SigningKey::seed_bytes> fixed{};
    std::copy_n(seed.begin(), fixed.size(), fixed.begin());
    codec::SigningKey key{std::span<const std::byte, codec::SigningKey::seed_bytes>(fixed)};
    sodium_memzero(fixed.data(), fixed.size());
    sodium_memzero(seed.data(), seed.size());
    return key;
}

}  // namespace

Result<codec::SigningKey> load_or_make_key(const std::filesystem::path& path) {
    auto text = read_text_file(path, 4096);
    if (!text.ok()) {
        if (text.error().code != Code::not_found) return text.error();
        Bytes seed = random_bytes(codec::SigningKey::seed_bytes);
        std::string line = to_hex(seed) + "\n";
        const Status written = write_file(path, as_bytes(std::string_view(line)), 0600);
        sodium_memzero(line.data(), line.size());
        if (!written.ok()) return written.error();
        return key_from(seed);
    }
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && (info.st_mode & 0077u) != 0) {
        return Error{Code::permission_denied, "key.too-open",
                     path.string() + ": others may read this private key; run chmod 600 on it"};
    }
    const std::string digits = text->substr(0, text->find_last_not_of(" \r\n\t") + 1);
    auto seed = from_hex(digits);
    sodium_memzero(text->data(), text->size());
    if (!seed.ok() || seed->size() != codec::SigningKey::seed_bytes) {
        return Error{Code::data_loss, "key.malformed", path.string() + ": expected 64 hexadecimal digits; restore it from a copy"};
    }
    return key_from(*seed);
}

Result<std::string> read_secret(const std::filesystem::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && (info.st_mode & 0077u) != 0) {
        return Error{Code::permission_denied, "secret.too-open", path.string() + ": others may read this secret; run chmod 600 on it"};
    }
    ENTENTE_ASSIGN(const std::string text, read_text_file(path, 4096));
    const std::string secret = text.substr(0, text.find_last_not_of(" \r\n\t") + 1);
    if (secret.empty()) return Error{Code::invalid_argument, "config.secret", path.string() + ": expected a secret, found nothing"};
    return secret;
}

}  // namespace entente::native
