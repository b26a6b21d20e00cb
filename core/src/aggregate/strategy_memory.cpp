// What a rule remembers, as bytes: u32 layout version, u32 vectors, u64 length, then the vectors as float32
// (little-endian IEEE 754 in memory on every target that this compiles for).
#include <cmath>
#include <cstring>
#include <string>

#include "entente/aggregate/strategy.hpp"

namespace entente::aggregate {
namespace {

constexpr std::uint32_t layout_version = 1;
constexpr std::size_t header_bytes = 4 + 4 + 8;

Error malformed(std::string found) {
    return Error{Code::data_loss, "strategy.malformed", "the strategy's memory: expected " + std::move(found)};
}

}  // namespace

Strategy::Strategy(std::uint64_t parameters, std::vector<float> initial) {
    for (const float value : initial) memory_.emplace_back(static_cast<std::size_t>(parameters), value);
}

Bytes Strategy::save() const {
    Bytes out;
    if (memory_.empty()) return out;
    out.reserve(header_bytes + 4 * memory_.size() * memory_.front().size());
    append_le(out, layout_version);
    append_le(out, static_cast<std::uint32_t>(memory_.size()));
    append_le(out, static_cast<std::uint64_t>(memory_.front().size()));
    for (const std::vector<float>& vector : memory_) {
        const auto bytes = std::as_bytes(std::span(vector));
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
}

Status Strategy::load(ByteView bytes) {
    const std::size_t length = memory_.empty() ? 0 : memory_.front().size();
    const std::size_t expected = memory_.empty() ? 0 : header_bytes + 4 * memory_.size() * length;
    if (bytes.size() != expected) {
        return malformed(std::to_string(expected) + " bytes, found " + std::to_string(bytes.size()));
    }
    if (memory_.empty()) return done();
    if (read_le<std::uint32_t>(bytes) != layout_version || read_le<std::uint32_t>(bytes.subspan(4)) != memory_.size() ||
        read_le<std::uint64_t>(bytes.subspan(8)) != length) {
        return malformed(std::to_string(memory_.size()) + " vectors of " + std::to_string(length) + ", found others");
    }
    std::vector<std::vector<float>> read;
    std::size_t at = header_bytes;
    for (std::size_t v = 0; v < memory_.size(); ++v) {
        std::vector<float>& vector = read.emplace_back(length);
        std::memcpy(vector.data(), bytes.data() + at, 4 * length);
        at += 4 * length;
        for (const float value : vector) {
            if (!std::isfinite(value)) return malformed("finite numbers, found NaN or infinity");
        }
    }
    memory_ = std::move(read);
    return done();
}

}  // namespace entente::aggregate
