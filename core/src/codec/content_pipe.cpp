#include "codec/content_pipe.hpp"

#include <algorithm>

#include "codec/frame_parts.hpp"
#include "codec/merkle_leaves.hpp"
#include "entente/codec/planes.hpp"

namespace entente::codec {

ContentPipe::ContentPipe(Encoding encoding, std::uint64_t content_bytes, ContentSink& sink)
    : encoding_(encoding), left_bytes_(content_bytes), sink_(sink) {
    chunks_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(content_bytes, leaves_at_once() * chunk_bytes)));
    if (width_bytes(encoding) > 1) planes_.reserve(std::min(chunks_.size(), chunk_bytes));
}

Status ContentPipe::append(ByteView planes) {
    while (!planes.empty()) {
        // Up to the end of a chunk.
        const std::size_t room = chunk_bytes - (filled_ + planes_.size()) % chunk_bytes;
        const std::size_t taken = std::min(planes.size(), room);
        left_bytes_ -= taken;
        take(planes.first(taken));
        planes = planes.subspan(taken);
        if (filled_ == chunks_.size() || (left_bytes_ == 0 && planes_.empty())) {
            if (Status status = flush(); !status) {
                refused_ = true;
                return status;
            }
        }
    }
    return done();
}

void ContentPipe::take(ByteView planes) {
    const std::size_t width = width_bytes(encoding_);
    if (width == 1) {
        std::copy(planes.begin(), planes.end(), chunks_.begin() + static_cast<std::ptrdiff_t>(filled_));
        filled_ += planes.size();
        return;
    }
    planes_.insert(planes_.end(), planes.begin(), planes.end());
    if (planes_.size() < chunk_bytes && left_bytes_ > 0) return;
    join_planes(planes_, width, std::span(chunks_).subspan(filled_, planes_.size()));
    filled_ += planes_.size();
    planes_.clear();
}

Status ContentPipe::flush() {
    ByteView content = ByteView(chunks_).first(filled_);
    filled_ = 0;
    if (encoding_ == Encoding::float32 && !all_finite(content)) return not_finite("the content");
    tree_.append(content);
    while (!content.empty()) {
        const ByteView chunk = content.first(std::min(content.size(), chunk_bytes));
        ENTENTE_TRY(sink_.append(chunk));
        content = content.subspan(chunk.size());
    }
    return done();
}

}  // namespace entente::codec
