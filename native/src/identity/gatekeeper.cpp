#include "identity/gatekeeper.hpp"

#include "base/files.hpp"

namespace entente::native {

void Gatekeeper::identify(const http::Caller& caller, Completion completion) {
    const std::string& bearer = caller.bearer;
    if (bearer.empty()) return completion(Error{Code::unauthenticated, "auth.no-token", "expected a bearer token, found none"});
    if (!o_.issuer || !looks_like_jwt(bearer)) {
        return completion(o_.codes.authenticate(bearer, now_ms(), caller.certificate));
    }
    o_.issuer->verify(bearer, {o_.audience}, [this, completion = std::move(completion), certificate = caller.certificate](Result<Json> claims) {
        o_.post([this, completion, certificate, claims = std::move(claims)] { completion(admit(claims, certificate)); });
    });
}

// The provider says who somebody is; whether that participant takes part stands in our own books.
Result<Principal> Gatekeeper::admit(const Result<Json>& claims, const std::string& certificate) const {
    if (!claims.ok()) return claims.error();
    ENTENTE_ASSIGN(Principal who, principal_of(*claims, o_.claims));
    if (who.role != Role::partner) return who;
    if (who.id == o_.coordinator) {
        return Error{Code::permission_denied, "auth.no-company", "expected a partner's participant, found the coordinator's own (" + who.id + ")"};
    }
    const Account* account = o_.codes.find(who.id);
    if (account == nullptr) {
        who.joined = false;
        return who;
    }
    if (account->expelled || account->role != to_string(Role::partner)) {
        return Error{Code::permission_denied, "join.removed", who.id + " has left or was removed; the operator can invite it again"};
    }
    ENTENTE_TRY(o_.codes.check_certificate(who.id, certificate));
    who.name = account->name;
    return who;
}

}  // namespace entente::native
