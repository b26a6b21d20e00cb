// The envelope of everything that crosses a company's border: who sent what, for which plan and round, under
// which agreement, and the content itself, signed.
//
//   codec::FrameHeader header;
//   header.federation = "bearings";  header.sender = "plant-a";  header.round = 7;
//   header.encoding = codec::Encoding::int8;
//   Result<Bytes> bytes = codec::encode_frame(codec::FrameKind::update, header, content, key);
//
//   codec::FrameLimits limits{.content_bytes = plan_bytes, .payload_bytes =
//   codec::payload_bound(plan_bytes)}; Result<codec::Frame> frame = codec::decode_frame(bytes.value(),
//   limits);         // a whole buffer
//
//   codec::FrameDecoder decoder(limits);                                             // or as it arrives
//   ENTENTE_TRY(decoder.put(piece));                                                 // … any number of times
//   ENTENTE_ASSIGN(codec::Frame frame, decoder.finish());
//
// Layout, all little-endian:
//   20 bytes   prefix: magic "ENTF", u16 version = 1, u16 kind, u32 header_bytes, u64 payload_bytes
//   header     FrameHeader in the bounded archive (archive.hpp), canonical
//   payload    the content in 64 KiB chunks, each in byte planes (planes.hpp), each plane as it is or as a zstd frame
//   64 bytes   Ed25519 signature (context "frame") over prefix + header; the header holds the content's
//   digest
//
// What a decoder guarantees: no allocation is larger than the limits, whatever the bytes claim, and memory for
// the content comes as its bytes do; the content
// has the size and the digest of the header, is finite if float32, and the holder of header.signer's private
// key signed it. What it does NOT decide: whether that signer may speak for header.sender. That is the
// caller's.
//
// Errors, code and stable reason:
//   invalid_argument  frame.magic  frame.version  frame.kind (unknown, or not limits.kind)
//                     frame.encoding (not limits.encoding)  frame.truncated  frame.trailing
//                     frame.header-malformed  frame.content-size (not what the tensors or the width say)
//                     frame.payload (not the blocks of so much content)  frame.digest  frame.not-finite
//   unauthenticated   frame.signature
//   too_large         frame.header-too-large  frame.content-too-large
//
// Thread-safety: a FrameDecoder belongs to one thread at a time; the functions are pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"
#include "entente/codec/sign.hpp"
#include "entente/codec/tensor_shape.hpp"

namespace entente::codec {

enum class FrameKind : std::uint16_t {
    plan = 1,
    model = 2,
    update = 3,
    receipt = 4,
    offer = 5,
    agreement = 6
};

// What the content's bytes are: little-endian numbers of one width, just bytes, or what the plan knows the size of and the
// tensors alone do not: numbers in blocks of fewer bits (packed), some of the numbers with their positions (sparse).
enum class Encoding : std::uint8_t { bytes = 0, float32 = 1, int32 = 2, int16 = 3, int8 = 4, packed = 5, sparse = 6 };

[[nodiscard]] constexpr bool is_known(FrameKind kind) noexcept {
    return kind >= FrameKind::plan && kind <= FrameKind::agreement;
}
[[nodiscard]] constexpr bool is_known(Encoding encoding) noexcept { return encoding <= Encoding::sparse; }
[[nodiscard]] constexpr bool sized_by_plan(Encoding encoding) noexcept {
    return encoding == Encoding::packed || encoding == Encoding::sparse;
}

// Bytes of one number: 1, 2 or 4.
[[nodiscard]] constexpr std::size_t width_bytes(Encoding encoding) noexcept {
    return encoding == Encoding::float32 || encoding == Encoding::int32 ? 4u
           : encoding == Encoding::int16                                ? 2u
                                                                        : 1u;
}

struct Measure {
    std::string name;  // "loss", "accuracy"
    double value = 0;  // finite

    friend bool operator==(const Measure&, const Measure&) = default;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(name, value);
    }
};

struct FrameHeader {
    std::string federation;
    std::string sender;
    std::string agreement;  // id of the agreement under which this may be used; empty for plans
    Digest plan;
    Digest schema;
    Digest base_model;
    std::uint64_t round = 0;
    Encoding encoding = Encoding::bytes;
    std::uint64_t content_bytes = 0;   // of the canonical content; encode_frame fills it
    Digest content;                    // merkle_root of the content; encode_frame fills it
    std::vector<TensorShape> tensors;  // empty, or exactly the content's numbers
    std::uint64_t weight = 0;          // examples behind an update
    std::vector<Measure> measures;
    PublicKey signer;  // encode_frame fills it

    friend bool operator==(const FrameHeader&, const FrameHeader&) = default;

    // Include archive.hpp to use it.
    template <class Archive>
    void serialize(Archive& archive) {
        archive(federation, sender, agreement, plan, schema, base_model, round, encoding, content_bytes,
                content, tensors, weight, measures, signer);
    }
};

struct FrameLimits {
    std::uint32_t header_bytes = 64 * 1024;
    std::uint64_t content_bytes = 0;  // at most; exact sizes are the caller's to compare
    std::uint64_t payload_bytes = 0;  // at most; payload_bound(content_bytes) admits all honest ones
    std::optional<FrameKind> kind = std::nullopt;
    std::optional<Encoding> encoding = std::nullopt;
};

// The largest payload that compressing `content_bytes` can give.
[[nodiscard]] std::uint64_t payload_bound(std::uint64_t content_bytes) noexcept;

struct FrameInfo {
    FrameKind kind = FrameKind::plan;
    FrameHeader header;
    std::uint64_t frame_bytes = 0;  // of the whole envelope
};

struct Frame {
    FrameKind kind = FrameKind::plan;
    FrameHeader header;
    Bytes content;
};

inline constexpr std::size_t frame_prefix_bytes = 20;

// Refuses what the decoder would refuse: "frame.content-size", "frame.not-finite", "frame.header-too-large".
Result<Bytes> encode_frame(FrameKind kind, FrameHeader header, ByteView content, const SigningKey& key);

Result<Frame> decode_frame(ByteView bytes, const FrameLimits& limits);

// Prefix and header of a frame of which at least these have arrived. NOTHING IS VERIFIED but their form: use
// it to show or to route, never to trust.
Result<FrameInfo> peek_frame(ByteView bytes, const FrameLimits& limits);

class FrameDecoder {
public:
    explicit FrameDecoder(FrameLimits limits);
    FrameDecoder(FrameDecoder&&) noexcept;
    FrameDecoder& operator=(FrameDecoder&&) noexcept;
    ~FrameDecoder();

    // After an error every further call returns the same error.
    Status put(ByteView piece);

    // Null until the header is complete and well-formed. NOT YET VERIFIED until finish() succeeds.
    [[nodiscard]] const FrameHeader* header() const noexcept;

    // All bytes have been put: is the frame whole, and do digest and signature hold? Once: the content is given away.
    Result<Frame> finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace entente::codec
