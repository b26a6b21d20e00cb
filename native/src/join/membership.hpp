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

// Errors: invalid_argument "config.no-code", "config.url"; conflict "key.begun" while a rotation has not ended; what the server says ("join.used", …);
// permission_denied "contract.foreign-key" when the plan is not signed by the coordinator's key.
Result<Membership> become_member(const PartnerConfig& config, hub::HttpClient& http);

// What a partner that has joined keeps in its state folder, beside its key. not_found "file.missing" for one that has not.
struct PartnerState {
    std::string url;
    std::string participant;
    std::string name;
    std::string token;
    std::string coordinator_key;
    std::string plan_digest;
};
Result<PartnerState> read_partner_state(const std::string& state_folder);

// GET or POST of a small document; the body as text.
Result<std::string> ask_text(hub::HttpClient& http, const std::string& method, const std::string& target, const std::string& body);

}  // namespace entente::native
