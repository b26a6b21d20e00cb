#include "net/outbound.hpp"

#include <algorithm>
#include <deque>
#include <set>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/exchange.hpp"

namespace entente::native {

using asio::ip::tcp;
using std::chrono::milliseconds;

namespace {

// g++ 12 destroys a temporary argument of a co_await expression twice: in this file every argument has a name.

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

using Found = asio::experimental::channel<void(error_code, std::vector<tcp::endpoint>)>;

IpAddress address_of(const asio::ip::address& from) {
    IpAddress address;
    address.v6 = from.is_v6();
    if (address.v6) {
        const auto bytes = from.to_v6().to_bytes();
        std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
    } else {
        const auto bytes = from.to_v4().to_bytes();
        std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
    }
    return address;
}

// What we write ourselves must not bring a second header line with it.
Status check_head(const OutboundRequest& request) {
    const auto bad = [](const std::string& text) {
        return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    };
    bool wrong = bad(request.method) || bad(request.content_type);
    for (const auto& [name, value] : request.headers) wrong = wrong || bad(name) || bad(value);
    if (!wrong) return done();
    return Error{Code::invalid_argument, "outbound.header", "a header field to be sent holds a control character"};
}

struct Origin {
    std::size_t active = 0;
    std::deque<std::unique_ptr<Connection>> idle;
    std::deque<std::shared_ptr<Call>> waiting;
};

Result<std::unique_ptr<asio::ssl::context>> make_tls(const std::string& ca_file) {
    auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    context->set_verify_mode(asio::ssl::verify_peer);
    error_code ec;
    if (ca_file.empty()) {
        context->set_default_verify_paths(ec);
    } else {
        context->load_verify_file(ca_file, ec);
    }
    if (ec) return Error{Code::invalid_argument, "config.ca", "--ca " + ca_file + ": expected PEM certificates, found " + ec.message()};
    return context;
}

}  // namespace

struct Outbound::State : std::enable_shared_from_this<Outbound::State> {
    State(asio::io_context& io, OutboundOptions options_in)
        : strand(asio::make_strand(io)), options(std::move(options_in)), sweep(strand) {}

    asio::strand<asio::io_context::executor_type> strand;
    OutboundOptions options;
    Networks opened;
    std::set<std::string> own_origins;
    std::unique_ptr<asio::ssl::context> tls;
    std::map<std::string, Origin> origins;
    std::set<Connection*> live;
    std::size_t waiting = 0;
    asio::steady_timer sweep;
    bool sweeping = false;
    bool stopped = false;

    Status admit(Call& call) {
        ENTENTE_TRY(check_head(call.request));
        ENTENTE_ASSIGN(call.url, read_url(call.request.url));
        call.origin = call.url.origin();
        if (!call.url.tls && !options.plain_loopback) {
            return Error{Code::permission_denied, "outbound.plain", call.origin + ": expected https, found http"};
        }
        ENTENTE_TRY(check_origin(call.url, call.request.allowed_origins));
        if (own_origins.contains(call.origin)) return own_address(call.origin);
        if (stopped) return Error{Code::cancelled, "outbound.closed", "this side is shutting down"};
        return done();
    }

    static Error own_address(const std::string& origin) {
        return {Code::permission_denied, "outbound.own-address", origin + ": this is our own address; nothing was sent"};
    }

    void submit(const std::shared_ptr<Call>& call) {
        if (Status good = admit(*call); !good.ok()) return call->complete(std::move(good).error());
        Origin& origin = origins[call->origin];
        if (origin.active < options.connections_per_origin) return start(call, origin);
        if (waiting >= options.queue_limit) {
            return call->complete(Error{Code::resource_exhausted, "outbound.busy",
                                        std::to_string(waiting) + " calls wait for a connection already; try again later"});
        }
        ++waiting;
        origin.waiting.push_back(call);
        call->timer->expires_at(call->deadline);
        call->timer->async_wait([call](error_code ec) {
            if (!ec) call->complete(call->late("waiting for a connection"));
        });
    }

    void start(const std::shared_ptr<Call>& call, Origin& origin) {
        ++origin.active;
        call->timer->cancel();
        asio::co_spawn(strand, run(shared_from_this(), call), asio::detached);
    }

    static asio::awaitable<void> run(std::shared_ptr<State> self, std::shared_ptr<Call> call) {
        Answer answer = Error{Code::internal, "outbound.failed", "the call ended without an answer"};
        try {
            answer = co_await perform(self, call);
        } catch (const std::exception& failure) {
            answer = Error{Code::internal, "outbound.failed", failure.what()};
        }
        self->ended(call->origin);
        call->complete(std::move(answer));
    }

    void ended(const std::string& name) {
        Origin& origin = origins[name];
        --origin.active;
        while (!origin.waiting.empty() && origin.active < options.connections_per_origin) {
            const std::shared_ptr<Call> next = origin.waiting.front();
            origin.waiting.pop_front();
            --waiting;
            if (next->completion) start(next, origin);
        }
        if (origin.active == 0 && origin.idle.empty() && origin.waiting.empty()) origins.erase(name);
    }

