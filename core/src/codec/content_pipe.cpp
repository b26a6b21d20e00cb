#include "codec/content_pipe.hpp"

#include <algorithm>

#include "codec/frame_parts.hpp"
#include "entente/codec/planes.hpp"

namespace entente::codec {

ContentPipe::ContentPipe(Encoding encoding, std::uint64_t content_bytes, ContentSink& sink)
    : encoding_(encoding), left_bytes_(content_bytes), sink_(sink) {
    planes_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(content_bytes, chunk_bytes)));
    chunk_.resize(planes_.capacity());
}

Status ContentPipe::append(ByteView planes) {
    while (!planes.empty()) {
        const auto taken = std::min(planes.size(), chunk_bytes - planes_.size());
        const ByteView part = planes.first(taken);
        planes_.insert(planes_.end(), part.begin(), part.end());
        planes = planes.subspan(taken);
        left_bytes_ -= taken;
        if (planes_.size() == chunk_bytes || left_bytes_ == 0) {
            Status status = flush();
            if (!status) {
                refused_ = true;
                return status;
            }
        }
    }
    return done();
}

Status ContentPipe::flush() {
    const std::span<std::byte> chunk = std::span(chunk_).first(planes_.size());
    join_planes(planes_, width_bytes(encoding_), chunk);
    planes_.clear();
    if (encoding_ == Encoding::float32 && !all_finite(chunk)) return not_finite("the content");
    tree_.append(chunk);
    return sink_.append(chunk);
}

}  // namespace entente::codec
