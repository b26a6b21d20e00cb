#include "dsp/signed_identity.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>

#include <openssl/rand.h>

#include "entente/base/base64.hpp"
#include "entente/base/json_text.hpp"
#include "entente/codec/jws.hpp"

namespace entente::native {
namespace {

constexpr std::int64_t lifetime_s = 60;
constexpr std::int64_t leeway_s = 60;
constexpr std::size_t most_remembered = 100'000;

Error refuse(const char* reason, const std::string& sentence) {
    return {Code::unauthenticated, reason, "Authorization: " + sentence};
}

std::string text_of(const Json& object, std::string_view name) {
    const Json* member = object.find(name);
    return member != nullptr && member->kind == Json::Kind::string ? member->text : std::string();
}

std::optional<std::int64_t> seconds_of(const Json& object, std::string_view name) {
    const Json* member = object.find(name);
    if (member == nullptr || member->kind != Json::Kind::number) return std::nullopt;
    std::int64_t value = 0;
    const char* const end = member->text.data() + member->text.size();
    const auto [stop, ec] = std::from_chars(member->text.data(), end, value);
    if (ec != std::errc() || stop != end) return std::nullopt;
    return value;
}

class SignedIdentity final : public IdentityProvider {
public:
    explicit SignedIdentity(SignedIdentityOptions options) : o_(std::move(options)) {}

    void mint(const std::string& audience, Completion completion) override {
        std::array<unsigned char, 16> random{};
        if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
            return completion(Error{Code::internal, "identity.random", "the system gives no random bytes"});
        }
        const std::int64_t now_s = o_.now_ms() / 1000;
        const std::string who = json_text(o_.participant);
        const std::string header = R"({"alg":"EdDSA","typ":"JWT","kid":)" + who + "}";
        const std::string claims = "{\"iss\":" + who + ",\"sub\":" + who + ",\"aud\":" + json_text(audience) + ",\"iat\":" + std::to_string(now_s) +
                                   ",\"exp\":" + std::to_string(now_s + lifetime_s) + ",\"jti\":\"" +
                                   to_base64url(std::as_bytes(std::span(random))) + "\"}";
        completion("Bearer " + codec::sign_jws(o_.key, header, claims));
    }

    void verify(const std::string& header, const std::string& audience, Completion completion) override {
        completion(read(header, audience));
    }

private:
    Result<std::string> read(std::string_view header, const std::string& audience) {
        if (header.empty()) return refuse("identity.none", "expected a token, found none");
        if (header.starts_with("Bearer ")) header.remove_prefix(7);
        const auto jws = codec::read_jws(header);
        if (!jws.ok()) return refuse("identity.malformed", jws.error().message);
        const std::string participant = text_of(jws->payload, "iss");
        if (participant.empty() || participant != text_of(jws->payload, "sub") || participant != jws->kid) {
            return refuse("identity.malformed", "expected iss, sub and kid to name the same participant");
        }
        const auto key = o_.key_of(participant);
        if (!key) return refuse("identity.stranger", "expected a participant of this federation, found another");
        if (!codec::verify(*jws, *key)) return refuse("identity.signature", "expected the signature of " + participant + ", found another's");
        if (!meant_for(jws->payload, audience)) return refuse("identity.audience", "expected a token for " + audience + ", found one for another audience");
        const auto issued = seconds_of(jws->payload, "iat");
        const auto expires = seconds_of(jws->payload, "exp");
        const std::int64_t now_s = o_.now_ms() / 1000;
        if (!issued || !expires || *expires < now_s - leeway_s || *issued > now_s + leeway_s || *expires > *issued + 10 * lifetime_s) {
            return refuse("identity.expired", "expected a token of this minute, found another's; check the clocks");
        }
        const std::string id = text_of(jws->payload, "jti");
        if (id.empty() || !first_time(participant + " " + id, *expires, now_s)) {
            return refuse("identity.replayed", "expected a token that was not used before");
        }
        return participant;
    }

    [[nodiscard]] bool meant_for(const Json& claims, const std::string& audience) const {
        const Json* aud = claims.find("aud");
        if (aud == nullptr) return false;
        const auto ours = [&](const Json& one) {
            return one.kind == Json::Kind::string &&
                   (one.text == audience || std::find(o_.also_accepted.begin(), o_.also_accepted.end(), one.text) != o_.also_accepted.end());
        };
        return ours(*aud) || std::any_of(aud->items.begin(), aud->items.end(), ours);
    }

    bool first_time(const std::string& id, std::int64_t expires_s, std::int64_t now_s) {
        const std::lock_guard lock(mutex_);
        for (auto it = until_.begin(); it != until_.end() && it->first < now_s - leeway_s;) {
            seen_.erase(it->second);
            it = until_.erase(it);
        }
        // Full of tokens that are still good: whoever floods us is refused rather than believed twice.
        if (seen_.size() >= most_remembered || !seen_.emplace(id, expires_s).second) return false;
        until_.emplace(expires_s, id);
        return true;
    }

    SignedIdentityOptions o_;
    std::mutex mutex_;
    std::map<std::string, std::int64_t> seen_;
    std::multimap<std::int64_t, std::string> until_;
};

}  // namespace

std::unique_ptr<IdentityProvider> make_signed_identity(SignedIdentityOptions options) {
    return std::make_unique<SignedIdentity>(std::move(options));
}

}  // namespace entente::native
