#include "entente/codec/archive.hpp"

namespace entente::codec {

void BoundedOutputArchive::put(const void* data, std::size_t count) {
    const auto* first = static_cast<const std::byte*>(data);
    if (count != 0) out_.insert(out_.end(), first, first + count);
}

void BoundedInputArchive::take(void* data, std::size_t count) {
    if (count > left_.size()) fail("archive.truncated", "expected more bytes");
    if (count == 0) return;
    if (failed()) {
        std::memset(data, 0, count);
        return;
    }
    std::memcpy(data, left_.data(), count);
    left_ = left_.subspan(count);
}

std::size_t BoundedInputArchive::take_count(std::size_t wire_bytes, std::size_t heap_bytes) {
    std::uint64_t count = 0;
    take(&count, sizeof count);
    if (count > left_.size() / wire_bytes) fail("archive.truncated", "expected a count that the bytes left can hold");
    if (count > budget_bytes_ / heap_bytes) fail("archive.too-large", "expected less memory than the limit");
    if (failed()) return 0;
    budget_bytes_ -= count * heap_bytes;
    return static_cast<std::size_t>(count);
}

void BoundedInputArchive::enter() {
    if (++depth_ > limits_.depth) fail("archive.too-deep", "expected less nesting");
}

void BoundedInputArchive::fail(const char* reason, const char* message) {
    if (failed()) return;
    reason_ = reason;
    message_ = message;
}

Status BoundedInputArchive::finish() const {
    if (failed()) return Error{Code::invalid_argument, reason_, message_};
    if (!left_.empty()) return Error{Code::invalid_argument, "archive.trailing", "expected the end"};
    return done();
}

}  // namespace entente::codec
