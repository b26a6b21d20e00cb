#include "entente/codec/archive.hpp"

namespace entente::codec {

namespace {

struct ArchiveFailure final : std::exception {
    ArchiveFailure(const char* reason_text, const char* message_text)
        : reason(reason_text), message(message_text) {}
    const char* what() const noexcept override { return message; }

    const char* reason;
    const char* message;
};

}  // namespace

namespace archive_detail {

void fail(const char* reason, const char* message) { throw ArchiveFailure(reason, message); }

Error error_of(const std::exception& exception) {
    if (const auto* failure = dynamic_cast<const ArchiveFailure*>(&exception)) {
        return Error{Code::invalid_argument, failure->reason, failure->message};
    }
    return Error{Code::invalid_argument, "archive.malformed", exception.what()};
}

}  // namespace archive_detail

void BoundedOutputArchive::put(const void* data, std::size_t count) {
    const auto* first = static_cast<const std::byte*>(data);
    if (count != 0) out_.insert(out_.end(), first, first + count);
}

void BoundedInputArchive::take(void* data, std::size_t count) {
    if (count > left_.size()) archive_detail::fail("archive.truncated", "expected more bytes");
    if (count != 0) std::memcpy(data, left_.data(), count);
    left_ = left_.subspan(count);
}

std::size_t BoundedInputArchive::take_count(std::size_t wire_bytes, std::size_t heap_bytes) {
    std::uint64_t count = 0;
    take(&count, sizeof count);
    if (count > left_.size() / wire_bytes) {
        archive_detail::fail("archive.truncated", "expected a count that the bytes left can hold");
    }
    if (count > budget_bytes_ / heap_bytes) {
        archive_detail::fail("archive.too-large", "expected less memory than the limit");
    }
    budget_bytes_ -= count * heap_bytes;
    return static_cast<std::size_t>(count);
}

void BoundedInputArchive::enter() {
    if (depth_ == limits_.depth) archive_detail::fail("archive.too-deep", "expected less nesting");
    ++depth_;
}

void BoundedInputArchive::finish() const {
    if (!left_.empty()) archive_detail::fail("archive.trailing", "expected the end");
}

}  // namespace entente::codec
