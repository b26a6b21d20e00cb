#include <algorithm>

#include "codec/frame_parts.hpp"
#include "codec/payload.hpp"

namespace entente::codec {

namespace {

Error truncated(const char* what) {
    return Error{Code::invalid_argument, "frame.truncated",
                 std::string("expected more bytes of the ") + what};
}

std::uint64_t frame_bytes(const FramePrefix& prefix) noexcept {
    return frame_prefix_bytes + prefix.header_bytes + prefix.payload_bytes + signature_bytes;
}

}  // namespace

struct FrameDecoder::State {
    enum class Stage { prefix, header, payload, signature, complete };

    explicit State(FrameLimits frame_limits) : limits(frame_limits) {}

    // Moves bytes from `piece` to `to` until it holds `wanted`. True once it does.
    static bool fill(Bytes& to, std::size_t wanted, ByteView& piece) {
        const ByteView taken = piece.first(std::min(piece.size(), wanted - to.size()));
        to.insert(to.end(), taken.begin(), taken.end());
        piece = piece.subspan(taken.size());
        return to.size() == wanted;
    }

    Status put(ByteView piece) {
        if (stage == Stage::prefix) {
            if (!fill(signed_part, frame_prefix_bytes, piece)) return done();
            ENTENTE_ASSIGN(prefix, read_prefix(signed_part, limits));
            signed_part.reserve(frame_prefix_bytes + prefix.header_bytes);
            stage = Stage::header;
        }
        if (stage == Stage::header) {
            if (!fill(signed_part, frame_prefix_bytes + prefix.header_bytes, piece)) return done();
            ENTENTE_ASSIGN(header, read_header(ByteView(signed_part).subspan(frame_prefix_bytes), limits));
            payload.emplace(header->encoding, header->content_bytes);
            payload_left = prefix.payload_bytes;
            stage = Stage::payload;
        }
        if (stage == Stage::payload) {
            const std::size_t taken =
                static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), payload_left));
            ENTENTE_TRY(payload->put(piece.first(taken)));
            piece = piece.subspan(taken);
            payload_left -= taken;
            if (payload_left != 0) return done();
            ENTENTE_TRY(payload->finish());
            stage = Stage::signature;
        }
        if (stage == Stage::signature) {
            if (!fill(signature, signature_bytes, piece)) return done();
            stage = Stage::complete;
        }
        if (!piece.empty()) {
            return Error{Code::invalid_argument, "frame.trailing",
                         "expected nothing after the frame's signature"};
        }
        return done();
    }

    Status verify_all() const {
        switch (stage) {
            case Stage::prefix: return truncated("prefix");
            case Stage::header: return truncated("header");
            case Stage::payload: return truncated("payload");
            case Stage::signature: return truncated("signature");
            case Stage::complete: break;
        }
        const Digest found = payload->digest();
        if (found != header->content) {
            return Error{
                Code::invalid_argument, "frame.digest",
                "expected content with digest " + to_hex(header->content) + ", found " + to_hex(found)};
        }
        Signature value;
        std::copy(signature.begin(), signature.end(), value.bytes.begin());
        if (!verify(header->signer, frame_context, signed_part, value)) {
            return Error{
                Code::unauthenticated, "frame.signature",
                "expected a signature by key " + to_hex(header->signer) + ", found another or a damaged one"};
        }
        return done();
    }

    FrameLimits limits;
    Stage stage = Stage::prefix;
    Bytes signed_part;  // prefix and header
    FramePrefix prefix;
    std::optional<FrameHeader> header;
    std::optional<PayloadReader> payload;
    std::uint64_t payload_left = 0;
    Bytes signature;
    Status failure = done();
};

FrameDecoder::FrameDecoder(FrameLimits limits) : state_(std::make_unique<State>(limits)) {}
FrameDecoder::FrameDecoder(FrameDecoder&&) noexcept = default;
FrameDecoder& FrameDecoder::operator=(FrameDecoder&&) noexcept = default;
FrameDecoder::~FrameDecoder() = default;

Status FrameDecoder::put(ByteView piece) {
    if (state_->failure.ok()) state_->failure = state_->put(piece);
    return state_->failure;
}

const FrameHeader* FrameDecoder::header() const noexcept {
    return state_->header ? &*state_->header : nullptr;
}

Result<Frame> FrameDecoder::finish() {
    if (state_->failure.ok()) state_->failure = state_->verify_all();
    if (!state_->failure.ok()) return state_->failure.error();
    return Frame{state_->prefix.kind, *state_->header, state_->payload->take_content()};
}

Result<Frame> decode_frame(ByteView bytes, const FrameLimits& limits) {
    FrameDecoder decoder(limits);
    ENTENTE_TRY(decoder.put(bytes));
    return decoder.finish();
}

Result<FrameInfo> peek_frame(ByteView bytes, const FrameLimits& limits) {
    if (bytes.size() < frame_prefix_bytes) return truncated("prefix");
    ENTENTE_ASSIGN(const FramePrefix prefix, read_prefix(bytes.first(frame_prefix_bytes), limits));
    bytes = bytes.subspan(frame_prefix_bytes);
    if (bytes.size() < prefix.header_bytes) return truncated("header");
    ENTENTE_ASSIGN(FrameHeader header, read_header(bytes.first(prefix.header_bytes), limits));
    return FrameInfo{prefix.kind, std::move(header), frame_bytes(prefix)};
}

}  // namespace entente::codec
