#include "identity/issuer_http.hpp"

#include "net/outbound.hpp"

namespace entente::native {
namespace {

constexpr std::int64_t timeout_ms = 10'000;
constexpr std::uint64_t limit_bytes = 256 * 1024;

}  // namespace

Result<AskIssuer> make_issuer_client(boost::asio::io_context& io, const std::string& ca_file) {
    OutboundOptions options;
    options.plain_loopback = true;
    options.opened_networks = {"0.0.0.0/0", "::/0"};
    options.ca_file = ca_file;
    options.connections_per_origin = 2;
    ENTENTE_ASSIGN(std::shared_ptr<Outbound> outbound, Outbound::make(io, std::move(options)));
    return AskIssuer([outbound](IssuerRequest request, std::function<void(Result<IssuerAnswer>)> completion) {
        const auto url = read_url(request.url);
        if (const Status good = check_issuer_url(request.url); !good.ok() || !url.ok()) {
            return completion(good.ok() ? url.error() : good.error());
        }
        OutboundRequest call;
        call.method = request.form.empty() ? "GET" : "POST";
        call.url = request.url;
        call.headers.emplace_back("Accept", "application/json");
        if (!request.authorization.empty()) call.headers.emplace_back("Authorization", request.authorization);
        call.content_type = "application/x-www-form-urlencoded";
        call.body = std::move(request.form);
        call.allowed_origins = {url->origin()};
        call.timeout_ms = timeout_ms;
        call.response_limit = limit_bytes;
        outbound->send(std::move(call), [completion = std::move(completion)](Result<OutboundResponse> answer) {
            if (!answer.ok()) return completion(answer.error());
            completion(IssuerAnswer{answer->status, std::move(answer->body)});
        });
    });
}

std::string form_text(std::string_view text) {
    static constexpr std::string_view digits = "0123456789ABCDEF";
    static constexpr std::string_view plain = "-._~";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

}  // namespace entente::native
