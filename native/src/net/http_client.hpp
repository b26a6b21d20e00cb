// The HTTP client of `join` and `invite`: Beast over TCP or TLS, one connection that is kept open.
//
//   ENTENTE_ASSIGN(auto http, make_http_client({.url = "https://fl.example.org", .ca_file = "ca.pem"}));
//
// Thread-safety: one thread at a time.
#pragma once

#include <memory>
#include <string>

#include "connectors/hub/http_client.hpp"

namespace entente::native {

struct HttpClientOptions {
    std::string url;      // https://host[:port] or http://host[:port]
    std::string ca_file;  // PEM; empty: the system's trust store
    std::string tls_certificate = {};  // PEM chain and key: shown to a server that asks; both or none
    std::string tls_key = {};
};

// invalid_argument "config.url", "config.ca", "config.certificate".
Result<std::shared_ptr<hub::HttpClient>> make_http_client(const HttpClientOptions& options);

}  // namespace entente::native