    std::unique_ptr<Connection> take_idle(const std::string& name) {
        auto& idle = origins[name].idle;
        while (!idle.empty()) {
            std::unique_ptr<Connection> connection = std::move(idle.back());
            idle.pop_back();
            if (connection->quiet()) return connection;
        }
        return nullptr;
    }

    void put_idle(const std::string& name, std::unique_ptr<Connection> connection) {
        if (stopped) return;
        connection->lowest().expires_never();
        connection->idle_since = Clock::now();
        origins[name].idle.push_back(std::move(connection));
        if (!sweeping) sweep_later();
    }

    void sweep_later() {
        sweeping = true;
        sweep.expires_after(milliseconds(options.idle_ms));
        sweep.async_wait([weak = weak_from_this()](error_code ec) {
            const auto self = weak.lock();
            if (ec || !self) return;
            self->sweeping = false;
            const auto oldest = Clock::now() - milliseconds(self->options.idle_ms);
            bool any = false;
            for (auto it = self->origins.begin(); it != self->origins.end();) {
                auto& idle = it->second.idle;
                std::erase_if(idle, [&](const auto& c) { return c->idle_since <= oldest; });
                any = any || !idle.empty();
                const bool unused = idle.empty() && it->second.active == 0 && it->second.waiting.empty();
                it = unused ? self->origins.erase(it) : std::next(it);
            }
            if (any) self->sweep_later();
        });
    }

    void stop() {
        stopped = true;
        sweep.cancel();
        for (Connection* connection : live) connection->lowest().close();
        for (auto& [name, origin] : origins) {
            origin.idle.clear();
            for (const auto& call : origin.waiting) {
                call->complete(Error{Code::cancelled, "outbound.closed", "this side is shutting down"});
            }
        }
    }

    static asio::awaitable<Answer> perform(std::shared_ptr<State> self, std::shared_ptr<Call> call) {
        for (;;) {
            std::unique_ptr<Connection> connection = self->take_idle(call->origin);
            const bool reused = connection != nullptr;
            if (!connection) {
                Result<std::unique_ptr<Connection>> made = co_await connect(self, call);
                if (!made.ok()) co_return std::move(made).error();
                connection = std::move(made).value();
            }
            Exchange exchange{self->options, self->stopped, *call, *connection};
            self->live.insert(connection.get());
            Answer answer = co_await exchange.run();
            self->live.erase(connection.get());
            if (answer.ok() && exchange.reusable) self->put_idle(call->origin, std::move(connection));
            // A kept connection may have been closed by the peer in the meantime; a fresh one is tried then.
            const bool stale = !answer.ok() && reused && !exchange.answered && answer.error().reason == "outbound.broken";
            if (!stale || call->request.content || self->stopped) co_return answer;
        }
    }

    static asio::awaitable<Result<std::vector<tcp::endpoint>>> resolve(std::shared_ptr<State> self, std::shared_ptr<Call> call,
                                                                      Clock::time_point until) {
        // The system's resolver cannot be interrupted: whoever is first has answered, and nobody waits for the other.
        auto found = std::make_shared<Found>(self->strand, 2);
        auto resolver = std::make_shared<tcp::resolver>(self->strand);
        const std::string port = std::to_string(call->url.port);
        resolver->async_resolve(call->url.host, port, tcp::resolver::numeric_service,
                                [found, resolver](error_code ec, const tcp::resolver::results_type& results) {
                                    std::vector<tcp::endpoint> endpoints;
                                    for (const auto& result : results) endpoints.push_back(result.endpoint());
                                    found->try_send(ec, std::move(endpoints));
                                });
        asio::steady_timer timer(self->strand, until);
        timer.async_wait([found](error_code ec) {
            if (!ec) found->try_send(asio::error::timed_out, std::vector<tcp::endpoint>());
        });
        auto [ec, endpoints] = co_await found->async_receive(as_result);
        if (ec == asio::error::timed_out) co_return call->late("looking up its name");
        if (ec) co_return Error{Code::unavailable, "outbound.unreachable", call->origin + ": " + ec.message()};
        co_return std::move(endpoints);
    }

    // Those of the addresses that the rules allow; an error that says which was found when there is none.
    Result<std::vector<tcp::endpoint>> judge(const Call& call, const std::vector<tcp::endpoint>& endpoints) const {
        std::vector<tcp::endpoint> allowed;
        std::string refused;
        for (const tcp::endpoint& endpoint : endpoints) {
            const IpAddress address = address_of(endpoint.address());
            const bool good = may_connect(address, opened) && (call.url.tls || address.is_loopback());
            if (good) allowed.push_back(endpoint);
            if (!good) refused = endpoint.address().to_string();
        }
        if (!allowed.empty()) return allowed;
        return Error{Code::permission_denied, "outbound.address",
                     call.origin + ": its address " + refused + " is none that we may connect to" +
                         (call.url.tls ? "; open its network in the configuration if it is a partner's" : " without TLS")};
    }

