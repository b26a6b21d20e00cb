// Where a server listens: an IP address and a port.
//
//   ENTENTE_ASSIGN(const Endpoint endpoint, read_listen("127.0.0.1:8443"));
#pragma once

#include <cstdint>
#include <string>

#include "entente/base/result.hpp"

namespace entente::native {

struct Endpoint {
    std::string address;
    std::uint16_t port = 0;  // 0: any free one
    bool loopback = false;
};

// invalid_argument "usage.listen".
Result<Endpoint> read_listen(const std::string& text);

}  // namespace entente::native
