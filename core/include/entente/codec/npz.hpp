// npz, numpy's file of named arrays: a zip archive of .npy files. Float32, row-major, not compressed.
//
//   Result<Bytes> file = codec::write_npz(tensors, parameters);       // np.load("model.npz")["hidden1.weight"]
//   Result<codec::Npz> back = codec::read_npz(file.value());
//
// Formats: numpy/lib/format.py (NPY 1.0), PKWARE's APPNOTE 6.3. Equal input gives equal bytes: no times in it.
//
// The reader takes what np.savez writes and checks everything before it allocates: at most limits.entries arrays and
// limits.data_bytes of data, sizes from the central directory, method 0 (stored), '<f4' in C order, shapes that fill
// their entry exactly, CRC-32, no name twice, values finite. np.savez_compressed is refused with its reason.
// Errors: invalid_argument "npz.malformed", "npz.compressed", "npz.dtype", "npz.not-finite"; too_large "npz.too-large".
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"
#include "entente/codec/tensor_shape.hpp"

namespace entente::codec {

struct NpzLimits {
    std::uint32_t entries = 4096;
    std::uint64_t data_bytes = std::uint64_t{512} * 1024 * 1024;
};

struct Npz {
    std::vector<TensorShape> tensors;  // in the order of the archive
    std::vector<float> values;         // all arrays one after the other, row-major
};

// REQUIRES: the tensors' elements add up to values.size(), names are distinct and non-empty.
Result<Bytes> write_npz(std::span<const TensorShape> tensors, std::span<const float> values);

Result<Npz> read_npz(ByteView file, const NpzLimits& limits = {});

}  // namespace entente::codec
