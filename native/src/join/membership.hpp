// A partner's place in a federation: its key, its token, and the plan it agreed to. Made once with a join code,
// kept in the state folder, found again after a crash. In place of the code there may be somebody who has signed in (cli/session.hpp).
#pragma once

#include "connectors/hub/http_client.hpp"
#include "entente/plan/plan.hpp"
#include "join/partner_config.hpp"

namespace entente::native {

struct Membership {
    std::string participant;
    std::string name;
    std::string token;
    codec::PublicKey coordinator_key;
    codec::SigningKey key;
    plan::Plan plan;
};

// Errors: invalid_argument "config.no-code", "config.url"; what the server says ("join.used", …);
// permission_denied "contract.foreign-key" when the plan is not signed by the coordinator's key.
Result<Membership> become_member(const PartnerConfig& config, hub::HttpClient& http);

// The token of a partner that has joined. not_found "file.missing" for one that has not.
Result<std::string> token_of(const PartnerConfig& config);

// GET or POST of a small document; the body as text.
Result<std::string> ask_text(hub::HttpClient& http, const std::string& method, const std::string& target, const std::string& body);

}  // namespace entente::native
