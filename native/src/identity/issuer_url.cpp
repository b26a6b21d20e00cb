// Apart from the asking, which needs sockets.
#include "identity/issuer_http.hpp"
#include "net/address.hpp"

namespace entente::native {

Status check_issuer_url(const std::string& url) {
    const auto read = read_url(url);
    if (read.ok() && read->tls) return done();
    if (read.ok()) {
        const auto address = read_address(read->host);
        if (read->host == "localhost" || (address.ok() && address->is_loopback())) return done();
    }
    return Error{Code::invalid_argument, "config.issuer", "identity provider: expected https://… (or http:// on loopback), found \"" + url.substr(0, 200) + "\""};
}

}  // namespace entente::native
