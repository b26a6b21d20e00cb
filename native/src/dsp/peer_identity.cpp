#include "dsp/peer_identity.hpp"

namespace entente::native {
namespace {

class PeerIdentity final : public IdentityProvider {
public:
    explicit PeerIdentity(PeerIdentityOptions options) : o_(std::move(options)) {}

    void mint(const std::string& audience, Completion completion) override {
        const bool mock = o_.mock != nullptr && o_.edc_at(audience);
        (mock ? o_.mock : o_.signed_tokens)->mint(audience, std::move(completion));
    }

    void verify(const std::string& header, const std::string& audience, Completion completion) override {
        if (!header.starts_with('{')) return o_.signed_tokens->verify(header, audience, std::move(completion));
        if (o_.mock == nullptr) {
            return completion(Error{Code::unauthenticated, "identity.mock",
                                    std::string("Authorization: expected a signed token, found EDC's mock token, which proves nothing; it is taken "
                                                "only by a coordinator that was started with ") + mock_option});
        }
        o_.mock->verify(header, audience, [edc_called = o_.edc_called, completion = std::move(completion)](const Result<std::string>& caller) {
            if (!caller.ok()) return completion(caller);
            auto participant = edc_called(*caller);
            if (!participant) {
                return completion(Error{Code::unauthenticated, "identity.stranger",
                                        "Authorization: expected a mock token of a participant that is registered as an EDC, found another's"});
            }
            completion(std::move(*participant));
        });
    }

private:
    PeerIdentityOptions o_;
};

}  // namespace

std::unique_ptr<IdentityProvider> make_peer_identity(PeerIdentityOptions options) { return std::make_unique<PeerIdentity>(std::move(options)); }

}  // namespace entente::native
