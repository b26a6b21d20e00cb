// The pieces of a frame that encoder and decoder share.
#pragma once

#include "entente/codec/frame.hpp"

namespace entente::codec {

inline constexpr std::string_view frame_context = "frame";
inline constexpr std::size_t signature_bytes = 64;

struct FramePrefix {
    FrameKind kind = FrameKind::plan;
    std::uint32_t header_bytes = 0;
    std::uint64_t payload_bytes = 0;
};

// REQUIRES: bytes.size() == frame_prefix_bytes
Result<FramePrefix> read_prefix(ByteView bytes, const FrameLimits& limits);
void write_prefix(const FramePrefix& prefix, std::span<std::byte, frame_prefix_bytes> out) noexcept;

Result<FrameHeader> read_header(ByteView bytes, const FrameLimits& limits);
Status check_header(const FrameHeader& header, const FrameLimits& limits);

// Little-endian float32 numbers; bytes beyond the last whole one are not looked at.
[[nodiscard]] bool all_finite(ByteView floats) noexcept;
[[nodiscard]] Error not_finite(const std::string& where);

}  // namespace entente::codec
