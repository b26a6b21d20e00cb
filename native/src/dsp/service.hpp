// The Dataspace Protocol's connector on this machine: connectors/dsp/node.hpp with sockets, a store and a clock. It serves
// the protocol's paths, and posts what is due to the peers.
//
//   ENTENTE_ASSIGN(auto service, DspService::open({.post = on_strand, .outbound = outbound, .store = store, …}));
//   http::Listener listener(io, *service, …);
//   service->start();                        // what was open when we went down goes on
//
// What an event changes is stored before anything is answered or sent; changes that come about together share one
// transaction. Our next message leaves after the answer has left. While the store fails nothing is sent, what comes is answered
// 503, and what came before waits: it is stored once a second, until it can be.
// Thread-safety: handle() from any thread; everything else on the strand that `post` leads to.
#pragma once

#include <optional>

#include "connectors/dsp/node.hpp"
#include "dsp/data_plane.hpp"
#include "dsp/identity_provider.hpp"
#include "dsp/process_store.hpp"
#include "http/handler.hpp"
#include "net/outbound.hpp"

namespace entente::native {

struct DspOptions {
    std::function<void(std::function<void()>)> post;
    std::shared_ptr<Outbound> outbound;
    ProcessStore& store;
    IdentityProvider& identity;
    dsp::Behaviour& behaviour;
    dsp::NodeOptions node;           // new_id may be left out
    std::shared_ptr<DataPlane> data = {};  // its paths are served too; what it granted ends when its transfer does
    std::string root = "/dsp";       // the path of `node.address` on this server is this and /2025-1
    // The origins that were registered for a participant: nothing is sent anywhere else.
    std::function<std::vector<std::string>(const std::string& peer)> origins_of;
    std::string did_document = {};   // served at /.well-known/did.json; empty: none
    std::function<void(const dsp::Step&)> on_step;        // stored, with a process in it
    std::function<void(const Error&)> on_failure;         // the store began to fail
    std::int64_t message_timeout_ms = 10'000;             // of one message to a peer
};

class DspService final : public http::Handler, public std::enable_shared_from_this<DspService> {
public:
    // Reads what was stored. data_loss "store.*".
    static Result<std::shared_ptr<DspService>> open(DspOptions options);

    void start();

    // Each completes with our pid when the process is stored, or with the error that kept it from beginning.
    using Begun = std::function<void(Result<std::string>)>;
    void negotiate(const dsp::Node::NegotiationRequest& request, Begun begun);
    void transfer(const dsp::Node::TransferWish& wish, Begun begun);
    // A message of ours in an open process: not_found, conflict "dsp.*".
    void act(const std::string& pid, const dsp::Act& act, Begun begun);

    [[nodiscard]] const dsp::Node& node() const { return node_; }
    // Is this path one of ours?
    [[nodiscard]] bool serves(std::string_view path) const;

    // http::Handler
    [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const override;
    // In the protocol's words, where the path is one of its.
    [[nodiscard]] http::Response body_refused(const http::Request& request, const Error& error) const override;
    void handle(http::Request request, http::Reply reply) override;
    void begin_upload(http::Request request, UploadStarted started) override;
    void subscribe(http::Caller, std::weak_ptr<http::Subscriber>, std::function<void(bool)> answer) override { answer(false); }
    [[nodiscard]] std::optional<http::Response> refuse_socket(const http::Request&) override { return http::problem(404, "http.not-found", "there are no events here"); }

private:
    explicit DspService(DspOptions options);
    void receive(const http::Request& request, const std::string& caller, const http::Reply& reply);
    void answer(const std::shared_ptr<dsp::Step>& step, const http::Reply& reply);
    void heard(const dsp::Step& step);
    void end_grant(const std::string& transfer);
    void carry_out(const dsp::Step& step, std::function<void()> stored);
    void begin(Result<dsp::Step> step, Begun begun);
    void flush();
    void after(std::int64_t ms, std::function<void(DspService&)> work);
    void pump();
    void post_message(const dsp::Due& due);
    void sent(const dsp::Due& due, const Result<OutboundResponse>& answer);
    void wake_at(std::int64_t when_ms);

    DspOptions o_;
    dsp::Node node_;
    std::map<std::string, ProcessStore::Row> rows_;                // changed, not stored yet
    std::vector<std::function<void()>> waiting_;                   // for that to be stored
    bool flush_queued_ = false;
    std::optional<Error> failed_;  // of the store, until it takes something again
    std::optional<std::int64_t> wake_ms_;
};

// "urn:uuid:" and a random UUID (RFC 4122, version 4).
std::string new_urn();

}  // namespace entente::native
