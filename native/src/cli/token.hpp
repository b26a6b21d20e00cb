// Commands that ask a coordinator by its URL, with a token from a file or from the variable ENTENTE_TOKEN.
//
//   ENTENTE_ASSIGN(auto http, http_with_token({url, ca_file}, token_file, "the operator's token"));
//
// invalid_argument "config.no-token", and errors of make_http_client().
#pragma once

#include <string_view>

#include "net/http_client.hpp"

namespace entente::native {

bool is_url(std::string_view text);
Result<std::shared_ptr<hub::HttpClient>> http_with_token(const HttpClientOptions& options, const std::string& token_file, const std::string& whose);

}  // namespace entente::native
