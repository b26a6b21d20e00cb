// Envelopes of models and updates: the signature, the header and the compressed payload.
#include "entente/codec/frame.hpp"

#include <array>

#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using namespace entente;
using namespace entente::codec;

constexpr FrameLimits limits{.header_bytes = 64 * 1024, .content_bytes = 1 << 20, .payload_bytes = 1 << 20};

void run(ByteView bytes) {
    const auto peeked = peek_frame(bytes, limits);
    const auto decoded = decode_frame(bytes, limits);
    if (decoded.ok()) {
        expect(peeked.ok() && peeked->header == decoded->header && peeked->kind == decoded->kind, "what is decoded was announced");
        expect(peeked->frame_bytes == bytes.size(), "nothing behind the frame");
        expect(decoded->content.size() == decoded->header.content_bytes && decoded->content.size() <= limits.content_bytes, "content within its bounds");
        expect(decoded->header.signer == key(1).public_key(), "nobody signs for another");
    }
    // In pieces it is the same.
    FrameDecoder pieces(limits);
    bool whole = true;
    for (std::size_t at = 0; at < bytes.size() && whole; at += 37) {
        whole = pieces.put(bytes.subspan(at, std::min<std::size_t>(37, bytes.size() - at))).ok();
    }
    const bool ended = whole && pieces.finish().ok();
    expect(ended == decoded.ok(), "in pieces as in one");
}

std::vector<Bytes> seeds() {
    FrameHeader header;
    header.federation = "digits";
    header.sender = "plant-a";
    header.agreement = "urn:uuid:1";
    header.round = 3;
    header.weight = 100;
    header.measures = {{"train.loss", 0.5}};
    header.tensors = {{"dense/w", {8, 4}}, {"dense/b", {4}}};
    std::vector<Bytes> all;
    for (const Encoding encoding : {Encoding::float32, Encoding::int16, Encoding::int8}) {
        header.encoding = encoding;
        Bytes content(36 * width_bytes(encoding));
        for (std::size_t i = 0; i < content.size(); ++i) content[i] = std::byte(i % 3);
        all.push_back(encode_frame(FrameKind::update, header, content, key(1)).value());
    }
    header.tensors.clear();
    header.encoding = Encoding::bytes;
    all.push_back(encode_frame(FrameKind::plan, header, as_bytes(std::string_view("[federation]\n")), key(1)).value());
    return all;
}

}  // namespace

Target frame() { return {"frame", run, seeds}; }

}  // namespace fuzz
