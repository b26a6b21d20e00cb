#include "http/message.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include "commands/text.hpp"

namespace entente::native::http {
namespace {

std::optional<unsigned> digit(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
    if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
    return std::nullopt;
}

bool decode(std::string_view text, bool plus_is_space, std::string& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += plus_is_space && text[i] == '+' ? ' ' : text[i];
            continue;
        }
        if (i + 2 >= text.size()) return false;
        const auto high = digit(text[i + 1]);
        const auto low = digit(text[i + 2]);
        if (!high || !low || (*high == 0 && *low == 0)) return false;
        out += static_cast<char>(*high * 16 + *low);
        i += 2;
    }
    return true;
}

}  // namespace

std::string_view title_of(int status) noexcept {
    switch (status) {
        case 100: return "Continue";
        case 101: return "Switching Protocols";
        case 200: return "OK";
        case 201: return "Created";
        case 202: return "Accepted";
        case 204: return "No Content";
        case 206: return "Partial Content";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 410: return "Gone";
        case 411: return "Length Required";
        case 413: return "Payload Too Large";
        case 416: return "Range Not Satisfiable";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 499: return "Client Closed Request";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 507: return "Insufficient Storage";
        default: return "Unknown";
    }
}

Response problem(int status, const std::string& reason, const std::string& message) {
    Response response;
    response.status = status;
    response.content_type = "application/problem+json";
    commands::JsonObject body;
    body.text("type", "about:blank").text("title", title_of(status)).whole("status", static_cast<std::uint64_t>(status));
    response.body = body.text("code", reason).text("detail", message).str();
    if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
    if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", status == 429 ? "5" : "1");
    return response;
}

Response problem(const Error& error) { return problem(http_status(error.code), error.reason, error.message); }

Response json(std::string body, int status) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

Response binary(ByteView bytes, int status) {
    Response response;
    response.status = status;
    response.content_type = "application/octet-stream";
    response.body.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    response.headers.emplace_back("Cache-Control", "no-store");
    return response;
}

std::shared_ptr<void> when_gone(std::function<void()> work) {
    return {nullptr, [work = std::move(work)](void*) { work(); }};
}

Response no_content() {
    Response response;
    response.status = 204;
    return response;
}

bool split_target(std::string_view target, Request& request) {
    const std::size_t question = target.find('?');
    if (!decode(target.substr(0, question), false, request.path)) return false;
    if (question == std::string_view::npos) return true;
    std::string_view rest = target.substr(question + 1);
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest = pair.size() < rest.size() ? rest.substr(pair.size() + 1) : std::string_view();
        const std::size_t equals = std::min(pair.find('='), pair.size());
        std::string name;
        std::string value;
        if (!decode(pair.substr(0, equals), true, name)) return false;
        if (equals < pair.size() && !decode(pair.substr(equals + 1), true, value)) return false;
        request.query.emplace(std::move(name), std::move(value));
    }
    return true;
}

std::string http_date(std::int64_t ms) {
    const auto seconds = static_cast<std::time_t>(ms / 1000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), length};
}

std::optional<std::int64_t> read_http_date(std::string_view text) {
    const std::string date(text);
    std::tm parts{};
    const char* const end = ::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (date.empty() || end == nullptr || *end != '\0') return std::nullopt;
    return static_cast<std::int64_t>(::timegm(&parts)) * 1000;
}

std::string page_policy(const std::string& origin) {
    return "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src "
           "'self'" + (origin.empty() ? "" : " " + origin) + "; worker-src 'self' blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
           "form-action 'none'; frame-ancestors 'none'";
}

std::string response_head(const Response& r, bool keep_alive, bool secure) {
    const std::uint64_t length = r.content ? r.content_bytes : (r.fixed.empty() ? r.body.size() : r.fixed.size());
    std::string head = "HTTP/1.1 " + std::to_string(r.status) + " " + std::string(title_of(r.status)) + "\r\n";
    const auto add = [&head](std::string_view name, std::string_view value) {
        head.append(name).append(": ").append(value).append("\r\n");
    };
    if (r.status != 204 && r.status != 304) {
        add("Content-Type", r.content_type);
        add("Content-Length", std::to_string(length));
    }
    for (const auto& [name, value] : r.headers) add(name, value);
    if (!keep_alive || r.close) add("Connection", "close");
    add("X-Content-Type-Options", "nosniff");
    add("Referrer-Policy", "no-referrer");
    add("X-Frame-Options", "DENY");
    add("Cross-Origin-Opener-Policy", "same-origin");
    add("Cross-Origin-Embedder-Policy", "require-corp");
    add("Cross-Origin-Resource-Policy", "same-origin");
    const bool own_policy = std::any_of(r.headers.begin(), r.headers.end(),
                                        [](const auto& h) { return h.first == "Content-Security-Policy"; });
    if (!own_policy) add("Content-Security-Policy", page_policy({}));
    if (secure) add("Strict-Transport-Security", "max-age=31536000");
    head += "\r\n";
    return head;
}

}  // namespace entente::native::http
