#include "join/key_rotation.hpp"

#include <filesystem>

#include "api/json_body.hpp"
#include "base/files.hpp"
#include "cli/key_file.hpp"
#include "commands/text.hpp"
#include "entente/round/journal.hpp"
#include "join/membership.hpp"
#include "net/http_client.hpp"
#include "store/folder_lock.hpp"

namespace entente::native {

Result<RotatedKey> rotate_key(const KeyRotation& wanted) {
    ENTENTE_ASSIGN(const PartnerState state, read_partner_state(wanted.state_folder));
    ENTENTE_ASSIGN(const FolderLock lock, FolderLock::take(wanted.state_folder));
    const std::filesystem::path folder(wanted.state_folder);
    ENTENTE_ASSIGN(const codec::SigningKey former, load_or_make_key(folder / "partner.key"));
    ENTENTE_ASSIGN(const codec::SigningKey key, load_or_make_key(folder / next_key_file));
    ENTENTE_ASSIGN(const auto http, make_http_client({.url = wanted.url.empty() ? state.url : wanted.url, .ca_file = wanted.ca_file,
                                                       .tls_certificate = wanted.tls_certificate, .tls_key = wanted.tls_key}));
    http->set_token(state.token);
    ENTENTE_ASSIGN(const std::string federation, ask_text(*http, "GET", "/api/v1/federation", {}));
    ENTENTE_ASSIGN(const JsonBody about, JsonBody::parse(federation));
    const std::string text = round::rotation_text(about.text("id"), state.participant, former.public_key(), key.public_key());
    const ByteView signed_bytes = as_bytes(std::string_view(text));
    const std::string body = commands::JsonObject()
                                 .text("public_key", codec::to_hex(key.public_key()))
                                 .text("signature", codec::to_hex(key.sign("rotate", signed_bytes)))
                                 .text("former_signature", codec::to_hex(former.sign("rotate", signed_bytes)))
                                 .str();
    ENTENTE_ASSIGN(const std::string answer, ask_text(*http, "POST", "/api/v1/key", body));
    static_cast<void>(answer);
    std::error_code failed;
    std::filesystem::rename(folder / next_key_file, folder / "partner.key", failed);
    if (failed) return Error{Code::unavailable, "file.failed", (folder / next_key_file).string() + ": " + failed.message() + "; run the same command again"};
    ENTENTE_TRY(sync_directory(folder));
    return RotatedKey{state.participant, former.public_key(), key.public_key()};
}

}  // namespace entente::native
