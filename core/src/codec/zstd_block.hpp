// One block of at most 64 KiB as one zstd frame (RFC 8878), bounded on both sides.
//
//   BlockCompressor compressor(Matter::planes);
//   if (const std::size_t n = compressor.compress(block, room)) …     // the first n bytes of `room`
//
//   BlockDecompressor decompressor;
//   ENTENTE_TRY(decompressor.decompress(frame, block));                // exactly block.size() bytes, or refused
//
// Errors: "zstd.malformed" unless it is exactly one frame, whole, without dictionary, that declares and yields as many bytes as
// are expected. Nothing is allocated for a frame, whatever it claims. What compressing gives may differ between builds of
// zstd: never digest it. Thread-safety: one object belongs to one thread at a time; making one costs more than a block.
#pragma once

#include <memory>
#include <span>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace entente::codec {

// What is compressed. In text, and in numbers of few bits, repetitions are looked for (level 1). Planes of wider numbers
// are noise here and nearly constant there: only their bytes' frequencies count, and long runs.
enum class Matter : std::uint8_t { bytes, planes };

class BlockCompressor {
public:
    explicit BlockCompressor(Matter matter);
    // The size of the frame; 0 when `room` is too small for it.
    std::size_t compress(ByteView block, std::span<std::byte> room) noexcept;

private:
    struct Free {
        void operator()(ZSTD_CCtx_s* context) const noexcept;
    };
    std::unique_ptr<ZSTD_CCtx_s, Free> context_;
};

class BlockDecompressor {
public:
    Status decompress(ByteView frame, std::span<std::byte> block);

private:
    struct Free {
        void operator()(ZSTD_DCtx_s* context) const noexcept;
    };
    std::unique_ptr<ZSTD_DCtx_s, Free> context_;  // made for the first frame: there may be none
};

}  // namespace entente::codec
