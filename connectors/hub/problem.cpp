// The error inside a problem document (RFC 9457), read without a JSON library: the three members that the server
// writes, as plain strings.
#include <array>

#include "connectors/hub/http_client.hpp"

namespace entente::hub {
namespace {

std::string member(std::string_view json, std::string_view name) {
    const std::string key = "\"" + std::string(name) + "\":\"";
    std::size_t at = json.find(key);
    if (at == std::string_view::npos) return {};
    std::string value;
    for (at += key.size(); at < json.size() && json[at] != '"'; ++at) {
        if (json[at] == '\\' && at + 1 < json.size()) {
            ++at;
            if (json[at] == 'u') {
                at += 4;  // only control characters are written like this
                continue;
            }
        }
        value += json[at];
    }
    return value;
}

Code code_of(int status) {
    constexpr std::array codes{Code::invalid_argument, Code::unauthenticated, Code::permission_denied, Code::not_found,
                               Code::conflict, Code::gone, Code::too_large, Code::resource_exhausted, Code::unavailable,
                               Code::no_space, Code::deadline_exceeded, Code::cancelled, Code::internal};
    for (const Code code : codes) {
        if (http_status(code) == status) return code;
    }
    return status >= 500 ? Code::unavailable : Code::invalid_argument;
}

}  // namespace

Status error_of(const HttpResponse& response) {
    if (response.status >= 200 && response.status < 300) return done();
    std::string_view text;
    if (!response.body.empty()) text = {reinterpret_cast<const char*>(response.body.data()), response.body.size()};
    Error error{code_of(response.status), member(text, "code"), member(text, "detail")};
    if (error.reason.empty()) error.reason = "http.status-" + std::to_string(response.status);
    if (error.message.empty()) error.message = "the coordinator answered with HTTP status " + std::to_string(response.status);
    return error;
}

}  // namespace entente::hub
