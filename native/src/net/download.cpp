#include "net/download.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/files.hpp"

namespace entente::native {
namespace {

bool read_number(std::string_view text, std::uint64_t& value) {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    return ec == std::errc() && end == text.data() + text.size() && !text.empty();
}

// "bytes 5-9/10": 5 and 10.
struct Place {
    std::uint64_t first = 0;
    std::uint64_t total = 0;
};
std::optional<Place> read_content_range(std::string_view field) {
    const std::size_t dash = field.find('-'), slash = field.find('/');
    Place place;
    std::uint64_t last = 0;
    const bool good = field.starts_with("bytes ") && dash != std::string_view::npos && slash != std::string_view::npos && dash < slash &&
                      read_number(field.substr(6, dash - 6), place.first) && read_number(field.substr(dash + 1, slash - dash - 1), last) &&
                      read_number(field.substr(slash + 1), place.total) && last + 1 == place.total && place.first <= last;
    return good ? std::optional(place) : std::nullopt;
}

class Task final : public contract::ByteSink, public std::enable_shared_from_this<Task> {
public:
    Task(std::shared_ptr<Outbound> outbound, Download wish, std::function<void(Result<Downloaded>)> completion)
        : outbound_(std::move(outbound)), wish_(std::move(wish)), completion_(std::move(completion)), deadline_ms_(monotonic_ms() + wish_.timeout_ms), received_(wish_.from) {}

    void ask() {
        OutboundRequest request;
        request.method = "GET";
        request.url = wish_.url;
        request.allowed_origins = wish_.allowed_origins;
        request.timeout_ms = deadline_ms_ - monotonic_ms();
        request.cancel = wish_.cancel;
        if (!wish_.authorization.empty()) request.headers.emplace_back("Authorization", wish_.authorization);
        if (received_ > 0) {
            request.headers.emplace_back("Range", "bytes=" + std::to_string(received_) + "-");
            if (!etag_.empty()) request.headers.emplace_back("If-Range", etag_);
        }
        request.sink = shared_from_this();
        request.on_head = [self = shared_from_this()](const OutboundResponse& head) { return self->take_head(head); };
        outbound_->send(std::move(request), [self = shared_from_this()](Result<OutboundResponse> answer) { self->answered(answer); });
    }

    Status append(ByteView piece) override {
        const std::size_t known = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, piece.size()));
        skip_ -= known;
        piece = piece.subspan(known);
        if (piece.empty()) return done();
        if (piece.size() > wish_.limit_bytes - received_) return too_large();
        tries_ = 0;
        Status taken = wish_.sink->append(piece);
        if (!taken.ok()) {
            final_ = true;
            return taken;
        }
        received_ += piece.size();
        return done();
    }

private:
    Error too_large() {
        final_ = true;
        return {Code::too_large, "download.too-large", wish_.url + ": expected at most " + std::to_string(wish_.limit_bytes) + " bytes, found more"};
    }
    Error changed() {
        final_ = true;
        return {Code::conflict, "download.changed", wish_.url + ": the content is another one than it was before the connection broke"};
    }

    Status take_head(const OutboundResponse& head) {
        const std::string etag = head.header("etag");
        std::uint64_t total = 0;
        bool known = read_number(head.header("content-length"), total);
        skip_ = 0;
        if (head.status == 206) {
            const auto place = read_content_range(head.header("content-range"));
            if (!place || place->first != received_ || (total_ && *total_ != place->total)) return changed();
            total = place->total;
            known = true;
        } else {
            // A peer that knows no ranges sends all of it again: what we have is passed over, if it is the same.
            if (seen_ && received_ > 0 && (etag != etag_ || (total_ && known && *total_ != total))) return changed();
            skip_ = received_;
        }
        if (!seen_) etag_ = etag.starts_with("W/") ? std::string() : etag;
        seen_ = true;
        if (!known) return done();
        total_ = total;
        return total > wish_.limit_bytes ? Status(too_large()) : done();
    }

    void answered(const Result<OutboundResponse>& answer) {
        if (answer.ok()) {
            const int status = answer->status;
            if (status == 200 || status == 206) return completion_(Downloaded{received_, etag_});
            const std::string said = wish_.url + ": the peer answered with status " + std::to_string(status) + ": " + answer->body.substr(0, 300);
            if (status == 401 || status == 403) return completion_(Error{Code::permission_denied, "download.refused", said});
            if (status == 404 || status == 410) return completion_(Error{Code::not_found, "download.missing", said});
            const bool later = status == 408 || status == 429 || status >= 500;
            if (!later) return completion_(Error{Code::unavailable, "download.failed", said});
            return again(Error{Code::unavailable, "download.failed", said});
        }
        const Error& error = answer.error();
        const bool broke = error.code == Code::unavailable || error.reason == "outbound.slow";
        if (final_ || !broke) return completion_(error);
        again(error);
    }

    void again(const Error& error) {
        const std::int64_t delay = wish_.first_retry_ms << std::min(tries_, 10u);
        if (++tries_ >= wish_.attempts || monotonic_ms() + delay >= deadline_ms_) return completion_(error);
        outbound_->after(delay, [self = shared_from_this()] { self->ask(); });
    }

    std::shared_ptr<Outbound> outbound_;
    Download wish_;
    std::function<void(Result<Downloaded>)> completion_;
    std::int64_t deadline_ms_;
    std::uint64_t received_ = 0;  // and taken by the sink
    std::uint64_t skip_ = 0;      // of what comes now
    std::optional<std::uint64_t> total_;
    std::string etag_;
    unsigned tries_ = 0;
    bool seen_ = false;           // a head of it
    bool final_ = false;          // no break: what has happened would happen again
};

}  // namespace

void download(const std::shared_ptr<Outbound>& outbound, Download wish, std::function<void(Result<Downloaded>)> completion) {
    std::make_shared<Task>(outbound, std::move(wish), std::move(completion))->ask();
}

}  // namespace entente::native
