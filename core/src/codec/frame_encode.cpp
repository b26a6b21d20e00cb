#include <limits>

#include "codec/frame_parts.hpp"
#include "codec/payload.hpp"
#include "entente/codec/archive.hpp"

namespace entente::codec {

Result<Bytes> encode_frame(FrameKind kind, FrameHeader header, ByteView content, const SigningKey& key) {
    if (!is_known(kind)) {
        return Error{Code::invalid_argument, "frame.kind",
                     "expected a known frame kind, found " + std::to_string(static_cast<unsigned>(kind))};
    }
    header.content_bytes = content.size();
    header.signer = key.public_key();
    constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();
    const FrameLimits limits{.content_bytes = unlimited, .payload_bytes = unlimited};
    ENTENTE_TRY(check_header(header, limits));
    if (header.encoding == Encoding::float32 && !all_finite(content)) return not_finite("the content");
    header.content = merkle_root(content);

    const Bytes header_bytes = encode(header);
    if (header_bytes.size() > limits.header_bytes) {
        return Error{Code::too_large, "frame.header-too-large",
                     "expected a header of at most " + std::to_string(limits.header_bytes) +
                         " bytes, found " + std::to_string(header_bytes.size())};
    }
    Bytes out;
    // Address space alone: what the payload does not fill is never touched.
    out.reserve(frame_prefix_bytes + header_bytes.size() + static_cast<std::size_t>(payload_bound(content.size())) + signature_bytes);
    out.resize(frame_prefix_bytes);
    out.insert(out.end(), header_bytes.begin(), header_bytes.end());
    const std::size_t payload_begin = out.size();
    append_payload(content, header.encoding, out);

    const FramePrefix prefix{kind, static_cast<std::uint32_t>(header_bytes.size()),
                             out.size() - payload_begin};
    write_prefix(prefix, std::span(out).first<frame_prefix_bytes>());
    const Signature signature = key.sign(frame_context, ByteView(out).first(payload_begin));
    out.insert(out.end(), signature.bytes.begin(), signature.bytes.end());
    return out;
}

}  // namespace entente::codec
