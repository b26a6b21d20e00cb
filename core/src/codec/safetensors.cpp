#include "entente/codec/safetensors.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>

#include "codec/frame_parts.hpp"
#include "codec/safetensors_json.hpp"
#include "entente/base/json_text.hpp"

namespace entente::codec {

namespace {

constexpr std::size_t length_bytes = 8;
constexpr const char* metadata_name = "__metadata__";

Error malformed(std::string message) {
    return Error{Code::invalid_argument, "safetensors.malformed", std::move(message)};
}

std::string header_text(std::span<const TensorShape> tensors,
                        const std::map<std::string, std::string>& metadata) {
    std::string text = "{";
    const auto separate = [&text] {
        if (text.size() > 1) text += ',';
    };
    if (!metadata.empty()) {
        text += json_text(metadata_name) + ":{";
        bool first = true;
        for (const auto& [key, value] : metadata) {
            text += (first ? "" : ",") + json_text(key) + ':' + json_text(value);
            first = false;
        }
        text += '}';
    }
    std::uint64_t offset = 0;
    for (const TensorShape& tensor : tensors) {
        separate();
        std::string shape;
        std::uint64_t bytes = 4;
        for (const std::uint32_t dimension : tensor.shape) {
            shape += (shape.empty() ? "" : ",") + std::to_string(dimension);
            bytes *= dimension;
        }
        text += json_text(tensor.name) + ":{\"dtype\":\"F32\",\"shape\":[" + shape + "],\"data_offsets\":[" +
                std::to_string(offset) + ',' + std::to_string(offset + bytes) + "]}";
        offset += bytes;
    }
    text += '}';
    // The format wants the data aligned to 8 bytes and fills with blanks.
    while (text.size() % 8 != 0) text += ' ';
    return text;
}

struct Placed {
    TensorShape tensor;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

Result<Placed> place(const SafetensorsEntry& entry) {
    const auto dtype = entry.strings.find("dtype");
    const auto shape = entry.arrays.find("shape");
    const auto offsets = entry.arrays.find("data_offsets");
    if (dtype == entry.strings.end() || shape == entry.arrays.end() || offsets == entry.arrays.end() ||
        offsets->second.size() != 2 || entry.strings.size() + entry.arrays.size() != 3) {
        return malformed("expected dtype, shape and two data_offsets for tensor '" + entry.name + "'");
    }
    if (dtype->second != "F32") {
        return Error{Code::invalid_argument, "safetensors.dtype",
                     "expected F32 for tensor '" + entry.name + "', found " + dtype->second};
    }
    Placed placed{{entry.name, {}}, offsets->second[0], offsets->second[1]};
    for (const std::uint64_t dimension : shape->second) {
        if (dimension > std::numeric_limits<std::uint32_t>::max()) {
            return malformed("expected dimensions below 2^32 for tensor '" + entry.name + "'");
        }
        placed.tensor.shape.push_back(static_cast<std::uint32_t>(dimension));
    }
    const Result<std::uint64_t> elements = element_count(placed.tensor);
    if (!elements) return malformed(elements.error().message);
    if (placed.end < placed.begin || placed.end - placed.begin != 4 * elements.value()) {
        return malformed("expected data_offsets that span the shape of tensor '" + entry.name + "'");
    }
    return placed;
}

}  // namespace

Result<Bytes> write_safetensors(std::span<const TensorShape> tensors, std::span<const float> values,
                                const std::map<std::string, std::string>& metadata) {
    ENTENTE_ASSIGN(const std::uint64_t elements, element_count(tensors));
    if (elements != values.size()) {
        return malformed("expected " + std::to_string(elements) + " values for the tensors, found " +
                         std::to_string(values.size()));
    }
    std::set<std::string> names{metadata_name};
    for (const TensorShape& tensor : tensors) {
        if (tensor.name.empty() || !names.insert(tensor.name).second) {
            return malformed("expected distinct names, found '" + tensor.name + "' twice, empty or reserved");
        }
    }
    const ByteView data = as_bytes(values);
    if (!all_finite(data)) {
        return Error{Code::invalid_argument, "safetensors.not-finite", "expected finite values"};
    }
    const std::string header = header_text(tensors, metadata);
    Bytes file;
    file.reserve(length_bytes + header.size() + data.size());
    append_le(file, static_cast<std::uint64_t>(header.size()));
    const ByteView header_bytes = as_bytes(header);
    file.insert(file.end(), header_bytes.begin(), header_bytes.end());
    file.insert(file.end(), data.begin(), data.end());
    return file;
}

Result<Safetensors> read_safetensors(ByteView file, const SafetensorsLimits& limits) {
    if (file.size() < length_bytes) return malformed("expected a header length of 8 bytes");
    const auto header_bytes = read_le<std::uint64_t>(file);
    file = file.subspan(length_bytes);
    if (header_bytes > limits.header_bytes) {
        return Error{Code::too_large, "safetensors.too-large",
                     "expected a header of at most " + std::to_string(limits.header_bytes) +
                         " bytes, found " + std::to_string(header_bytes)};
    }
    if (header_bytes > file.size()) return malformed("expected the whole header");
    const ByteView header = file.first(static_cast<std::size_t>(header_bytes));
    const ByteView data = file.subspan(header.size());
    if (data.size() > limits.data_bytes) {
        return Error{Code::too_large, "safetensors.too-large",
                     "expected data of at most " + std::to_string(limits.data_bytes) + " bytes, found " +
                         std::to_string(data.size())};
    }
    const std::string_view json(reinterpret_cast<const char*>(header.data()), header.size());
    ENTENTE_ASSIGN(std::vector<SafetensorsEntry> entries, parse_safetensors_header(json));

    Safetensors result;
    std::vector<Placed> placed;
    for (SafetensorsEntry& entry : entries) {
        if (entry.name == metadata_name) {
            if (!entry.arrays.empty()) return malformed("expected strings as metadata");
            result.metadata = std::move(entry.strings);
            continue;
        }
        ENTENTE_ASSIGN(Placed one, place(entry));
        placed.push_back(std::move(one));
    }
    std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
        return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::uint64_t next = 0;
    for (Placed& one : placed) {
        if (one.begin != next)
            return malformed("expected contiguous data at tensor '" + one.tensor.name + "'");
        next = one.end;
        result.tensors.push_back(std::move(one.tensor));
    }
    if (next != data.size()) {
        return malformed("expected " + std::to_string(next) + " bytes of data, found " +
                         std::to_string(data.size()));
    }
    if (!all_finite(data)) {
        return Error{Code::invalid_argument, "safetensors.not-finite", "expected finite values"};
    }
    result.values.resize(data.size() / sizeof(float));
    if (!data.empty()) std::memcpy(result.values.data(), data.data(), data.size());
    return result;
}

}  // namespace entente::codec
