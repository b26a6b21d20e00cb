// How an identity provider is asked: one request, one answer. A function, so that tests can be the provider.
//
//   ENTENTE_ASSIGN(AskIssuer ask, make_issuer_client(io, ca_file));
//   ask({.url = "https://id.example/.well-known/openid-configuration"}, [](Result<IssuerAnswer> answer) { … });
//
// The provider is the operator's own choice, so it may stand in any network; but https it must be, or http on loopback, for what
// it says of its keys is believed. Redirects are not followed, answers are bounded, and a call ends after ten seconds.
// The completion runs once, on any thread. Errors: net/outbound.hpp's.
#pragma once

#include <functional>
#include <string>

#include "entente/base/result.hpp"

namespace boost::asio {
class io_context;
}

namespace entente::native {

struct IssuerRequest {
    std::string url;
    std::string form = {};           // POST of a form when there is one, else GET
    std::string authorization = {};  // the field's value; empty: none
};

struct IssuerAnswer {
    int status = 0;
    std::string body;
};

using AskIssuer = std::function<void(IssuerRequest, std::function<void(Result<IssuerAnswer>)>)>;

// invalid_argument "config.ca".
Result<AskIssuer> make_issuer_client(boost::asio::io_context& io, const std::string& ca_file);

// https anywhere, http where the host is "localhost" or a loopback address: else invalid_argument "config.issuer".
Status check_issuer_url(const std::string& url);

// "a b&c" as it stands in a form (application/x-www-form-urlencoded).
std::string form_text(std::string_view text);

}  // namespace entente::native
