#include "http/guard.hpp"

#include <algorithm>
#include <string>

namespace entente::native::http {
namespace {

constexpr std::size_t max_fields = 100;

Error refuse(const char* reason, std::string message) { return {Code::invalid_argument, reason, "request: " + std::move(message)}; }

bool is_token(std::string_view text) {
    static constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
    });
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

struct Fields {
    std::size_t count = 0;
    std::size_t hosts = 0;
    std::string host;
    std::size_t lengths = 0;
    std::size_t encodings = 0;
    std::string encoding;
};

Status read_field(std::string_view line, Fields& fields) {
    if (line.empty()) return refuse("http.malformed", "the head ends before its end");
    if (line.front() == ' ' || line.front() == '\t') return refuse("http.folded", "a header field is folded over two lines");
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return refuse("http.malformed", "a header line has no colon");
    if (!is_token(line.substr(0, colon))) return refuse("http.malformed", "the name of a header field is malformed");
    if (++fields.count > max_fields) return refuse("http.too-many-fields", "expected at most 100 header fields, found more");
    const std::string name = lower(line.substr(0, colon));
    const std::string_view value = trim(line.substr(colon + 1));
    if (name == "host") {
        ++fields.hosts;
        fields.host = lower(value);
    } else if (name == "content-length") {
        ++fields.lengths;
        const bool digits = !value.empty() && value.size() <= 18 &&
                            std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!digits) return refuse("http.content-length", "expected a plain number as Content-Length");
    } else if (name == "transfer-encoding") {
        ++fields.encodings;
        fields.encoding = lower(value);
    } else if (name == "trailer") {
        return refuse("http.trailer", "trailers are not accepted");
    }
    return done();
}

Status check_target(std::string_view target, const Fields& fields) {
    if (target.starts_with('/')) return done();
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!lower(target).starts_with(scheme)) continue;
        const std::string_view rest = target.substr(scheme.size());
        if (lower(rest.substr(0, rest.find('/'))) == fields.host) return done();
        return refuse("http.host-mismatch", "the target's host is not the Host field's");
    }
    return refuse("http.target", "expected a target that begins with a slash");
}

}  // namespace

Status check_head(std::string_view head) {
    if (head.size() < 4 || !head.ends_with("\r\n\r\n")) return refuse("http.malformed", "the head does not end with an empty line");
    for (std::size_t i = 0; i < head.size(); ++i) {
        const char c = head[i];
        if (c == '\n' && (i == 0 || head[i - 1] != '\r')) return refuse("http.bare-lf", "a line ends with LF alone");
        if (c == '\r' && (i + 1 == head.size() || head[i + 1] != '\n')) return refuse("http.bare-cr", "a CR stands alone");
        const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\r' && c != '\n' && c != '\t') || c == 0x7f;
        if (control) return refuse("http.control-character", "it holds a control character");
    }
    const std::size_t line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last || line.find(' ', first + 1) != last || !is_token(line.substr(0, first))) {
        return refuse("http.malformed", "expected METHOD target HTTP/1.1");
    }
    const std::string_view version = line.substr(last + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return refuse("http.version", "expected HTTP/1.1");

    Fields fields;
    std::string_view rest = head.substr(line_end + 2);
    while (rest != "\r\n") {
        const std::size_t end = rest.find("\r\n");
        ENTENTE_TRY(read_field(rest.substr(0, end), fields));
        rest = rest.substr(end + 2);
    }
    if (fields.hosts != 1) return refuse("http.host", "expected exactly one Host field");
    if (fields.lengths > 1) return refuse("http.content-length", "expected one Content-Length, found several");
    if (fields.encodings > 0) {
        if (fields.lengths > 0) return refuse("http.ambiguous-length", "both Content-Length and Transfer-Encoding");
        if (fields.encodings > 1 || fields.encoding != "chunked" || version != "HTTP/1.1") {
            return refuse("http.transfer-encoding", "expected no Transfer-Encoding");
        }
    }
    ENTENTE_TRY(check_target(line.substr(first + 1, last - first - 1), fields));
    if (fields.encodings > 0) return refuse("http.length-required", "expected a Content-Length; chunked bodies are not accepted here");
    return done();
}

int status_of(const Error& error) noexcept {
    if (error.reason == "http.length-required") return 411;
    if (error.reason == "http.too-many-fields" || error.reason == "http.head-too-large") return 431;
    if (error.reason == "http.timeout") return 408;
    return http_status(error.code);
}

}  // namespace entente::native::http
