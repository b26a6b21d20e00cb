// What a partner's process needs to know: partner.toml, and flags that outweigh it.
//
//   url   = "https://fl.example.org"       # the coordinator
//   data  = "mnist"                        # folder with the IDX files, or the table; it stays here
//   mapping = "mine.toml"                  # of a table: from its columns to those of the plan's task (docs/tasks.md)
//   state = "plant-a"                      # key, token and plan; mode 600
//   code_file = "code.txt"                 # the one-time join code; or the variable ENTENTE_JOIN_CODE
//   ca    = "ca.pem"                       # optional
//   accepted_by = "Ada Novak"              # who accepts the contract
//   threads = 4                            # that train together; all there are, unless said
//
// Without a network, instead of url and code:
//
//   folder          = "/media/stick"       # the shared or hand-carried folder
//   partner         = "plant-a"            # the own id, as the operator has entered it
//   coordinator_key = "3f2a…"              # which serve shows
//
// With a connector of its own, in place of the coordinator's mailbox:
//
//   connector    = "dsp"                   # the Dataspace Protocol; url and code as above
//   listen       = "0.0.0.0:8444"          # where it listens
//   public_url   = "https://plant-a.example:8444"   # how the coordinator reaches it
//   tls_cert     = "cert.pem"
//   tls_key      = "key.pem"
//   network      = "10.0.0.0/8"            # a private one that it may call
//   issuer       = "https://id.example"    # where the coordinator's connectors are vouched for by an identity provider,
//   client_id    = "plant-a"               # and the own client there
//   client_secret_file = "secret"          # mode 600
//   company_claim = "participant_id"       # where its tokens name the participant
//
// With an Eclipse EDC that the company runs, instead of a connector of its own:
//
//   connector    = "edc"                   # listen, public_url, tls_… are those of its data plane
//
//   [edc]
//   management   = "http://127.0.0.1:8181/management"       # its Management API, without a version
//   key_file     = "edc.key"                                # the API's key
//   control      = "http://127.0.0.1:8182/control"          # its control API
//   protocol     = "https://edc.plant-a.example/protocol/2025-1"   # where other connectors reach it
//   participant  = "BPNL000000000001"                      # its edc.participant.id, where that is not the one invited
#pragma once

#include <string>
#include <vector>

#include "commands/environment.hpp"

namespace entente::native {

struct EdcConfig {
    std::string management;
    std::string key_file;
    std::string control;
    std::string protocol;
    std::string participant;  // empty: the one that was invited
};

struct PartnerConfig {
    std::string url;
    std::string data_folder;    // or file
    std::string mapping_file;   // of a table; empty: headers are found by themselves
    std::string state_folder = "entente-partner";
    std::string code_file;  // "-" is standard input
    std::string ca_file;
    std::string folder;           // instead of url: a shared folder, no network
    std::string participant;      // with folder: the own id
    std::string coordinator_key;  // with folder: 64 hexadecimal digits
    std::string connector;        // "dsp": a connector of its own; "edc": the company's; empty: the coordinator's mailbox
    EdcConfig edc;
    std::string listen = "127.0.0.1:0";  // with connector
    std::string public_url;       // with connector; empty: as it listens
    std::string tls_certificate;  // of its own; shown to a coordinator that asks, and with connector to its peers
    std::string tls_key;
    std::string issuer;           // with connector: vouches for it and its peers; empty: keys do
    std::string client_id;
    std::string client_secret_file;
    std::string company_claim = "participant_id";
    std::vector<std::string> networks;  // with connector: beside global addresses, "10.0.0.0/8"
    std::string accepted_by;
    bool alone = false;  // also train alone, for comparison
    bool json = false;
    bool quiet = false;
    unsigned threads = 0;    // that train together; 0: all that this process may use
    unsigned give_up_s = 0;  // end when the coordinator cannot be reached for so long; 0: never
};

// invalid_argument "partner.*". Paths in the file are relative to it.
Status read_partner_toml(const std::string& path, PartnerConfig& config, commands::Environment& environment);

// The code from the file, standard input or the environment; empty when there is none.
Result<std::string> read_join_code(const PartnerConfig& config);

}  // namespace entente::native
