// connectors/edc/http.hpp over the client for addresses that strangers gave us: an EDC's Management API is its owner's own,
// but where the bytes of a pull lie is said by the other company's connector.
//
//   ENTENTE_ASSIGN(auto http, EdcHttp::make({.origins = {"http://127.0.0.1:8181"}, .loopback = true}));
//
// Thread-safety: one thread at a time; each call blocks it.
#pragma once

#include <memory>

#include <boost/asio/io_context.hpp>

#include "connectors/edc/http.hpp"
#include "net/outbound.hpp"

namespace entente::native {

struct EdcHttpOptions {
    std::vector<std::string> origins;          // of the Management API, and of the peers' data planes
    bool loopback = false;                     // may they be on this machine, over plain HTTP?
    std::vector<std::string> opened_networks;  // outbound.hpp's
    std::string ca_file;
    std::int64_t timeout_ms = 60'000;          // of a call
    std::int64_t stream_timeout_ms = 3'600'000;
};

class EdcHttp final : public edc::Http {
public:
    // outbound.hpp's: invalid_argument "config.network", "config.ca".
    static Result<std::unique_ptr<EdcHttp>> make(EdcHttpOptions options);
    ~EdcHttp() override;

    Result<edc::HttpResponse> send(const edc::HttpRequest& request, contract::ByteSink* sink) override;
    void pause(std::int64_t ms) override;
    [[nodiscard]] std::int64_t now_ms() const override;

private:
    explicit EdcHttp(EdcHttpOptions options) : o_(std::move(options)) {}
    EdcHttpOptions o_;
    boost::asio::io_context io_;
    std::shared_ptr<Outbound> outbound_;
};

}  // namespace entente::native
