#include <algorithm>

#include "commands/text.hpp"
#include "dsp/identity_provider.hpp"
#include "entente/base/json.hpp"
#include "net/address.hpp"

namespace entente::native {
namespace {

constexpr std::size_t max_token = 4096;
constexpr std::size_t max_id = 256;

class MockIdentity final : public IdentityProvider {
public:
    MockIdentity(std::string participant, std::vector<std::string> accepted)
        : participant_(std::move(participant)), accepted_(std::move(accepted)) {}

    void mint(const std::string& audience, Completion completion) override {
        completion(commands::JsonObject().text("region", "eu").text("audience", audience).text("clientId", participant_).str());
    }

    void verify(const std::string& header, const std::string& audience, Completion completion) override {
        completion(read(header, audience));
    }

private:
    Result<std::string> read(const std::string& header, const std::string& audience) const {
        const auto refuse = [](const char* reason, const std::string& sentence) {
            return Error{Code::unauthenticated, reason, "Authorization: " + sentence};
        };
        if (header.empty()) return refuse("identity.none", "expected a token, found none");
        const auto token = header.size() <= max_token ? read_json(header, {max_token, 4}) : Result<Json>(Error{});
        if (!token.ok() || token->kind != Json::Kind::object) return refuse("identity.malformed", "expected a mock token, found something else");
        const Json* id = token->find("clientId");
        const Json* meant = token->find("audience");
        const auto is_text = [](const Json* v) { return v != nullptr && v->kind == Json::Kind::string && !v->text.empty() && v->text.size() <= max_id; };
        if (!is_text(id) || !is_text(meant)) return refuse("identity.malformed", "expected clientId and audience in the mock token");
        const bool for_us = meant->text == audience || std::find(accepted_.begin(), accepted_.end(), meant->text) != accepted_.end();
        if (!for_us) return refuse("identity.audience", "expected a token for " + audience + ", found one for another audience");
        return id->text;
    }

    std::string participant_;
    std::vector<std::string> accepted_;
};

}  // namespace

std::unique_ptr<IdentityProvider> make_mock_identity(std::string participant) {
    return std::make_unique<MockIdentity>(std::move(participant), std::vector<std::string>());
}

Result<std::unique_ptr<IdentityProvider>> make_mock_identity(std::string participant, const std::string& listen_address,
                                                             std::vector<std::string> also_accepted) {
    const auto address = read_address(listen_address);
    if (!address.ok() || !address->is_loopback()) {
        return Error{Code::permission_denied, "identity.mock",
                     "the mock identity believes what callers say of themselves: expected a loopback address to listen on, found " + listen_address};
    }
    return std::unique_ptr<IdentityProvider>(std::make_unique<MockIdentity>(std::move(participant), std::move(also_accepted)));
}

}  // namespace entente::native
