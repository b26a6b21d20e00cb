// Who has signed in on this machine: the access token of an identity provider in a file of mode 600, in the folder of the operator
// or partner, renewed when it is about to expire.
//
//   ENTENTE_ASSIGN(const Session session, sign_in(options, say));
//   ENTENTE_TRY(write_session(folder, session));
//   ENTENTE_ASSIGN(const auto token, session_token(folder, "https://fl.example.org"));   // empty: nobody has signed in
//
// A token goes to the coordinator that it was fetched for and to no other: permission_denied "login.other-coordinator". A client's
// secret stays in the file that it came from. Errors beside identity/grants.hpp's: permission_denied "login.too-open" and "secret.too-open"
// when others may read one of the files; data_loss "login.malformed"; unauthenticated "login.expired" when a person has to sign in again.
// Blocks. One thread.
#pragma once

#include <functional>
#include <optional>

#include "identity/grants.hpp"

namespace entente::native {

struct Session {
    std::string url;  // of the coordinator, as it was given
    std::string issuer;
    std::string client_id = "entente-device";
    std::string client_secret_file;  // empty: a person, by device code
    std::string scope;
    std::string resource;
    std::string ca_file;
    TokenGrant grant = {};
};

// Fills in `grant`. `say` shows a person where to go and what to enter.
Result<Session> sign_in(Session wanted, const std::function<void(const DeviceCode&)>& say);

Status write_session(const std::string& folder, const Session& session);
// Empty: there is none.
Result<std::optional<std::string>> session_token(const std::string& folder, const std::string& url);

}  // namespace entente::native
