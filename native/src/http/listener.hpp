// Accepts connections on one address and runs a session for each.
//
//   Listener listener(io, handler, {.address = "127.0.0.1", .port = 8443});
//   ENTENTE_TRY(listener.start());        // conflict "listen.port-in-use", invalid_argument "listen.*", "tls.*"
//   listener.reload();                    // after a certificate was renewed
//   listener.stop();                      // no new connections; those that are there go on
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "entente/base/result.hpp"
#include "http/handler.hpp"

namespace boost::asio {
class io_context;
}

namespace entente::native::http {

struct ListenOptions {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;         // 0: any free one
    std::string tls_certificate;    // PEM files; both or none
    std::string tls_key;
    std::string client_ca;          // PEM: whose client certificates are taken; nobody has to show one. Empty: none is asked for
    std::size_t max_connections = 16'384;
    std::size_t max_per_address = 4'096;  // as rate_limits.hpp counts addresses
    std::int64_t head_timeout_ms = 15'000;
    std::int64_t body_grace_ms = 30'000;
};

class Listener {
public:
    Listener(boost::asio::io_context& io, Handler& handler, ListenOptions options);
    ~Listener();
    Status start();
    [[nodiscard]] std::uint16_t port() const noexcept;
    // Reads certificate, key and client CA again, for the connections that come from now on; on an error the old ones stay.
    Status reload();
    void stop();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace entente::native::http
