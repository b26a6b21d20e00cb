// What stands behind the HTTP sessions: the API. Sessions run on their own strands; an implementation answers from
// wherever it likes, exactly once.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/message.hpp"

namespace entente::native::http {

// Receives a large body while it arrives. Used by one session at a time.
class Upload {
public:
    virtual ~Upload() = default;
    virtual Status append(ByteView piece) = 0;
    // The body is complete: make it durable, then answer.
    virtual void finish(Reply reply) = 0;
};

// Receives frames for one WebSocket. Thread-safe.
class Subscriber {
public:
    virtual ~Subscriber() = default;
    // A status frame replaces one that still waits; ledger frames queue up to a limit, then the socket is dropped.
    virtual void push(std::shared_ptr<const std::string> frame, bool replaces) = 0;
    // What was pushed goes out, then the socket closes.
    virtual void end() = 0;
};

enum class BodyKind { none, small, upload };
struct BodyRule {
    BodyKind kind = BodyKind::none;
    std::uint64_t limit_bytes = 0;
    bool long_poll = false;  // the answer may take long: notice when the peer hangs up
    bool chunked = false;    // an upload may come without a Content-Length
};

class Handler {
public:
    virtual ~Handler() = default;
    // From the path and method alone, before a byte of the body is read. Thread-safe.
    [[nodiscard]] virtual BodyRule body_rule(const Request& request) const = 0;
    // What is answered when the body is not taken: too long, without a length, broken off. Thread-safe.
    [[nodiscard]] virtual Response body_refused(const Request& request, const Error& error) const;
    virtual void handle(Request request, Reply reply) = 0;
    // Either starts an upload, or refuses with a response.
    using UploadStarted = std::function<void(std::shared_ptr<Upload>, Response)>;
    virtual void begin_upload(Request request, UploadStarted started) = 0;
    // May this request become a WebSocket, as far as its head says? A response: no.
    [[nodiscard]] virtual std::optional<Response> refuse_socket(const Request& request) = 0;
    // The first frame of a WebSocket: whose is it? Answers whether frames will come.
    virtual void subscribe(Caller caller, std::weak_ptr<Subscriber> subscriber, std::function<void(bool)> answer) = 0;
};

}  // namespace entente::native::http
