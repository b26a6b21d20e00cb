#include "codec/frame_parts.hpp"

#include <array>
#include <cmath>
#include <cstring>

#include "entente/codec/archive.hpp"

namespace entente::codec {

namespace {

constexpr std::array<std::byte, 4> magic{std::byte{'E'}, std::byte{'N'}, std::byte{'T'}, std::byte{'F'}};
constexpr std::uint16_t version = 1;

Error invalid(const char* reason, std::string message) {
    return Error{Code::invalid_argument, reason, std::move(message)};
}

Error too_large(const char* reason, const char* what, std::uint64_t limit, std::uint64_t found) {
    return Error{Code::too_large, reason,
                 std::string("expected ") + what + " of at most " + std::to_string(limit) + " bytes, found " +
                     std::to_string(found)};
}

template <class T>
std::byte* write_le(std::byte* out, T value) noexcept {
    for (std::size_t i = 0; i < sizeof(T); ++i) *out++ = static_cast<std::byte>((value >> (8 * i)) & 0xffu);
    return out;
}

}  // namespace

Result<FramePrefix> read_prefix(ByteView bytes, const FrameLimits& limits) {
    if (std::memcmp(bytes.data(), magic.data(), magic.size()) != 0) {
        return invalid("frame.magic",
                       "expected a frame, which begins with ENTF, found " + to_hex(bytes.first(4)));
    }
    const auto found_version = read_le<std::uint16_t>(bytes.subspan(4));
    if (found_version != version) {
        return invalid("frame.version", "expected frame version 1, found " + std::to_string(found_version));
    }
    const auto raw_kind = read_le<std::uint16_t>(bytes.subspan(6));
    FramePrefix prefix{static_cast<FrameKind>(raw_kind), read_le<std::uint32_t>(bytes.subspan(8)),
                       read_le<std::uint64_t>(bytes.subspan(12))};
    if (!is_known(prefix.kind) || (limits.kind && prefix.kind != *limits.kind)) {
        const std::string expected =
            limits.kind ? std::to_string(static_cast<unsigned>(*limits.kind)) : std::string("1 to 6");
        return invalid("frame.kind",
                       "expected frame kind " + expected + ", found " + std::to_string(raw_kind));
    }
    if (prefix.header_bytes > limits.header_bytes) {
        return too_large("frame.header-too-large", "a header", limits.header_bytes, prefix.header_bytes);
    }
    if (prefix.payload_bytes > limits.payload_bytes) {
        return too_large("frame.content-too-large", "a payload", limits.payload_bytes, prefix.payload_bytes);
    }
    return prefix;
}

void write_prefix(const FramePrefix& prefix, std::span<std::byte, frame_prefix_bytes> out) noexcept {
    std::byte* next = out.data();
    for (const std::byte byte : magic) *next++ = byte;
    next = write_le(next, version);
    next = write_le(next, static_cast<std::uint16_t>(prefix.kind));
    next = write_le(next, prefix.header_bytes);
    write_le(next, prefix.payload_bytes);
}

Status check_header(const FrameHeader& header, const FrameLimits& limits) {
    if (limits.encoding && header.encoding != *limits.encoding) {
        return invalid("frame.encoding",
                       "expected encoding " + std::to_string(static_cast<unsigned>(*limits.encoding)) +
                           ", found " + std::to_string(static_cast<unsigned>(header.encoding)));
    }
    if (header.content_bytes > limits.content_bytes) {
        return too_large("frame.content-too-large", "content", limits.content_bytes, header.content_bytes);
    }
    const std::uint64_t width = width_bytes(header.encoding);
    if (header.content_bytes % width != 0) {
        return invalid("frame.content-size", "expected content of whole numbers of " + std::to_string(width) +
                                                 " bytes, found " + std::to_string(header.content_bytes) +
                                                 " bytes");
    }
    if (!header.tensors.empty() && !sized_by_plan(header.encoding)) {
        const Result<std::uint64_t> elements = element_count(header.tensors);
        if (!elements) return invalid("frame.content-size", elements.error().message);
        if (elements.value() * width != header.content_bytes) {
            return invalid("frame.content-size",
                           "expected content of " + std::to_string(elements.value() * width) +
                               " bytes for the tensors, found " + std::to_string(header.content_bytes));
        }
    }
    for (const Measure& measure : header.measures) {
        if (!std::isfinite(measure.value)) return not_finite("measure '" + measure.name + "'");
    }
    return done();
}

Result<FrameHeader> read_header(ByteView bytes, const FrameLimits& limits) {
    // A tensor or a measure takes at least 16 bytes on the wire and at most 64 in memory.
    const ArchiveLimits archive_limits{.depth = 8, .allocation_bytes = 8 * std::uint64_t{bytes.size()}};
    Result<FrameHeader> header = decode<FrameHeader>(bytes, archive_limits);
    if (!header) {
        return invalid("frame.header-malformed", "expected a well-formed header: " + header.error().message);
    }
    ENTENTE_TRY(check_header(header.value(), limits));
    return header;
}

bool all_finite(ByteView floats) noexcept {
    constexpr std::uint32_t exponent = 0x7f800000u;
    std::uint32_t bad = 0;
    for (std::size_t i = 0; i + 4 <= floats.size(); i += 4) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, floats.data() + i, 4);
        bad |= static_cast<std::uint32_t>((bits & exponent) == exponent);
    }
    return bad == 0;
}

Error not_finite(const std::string& where) {
    return invalid("frame.not-finite", "expected finite numbers, found NaN or infinity in " + where);
}

}  // namespace entente::codec
