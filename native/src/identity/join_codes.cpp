#include "identity/join_codes.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "entente/codec/sha256.hpp"

namespace entente::native {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHJKMNPQRSTUVWXYZ23456789";  // nothing that looks like something else
constexpr std::size_t code_letters = 12;                                  // log2(31^12) = 59.4 bits
constexpr std::int64_t window_ms = 60'000;
constexpr std::size_t guesses_per_address = 10;
constexpr std::size_t guesses_in_all = 200;

std::string new_code() {
    std::string code;
    while (code.size() < code_letters + 2) {
        const Bytes byte = random_bytes(1);
        const auto value = std::to_integer<unsigned>(byte[0]);
        if (value >= 8 * alphabet.size()) continue;  // so that every letter is equally likely
        if (code.size() == 4 || code.size() == 9) code += '-';
        code += alphabet[value % alphabet.size()];
    }
    return code;
}

// As people type it: any case, with or without hyphens and spaces.
std::string normal(std::string_view code) {
    std::string letters;
    for (const char c : code) {
        if (c == '-' || c == ' ') continue;
        letters += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    }
    return letters;
}

std::string new_token() { return "pt_" + to_hex(random_bytes(24)); }

std::string used_key(const std::string& id) { return "token." + id; }
std::string bound_key(const std::string& id) { return "certificate." + id; }

Digest hash_of(std::string_view secret) { return codec::sha256(as_bytes(secret)); }

}  // namespace

Result<JoinCodes> JoinCodes::open(StateStore& store) {
    JoinCodes identity(store);
    ENTENTE_ASSIGN(std::vector<Account> accounts, store.accounts());
    for (Account& account : accounts) {
        if (!account.expelled) identity.tokens_[account.token] = account.id;
        ENTENTE_ASSIGN(const auto used, store.meta(used_key(account.id)));
        ENTENTE_ASSIGN(const auto bound, store.meta(bound_key(account.id)));
        if (bound && !bound->empty()) identity.certificates_[account.id] = std::string(reinterpret_cast<const char*>(bound->data()), bound->size());
        if (used && used->size() == sizeof(std::int64_t)) identity.used_ms_[account.id] = read_le<std::int64_t>(*used);
        identity.accounts_[account.id] = std::move(account);
    }
    ENTENTE_ASSIGN(std::vector<JoinCode> codes, store.codes());
    for (JoinCode& code : codes) identity.codes_[code.code] = std::move(code);
    ENTENTE_ASSIGN(const auto token, store.meta("operator_token"));
    if (token && token->size() == 32) {
        Digest hash;
        std::copy(token->begin(), token->end(), hash.bytes.begin());
        identity.operator_token_ = hash;
    }
    return identity;
}

Result<std::optional<std::string>> JoinCodes::first_operator_token(const std::function<Status(const std::string&)>& tell) {
    if (operator_token_) return std::optional<std::string>();
    const std::string token = "op_" + to_hex(random_bytes(24));
    const Digest hash = hash_of(token);
    if (tell) ENTENTE_TRY(tell(token));
    ENTENTE_TRY(store_.set_meta("operator_token", ByteView(hash.bytes)));
    operator_token_ = hash;
    return std::optional<std::string>(token);
}

Result<Principal> JoinCodes::authenticate(const std::string& bearer, std::int64_t now_ms, const std::string& certificate) {
    const Error unknown{Code::unauthenticated, "auth.unknown-token", "this token is not known"};
    if (bearer.empty() || bearer.size() > 200) return unknown;
    const Digest hash = hash_of(bearer);  // comparing hashes tells nothing about the token by its timing
    if (operator_token_ && hash == *operator_token_) return Principal{"operator", "Operator", Role::operator_};
    const auto it = tokens_.find(hash);
    if (it == tokens_.end()) return unknown;
    const Account& account = accounts_.at(it->second);
    ENTENTE_TRY(check_certificate(account.id, certificate));
    if (expired(account.id, now_ms)) {
        return Error{Code::unauthenticated, "auth.expired-token",
                     "this token has expired, as it was not used for " + std::to_string(token_life_ms_ / (24 * 3600 * 1000)) +
                         " days; join again with the same key and a new join code of the operator, or sign in"};
    }
    used(account.id, now_ms);
    return Principal{account.id, account.name, role_from(account.role).value_or(Role::partner)};
}

