// safetensors, the file that other tools read weights from: 8-byte little-endian header length, JSON header,
// contiguous little-endian data. Float32 tensors only.
//
//   std::vector<codec::TensorShape> tensors{{"dense0.weight", {784, 200}}, {"dense0.bias", {200}}};
//   Result<Bytes> file = codec::write_safetensors(tensors, parameters, {{"task", "digits"}});
//
//   Result<codec::Safetensors> back = codec::read_safetensors(file.value());
//   back->tensors, back->values, back->metadata;
//
// The reader checks everything before it allocates: header at most limits.header_bytes, every dtype F32, no
// name twice, offsets contiguous and covering the data exactly, products without overflow, values finite.
// Errors: invalid_argument "safetensors.malformed", "safetensors.dtype", "safetensors.not-finite",
//         too_large "safetensors.too-large".
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"
#include "entente/codec/tensor_shape.hpp"

namespace entente::codec {

struct SafetensorsLimits {
    std::uint32_t header_bytes = 1024 * 1024;
    std::uint64_t data_bytes = std::uint64_t{512} * 1024 * 1024;
};

struct Safetensors {
    std::vector<TensorShape> tensors;  // in the order of their data
    std::vector<float> values;         // all tensors one after the other, row-major
    std::map<std::string, std::string> metadata;
};

// REQUIRES: the tensors' elements add up to values.size(), names are distinct and non-empty.
Result<Bytes> write_safetensors(std::span<const TensorShape> tensors, std::span<const float> values,
                                const std::map<std::string, std::string>& metadata = {});

Result<Safetensors> read_safetensors(ByteView file, const SafetensorsLimits& limits = {});

}  // namespace entente::codec
