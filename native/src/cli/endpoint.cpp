#include "cli/endpoint.hpp"

namespace entente::native {

Result<Endpoint> read_listen(const std::string& text) {
    const Error bad{Code::invalid_argument, "usage.listen",
                    "--listen: expected an IP address and a port such as 127.0.0.1:8443, found \"" + text + "\""};
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon + 1 == text.size() || text.size() - colon > 6) return bad;
    if (text.find_first_not_of("0123456789", colon + 1) != std::string::npos) return bad;
    const unsigned long port = std::stoul(text.substr(colon + 1));
    if (port > 65535) return bad;
    Endpoint endpoint;
    endpoint.address = text.substr(0, colon);
    if (endpoint.address.starts_with('[') && endpoint.address.ends_with(']')) {
        endpoint.address = endpoint.address.substr(1, endpoint.address.size() - 2);
    }
    if (endpoint.address == "localhost") endpoint.address = "127.0.0.1";
    endpoint.port = static_cast<std::uint16_t>(port);
    endpoint.loopback = endpoint.address.starts_with("127.") || endpoint.address == "::1";
    return endpoint;
}

}  // namespace entente::native
