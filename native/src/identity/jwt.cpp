#include "identity/jwt.hpp"

#include <algorithm>
#include <charconv>

#include "entente/base/base64.hpp"

namespace entente::native {
namespace {

constexpr std::size_t max_depth = 16;
constexpr double furthest_s = 1e12;  // beyond any date, and far from where a cast would overflow

Error refuse(const char* reason, const std::string& sentence) { return {Code::unauthenticated, reason, "token: " + sentence}; }

Result<Json> read_part(std::string_view part) {
    const auto bytes = from_base64url(part);
    if (!bytes.ok()) return refuse("token.malformed", "expected base64url without padding in each of its parts");
    const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    auto json = read_json(text, {.bytes = max_jwt_bytes, .depth = max_depth});
    if (!json.ok() || json->kind != Json::Kind::object) {
        return refuse("token.malformed", "expected a JSON object, each member once, in its first two parts");
    }
    return json;
}

bool same_without_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// Media types have no case, and "application/" may be left out (RFC 7515, section 4.1.9).
bool is_access_token_type(const std::string& typ) {
    return same_without_case(typ, "JWT") || same_without_case(typ, "at+jwt") || same_without_case(typ, "application/at+jwt");
}

bool meant_for(const Json& claims, const std::vector<std::string>& audiences) {
    const Json* aud = claims.find("aud");
    if (aud == nullptr) return false;
    const auto ours = [&](const Json& one) { return one.kind == Json::Kind::string && std::find(audiences.begin(), audiences.end(), one.text) != audiences.end(); };
    return ours(*aud) || (aud->kind == Json::Kind::array && std::any_of(aud->items.begin(), aud->items.end(), ours));
}

Status check_times(const Json& claims, std::int64_t now_s) {
    const auto expires = time_claim(claims, "exp");
    if (!expires) return refuse("token.expired", "expected the time when it expires (exp)");
    if (*expires <= now_s - jwt_leeway_s) {
        return refuse("token.expired", "expired " + std::to_string(now_s - *expires) + " s ago; sign in again");
    }
    for (const char* name : {"nbf", "iat"}) {
        if (claims.find(name) == nullptr) continue;
        const auto from = time_claim(claims, name);
        if (!from) return refuse("token.malformed", std::string(name) + ": expected a number of seconds");
        if (*from > now_s + jwt_leeway_s) return refuse("token.early", "not valid yet; check the clocks of provider and coordinator");
    }
    return done();
}

Status check_claims(const Json& claims, const JwtExpected& expected, std::int64_t now_s) {
    if (text_claim(claims, "iss") != expected.issuer) {
        return refuse("token.issuer", "expected the issuer " + expected.issuer + ", found another");
    }
    if (!meant_for(claims, expected.audiences)) {
        return refuse("token.audience", "expected one for the audience " + (expected.audiences.empty() ? "" : expected.audiences.front()) + ", found one for another");
    }
    ENTENTE_TRY(check_times(claims, now_s));
    if (text_claim(claims, "sub").empty()) return refuse("token.subject", "expected a subject (sub)");
    if (const Json* kind = claims.find("typ"); kind != nullptr && !same_without_case(kind->text, "Bearer")) {
        return refuse("token.type", "expected an access token, found one of another kind");
    }
    if (claims.find("cnf") != nullptr) return refuse("token.bound", "it is bound to a key of its holder, which is not supported here");
    return done();
}

}  // namespace

Result<Jwt> read_jwt(std::string_view token) {
    if (token.size() > max_jwt_bytes) return refuse("token.malformed", "expected at most 8 KiB");
    if (!looks_like_jwt(token)) return refuse("token.malformed", "expected three parts with dots between them");
    const std::size_t first = token.find('.');
    const std::size_t second = token.find('.', first + 1);
    ENTENTE_ASSIGN(const Json header, read_part(token.substr(0, first)));
    const auto algorithm = jwt_algorithm(text_claim(header, "alg"));
    if (!algorithm) return refuse("token.algorithm", "expected RS256, ES256 or EdDSA, found another algorithm");
    if (header.find("crit") != nullptr || header.find("b64") != nullptr) {
        return refuse("token.malformed", "expected no critical extension");
    }
    if (!is_access_token_type(text_claim(header, "typ"))) return refuse("token.type", "expected typ JWT or at+jwt, found another");
    Jwt jwt;
    jwt.algorithm = *algorithm;
    jwt.kid = text_claim(header, "kid");
    if (jwt.kid.empty()) return refuse("token.malformed", "expected the id of its key (kid)");
    ENTENTE_ASSIGN(jwt.claims, read_part(token.substr(first + 1, second - first - 1)));
    auto signature = from_base64url(token.substr(second + 1));
    if (!signature.ok() || signature->empty()) return refuse("token.signature", "expected a signature, found none");
    jwt.signature = std::move(signature).value();
    jwt.signing_input = token.substr(0, second);
    return jwt;
}

Result<Json> verify_jwt(const Jwt& token, const JwtKey& key, const JwtExpected& expected, std::int64_t now_s) {
    if (key.algorithm() != token.algorithm || !key.verifies(token.signing_input, token.signature)) {
        return refuse("token.signature", "expected the signature of " + expected.issuer + ", found another");
    }
    ENTENTE_TRY(check_claims(token.claims, expected, now_s));
    return token.claims;
}

bool looks_like_jwt(std::string_view text) noexcept { return std::count(text.begin(), text.end(), '.') == 2; }

const Json* claim_at(const Json& claims, std::string_view path) noexcept {
    if (const Json* whole = claims.find(path)) return whole;
    const Json* at = &claims;
    while (at != nullptr && !path.empty()) {
        const std::size_t dot = path.find('.');
        at = at->find(path.substr(0, dot));
        path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    }
    return at;
}

std::string text_claim(const Json& claims, std::string_view path) {
    const Json* claim = claim_at(claims, path);
    return claim != nullptr && claim->kind == Json::Kind::string ? claim->text : std::string();
}

std::optional<std::int64_t> time_claim(const Json& claims, std::string_view name) noexcept {
    const Json* claim = claims.find(name);
    if (claim == nullptr || claim->kind != Json::Kind::number) return std::nullopt;
    double seconds = 0;
    const char* const end = claim->text.data() + claim->text.size();
    const auto [stop, ec] = std::from_chars(claim->text.data(), end, seconds);
    if (ec != std::errc() || stop != end || !(seconds >= 0 && seconds <= furthest_s)) return std::nullopt;
    return static_cast<std::int64_t>(seconds);
}

}  // namespace entente::native