Result<JoinCodes::Invited> JoinCodes::invite(const std::string& participant, const std::string& name, Role role,
                                             std::int64_t valid_s, std::int64_t now_ms) {
    ENTENTE_TRY(contract::check_id(participant));
    if (role == Role::operator_) return Error{Code::permission_denied, "join.role", "an operator cannot be invited"};
    const Account* known = find(participant);
    if (known != nullptr && !known->expelled && !expired(participant, now_ms)) {
        return Error{Code::conflict, "join.taken", participant + " takes part already; choose another id or remove it first"};
    }
    std::string code = new_code();
    JoinCode row{hash_of(normal(code)), participant, name.empty() ? participant : name, std::string(to_string(role)),
                 now_ms + 1000 * valid_s, 0, {}};
    ENTENTE_TRY(store_.put_code(row));
    const std::int64_t expires = row.expires_at_ms;
    codes_[row.code] = std::move(row);
    return Invited{std::move(code), expires};
}

Status JoinCodes::may_guess(const std::string& remote, std::int64_t now_ms) {
    while (!wrong_.empty() && wrong_.front().first < now_ms - window_ms) wrong_.pop_front();
    const auto here = std::count_if(wrong_.begin(), wrong_.end(), [&remote](const auto& w) { return w.second == remote; });
    if (static_cast<std::size_t>(here) < guesses_per_address && wrong_.size() < guesses_in_all) return done();
    return Error{Code::resource_exhausted, "join.too-many-attempts", "too many wrong join codes; try again in a minute"};
}

Result<JoinCode> JoinCodes::look_up(const std::string& code, const std::string& remote, std::int64_t now_ms) {
    ENTENTE_TRY(may_guess(remote, now_ms));
    const auto it = codes_.find(hash_of(normal(code)));
    if (it == codes_.end()) {
        wrong_.emplace_back(now_ms, remote);
        return Error{Code::not_found, "join.unknown", "this join code is not known; ask the operator for a new one"};
    }
    if (it->second.used_at_ms != 0) {
        return Error{Code::gone, "join.used", "this join code has been used; ask the operator for a new one"};
    }
    if (it->second.expires_at_ms <= now_ms) {
        return Error{Code::gone, "join.expired", "this join code has expired; ask the operator for a new one"};
    }
    return it->second;
}

Result<JoinCodes::Joined> JoinCodes::redeem(const std::string& code, const codec::PublicKey& key,
                                            const codec::Signature& signature, const std::string& remote, std::int64_t now_ms) {
    auto found = look_up(code, remote, now_ms);
    if (!found.ok()) {
        // A used code renews the account that it made, as long as that account is the participant's.
        const auto used = codes_.find(hash_of(normal(code)));
        const bool own = found.error().reason == "join.used" && used != codes_.end() && used->second.used_by == key;
        const Account* made = own ? find(used->second.participant) : nullptr;
        if (made == nullptr || made->key != key) return found.error();
        found = used->second;
    }
    if (!codec::verify(key, "join", as_bytes(code), signature)) {
        wrong_.emplace_back(now_ms, remote);
        return Error{Code::unauthenticated, "join.bad-signature", "join: expected the code signed with the key that joins"};
    }
    JoinCode row = std::move(found).value();
    ENTENTE_TRY(may_join(row.participant, key));
    row.used_at_ms = now_ms;
    row.used_by = key;
    std::string token = new_token();
    Account account{row.participant, row.name, row.role, key, hash_of(token), now_ms, false};
    ENTENTE_TRY(store_.redeem(row, account));
    codes_[row.code] = row;
    return remember(std::move(account), std::move(token), now_ms);
}

