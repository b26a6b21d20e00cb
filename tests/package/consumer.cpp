// Uses the installed headers and library: signs a frame and reads it back.
#include <array>

#include "entente/codec/frame.hpp"

int main() {
    using namespace entente;
    const std::array<std::byte, 32> seed{std::byte{1}};
    const codec::SigningKey key(seed);
    codec::FrameHeader header;
    header.sender = "consumer";
    const Result<Bytes> bytes = codec::encode_frame(codec::FrameKind::plan, header, as_bytes("content"), key);
    if (!bytes) return 1;
    const codec::FrameLimits limits{.content_bytes = 7, .payload_bytes = codec::payload_bound(7)};
    const Result<codec::Frame> frame = codec::decode_frame(bytes.value(), limits);
    return frame.ok() && frame->header.sender == "consumer" && frame->content.size() == 7 ? 0 : 1;
}
