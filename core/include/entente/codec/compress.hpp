// zstd, bounded. Compression always declares the content's size, and looks for what its kind has. Decompression knows beforehand
// how many bytes must come out and accepts exactly one frame that declares and delivers exactly that many.
//
//   Bytes small = codec::compress(content);
//   Result<Bytes> back = codec::decompress(small, content.size());   // the size comes from a checked header
//
//   codec::BoundedDecompressor decoder(expected_bytes, sink);        // the same while the bytes arrive
//   ENTENTE_TRY(decoder.put(piece));
//   ENTENTE_TRY(decoder.finish());
//
// Errors: invalid_argument with reason
//   "zstd.malformed"   not a zstd frame, damaged, dictionary or skippable frame, window above 8 MiB
//   "zstd.size"        the declared or delivered size is missing or not the expected one
//   "zstd.truncated"   finish() before the frame's end
//   "zstd.trailing"    bytes after the frame's end
// Memory: a window of at most 8 MiB and one buffer of 64 KiB, whatever the input claims.
// The compressed bytes may differ between builds of zstd: never digest them.
// Thread-safety: one object belongs to one thread at a time; the functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"
#include "entente/codec/sink.hpp"

namespace entente::codec {

// What is compressed. In text, and in numbers of few bits, repetitions are looked for (level 1). Planes of wider numbers
// are noise here and nearly constant there: only their bytes' frequencies count, and long runs.
enum class Matter : std::uint8_t { bytes, planes };

[[nodiscard]] Bytes compress(ByteView content);
Result<Bytes> decompress(ByteView compressed, std::uint64_t expected_bytes);

// Compresses content that comes in pieces; `content_bytes` in total, which finish() checks.
//   codec::Compressor compressor(content.size(), out);   // appends to `out`, which must outlive it
//   ENTENTE_TRY(compressor.append(piece));
//   ENTENTE_TRY(compressor.finish());
class Compressor {
public:
    Compressor(std::uint64_t content_bytes, Bytes& out, Matter matter = Matter::bytes);
    Compressor(Compressor&&) noexcept;
    Compressor& operator=(Compressor&&) noexcept;
    ~Compressor();

    Status append(ByteView piece);
    // What follows has other statistics: a new block begins. Costs 3 bytes, and tables anew.
    Status cut();
    Status finish();  // invalid_argument "zstd.size" if not exactly content_bytes were appended

private:
    struct State;
    std::unique_ptr<State> state_;
};

class BoundedDecompressor {
public:
    // `sink` must outlive the decompressor and gets at most expected_bytes in all.
    BoundedDecompressor(std::uint64_t expected_bytes, ContentSink& sink);
    BoundedDecompressor(BoundedDecompressor&&) noexcept;
    BoundedDecompressor& operator=(BoundedDecompressor&&) noexcept;
    ~BoundedDecompressor();

    // After an error every further call returns the same error.
    Status put(ByteView piece);
    Status finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace entente::codec
