// A connector of the Dataspace Protocol on loopback, all of it but its decisions: for tests that need one or two.
#pragma once

#include <doctest/doctest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <thread>

#include "connectors/dsp/words.hpp"
#include "connectors/dsp/writer.hpp"
#include "dsp/service.hpp"
#include "http/listener.hpp"
#include "support.hpp"

namespace dsp_test {

using namespace entente;
using namespace entente::native;

inline const std::string dataset_id = "urn:fl:42:a:updates";
inline const std::string offer = R"({"@id":"offer-1","@type":"Offer","permission":[{"action":"use"}]})";

// Agrees to what it offers, verifies what it asked for, starts every transfer that is asked for under an agreement.
class Agreeing : public dsp::Behaviour {
public:
    std::string participant;
    std::string peer_origin = "http://127.0.0.1";

    Status admit_address(const std::string&, const std::string& address) override {
        ENTENTE_ASSIGN(const Url url, read_url(address));
        if (url.origin().starts_with(peer_origin)) return done();
        return Error{Code::permission_denied, "dsp.callback", "expected an address of the peer, found " + url.origin()};
    }
    Found catalogue(const std::string&, const dsp::CatalogueFilter& filter) override {
        if (filter.dataset && *filter.dataset != dataset_id) return {};
        return {{{dataset_id, {offer}, {std::string(dsp::format_pull)}, {}, {}}}, 1};
    }
    Status admit(const dsp::Negotiation& proposed) override {
        if (proposed.dataset == dataset_id) return done();
        return Error{Code::not_found, "dsp.no-dataset", "no such dataset"};
    }
    Status admit(const dsp::TransferProcess&) override { return done(); }
    Status admit_agreement(const dsp::Negotiation&) override { return done(); }
    std::vector<dsp::Act> next(const dsp::Negotiation& n, dsp::Kind kind, dsp::Cause cause) override {
        using dsp::Kind;
        if (cause != dsp::Cause::received) return {};
        if (kind == Kind::contract_request) {
            const auto agreement = dsp::agreement_over(n.offer, {new_urn(), n.dataset, participant, n.peer, "2026-11-23T11:00:00Z"});
            return {{.send = Kind::agreement, .policy = *agreement}};
        }
        if (kind == Kind::agreement) return {{.send = Kind::verification}};
        if (kind == Kind::verification) return {{.send = Kind::finalization}};
        return {};
    }
    std::vector<dsp::Act> next(const dsp::TransferProcess& t, dsp::Kind kind, dsp::Cause cause) override {
        if (cause != dsp::Cause::received || t.role != dsp::Role::provider || kind != dsp::Kind::transfer_request) return {};
        return {{.send = dsp::Kind::transfer_start, .address = dsp::DataAddress{std::string(dsp::endpoint_http), "http://127.0.0.1/none", "token", "bearer"}}};
    }
};

class Connector {
public:
    // `folder` outlives it: a second one over the same folder is the first after a restart. Port 0: any.
    Connector(std::string participant, const std::filesystem::path& folder, std::uint16_t port = 0)
        : store_(ProcessStore::open((folder / "dsp.db").string()).value()),
          identity_(make_mock_identity(participant, "127.0.0.1").value()),
          listener_(std::make_unique<http::Listener>(io_, door_, http::ListenOptions{.address = "127.0.0.1", .port = port})) {
        behaviour.participant = participant;
        REQUIRE(listener_->start().ok());
        OutboundOptions out;
        out.plain_loopback = true;
        out.opened_networks = {"127.0.0.0/8"};
        out.own_ports = {listener_->port()};
        outbound_ = Outbound::make(io_, std::move(out)).value();
        dsp::NodeOptions node;
        node.participant = participant;
        node.address = address();
        DspOptions options{.post = [this](std::function<void()> work) { boost::asio::post(io_, std::move(work)); },
                           .outbound = outbound_, .store = store_, .identity = *identity_, .behaviour = behaviour, .node = std::move(node),
                           .origins_of = [this](const std::string&) { return peer_origins; },
                           .on_step = [this](const dsp::Step&) { ++steps; }, .on_failure = [this](const Error&) { ++failures; }};
        door_.service = DspService::open(std::move(options)).value();
        service = door_.service;
    }
    ~Connector() {
        stop();
        service.reset();
        door_.service.reset();
        outbound_.reset();
    }
    void run() {
        boost::asio::post(io_, [this] { service->start(); });
        thread_ = std::thread([this] { io_.run(); });
    }
    // At once, as a killed process would: what was not stored is lost.
    void stop() {
        io_.stop();
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] std::string origin() const { return "http://127.0.0.1:" + std::to_string(listener_->port()); }
    [[nodiscard]] std::string address() const { return origin() + "/dsp/2025-1"; }
    [[nodiscard]] std::uint16_t port() const { return listener_->port(); }

    // Runs on the connector's thread, and answers what it answered.
    template <class Work>
    auto ask(Work work) {
        std::promise<decltype(work())> promise;
        auto answer = promise.get_future();
        boost::asio::post(io_, [&] { promise.set_value(work()); });
        return answer.get();
    }
    Result<std::string> negotiate(const Connector& provider, const std::string& peer) {
        std::promise<Result<std::string>> promise;
        auto answer = promise.get_future();
        boost::asio::post(io_, [&] {
            service->negotiate({peer, provider.address(), dataset_id, offer, {}}, [&](Result<std::string> pid) { promise.set_value(std::move(pid)); });
        });
        return answer.get();
    }

    Agreeing behaviour;
    std::vector<std::string> peer_origins;
    std::shared_ptr<DspService> service;
    std::atomic<int> steps{0};
    std::atomic<int> failures{0};

private:
    struct Door final : http::Handler {
        std::shared_ptr<DspService> service;
        [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const override { return service->body_rule(request); }
        [[nodiscard]] http::Response body_refused(const http::Request& request, const Error& error) const override { return service->body_refused(request, error); }
        void handle(http::Request request, http::Reply reply) override { service->handle(std::move(request), std::move(reply)); }
        void begin_upload(http::Request request, UploadStarted started) override { service->begin_upload(std::move(request), std::move(started)); }
        void subscribe(http::Caller, std::weak_ptr<http::Subscriber>, std::function<void(bool)> answer) override { answer(false); }
        [[nodiscard]] std::optional<http::Response> refuse_socket(const http::Request&) override { return http::problem(404, "http.not-found", "there are no events here"); }
    };
    boost::asio::io_context io_{1};
    Door door_;
    ProcessStore store_;
    std::unique_ptr<IdentityProvider> identity_;
    std::unique_ptr<http::Listener> listener_;
    std::shared_ptr<Outbound> outbound_;
    std::thread thread_;
};

// At most `seconds`; whether it became so.
template <class Condition>
bool becomes(Condition&& condition, int seconds = 20) {
    for (int i = 0; i < seconds * 100 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return condition();
}

}  // namespace dsp_test
