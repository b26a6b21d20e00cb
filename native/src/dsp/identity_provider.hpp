// Who is calling, between connectors: a token for an audience, and whose a token is. The connector sees participant ids
// only; what a token is made of stays behind this interface.
//
//   identity.mint(peer_address, [](Result<std::string> header) { … });           // the Authorization field's value
//   identity.verify(header, our_address, [](Result<std::string> id) { … });      // the participant's id
//
// Completions run once, at once or later, on any thread. verify() answers unauthenticated "identity.*" for a token that is
// not good: malformed, expired, for another audience.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "entente/base/result.hpp"

namespace entente::native {

class IdentityProvider {
public:
    virtual ~IdentityProvider() = default;
    using Completion = std::function<void(Result<std::string>)>;
    virtual void mint(const std::string& audience, Completion completion) = 0;
    virtual void verify(const std::string& header, const std::string& audience, Completion completion) = 0;
};

// EDC's mock token: the caller says who it is, and is believed. For tests; peer_identity.hpp says whom a federation believes.
//   {"region":"eu","audience":"http://127.0.0.1:8443/dsp/2025-1","clientId":"plant-a"}
// `also_accepted`: audiences beside the expected one. With a listen address, for whole connectors that believe anybody:
// permission_denied "identity.mock" for one that is not loopback.
std::unique_ptr<IdentityProvider> make_mock_identity(std::string participant);
Result<std::unique_ptr<IdentityProvider>> make_mock_identity(std::string participant, const std::string& listen_address,
                                                             std::vector<std::string> also_accepted = {});

}  // namespace entente::native
