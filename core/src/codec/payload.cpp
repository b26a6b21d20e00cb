#include "codec/payload.hpp"

#include <algorithm>
#include <cstring>

#include "codec/frame_parts.hpp"
#include "codec/merkle_leaves.hpp"

namespace entente::codec {

namespace {

constexpr std::size_t length_bytes = 4;

Error bad(std::string message) { return Error{Code::invalid_argument, "frame.payload", std::move(message)}; }

void append_block(ByteView plane, BlockCompressor& compressor, Bytes& out) {
    const std::size_t begin = out.size() + length_bytes;
    out.resize(begin + plane.size());
    const std::span<std::byte> block = std::span(out).subspan(begin);
    const std::size_t worth = plane.size() - std::max<std::size_t>(plane.size() / 8, 1);
    std::size_t size = compressor.compress(plane, block.first(worth));
    if (size == 0) {
        std::copy(plane.begin(), plane.end(), block.begin());
        size = plane.size();
    }
    for (std::size_t i = 0; i < length_bytes; ++i) out[begin - length_bytes + i] = static_cast<std::byte>((size >> (8 * i)) & 0xffu);
    out.resize(begin + size);
}

}  // namespace

std::uint64_t payload_bound(std::uint64_t content_bytes) noexcept {
    // The lengths of at most four planes a chunk.
    return content_bytes + 4 * length_bytes * (content_bytes / chunk_bytes + 1);
}

void append_payload(ByteView content, Encoding encoding, Bytes& out) {
    const Numbers numbers = numbers_of(encoding);
    BlockCompressor compressor(numbers.width == 1 ? Matter::bytes : Matter::planes);
    Bytes planes(numbers.width == 1 ? 0 : std::min(content.size(), chunk_bytes));
    while (!content.empty()) {
        ByteView chunk = content.first(std::min(content.size(), chunk_bytes));
        content = content.subspan(chunk.size());
        if (numbers.width > 1) {
            split_planes(chunk, numbers, std::span(planes).first(chunk.size()));
            chunk = ByteView(planes).first(chunk.size());
        }
        const std::size_t plane = chunk.size() / numbers.width;
        for (std::size_t at = 0; at < chunk.size(); at += plane) append_block(chunk.subspan(at, plane), compressor, out);
    }
}

PayloadReader::PayloadReader(Encoding encoding, std::uint64_t content_bytes)
    : numbers_(numbers_of(encoding)),
      floats_(encoding == Encoding::float32),
      content_bytes_(static_cast<std::size_t>(content_bytes)) {
    // Address space alone: memory comes chunk by chunk, as the bytes do.
    content_.reserve(content_bytes_);
    begin_chunk();
}

void PayloadReader::begin_chunk() {
    chunk_ = std::min(content_bytes_ - content_.size(), chunk_bytes);
    if (numbers_.width > 1) planes_.resize(chunk_);
}

Status PayloadReader::put(ByteView piece) {
    // Moves bytes from `piece` to held_ until it holds `wanted`. True once it does.
    const auto hold = [&](std::size_t wanted) {
        const ByteView taken = piece.first(std::min(piece.size(), wanted - held_.size()));
        held_.insert(held_.end(), taken.begin(), taken.end());
        piece = piece.subspan(taken.size());
        return held_.size() == wanted;
    };
    while (!piece.empty()) {
        if (whole()) return bad("expected nothing after the last block");
        if (block_ == 0) {
            if (!hold(length_bytes)) return done();
            block_ = read_le<std::uint32_t>(held_);
            held_.clear();
            if (block_ == 0 || block_ > plane_bytes()) {
                return bad("expected a block of 1 to " + std::to_string(plane_bytes()) + " bytes, found " + std::to_string(block_));
            }
            continue;
        }
        if (held_.empty() && piece.size() >= block_) {
            ENTENTE_TRY(take(piece.first(block_)));
            piece = piece.subspan(block_);
        } else {
            if (!hold(block_)) return done();
            ENTENTE_TRY(take(held_));
            held_.clear();
        }
        block_ = 0;
    }
    return done();
}

Status PayloadReader::finish() const {
    if (!whole()) return bad("expected more blocks");
    return done();
}

Status PayloadReader::take(ByteView block) {
    const bool plain = numbers_.width == 1;
    if (plain && block.size() == plane_bytes()) {
        content_.insert(content_.end(), block.begin(), block.end());
        return end_chunk();
    }
    if (plain) content_.resize(content_.size() + chunk_);
    Bytes& target = plain ? content_ : planes_;
    const std::size_t at = plain ? content_.size() - chunk_ : plane_ * plane_bytes();
    const std::span<std::byte> plane = std::span(target).subspan(at, plane_bytes());
    if (block.size() == plane.size()) {
        std::copy(block.begin(), block.end(), plane.begin());
    } else if (auto good = decompressor_.decompress(block, plane); !good.ok()) {
        return bad(good.error().message);
    }
    if (++plane_ < numbers_.width) return done();
    plane_ = 0;
    if (!plain) {
        content_.resize(content_.size() + chunk_);
        join_planes(planes_, numbers_, std::span(content_).last(chunk_));
    }
    return end_chunk();
}

// As many chunks as are hashed at once are looked at together.
Status PayloadReader::end_chunk() {
    const std::size_t fresh = content_.size() - digested_;
    if (content_.size() == content_bytes_ || fresh >= leaves_at_once() * chunk_bytes) {
        const ByteView bytes = ByteView(content_).subspan(digested_);
        if (floats_ && !all_finite(bytes)) return not_finite("the content");
        tree_.append(bytes);
        digested_ = content_.size();
    }
    begin_chunk();
    return done();
}

}  // namespace entente::codec
