// The bytes of the Dataspace Protocol's transfers. Pull: the consumer fetches one stored envelope with a token. Push: the
// provider brings it to an address that nobody else knows.
//
//   ENTENTE_ASSIGN(dsp::DataAddress address, data.grant({.transfer = pid, .agreement = …, .peer = …, .blob = blob, …}));
//   service.act(pid, {.send = dsp::Kind::transfer_start, .address = address}, …);       // the token goes to the peer
//   data.revoke(pid);                                         // a running stream ends too
//
// A token is 32 random bytes and bound to one transfer; what is kept of it is a hash. It is good, with "Bearer " before it
// or without, until it is revoked, replaced, or runs out. `permit` is asked when bytes are asked for, and again and again
// while they run. Served: GET {root}/data/{transfer} with ETag, Range and If-Range (RFC 9110, section 14); taken: POST or
// PUT {root}/push/{secret}, once, at most so many bytes, also in chunks.
// Thread-safety: the HTTP side from any thread; everything else on the strand that `post` leads to.
#pragma once

#include <atomic>
#include <set>

#include "connectors/dsp/message.hpp"
#include "dsp/process_store.hpp"
#include "http/handler.hpp"
#include "store/blob_store.hpp"

namespace entente::native {

struct DataPlaneOptions {
    std::function<void(std::function<void()>)> post;
    ProcessStore& store;
    BlobStore& blobs;
    std::string address;                  // where `root` is reached: "https://plant-a.example/dsp"
    std::string root = "/dsp";
    std::uint64_t push_limit_bytes = 0;   // the largest that is ever taken; 0: nothing is
    std::function<Status(const Grant&)> permit;                     // absent: what is granted is permitted
    std::function<void(const Grant&)> on_served;                    // the last byte was handed out
    std::function<Status(const Grant&, const Digest&)> on_received; // stored; an error is the sender's answer
    std::int64_t recheck_ms = 1'000;
};

class DataPlane : public std::enable_shared_from_this<DataPlane> {
public:
    // Reads the grants that were open. data_loss "store.*"
    static Result<std::shared_ptr<DataPlane>> open(DataPlaneOptions options);

    // Stored on return. An earlier one of this transfer is replaced: its token is dead, its stream ends.
    Result<dsp::DataAddress> grant(const Grant& grant);
    // Nothing to take back is no error.
    Status revoke(const std::string& transfer);
    [[nodiscard]] bool granted(const std::string& transfer) const { return live_.contains(transfer); }

    [[nodiscard]] bool serves(std::string_view path) const;
    [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const;
    void handle(http::Request request, http::Reply reply);
    void begin_upload(http::Request request, http::Handler::UploadStarted started);

private:
    struct Live;
    class Guarded;
    class Sink;
    explicit DataPlane(DataPlaneOptions options) : o_(std::move(options)) {}
    void serve(const http::Request& request, const http::Reply& reply);
    void take(const http::Request& request, const http::Handler::UploadStarted& started);
    void recheck(const std::shared_ptr<Live>& live);
    void received(const std::shared_ptr<Live>& live, const Result<Digest>& blob, const http::Reply& reply);
    [[nodiscard]] Status permitted(const Live& live) const;
    void forget(const std::shared_ptr<Live>& live);

    DataPlaneOptions o_;
    std::map<std::string, std::shared_ptr<Live>, std::less<>> live_;  // by transfer
    std::map<Digest, std::shared_ptr<Live>> sinks_;                   // push, by the hash of the secret
    std::set<std::string> stored_;                                    // transfers whose grant is taken back, but still in the store
};

// One range of a Range field over `size` bytes. None: the field is to be ignored (several ranges, malformed).
struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t count = 0;  // 0: it cannot be satisfied
};
std::optional<ByteRange> read_range(std::string_view field, std::uint64_t size);

}  // namespace entente::native
