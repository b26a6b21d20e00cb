#include "http/listener.hpp"

#include <map>
#include <mutex>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>

#include "http/rate_limits.hpp"
#include "http/streams.hpp"

namespace entente::native::http {

using asio::ip::tcp;
using boost::system::error_code;

struct Listener::State {
    State(asio::io_context& io_in, Handler& handler_in, ListenOptions options_in)
        : io(io_in), handler(handler_in), options(std::move(options_in)), acceptor(io_in) {}

    asio::io_context& io;
    Handler& handler;
    ListenOptions options;
    tcp::acceptor acceptor;
    std::mutex tls_mutex;
    std::shared_ptr<asio::ssl::context> tls;  // each session holds the one that it began with
    std::mutex places_mutex;
    std::size_t connections = 0;
    std::map<std::string, std::size_t> of_address;
    std::uint16_t port = 0;
};

namespace {

Result<std::shared_ptr<asio::ssl::context>> make_tls(const ListenOptions& o) {
    const std::string& certificate = o.tls_certificate;
    const std::string& key = o.tls_key;
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
    error_code ec;
    context->use_certificate_chain_file(certificate, ec);
    if (ec) {
        return Error{Code::invalid_argument, "tls.certificate",
                     "--tls-cert " + certificate + ": expected a PEM certificate chain, found " + ec.message()};
    }
    context->use_private_key_file(key, asio::ssl::context::pem, ec);
    if (ec) {
        return Error{Code::invalid_argument, "tls.key",
                     "--tls-key " + key + ": expected the PEM key of the certificate, found " + ec.message()};
    }
    if (!o.client_ca.empty()) {
        STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(o.client_ca.c_str());
        context->load_verify_file(o.client_ca, ec);
        if (ec || names == nullptr) {
            sk_X509_NAME_pop_free(names, X509_NAME_free);
            return Error{Code::invalid_argument, "tls.client-ca", "--client-ca " + o.client_ca + ": expected PEM certificates, found " + (ec ? ec.message() : "none")};
        }
        SSL_CTX_set_client_CA_list(context->native_handle(), names);
        context->set_verify_mode(asio::ssl::verify_peer, ec);
        // A session that is resumed would not ask again whether its certificate is still one of this authority's.
        SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
        SSL_CTX_set_num_tickets(context->native_handle(), 0);
    }
    return context;
}

// A connection's place among those that may be open at once, until it goes. Null: none is left, or none for this address.
template <class State>
std::shared_ptr<void> take_place(const std::shared_ptr<State>& state, const std::string& address) {
    const std::lock_guard lock(state->places_mutex);
    std::size_t& here = state->of_address[address];
    if (state->connections >= state->options.max_connections || here >= state->options.max_per_address) {
        if (here == 0) state->of_address.erase(address);
        return nullptr;
    }
    ++state->connections;
    ++here;
    return {static_cast<void*>(state.get()), [state, address](void*) {
                const std::lock_guard unlock(state->places_mutex);
                --state->connections;
                if (const auto it = state->of_address.find(address); --it->second == 0) state->of_address.erase(it);
            }};
}

template <class State>
asio::awaitable<void> serve_one(std::shared_ptr<State> state, tcp::socket socket, std::shared_ptr<void> place) {
    static_cast<void>(place);  // held until this ends
    Limits limits;
    limits.head = std::chrono::milliseconds(state->options.head_timeout_ms);
    limits.body_grace = std::chrono::milliseconds(state->options.body_grace_ms);
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::shared_ptr<asio::ssl::context> tls;
    {
        const std::lock_guard lock(state->tls_mutex);
        tls = state->tls;
    }
    // No exception may leave: it would end the server.
    try {
        if (tls) {
            TlsStream stream(beast::tcp_stream(std::move(socket)), *tls);
            co_await serve(std::move(stream), state->handler, limits);
        } else {
            PlainStream stream(std::move(socket));
            co_await serve(std::move(stream), state->handler, limits);
        }
    } catch (const std::exception&) {
    }
}

template <class State>
asio::awaitable<void> accept_all(std::shared_ptr<State> state) {
    asio::steady_timer pause(state->io);
    while (state->acceptor.is_open()) {
        auto [ec, socket] = co_await state->acceptor.async_accept(asio::make_strand(state->io), as_result);
        if (ec) {
            if (!state->acceptor.is_open()) co_return;
            pause.expires_after(std::chrono::milliseconds(100));  // out of descriptors: some will be closed
            auto [waited] = co_await pause.async_wait(as_result);
            static_cast<void>(waited);
            continue;
        }
        const auto remote = socket.remote_endpoint(ec);
        if (ec) continue;
        auto place = take_place(state, address_key(remote.address().to_string()));
        if (place == nullptr) continue;  // closes it
        auto executor = socket.get_executor();
        asio::co_spawn(executor, serve_one(state, std::move(socket), std::move(place)), asio::detached);
    }
}

}  // namespace

Listener::Listener(asio::io_context& io, Handler& handler, ListenOptions options)
    : state_(std::make_shared<State>(io, handler, std::move(options))) {}

Listener::~Listener() { stop(); }

Status Listener::start() {
    State& s = *state_;
    if (!s.options.tls_certificate.empty()) {
        ENTENTE_ASSIGN(s.tls, make_tls(s.options));
    }
    error_code ec;
    const asio::ip::address address = asio::ip::make_address(s.options.address, ec);
    if (ec) {
        return Error{Code::invalid_argument, "usage.listen",
                     "--listen: expected an IP address and a port such as 127.0.0.1:8443, found \"" + s.options.address + "\""};
    }
    const tcp::endpoint endpoint(address, s.options.port);
    s.acceptor.open(endpoint.protocol(), ec);
    if (!ec) s.acceptor.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec) s.acceptor.bind(endpoint, ec);
    if (!ec) s.acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (ec) {
        const std::string where = s.options.address + ":" + std::to_string(s.options.port);
        const bool used = ec == asio::error::address_in_use;
        return Error{used ? Code::conflict : Code::permission_denied, used ? "listen.port-in-use" : "listen.failed",
                     "cannot listen on " + where + ": " + ec.message() +
                         (used ? "; another program uses this port, choose one with --listen" : "")};
    }
    s.port = s.acceptor.local_endpoint(ec).port();
    asio::co_spawn(s.io, accept_all(state_), asio::detached);
    return done();
}

Status Listener::reload() {
    State& s = *state_;
    if (s.options.tls_certificate.empty()) return done();
    ENTENTE_ASSIGN(auto fresh, make_tls(s.options));
    const std::lock_guard lock(s.tls_mutex);
    s.tls = std::move(fresh);
    return done();
}

std::uint16_t Listener::port() const noexcept { return state_->port; }

void Listener::stop() {
    auto state = state_;
    asio::post(state->io, [state] {
        error_code ignored;
        state->acceptor.close(ignored);
    });
}

}  // namespace entente::native::http
