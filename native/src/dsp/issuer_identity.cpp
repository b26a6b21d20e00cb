#include "dsp/issuer_identity.hpp"

#include <map>
#include <mutex>

#include "identity/identity.hpp"

namespace entente::native {
namespace {

constexpr std::int64_t margin_ms = 30'000;
constexpr std::size_t most_audiences = 10'000;

// Outlives its owner while calls are under way.
struct Minter : std::enable_shared_from_this<Minter> {
    explicit Minter(const IssuerIdentityOptions& options)
        : issuer(options.issuer), client(options.client), scope(options.scope), ask(options.ask), now_ms(options.now_ms) {}

    const std::string issuer;
    const OidcClient client;
    const std::string scope;
    const AskIssuer ask;
    const std::function<std::int64_t()> now_ms;

    std::mutex mutex;
    std::map<std::string, TokenGrant> kept;  // by audience
    std::map<std::string, std::vector<IdentityProvider::Completion>> waiting;

    void mint(const std::string& audience, IdentityProvider::Completion completion) {
        std::string ready;
        {
            const std::lock_guard lock(mutex);
            const auto it = kept.find(audience);
            if (it != kept.end() && it->second.expires_at_ms - margin_ms > now_ms()) {
                ready = it->second.access_token;
            } else {
                auto& others = waiting[audience];
                others.push_back(std::move(completion));
                if (others.size() > 1) return;  // one asks for all
            }
        }
        if (!ready.empty()) return completion("Bearer " + ready);
        discover(ask, issuer, [self = shared_from_this(), audience](const Result<Discovery>& found) {
            if (!found.ok()) return self->settle(audience, found.error());
            client_credentials(self->ask, found->token_endpoint, self->client, {.scope = self->scope, .resource = audience}, self->now_ms(),
                               [self, audience](Result<TokenGrant> grant) { self->settle(audience, std::move(grant)); });
        });
    }

    void settle(const std::string& audience, Result<TokenGrant> grant) {
        std::vector<IdentityProvider::Completion> all;
        {
            const std::lock_guard lock(mutex);
            all = std::move(waiting[audience]);
            waiting.erase(audience);
            if (grant.ok()) {
                if (kept.size() >= most_audiences) kept.clear();
                kept[audience] = *grant;
            }
        }
        for (auto& completion : all) completion(grant.ok() ? Result<std::string>("Bearer " + grant->access_token) : Result<std::string>(grant.error()));
    }
};

class IssuerIdentity final : public IdentityProvider {
public:
    explicit IssuerIdentity(IssuerIdentityOptions options)
        : minter_(std::make_shared<Minter>(options)),
          issuer_(Issuer::make({.issuer = options.issuer, .ask = options.ask, .now_ms = options.now_ms})),
          claim_(std::move(options.company_claim)),
          knows_(std::move(options.knows)) {}

    void mint(const std::string& audience, Completion completion) override { minter_->mint(audience, std::move(completion)); }

    void verify(const std::string& header, const std::string& audience, Completion completion) override {
        if (header.empty()) return completion(Error{Code::unauthenticated, "identity.none", "Authorization: expected a token, found none"});
        issuer_->verify(header.starts_with("Bearer ") ? header.substr(7) : header, {audience},
                        [claim = claim_, knows = knows_, completion = std::move(completion)](const Result<Json>& claims) {
                            if (!claims.ok()) return completion(claims.error());
                            auto company = company_of(*claims, claim);
                            if (company.ok() && !knows(*company)) {
                                return completion(Error{Code::unauthenticated, "identity.stranger",
                                                        "Authorization: expected a participant of this federation, found another"});
                            }
                            completion(std::move(company));
                        });
    }

private:
    std::shared_ptr<Minter> minter_;
    std::shared_ptr<Issuer> issuer_;
    std::string claim_;
    std::function<bool(const std::string&)> knows_;
};

}  // namespace

std::unique_ptr<IdentityProvider> make_issuer_identity(IssuerIdentityOptions options) {
    return std::make_unique<IssuerIdentity>(std::move(options));
}

}  // namespace entente::native
