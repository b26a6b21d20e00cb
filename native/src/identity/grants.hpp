// Access tokens for machines, from an issuer: client credentials (RFC 6749, section 4.4), device code (RFC 8628), refreshed
// (section 6).
//
//   client_credentials(ask, endpoint, {.id = "plant-a", .secret = secret}, {.resource = audience}, now_ms, [](Result<TokenGrant> grant) { … });
//
// Completions run once, on any thread. Errors: unauthenticated "login.refused" with the issuer's error code, "login.expired" for a
// device code that nobody confirmed in time or a refresh token that is good no more; unavailable "issuer.unreachable"; data_loss
// "issuer.malformed". No message holds a token or a secret.
#pragma once

#include <cstdint>
#include <optional>

#include "identity/issuer.hpp"

namespace entente::native {

struct OidcClient {
    std::string id;
    std::string secret = {};  // empty: a public client
};

struct Wanted {
    std::string scope = {};     // empty: what the issuer gives by itself
    std::string resource = {};  // RFC 8707: what the token shall be made out to; empty: the issuer decides
};

struct TokenGrant {
    std::string access_token;
    std::string refresh_token;  // empty: none
    std::int64_t expires_at_ms = 0;
};

struct DeviceCode {
    std::string device_code;
    std::string user_code;
    std::string verification_uri;
    std::string verification_uri_complete;  // with the code in it; may be empty
    std::int64_t interval_ms = 5'000;
    std::int64_t expires_at_ms = 0;
};

using GrantCompletion = std::function<void(Result<TokenGrant>)>;

void client_credentials(const AskIssuer& ask, const std::string& endpoint, const OidcClient& client, const Wanted& wanted, std::int64_t now_ms,
                        GrantCompletion completion);
void refresh(const AskIssuer& ask, const std::string& endpoint, const OidcClient& client, const std::string& refresh_token, std::int64_t now_ms,
             GrantCompletion completion);
void begin_device(const AskIssuer& ask, const std::string& endpoint, const OidcClient& client, const Wanted& wanted, std::int64_t now_ms,
                  std::function<void(Result<DeviceCode>)> completion);
// Empty: nobody has confirmed yet. The interval grows where the issuer says "slow_down".
void poll_device(const AskIssuer& ask, const std::string& endpoint, const OidcClient& client, DeviceCode& code, std::int64_t now_ms,
                 std::function<void(Result<std::optional<TokenGrant>>)> completion);

}  // namespace entente::native
