#include "cli/token.hpp"

#include <cstdlib>

#include "base/files.hpp"

namespace entente::native {

bool is_url(std::string_view text) { return text.starts_with("http://") || text.starts_with("https://"); }

Result<std::shared_ptr<hub::HttpClient>> http_with_token(const HttpClientOptions& options, const std::string& token_file, const std::string& whose) {
    std::string token;
    if (!token_file.empty()) {
        ENTENTE_ASSIGN(token, read_text_file(token_file, 4096));
        token = token.substr(0, token.find_first_of(" \r\n\t"));
    } else if (const char* variable = std::getenv("ENTENTE_TOKEN")) {
        token = variable;
    }
    if (token.empty()) return Error{Code::invalid_argument, "config.no-token", "expected " + whose + " in --token-file or in the variable ENTENTE_TOKEN"};
    ENTENTE_ASSIGN(auto http, make_http_client(options));
    http->set_token(token);
    return http;
}

}  // namespace entente::native