Result<JoinCodes::Joined> JoinCodes::enrol(const std::string& participant, const std::string& name, const codec::PublicKey& key,
                                           const codec::Signature& signature, std::int64_t now_ms) {
    ENTENTE_TRY(contract::check_id(participant));
    if (!codec::verify(key, "join", as_bytes("enrol:" + participant), signature)) {  // no join code has a colon in it
        return Error{Code::unauthenticated, "join.bad-signature", "enrolment: expected the participant's id signed with the key that joins"};
    }
    if (const Account* known = find(participant); known != nullptr && known->expelled) {
        return Error{Code::permission_denied, "join.removed", participant + " has left or was removed; the operator can invite it again"};
    }
    ENTENTE_TRY(may_join(participant, key));
    std::string token = new_token();
    Account account{participant, name, std::string(to_string(Role::partner)), key, hash_of(token), now_ms, false};
    ENTENTE_TRY(store_.put_account(account));
    return remember(std::move(account), std::move(token), now_ms);
}

Status JoinCodes::may_join(const std::string& participant, const codec::PublicKey& key) const {
    const Account* known = find(participant);
    if (known != nullptr && !known->expelled && known->key != key) {
        return Error{Code::conflict, "join.other-key", participant + " has joined with another key"};
    }
    if (known != nullptr && known->expelled && known->key == key) {
        return Error{Code::permission_denied, "join.removed", participant + " was removed by the operator"};
    }
    return done();
}

JoinCodes::Joined JoinCodes::remember(Account account, std::string token, std::int64_t now_ms) {
    used_ms_.erase(account.id);
    used(account.id, now_ms);
    if (const Account* known = find(account.id)) tokens_.erase(known->token);
    tokens_[account.token] = account.id;
    accounts_[account.id] = account;
    return {std::move(account), std::move(token)};
}

Status JoinCodes::bind(const std::string& id, const std::string& certificate) {
    if (certificate.empty() && certificates_.count(id) == 0) return done();
    ENTENTE_TRY(store_.set_meta(bound_key(id), as_bytes(std::string_view(certificate))));
    if (certificate.empty()) {
        certificates_.erase(id);
    } else {
        certificates_[id] = certificate;
    }
    return done();
}

Status JoinCodes::check_certificate(const std::string& id, const std::string& certificate) const {
    const auto it = certificates_.find(id);
    if (it == certificates_.end() || it->second == certificate) return done();
    return Error{Code::unauthenticated, "auth.other-certificate",
                 std::string("this token is bound to the client certificate that joined; expected a connection with it, found ") +
                     (certificate.empty() ? "one without" : "another's")};
}

// A disk that is full for a while costs no more than an older time of use.
void JoinCodes::used(const std::string& id, std::int64_t now_ms) {
    const auto it = used_ms_.find(id);
    if (it != used_ms_.end() && now_ms - it->second < token_life_ms_ / 30) return;
    Bytes bytes;
    append_le(bytes, now_ms);
    if (store_.set_meta(used_key(id), bytes).ok()) used_ms_[id] = now_ms;
}

bool JoinCodes::expired(const std::string& id, std::int64_t now_ms) const {
    const auto it = used_ms_.find(id);
    return it != used_ms_.end() && now_ms - it->second > token_life_ms_;
}

Status JoinCodes::rekey(const std::string& id, const codec::PublicKey& key) {
    const auto it = accounts_.find(id);
    if (it == accounts_.end()) return Error{Code::not_found, "participant.unknown", "no participant " + id};
    Account account = it->second;
    account.key = key;
    ENTENTE_TRY(store_.put_account(account));
    it->second = std::move(account);
    return done();
}

Status JoinCodes::expel(const std::string& id) {
    const auto it = accounts_.find(id);
    if (it == accounts_.end()) return Error{Code::not_found, "participant.unknown", "no participant " + id};
    Account gone = it->second;
    gone.expelled = true;
    ENTENTE_TRY(store_.put_account(gone));
    tokens_.erase(gone.token);
    it->second = std::move(gone);
    return done();
}

const Account* JoinCodes::find(const std::string& id) const {
    const auto it = accounts_.find(id);
    return it == accounts_.end() ? nullptr : &it->second;
}

}  // namespace entente::native
