// Coming in without an identity provider: one-time join codes from the operator, bearer tokens for those who joined.
// Codes and tokens leave this class once and are kept as SHA-256 only.
//
//   ENTENTE_ASSIGN(auto identity, JoinCodes::open(store));
//   std::optional<std::string> token = identity.first_operator_token();   // at the first start only
//   ENTENTE_ASSIGN(Invited invited, identity.invite("plant-a", "Plant A", Role::partner, valid_s, now_ms));
//   ENTENTE_ASSIGN(Joined joined, identity.redeem(code, key, signature, remote, now_ms));
//
// Guessing: 60 random bits in a code; more than ten wrong ones from one address, or two hundred in all, within a
// minute are answered with resource_exhausted "join.too-many-attempts". Errors: not_found "join.unknown", gone
// "join.used", "join.expired", unauthenticated "join.bad-signature", conflict "join.other-key". One strand.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include "identity/identity.hpp"
#include "store/state_store.hpp"

namespace entente::native {

constexpr std::int64_t usual_token_life_ms = std::int64_t{30} * 24 * 3600 * 1000;

class JoinCodes final {
public:
    struct Invited {
        std::string code;  // "ABCD-EFGH-JKLM"
        std::int64_t expires_at_ms = 0;
    };
    struct Joined {
        Account account;
        std::string token;
    };

    static Result<JoinCodes> open(StateStore& store);

    // Makes the operator's token when there is none yet; empty when there is. It is told before it is kept: where the process is
    // killed in between, the next start makes another one, and nobody is locked out.
    Result<std::optional<std::string>> first_operator_token(const std::function<Status(const std::string& token)>& tell = {});

    // Whose token is this? unauthenticated "auth.unknown-token"; "auth.expired-token" for one that has lain unused for the life
    // of a token. Each use gives it that life anew; what is on disk lags behind by a thirtieth of it.
    // unauthenticated "auth.other-certificate" for one that is bound to another client certificate than `certificate`.
    Result<Principal> authenticate(const std::string& bearer, std::int64_t now_ms, const std::string& certificate = {});
    // From now on this account's tokens are good with this client certificate alone (its key's digest, http::Request::certificate);
    // empty: with any, or none.
    Status bind(const std::string& id, const std::string& certificate);
    [[nodiscard]] Status check_certificate(const std::string& id, const std::string& certificate) const;
    void set_token_life(std::int64_t ms) { token_life_ms_ = ms; }

    Result<Invited> invite(const std::string& participant, const std::string& name, Role role, std::int64_t valid_s,
                           std::int64_t now_ms);
    // Whom is this code for? Does not use it up.
    Result<JoinCode> look_up(const std::string& code, const std::string& remote, std::int64_t now_ms);
    // A partner that lost the answer repeats this with the same key and gets a new token.
    Result<Joined> redeem(const std::string& code, const codec::PublicKey& key, const codec::Signature& signature,
                          const std::string& remote, std::int64_t now_ms);
    // A partner that an identity provider vouches for needs no code: `signature` is over "enrol:" and its id, with the
    // key that joins.
    Result<Joined> enrol(const std::string& participant, const std::string& name, const codec::PublicKey& key,
                         const codec::Signature& signature, std::int64_t now_ms);
    Status expel(const std::string& id);
    // This key from now on. The caller has checked that the former one agrees.
    Status rekey(const std::string& id, const codec::PublicKey& key);
    [[nodiscard]] const Account* find(const std::string& id) const;

private:
    explicit JoinCodes(StateStore& store) : store_(store) {}
    Status may_guess(const std::string& remote, std::int64_t now_ms);
    // May this participant join with this key? conflict "join.other-key", permission_denied "join.removed".
    [[nodiscard]] Status may_join(const std::string& participant, const codec::PublicKey& key) const;
    // After the account is on disk.
    Joined remember(Account account, std::string token, std::int64_t now_ms);
    void used(const std::string& id, std::int64_t now_ms);
    [[nodiscard]] bool expired(const std::string& id, std::int64_t now_ms) const;

    StateStore& store_;
    std::map<std::string, Account> accounts_;  // by id
    std::map<Digest, std::string> tokens_;     // by hash
    std::map<Digest, JoinCode> codes_;
    std::optional<Digest> operator_token_;
    std::map<std::string, std::int64_t> used_ms_;  // by id: when its token was last used, as it stands on disk
    std::map<std::string, std::string> certificates_;  // by id
    std::int64_t token_life_ms_ = usual_token_life_ms;
    std::deque<std::pair<std::int64_t, std::string>> wrong_;  // when, from where
};

}  // namespace entente::native
