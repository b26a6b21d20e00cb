// The payload of a frame: content, chunk by chunk, each in byte planes (planes.hpp), each plane a block.
//
//   block = u32 n, then n bytes: the plane as it is where n is its length, otherwise one zstd frame of n bytes
//
// A plane that would not shrink by an eighth is left as it is: reading it then costs a copy, not a decoder's time.
//
//   append_payload(content, encoding, out);
//
//   PayloadReader reader(encoding, content_bytes);
//   ENTENTE_TRY(reader.put(piece));                 // as they arrive
//   ENTENTE_TRY(reader.finish());                   // digest() and take_content() are good from here on
//
// Errors: "frame.payload" where blocks are too long, damaged, missing or too many; "frame.not-finite". Memory: the content,
// and one block. Thread-safety: one object belongs to one thread at a time.
#pragma once

#include "codec/zstd_block.hpp"
#include "entente/codec/frame.hpp"
#include "entente/codec/merkle.hpp"
#include "entente/codec/planes.hpp"

namespace entente::codec {

[[nodiscard]] constexpr Numbers numbers_of(Encoding encoding) noexcept {
    return {width_bytes(encoding), encoding == Encoding::int32 || encoding == Encoding::int16};
}

void append_payload(ByteView content, Encoding encoding, Bytes& out);

class PayloadReader {
public:
    // REQUIRES: content_bytes is a multiple of the encoding's width, and within what the caller would allocate.
    PayloadReader(Encoding encoding, std::uint64_t content_bytes);

    Status put(ByteView piece);
    [[nodiscard]] Status finish() const;

    [[nodiscard]] Digest digest() const noexcept { return tree_.root(); }
    [[nodiscard]] Bytes take_content() noexcept { return std::move(content_); }

private:
    [[nodiscard]] bool whole() const noexcept { return content_.size() == content_bytes_ && plane_ == 0; }
    [[nodiscard]] std::size_t plane_bytes() const noexcept { return chunk_ / numbers_.width; }
    void begin_chunk();
    Status take(ByteView block);
    Status end_chunk();

    Numbers numbers_;
    bool floats_;
    std::size_t content_bytes_;
    Bytes content_;
    std::size_t digested_ = 0;
    std::size_t chunk_ = 0;  // bytes of the chunk that is coming
    std::size_t plane_ = 0;  // of it, that is coming
    Bytes planes_;           // of it, where numbers have several
    std::size_t block_ = 0;  // bytes of the block that is coming; 0: not known yet
    Bytes held_;             // of its length, or of it
    BlockDecompressor decompressor_;
    MerkleBuilder tree_;
};

}  // namespace entente::codec
