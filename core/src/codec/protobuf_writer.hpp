// The few wire types of Protocol Buffers that a writer of ONNX needs.
//
//   ProtobufWriter node;
//   node.text(4, "Relu");
//   graph.message(1, node);
//
// Encoding: developers.google.com/protocol-buffers/docs/encoding. Not thread-safe.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "entente/base/bytes.hpp"

namespace entente::codec {

class ProtobufWriter {
public:
    void whole(std::uint32_t field, std::uint64_t value) {
        varint(std::uint64_t{field} << 3u);
        varint(value);
    }
    void real(std::uint32_t field, float value) {
        varint(std::uint64_t{field} << 3u | 5u);
        std::uint32_t bits = 0;
        std::memcpy(&bits, &value, sizeof bits);
        append_le(out_, bits);
    }
    void bytes(std::uint32_t field, ByteView value) {
        varint(std::uint64_t{field} << 3u | 2u);
        varint(value.size());
        out_.insert(out_.end(), value.begin(), value.end());
    }
    void text(std::uint32_t field, std::string_view value) { bytes(field, as_bytes(value)); }
    void message(std::uint32_t field, const ProtobufWriter& value) { bytes(field, value.out_); }

    [[nodiscard]] const Bytes& written() const noexcept { return out_; }
    Bytes take() noexcept { return std::move(out_); }

private:
    void varint(std::uint64_t value) {
        for (; value >= 0x80u; value >>= 7u) out_.push_back(static_cast<std::byte>((value & 0x7fu) | 0x80u));
        out_.push_back(static_cast<std::byte>(value));
    }

    Bytes out_;
};

}  // namespace entente::codec