    // Both ends on this machine, and the port is ours.
    bool reaches_ourselves(Connection& connection) const {
        error_code ec;
        const tcp::endpoint remote = connection.lowest().socket().remote_endpoint(ec);
        const tcp::endpoint local = connection.lowest().socket().local_endpoint(ec);
        if (ec || std::find(options.own_ports.begin(), options.own_ports.end(), remote.port()) == options.own_ports.end()) return false;
        return remote.address().is_loopback() || remote.address() == local.address();
    }

    static asio::awaitable<Result<std::unique_ptr<Connection>>> connect(std::shared_ptr<State> self, std::shared_ptr<Call> call) {
        const auto until = std::min(call->deadline, Clock::now() + milliseconds(self->options.connect_ms));
        const Result<std::vector<tcp::endpoint>> found = co_await resolve(self, call, until);
        if (!found.ok()) co_return found.error();
        const Result<std::vector<tcp::endpoint>> allowed = self->judge(*call, *found);
        if (!allowed.ok()) co_return allowed.error();
        std::string why = "it has no address";
        for (const tcp::endpoint& endpoint : *allowed) {
            auto connection = std::make_unique<Connection>();
            if (call->url.tls) {
                connection->tls = std::make_unique<Tls>(self->strand, *self->tls);
            } else {
                connection->plain = std::make_unique<beast::tcp_stream>(self->strand);
            }
            connection->lowest().expires_at(until);
            auto [ec] = co_await connection->lowest().async_connect(endpoint, as_result);
            if (self->stopped) co_return Error{Code::cancelled, "outbound.closed", "this side is shutting down"};
            if (ec) {
                why = endpoint.address().to_string() + ": " + ec.message();
                continue;
            }
            if (self->reaches_ourselves(*connection)) co_return own_address(call->origin);
            error_code ignored;
            connection->lowest().socket().set_option(tcp::no_delay(true), ignored);
            if (!call->url.tls) co_return std::move(connection);
            Tls* stream = connection->tls.get();
            const Status shaken = co_await shake_hands(stream, call);
            if (!shaken.ok()) co_return shaken.error();
            co_return std::move(connection);
        }
        co_return Error{Code::unavailable, "outbound.unreachable", call->origin + ": " + why};
    }

    static asio::awaitable<Status> shake_hands(Tls* stream, std::shared_ptr<Call> call) {
        std::string name = call->url.host;
        if (!read_address(name).ok()) {
            // SSL_set_tlsext_host_name, without its old-style cast.
            SSL_ctrl(stream->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
        }
        stream->set_verify_callback(asio::ssl::host_name_verification(name));
        auto [ec] = co_await stream->async_handshake(asio::ssl::stream_base::client, as_result);
        if (!ec) co_return done();
        const long verdict = SSL_get_verify_result(stream->native_handle());
        if (verdict != X509_V_OK) {
            co_return Error{Code::unauthenticated, "tls.untrusted",
                            "the certificate of " + call->origin + " is not good: " + X509_verify_cert_error_string(verdict) +
                                "; nothing was sent"};
        }
        co_return Error{Code::unavailable, "outbound.unreachable", call->origin + ": TLS: " + ec.message()};
    }
};

Result<std::shared_ptr<Outbound>> Outbound::make(asio::io_context& io, OutboundOptions options) {
    auto state = std::make_shared<State>(io, std::move(options));
    ENTENTE_ASSIGN(state->opened, Networks::read(state->options.opened_networks));
    ENTENTE_ASSIGN(state->tls, make_tls(state->options.ca_file));
    for (const std::string& own : state->options.own_origins) {
        ENTENTE_ASSIGN(const Url url, read_url(own));
        state->own_origins.insert(url.origin());
    }
    return std::shared_ptr<Outbound>(new Outbound(std::move(state)));
}

Outbound::~Outbound() {
    asio::post(state_->strand, [state = state_] { state->stop(); });
}

void Outbound::send(OutboundRequest request, Completion completion) {
    auto call = std::make_shared<Call>();
    call->deadline = Clock::now() + milliseconds(std::max<std::int64_t>(request.timeout_ms, 0));
    call->request = std::move(request);
    call->completion = std::move(completion);
    call->timer = std::make_unique<asio::steady_timer>(state_->strand);
    asio::post(state_->strand, [state = state_, call] { state->submit(call); });
}

void Outbound::after(std::int64_t delay_ms, std::function<void()> work) {
    auto timer = std::make_shared<asio::steady_timer>(state_->strand, milliseconds(std::max<std::int64_t>(delay_ms, 0)));
    timer->async_wait([timer, weak = std::weak_ptr<State>(state_), work = std::move(work)](error_code ec) {
        const auto state = weak.lock();
        if (!ec && state && !state->stopped) work();
    });
}

Status check_origin(const Url& url, const std::vector<std::string>& allowed) {
    std::string list;
    for (const std::string& text : allowed) {
        const auto known = read_url(text);
        if (known.ok() && known->origin() == url.origin()) return done();
        list += (list.empty() ? "" : ", ") + text;
    }
    return Error{Code::permission_denied, "outbound.origin",
                 "expected an address at " + (list.empty() ? std::string("a registered origin (there is none)") : list) + ", found " + url.origin()};
}

}  // namespace entente::native
