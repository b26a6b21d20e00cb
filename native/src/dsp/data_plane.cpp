#include "dsp/data_plane.hpp"

#include <charconv>

#include "base/files.hpp"
#include "connectors/dsp/words.hpp"
#include "entente/base/base64.hpp"

namespace entente::native {
namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::size_t max_secret = 256;

Digest hash_of(std::string_view secret) { return codec::sha256(as_bytes(secret)); }

// Takes as long for a digest that differs in its first byte as for one that differs in its last.
bool same(const Digest& a, const Digest& b) {
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.bytes.size(); ++i) difference |= std::to_integer<unsigned>(a.bytes[i] ^ b.bytes[i]);
    return difference == 0;
}

http::Response dead_token() {
    return http::problem(403, "data.token", "expected the token of a transfer that is running, found none or another; ask for the transfer anew");
}

std::string etag_of(const Digest& blob) { return "\"" + to_hex(blob) + "\""; }

std::string last_part(std::string_view path) {
    while (path.ends_with('/')) path.remove_suffix(1);
    return std::string(path.substr(path.rfind('/') + 1));
}

bool read_whole(std::string_view text, std::uint64_t& value) {
    if (text.empty() || text.front() == '+') return false;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    return ec == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<ByteRange> read_range(std::string_view field, std::uint64_t size) {
    if (!field.starts_with("bytes=")) return std::nullopt;
    field.remove_prefix(6);
    const std::size_t dash = field.find('-');
    if (dash == std::string_view::npos || field.find(',') != std::string_view::npos) return std::nullopt;
    const std::string_view from = field.substr(0, dash), to = field.substr(dash + 1);
    std::uint64_t first = 0, last = 0;
    if (from.empty()) {  // the last so many
        if (!read_whole(to, last)) return std::nullopt;
        last = std::min(last, size);
        return ByteRange{size - last, last};
    }
    if (!read_whole(from, first) || (!to.empty() && (!read_whole(to, last) || last < first))) return std::nullopt;
    if (first >= size) return ByteRange{first, 0};
    const std::uint64_t left = size - first;
    return ByteRange{first, to.empty() ? left : std::min(left, last - first + 1)};
}

struct DataPlane::Live {
    Grant grant;
    Digest secret;
    std::atomic<bool> open{true};
    std::atomic<std::int64_t> checked_ms{0};
    bool busy = false;  // push: somebody is bringing it
};

// A file that stops being readable when its grant is taken back.
class DataPlane::Guarded final : public contract::ByteSource {
public:
    Guarded(std::shared_ptr<contract::ByteSource> inner, std::uint64_t left, bool to_the_end, std::shared_ptr<Live> live, std::weak_ptr<DataPlane> data,
            std::function<void(std::function<void()>)> post, std::int64_t recheck_ms)
        : inner_(std::move(inner)), left_(left), to_the_end_(to_the_end), live_(std::move(live)), data_(std::move(data)),
          post_(std::move(post)), recheck_ms_(recheck_ms) {}

    Result<std::size_t> read(std::span<std::byte> buffer) override {
        const std::int64_t now = now_ms();
        const bool expired = live_->grant.expires_at_ms != 0 && now >= live_->grant.expires_at_ms;
        if (!live_->open || expired) return Error{Code::gone, "data.revoked", "the transfer was ended while its bytes were running"};
        std::int64_t checked = live_->checked_ms;
        if (now - checked >= recheck_ms_ && live_->checked_ms.compare_exchange_strong(checked, now)) {
            post_([data = data_, live = live_] {
                if (const auto self = data.lock()) self->recheck(live);
            });
        }
        ENTENTE_ASSIGN(const std::size_t n, inner_->read(buffer));
        left_ -= std::min<std::uint64_t>(n, left_);
        if (left_ == 0 && std::exchange(to_the_end_, false)) {
            post_([data = data_, live = live_] {
                const auto self = data.lock();
                if (self && self->o_.on_served) self->o_.on_served(live->grant);
            });
        }
        return n;
    }

private:
    std::shared_ptr<contract::ByteSource> inner_;
    std::uint64_t left_;
    bool to_the_end_;
    std::shared_ptr<Live> live_;
    std::weak_ptr<DataPlane> data_;
    std::function<void(std::function<void()>)> post_;
    std::int64_t recheck_ms_;
};

class DataPlane::Sink final : public http::Upload {
public:
    Sink(std::shared_ptr<DataPlane> data, BlobStore::Upload file, std::shared_ptr<Live> live)
        : data_(std::move(data)), file_(std::move(file)), live_(std::move(live)) {}
    ~Sink() override {
        if (finished_) return;
        data_->o_.post([live = live_] { live->busy = false; });  // it broke: it may be brought again
    }

    Status append(ByteView piece) override {
        if (!live_->open) return Error{Code::gone, "data.revoked", "the transfer was ended while its bytes were running"};
        if (piece.size() > live_->grant.size_bytes - file_.size()) {
            return Error{Code::too_large, "data.too-large", "expected at most " + std::to_string(live_->grant.size_bytes) + " bytes, found more"};
        }
        return file_.append(piece);
    }
    void finish(http::Reply reply) override {
        finished_ = true;
        auto blob = std::make_shared<Result<Digest>>(file_.finish());
        data_->o_.post([data = data_, live = live_, blob, reply = std::move(reply)] { data->received(live, *blob, reply); });
    }

private:
    std::shared_ptr<DataPlane> data_;
    BlobStore::Upload file_;
    std::shared_ptr<Live> live_;
    bool finished_ = false;
};

Result<std::shared_ptr<DataPlane>> DataPlane::open(DataPlaneOptions options) {
    std::shared_ptr<DataPlane> data(new DataPlane(std::move(options)));
    ENTENTE_ASSIGN(const auto grants, data->o_.store.grants());
    for (const auto& [grant, secret] : grants) {
        auto live = std::make_shared<Live>();
        live->grant = grant;
        live->secret = secret;
        if (grant.way == Grant::Way::push) data->sinks_[secret] = live;
        data->live_[grant.transfer] = std::move(live);
    }
    return data;
}

Result<dsp::DataAddress> DataPlane::grant(const Grant& grant) {
    const std::string secret = to_base64url(random_bytes(secret_bytes));
    auto live = std::make_shared<Live>();
    live->grant = grant;
    live->secret = hash_of(secret);
    ENTENTE_TRY(o_.store.put_grant(grant, live->secret));
    if (const auto before = live_.find(grant.transfer); before != live_.end()) forget(before->second);
    live_[grant.transfer] = live;
    stored_.erase(grant.transfer);
    if (grant.way == Grant::Way::pull) {
        return dsp::DataAddress{std::string(dsp::endpoint_http), o_.address + "/data/" + grant.transfer, secret, "bearer"};
    }
    sinks_[live->secret] = live;
    return dsp::DataAddress{"HttpData", o_.address + "/push/" + secret, {}, {}};
}

Status DataPlane::revoke(const std::string& transfer) {
    if (const auto it = live_.find(transfer); it != live_.end()) {
        forget(it->second);
        live_.erase(it);
        stored_.insert(transfer);
    }
    if (!stored_.contains(transfer)) return done();
    ENTENTE_TRY(o_.store.remove_grant(transfer));
    stored_.erase(transfer);
    return done();
}

void DataPlane::forget(const std::shared_ptr<Live>& live) {
    live->open = false;
    sinks_.erase(live->secret);
}

Status DataPlane::permitted(const Live& live) const {
    if (live.grant.expires_at_ms != 0 && now_ms() >= live.grant.expires_at_ms) {
        return Error{Code::permission_denied, "data.expired", "the transfer's time is over; ask for it anew"};
    }
    return o_.permit ? o_.permit(live.grant) : done();
}

void DataPlane::recheck(const std::shared_ptr<Live>& live) {
    if (live->open && !permitted(*live).ok()) live->open = false;
}

bool DataPlane::serves(std::string_view path) const {
    return path.starts_with(o_.root + "/data/") || path.starts_with(o_.root + "/push/");
}

http::BodyRule DataPlane::body_rule(const http::Request& request) const {
    const bool push = (request.method == "POST" || request.method == "PUT") && request.path.starts_with(o_.root + "/push/");
    if (!push || o_.push_limit_bytes == 0) return {http::BodyKind::none, 0, false, false};
    return {http::BodyKind::upload, o_.push_limit_bytes, false, true};
}

void DataPlane::handle(http::Request request, http::Reply reply) {
    auto shared = std::make_shared<http::Request>(std::move(request));
    o_.post([weak = weak_from_this(), shared, reply = std::move(reply)] {
        if (const auto self = weak.lock()) self->serve(*shared, reply);
    });
}

void DataPlane::serve(const http::Request& request, const http::Reply& reply) {
    if (request.method != "GET" || !request.path.starts_with(o_.root + "/data/")) {
        return reply(http::problem(404, "http.not-found", "there is nothing to fetch at this address"));
    }
    std::string token = request.header("authorization");
    if (token.starts_with("Bearer ")) token.erase(0, 7);
    const auto it = live_.find(last_part(request.path));
    const bool good = it != live_.end() && it->second->grant.way == Grant::Way::pull && token.size() <= max_secret && same(it->second->secret, hash_of(token));
    if (!good) return reply(dead_token());
    const std::shared_ptr<Live> live = it->second;
    if (const Status allowed = permitted(*live); !allowed.ok()) return reply(http::problem(allowed.error()));
    live->open = true;
    live->checked_ms = now_ms();

    const std::uint64_t size = live->grant.size_bytes;
    const std::string etag = etag_of(live->grant.blob);
    http::Response response;
    response.content_type = "application/octet-stream";
    response.headers = {{"ETag", etag}, {"Accept-Ranges", "bytes"}, {"Cache-Control", "no-store"}};
    const std::string condition = request.header("if-range");
    const auto range = condition.empty() || condition == etag ? read_range(request.header("range"), size) : std::nullopt;
    if (range && range->count == 0) {
        response = http::problem(416, "data.range", "expected a range within " + std::to_string(size) + " bytes");
        response.headers.emplace_back("Content-Range", "bytes */" + std::to_string(size));
        return reply(std::move(response));
    }
    const std::uint64_t first = range ? range->first : 0, count = range ? range->count : size;
    auto file = o_.blobs.open_blob(live->grant.blob, first);
    if (!file.ok()) return reply(http::problem(file.error()));
    if (range) {
        response.status = 206;
        response.headers.emplace_back("Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(first + count - 1) + "/" + std::to_string(size));
    }
    response.content = std::make_shared<Guarded>(std::move(file).value(), count, first + count == size, live, weak_from_this(), o_.post, o_.recheck_ms);
    response.content_bytes = count;
    reply(std::move(response));
}

void DataPlane::begin_upload(http::Request request, http::Handler::UploadStarted started) {
    auto shared = std::make_shared<http::Request>(std::move(request));
    o_.post([weak = weak_from_this(), shared, started = std::move(started)] {
        if (const auto self = weak.lock()) self->take(*shared, started);
    });
}

void DataPlane::take(const http::Request& request, const http::Handler::UploadStarted& started) {
    const std::string secret = last_part(request.path);
    const auto it = sinks_.find(hash_of(secret));
    if (secret.size() > max_secret || it == sinks_.end()) {
        return started(nullptr, http::problem(404, "data.unknown", "nothing is expected at this address"));
    }
    const std::shared_ptr<Live> live = it->second;
    if (live->busy) return started(nullptr, http::problem(409, "data.busy", "somebody brings this transfer's bytes already"));
    if (request.content_length > live->grant.size_bytes) {
        return started(nullptr, http::problem(413, "data.too-large", "expected at most " + std::to_string(live->grant.size_bytes) + " bytes"));
    }
    if (const Status allowed = permitted(*live); !allowed.ok()) return started(nullptr, http::problem(allowed.error()));
    auto file = o_.blobs.begin(request.content_length);
    if (!file.ok()) return started(nullptr, http::problem(file.error()));
    live->busy = true;
    started(std::make_shared<Sink>(shared_from_this(), std::move(file).value(), live), {});
}

void DataPlane::received(const std::shared_ptr<Live>& live, const Result<Digest>& blob, const http::Reply& reply) {
    live->busy = false;
    if (!blob.ok()) return reply(http::problem(blob.error()));
    if (!live->open) return reply(http::problem(410, "data.revoked", "the transfer was ended while its bytes were running"));
    if (const Status taken = o_.on_received ? o_.on_received(live->grant, *blob) : done(); !taken.ok()) return reply(http::problem(taken.error()));
    if (const Status closed = revoke(live->grant.transfer); !closed.ok()) return reply(http::problem(closed.error()));
    reply(http::json("{}"));
}

}  // namespace entente::native
