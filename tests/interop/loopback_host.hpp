// The production connector of the Dataspace Protocol as a process of its own, on loopback alone: everything but its
// decisions, which the caller brings, and a few paths that only a test has.
#pragma once

#include <boost/asio/io_context.hpp>

#include "dsp/service.hpp"
#include "http/listener.hpp"

namespace interop {

struct HostOptions {
    std::string participant;
    std::string listen = "127.0.0.1";  // anything but loopback is refused
    std::uint16_t port = 0;
    std::string folder = ".";
    std::string issuer;                // an identity provider that vouches for the connectors; empty: the mock token
    std::string secret;                // of the client that is called like the participant
    std::vector<std::string> audiences;  // accepted in a token beside our own address
    std::uint32_t attempts = 8;
    std::size_t open_per_peer = 100;
    std::uint64_t push_limit_bytes = 0;
};

class LoopbackHost final : public entente::native::http::Handler {
public:
    // Listens; what is set below comes before run().
    static entente::Result<std::unique_ptr<LoopbackHost>> open(HostOptions options);

    std::function<std::vector<std::string>(const std::string& peer)> origins_of;
    std::function<void(const entente::dsp::Step&)> on_step;
    std::function<entente::Status(const entente::native::Grant&, const entente::Digest&)> on_received;
    // POST {path} with a flat JSON object of strings; answers on the strand. Paths outside of the protocol's root.
    using Members = std::map<std::string, std::string>;
    using Control = std::function<void(Members&, entente::native::http::Reply)>;
    std::map<std::string, Control> controls;

    // Prints "listening http://localhost:PORT", serves until SIGTERM. The exit code.
    int run(entente::dsp::Behaviour& behaviour, const std::function<void()>& started = [] {});

    [[nodiscard]] std::string origin() const { return "http://localhost:" + std::to_string(listener_->port()); }
    [[nodiscard]] entente::native::DspService& service() { return *service_; }
    [[nodiscard]] entente::native::DataPlane& data() { return *data_; }
    [[nodiscard]] entente::native::BlobStore& blobs() { return blobs_; }
    [[nodiscard]] const std::shared_ptr<entente::native::Outbound>& outbound() { return outbound_; }
    void post(std::function<void()> work);

    // http::Handler
    [[nodiscard]] entente::native::http::BodyRule body_rule(const entente::native::http::Request& request) const override;
    [[nodiscard]] entente::native::http::Response body_refused(const entente::native::http::Request& request, const entente::Error& error) const override;
    void handle(entente::native::http::Request request, entente::native::http::Reply reply) override;
    void begin_upload(entente::native::http::Request request, UploadStarted started) override;
    void subscribe(entente::native::http::Caller, std::weak_ptr<entente::native::http::Subscriber>, std::function<void(bool)> answer) override { answer(false); }
    [[nodiscard]] std::optional<entente::native::http::Response> refuse_socket(const entente::native::http::Request&) override { return entente::native::http::problem(404, "http.not-found", "there are no events here"); }

private:
    LoopbackHost(HostOptions options, entente::native::ProcessStore store, entente::native::BlobStore blobs,
                 std::unique_ptr<entente::native::IdentityProvider> mock)
        : o_(std::move(options)), store_(std::move(store)), blobs_(std::move(blobs)), identity_(std::move(mock)) {}
    entente::Status assemble(entente::dsp::Behaviour& behaviour);

    HostOptions o_;
    boost::asio::io_context io_{1};
    entente::native::ProcessStore store_;
    entente::native::BlobStore blobs_;
    std::unique_ptr<entente::native::IdentityProvider> identity_;
    std::unique_ptr<entente::native::http::Listener> listener_;
    std::shared_ptr<entente::native::Outbound> outbound_;
    std::shared_ptr<entente::native::DataPlane> data_;
    std::shared_ptr<entente::native::DspService> service_;
};

// "--name value" pairs; a name that comes again keeps all its values.
std::multimap<std::string, std::string> read_options(int count, char** arguments);
std::string option(const std::multimap<std::string, std::string>& options, const std::string& name, const std::string& otherwise);

}  // namespace interop
