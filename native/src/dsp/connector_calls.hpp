// What the calls of DspConnector are made of. Private to connector.cpp.
#pragma once

#include <mutex>

#include "connectors/dsp/offerings.hpp"
#include "dsp/connector.hpp"

namespace entente::native {

inline constexpr std::uint64_t catalogue_limit = 16 * 1024 * 1024;
inline constexpr std::size_t most_pages = 1'000;

struct DspConnector::Call {
    std::int64_t deadline_ms = 0;
    contract::CancelToken cancel;
    std::function<void(const Error&)> fail;
    bool over = false;

    // True for the first who asks: it may complete.
    bool finish() { return !std::exchange(over, true); }
};

struct DspConnector::Pages {
    dsp::Peer peer;
    std::string body;
    std::shared_ptr<Call> call;
    std::vector<contract::CatalogEntry> entries;
    std::size_t count = 0;
    contract::Completion<std::vector<contract::CatalogEntry>> completion;
};

// A sink that belongs to the caller, counted, and out of reach once the call is over.
class BorrowedSink final : public contract::ByteSink {
public:
    explicit BorrowedSink(contract::ByteSink& sink) : sink_(&sink) {}

    Status append(ByteView piece) override {
        const std::lock_guard lock(mutex_);
        if (sink_ == nullptr) return Error{Code::cancelled, "connector.cancelled", "the call is over"};
        ENTENTE_TRY(sink_->append(piece));
        bytes_ += piece.size();
        return done();
    }
    void close() {
        const std::lock_guard lock(mutex_);
        sink_ = nullptr;
    }
    std::uint64_t bytes() const {
        const std::lock_guard lock(mutex_);
        return bytes_;
    }

private:
    mutable std::mutex mutex_;
    contract::ByteSink* sink_;
    std::uint64_t bytes_ = 0;
};

struct DspConnector::Pull {
    dsp::Peer peer;
    contract::TransferRequest request;
    std::shared_ptr<BorrowedSink> sink;
    std::shared_ptr<Call> call;
    std::string pid;
    std::optional<dsp::DataAddress> address;
    contract::Completion<contract::Transfer> completion;
};

inline Error not_believed(const std::string& peer) {
    return {Code::unauthenticated, "connector.identity", peer + " does not accept who we are; check our key, and this machine's clock"};
}

inline Error unreachable(const std::string& peer, const Result<OutboundResponse>& answer) {
    if (!answer.ok()) {
        const Error& e = answer.error();
        if (e.code == Code::cancelled) return {Code::cancelled, "connector.cancelled", "the call was cancelled"};
        const bool away = e.code == Code::unavailable || e.code == Code::deadline_exceeded;
        return away ? Error{Code::unavailable, "connector.unreachable", peer + ": " + e.message} : e;
    }
    if (answer->status == 401 || answer->status == 403) {
        return not_believed(peer);
    }
    return {Code::unavailable, "connector.unreachable", peer + " answered with HTTP status " + std::to_string(answer->status)};
}

// Why a process ended, as the error of the call that it was for.
inline Error error_of(const dsp::Process& p) {
    const std::string sentence = p.reasons.empty() ? p.peer + " gave no reason" : p.reasons.front();
    if (p.code == "peer.unreachable") return {Code::unavailable, "connector.unreachable", p.peer + ": " + sentence};
    if (p.code == "dsp.identity") return not_believed(p.peer);
    if (p.code == "dsp.deadline") return {Code::deadline_exceeded, "connector.deadline", sentence};
    if (p.code == "contract.bad-signature") return {Code::unauthenticated, p.code, sentence};
    if (p.code == "dsp.too-many") return {Code::resource_exhausted, p.code, sentence};
    if (p.code.starts_with("connector.no-")) return {Code::not_found, p.code, sentence};
    if (p.code.starts_with("transfer.")) return {Code::conflict, p.code, sentence};
    return {Code::permission_denied, p.code.empty() ? "peer.refused" : p.code, sentence};
}

inline dsp::Act ending(const contract::Outcome& outcome) {
    dsp::Act act;
    act.send = outcome.accepted ? dsp::Kind::transfer_completion : dsp::Kind::transfer_termination;
    if (outcome.accepted) {
        act.extensions = dsp::outcome_of(outcome);
    } else {
        act.code = outcome.code;
        if (!outcome.sentence.empty()) act.reasons = {outcome.sentence};
    }
    return act;
}

// The target of a Link header's rel="next"; empty when there is none.
inline std::string next_of(const std::string& link) {
    const std::size_t open = link.find('<');
    const std::size_t close = link.find('>', open == std::string::npos ? 0 : open);
    if (open == std::string::npos || close == std::string::npos || link.find("rel=\"next\"", close) == std::string::npos) return {};
    return link.substr(open + 1, close - open - 1);
}

}  // namespace entente::native
