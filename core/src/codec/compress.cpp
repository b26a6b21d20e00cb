#include "entente/codec/compress.hpp"

#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_c_literalCompressionMode; the library is linked statically everywhere
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <string>

namespace entente::codec {

namespace {

// Planes: matches are tried every hundred bytes or so only. On float32 models that is twice as fast as level 1 both ways
// and no larger, since zstd would else leave literals as they are at such a level.
constexpr int level_of_bytes = 1;
constexpr int level_of_planes = -100;
constexpr int most_window_log = 23;
constexpr std::size_t piece_bytes = 64 * 1024;

// Creation fails only for lack of memory, which core does not survive anyway.
template <class T>
T* require_memory(T* pointer) {
    if (pointer == nullptr) throw std::bad_alloc();
    return pointer;
}

struct Free {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

Error refused(const char* reason, std::string message) {
    return Error{Code::invalid_argument, reason, std::move(message)};
}

Error size_error(std::uint64_t expected, const std::string& found) {
    return refused("zstd.size", "expected " + std::to_string(expected) + " bytes of content, found " + found);
}

// Bytes of the frame header, which the fifth byte decides (RFC 8878, section 3.1.1.1).
std::size_t frame_header_bytes(std::byte descriptor) noexcept {
    const auto bits = std::to_integer<unsigned>(descriptor);
    const bool single_segment = (bits & 0x20u) != 0;
    constexpr std::array<std::size_t, 4> dictionary_bytes{0, 1, 2, 4};
    constexpr std::array<std::size_t, 4> size_bytes{0, 2, 4, 8};
    const unsigned size_flag = bits >> 6u;
    const std::size_t content_size_bytes = size_flag == 0 && single_segment ? 1 : size_bytes[size_flag];
    return 5 + (single_segment ? 0 : 1) + dictionary_bytes[bits & 3u] + content_size_bytes;
}

}  // namespace

struct Compressor::State {
    State(std::uint64_t expected, Bytes& target, Matter matter)
        : context(require_memory(ZSTD_createCCtx())), expected_bytes(expected), out(target) {
        const bool planes = matter == Matter::planes;
        ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, planes ? level_of_planes : level_of_bytes);
        if (planes) ZSTD_CCtx_setParameter(context.get(), ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
        ZSTD_CCtx_setPledgedSrcSize(context.get(), expected_bytes);
    }

    Status feed(ByteView piece, ZSTD_EndDirective directive) {
        ZSTD_inBuffer in{piece.data(), piece.size(), 0};
        const std::size_t room = std::min(piece_bytes, ZSTD_compressBound(piece.size()));
        for (;;) {
            const std::size_t before = out.size();
            out.resize(before + room);
            ZSTD_outBuffer buffer{out.data() + before, room, 0};
            const std::size_t left = ZSTD_compressStream2(context.get(), &buffer, &in, directive);
            out.resize(before + buffer.pos);
            if (ZSTD_isError(left) != 0) return Error{Code::internal, "zstd.failed", ZSTD_getErrorName(left)};
            const bool finished = directive == ZSTD_e_continue ? in.pos == in.size : left == 0;
            if (finished) return done();
        }
    }

    std::unique_ptr<ZSTD_CCtx, Free> context;
    std::uint64_t expected_bytes;
    std::uint64_t seen_bytes = 0;
    Bytes& out;
};

Compressor::Compressor(std::uint64_t content_bytes, Bytes& out, Matter matter)
    : state_(std::make_unique<State>(content_bytes, out, matter)) {}
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;
Compressor::~Compressor() = default;

Status Compressor::append(ByteView piece) {
    if (piece.size() > state_->expected_bytes - state_->seen_bytes) {
        return size_error(state_->expected_bytes, "more");
    }
    state_->seen_bytes += piece.size();
    return state_->feed(piece, ZSTD_e_continue);
}

Status Compressor::cut() { return state_->feed({}, ZSTD_e_flush); }

Status Compressor::finish() {
    if (state_->seen_bytes != state_->expected_bytes) {
        return size_error(state_->expected_bytes, std::to_string(state_->seen_bytes));
    }
    return state_->feed({}, ZSTD_e_end);
}

struct BoundedDecompressor::State {
    State(std::uint64_t expected, ContentSink& target)
        : context(require_memory(ZSTD_createDCtx())),
          expected_bytes(expected),
          sink(target),
          buffer(piece_bytes) {
        ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, most_window_log);
    }

