#include "codec/zstd_block.hpp"

#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_c_literalCompressionMode; the library is linked statically everywhere
#include <zstd.h>

#include <new>
#include <string>

namespace entente::codec {

namespace {

// Planes: matches are tried every hundred bytes or so only. On float32 models that is twice as fast as level 1 both ways
// and no larger, since zstd would else leave literals as they are at such a level.
constexpr int level_of_bytes = 1;
constexpr int level_of_planes = -100;

// Creation fails only for lack of memory, which core does not survive anyway.
template <class T>
T* require_memory(T* pointer) {
    if (pointer == nullptr) throw std::bad_alloc();
    return pointer;
}

Error malformed(std::string found) {
    return Error{Code::invalid_argument, "zstd.malformed", "expected one zstd frame of the block's size, found " + std::move(found)};
}

}  // namespace

void BlockCompressor::Free::operator()(ZSTD_CCtx_s* context) const noexcept { ZSTD_freeCCtx(context); }
void BlockDecompressor::Free::operator()(ZSTD_DCtx_s* context) const noexcept { ZSTD_freeDCtx(context); }

BlockCompressor::BlockCompressor(Matter matter) : context_(require_memory(ZSTD_createCCtx())) {
    const bool planes = matter == Matter::planes;
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, planes ? level_of_planes : level_of_bytes);
    if (planes) ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
}

std::size_t BlockCompressor::compress(ByteView block, std::span<std::byte> room) noexcept {
    const std::size_t size = ZSTD_compress2(context_.get(), room.data(), room.size(), block.data(), block.size());
    return ZSTD_isError(size) != 0 ? 0 : size;
}

Status BlockDecompressor::decompress(ByteView frame, std::span<std::byte> block) {
    const unsigned long long declared = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (declared == ZSTD_CONTENTSIZE_ERROR) return malformed("other bytes");
    if (declared == ZSTD_CONTENTSIZE_UNKNOWN) return malformed("no declared size");
    if (declared != block.size()) return malformed("a declared size of " + std::to_string(declared) + " bytes");
    const std::size_t whole = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
    if (ZSTD_isError(whole) != 0 || whole != frame.size()) return malformed("one that is cut off, or more behind it");
    if (!context_) context_.reset(require_memory(ZSTD_createDCtx()));
    const std::size_t size = ZSTD_decompressDCtx(context_.get(), block.data(), block.size(), frame.data(), frame.size());
    if (ZSTD_isError(size) != 0) return malformed(ZSTD_getErrorName(size));
    if (size != block.size()) return malformed(std::to_string(size) + " bytes");
    return done();
}

}  // namespace entente::codec
