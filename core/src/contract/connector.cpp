#include "entente/contract/connector.hpp"

#include <algorithm>

namespace entente::contract {
namespace {

class OwnedBytes final : public ByteSource {
public:
    explicit OwnedBytes(std::shared_ptr<const Bytes> bytes) : bytes_(std::move(bytes)) {}

    Result<std::size_t> read(std::span<std::byte> buffer) override {
        const std::size_t n = std::min(buffer.size(), bytes_->size() - at_);
        std::copy_n(bytes_->begin() + static_cast<std::ptrdiff_t>(at_), n, buffer.begin());
        at_ += n;
        return n;
    }
    [[nodiscard]] std::shared_ptr<const Bytes> whole() const override { return bytes_; }

private:
    std::shared_ptr<const Bytes> bytes_;
    std::size_t at_ = 0;
};

}  // namespace

std::shared_ptr<ByteSource> make_source(Bytes bytes) { return make_source(std::make_shared<const Bytes>(std::move(bytes))); }

std::shared_ptr<ByteSource> make_source(std::shared_ptr<const Bytes> bytes) {
    return std::make_shared<OwnedBytes>(std::move(bytes));
}

Status BoundedSink::append(ByteView piece) {
    if (piece.size() > limit_bytes_ - bytes_.size()) {
        return Error{Code::too_large, "transfer.too-large",
                     "transfer: expected at most " + std::to_string(limit_bytes_) + " bytes, found more"};
    }
    bytes_.insert(bytes_.end(), piece.begin(), piece.end());
    return done();
}

}  // namespace entente::contract
