// entente serve: the coordinator.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "commands/environment.hpp"

namespace entente::native {

struct ServeOptions {
    std::string plan_file;
    std::string data_folder = "entente-data";
    std::string listen = "127.0.0.1:8443";
    std::string tls_certificate;
    std::string tls_key;
    std::string client_ca;        // PEM: whose client certificates are taken
    bool behind_proxy = false;
    std::string public_url;       // for join links, when it is not the address that is listened on
    std::string evaluate_folder;
    std::string sample_folder;
    std::string web_folder;
    std::string operator_token_file;  // also writes the operator's token there (mode 600)
    std::string folder;               // shared folder for partners without a network; empty: none
    std::string folder_partners;      // file with a line for each of them: id and public key
    std::vector<std::string> networks;  // private ones in which partners have connectors
    std::string ca_file;                // that these are checked with
    std::string issuer;                 // of OpenID Connect; empty: join codes alone
    std::string audience = "entente-api";
    std::string roles_claim = "realm_access.roles";
    std::string company_claim = "participant_id";
    std::string client_id = "coordinator";    // as which the own connector signs in, with
    std::string client_secret_file;           // empty: connectors know each other's keys
    std::string web_client = "entente-web";   // the pages' client id at the issuer
    std::string web_scope = "openid";
    bool mock_identity = false;         // partners behind EDCs prove nothing, and are believed
    std::string keep_updates = "10";    // rounds, "all" or "none"
    bool auditors_read_updates = false;
    std::int64_t token_life_s = 30 * 24 * 3600;
    std::int64_t head_timeout_ms = 15'000;
    std::int64_t body_grace_ms = 30'000;
    double partner_rate = 500;          // requests a second; 0: as often as they like
    double address_rate = 200;
    bool json = false;
    bool quiet = false;
};

// Until SIGTERM or SIGINT.
int serve(const ServeOptions& options, commands::Environment& environment);

}  // namespace entente::native
