// Identity of the module, keys and digests.
#include "json.hpp"
#include "objects.hpp"
#include "entente/codec/sha256.hpp"

namespace entente::wasm {

Result<codec::SigningKey> signing_key(const std::byte* seed, std::uint32_t size) {
    constexpr std::size_t length = codec::SigningKey::seed_bytes;
    if (size != length) {
        return Error{Code::invalid_argument, "key.seed", "key seed: expected 32 bytes, found " + std::to_string(size)};
    }
    return codec::SigningKey(std::span<const std::byte, length>(seed, length));
}

}  // namespace entente::wasm

using namespace entente;
using namespace entente::wasm;

extern "C" {

const Answer* ent_version() {
    return guard([]() -> Result<std::string> {
        return Json().text("version", "0.1.0").text("numerics", "portable").flag("simd", true).done();
    });
}

const Answer* ent_public_key(const std::byte* seed, std::uint32_t size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const codec::SigningKey key, signing_key(seed, size));
        return codec::to_hex(key.public_key());
    });
}

// The proof of possession of the key that a join request carries.
const Answer* ent_sign_join(const std::byte* seed, std::uint32_t size, const std::byte* code, std::uint32_t code_size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const codec::SigningKey key, signing_key(seed, size));
        return codec::to_hex(key.sign("join", view(code, code_size)));
    });
}

// Under the former and under the new key: the change of one for the other (round::rotation_text).
const Answer* ent_sign_rotation(const std::byte* seed, std::uint32_t size, const std::byte* text, std::uint32_t text_size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const codec::SigningKey key, signing_key(seed, size));
        return codec::to_hex(key.sign("rotate", view(text, text_size)));
    });
}

const Answer* ent_digest(const std::byte* bytes, std::uint32_t size) {
    return guard([&]() -> Result<std::string> { return to_hex(codec::sha256(view(bytes, size))); });
}

}  // extern "C"
