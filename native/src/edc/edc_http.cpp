#include "edc/edc_http.hpp"

#include <chrono>
#include <thread>

namespace entente::native {

Result<std::unique_ptr<EdcHttp>> EdcHttp::make(EdcHttpOptions options) {
    OutboundOptions out;
    out.plain_loopback = options.loopback;
    out.opened_networks = options.opened_networks;
    if (options.loopback) out.opened_networks.insert(out.opened_networks.end(), {"127.0.0.0/8", "::1/128"});
    out.ca_file = options.ca_file;
    std::unique_ptr<EdcHttp> http(new EdcHttp(std::move(options)));
    ENTENTE_ASSIGN(http->outbound_, Outbound::make(http->io_, std::move(out)));
    return http;
}

EdcHttp::~EdcHttp() { outbound_.reset(); }

Result<edc::HttpResponse> EdcHttp::send(const edc::HttpRequest& request, contract::ByteSink* sink) {
    OutboundRequest ask;
    ask.method = request.method;
    ask.url = request.url;
    ask.headers = request.headers;
    ask.body = request.body;
    ask.allowed_origins = o_.origins;
    ask.timeout_ms = sink == nullptr ? o_.timeout_ms : o_.stream_timeout_ms;
    if (sink != nullptr) ask.sink = std::shared_ptr<contract::ByteSink>(std::shared_ptr<void>(), sink);
    std::optional<Result<OutboundResponse>> answer;
    outbound_->send(std::move(ask), [&answer](Result<OutboundResponse> response) { answer.emplace(std::move(response)); });
    io_.restart();
    while (!answer && io_.run_one() > 0) {
    }
    if (!answer) return Error{Code::internal, "edc.http", "HTTP client: expected an answer or an error, found neither"};
    if (!answer->ok()) return answer->error();
    return edc::HttpResponse{(*answer)->status, std::move((*answer)->body)};
}

void EdcHttp::pause(std::int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

std::int64_t EdcHttp::now_ms() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace entente::native
