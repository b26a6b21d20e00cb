// From decompressed byte planes to checked content: joins the planes of each chunk, feeds the digest, refuses
// what is not finite, hands the chunks on.
#pragma once

#include "entente/codec/frame.hpp"
#include "entente/codec/merkle.hpp"
#include "entente/codec/sink.hpp"

namespace entente::codec {

class ContentPipe final : public ContentSink {
public:
    ContentPipe(Encoding encoding, std::uint64_t content_bytes, ContentSink& sink);

    Status append(ByteView planes) override;

    [[nodiscard]] Digest digest() const noexcept { return tree_.root(); }

    // True if the last error came from here or from the sink, not from the decompressor.
    [[nodiscard]] bool refused() const noexcept { return refused_; }

private:
    void take(ByteView planes);
    Status flush();

    Encoding encoding_;
    std::uint64_t left_bytes_;
    ContentSink& sink_;
    MerkleBuilder tree_;
    Bytes planes_;             // of the chunk that is filling
    Bytes chunks_;             // as many as are hashed at once
    std::size_t filled_ = 0;   // bytes of them
    bool refused_ = false;
};

}  // namespace entente::codec