    // Collects the frame header byte by byte and judges it. True once it is complete and good.
    Result<bool> take_header(ByteView& piece) {
        while (head_bytes < 5 || head_bytes < frame_header_bytes(head[4])) {
            if (piece.empty()) return false;
            head[head_bytes++] = piece.front();
            piece = piece.subspan(1);
        }
        const unsigned long long declared = ZSTD_getFrameContentSize(head.data(), head_bytes);
        constexpr std::array<std::byte, 4> magic{std::byte{0x28}, std::byte{0xb5}, std::byte{0x2f},
                                                 std::byte{0xfd}};
        const bool dictionary = (std::to_integer<unsigned>(head[4]) & 3u) != 0;
        if (!std::equal(magic.begin(), magic.end(), head.begin()) || declared == ZSTD_CONTENTSIZE_ERROR) {
            return refused("zstd.malformed", "expected a zstd frame");
        }
        if (dictionary) return refused("zstd.malformed", "expected a zstd frame without dictionary");
        if (declared == ZSTD_CONTENTSIZE_UNKNOWN) return size_error(expected_bytes, "no declared size");
        if (declared != expected_bytes) return size_error(expected_bytes, std::to_string(declared));
        return true;
    }

    Status inflate(ByteView piece) {
        ZSTD_inBuffer in{piece.data(), piece.size(), 0};
        for (;;) {
            ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
            const std::size_t hint = ZSTD_decompressStream(context.get(), &out, &in);
            if (ZSTD_isError(hint) != 0) return refused("zstd.malformed", ZSTD_getErrorName(hint));
            if (out.pos > expected_bytes - seen_bytes) return size_error(expected_bytes, "more");
            seen_bytes += out.pos;
            if (out.pos != 0) ENTENTE_TRY(sink.append(ByteView(buffer).first(out.pos)));
            if (hint == 0) {
                frame_ended = true;
                if (in.pos != in.size)
                    return refused("zstd.trailing", "expected nothing after the zstd frame");
                return done();
            }
            // A full buffer may mean that more output waits inside the decoder.
            if (in.pos == in.size && out.pos < out.size) return done();
        }
    }

    Status put(ByteView piece) {
        if (piece.empty()) return done();
        if (frame_ended) return refused("zstd.trailing", "expected nothing after the zstd frame");
        if (!header_good) {
            ENTENTE_ASSIGN(header_good, take_header(piece));
            if (!header_good) return done();
            ENTENTE_TRY(inflate(ByteView(head).first(head_bytes)));
            if (piece.empty()) return done();
        }
        return inflate(piece);
    }

    Status finish() const {
        if (!frame_ended) return refused("zstd.truncated", "expected more bytes of the zstd frame");
        if (seen_bytes != expected_bytes) return size_error(expected_bytes, std::to_string(seen_bytes));
        return done();
    }

    std::unique_ptr<ZSTD_DCtx, Free> context;
    std::uint64_t expected_bytes;
    std::uint64_t seen_bytes = 0;
    ContentSink& sink;
    Bytes buffer;
    std::array<std::byte, 18> head{};
    std::size_t head_bytes = 0;
    bool header_good = false;
    bool frame_ended = false;
    Status failure = done();
};

BoundedDecompressor::BoundedDecompressor(std::uint64_t expected_bytes, ContentSink& sink)
    : state_(std::make_unique<State>(expected_bytes, sink)) {}
BoundedDecompressor::BoundedDecompressor(BoundedDecompressor&&) noexcept = default;
BoundedDecompressor& BoundedDecompressor::operator=(BoundedDecompressor&&) noexcept = default;
BoundedDecompressor::~BoundedDecompressor() = default;

Status BoundedDecompressor::put(ByteView piece) {
    if (state_->failure.ok()) state_->failure = state_->put(piece);
    return state_->failure;
}

Status BoundedDecompressor::finish() {
    if (state_->failure.ok()) state_->failure = state_->finish();
    return state_->failure;
}

Bytes compress(ByteView content) {
    Bytes out;
    Compressor compressor(content.size(), out);
    // Both can only fail on a wrong size, which is right by construction.
    if (!compressor.append(content).ok() || !compressor.finish().ok()) std::abort();
    return out;
}

Result<Bytes> decompress(ByteView compressed, std::uint64_t expected_bytes) {
    BytesSink sink;
    BoundedDecompressor decompressor(expected_bytes, sink);
    ENTENTE_TRY(decompressor.put(compressed));
    ENTENTE_TRY(decompressor.finish());
    return std::move(sink.bytes);
}

}  // namespace entente::codec
