#include "entente/codec/npz.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>
#include <string>

#include "codec/frame_parts.hpp"

namespace entente::codec {

namespace {

constexpr std::uint32_t local_magic = 0x04034b50;
constexpr std::uint32_t central_magic = 0x02014b50;
constexpr std::uint32_t end_magic = 0x06054b50;
constexpr std::size_t local_bytes = 30;
constexpr std::size_t central_bytes = 46;
constexpr std::size_t end_bytes = 22;
constexpr std::size_t most_comment = 65535;
constexpr std::uint16_t first_day = 0x21;  // 1980-01-01
constexpr std::string_view npy_magic{"\x93NUMPY\x01\x00", 8};

Error malformed(std::string message) { return Error{Code::invalid_argument, "npz.malformed", "npz: " + std::move(message)}; }

constexpr std::array<std::uint32_t, 256> crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t c = i;
        for (int bit = 0; bit < 8; ++bit) c = (c & 1u) != 0 ? 0xedb88320u ^ (c >> 1u) : c >> 1u;
        table[i] = c;
    }
    return table;
}();

std::uint32_t crc32(ByteView bytes) noexcept {
    std::uint32_t c = 0xffffffffu;
    for (const std::byte b : bytes) c = crc_table[(c ^ std::to_integer<std::uint32_t>(b)) & 0xffu] ^ (c >> 8u);
    return c ^ 0xffffffffu;
}

// A tuple as Python writes it: () (7,) (7, 5).
std::string tuple_text(const std::vector<std::uint32_t>& shape) {
    std::string text;
    for (const std::uint32_t extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
    return "(" + text + (shape.size() == 1 ? ",)" : ")");
}

Bytes npy(const TensorShape& tensor, ByteView data) {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': " + tuple_text(tensor.shape) + ", }";
    while ((npy_magic.size() + 2 + header.size() + 1) % 64 != 0) header += ' ';
    header += '\n';
    Bytes out;
    out.reserve(npy_magic.size() + 2 + header.size() + data.size());
    const ByteView magic = as_bytes(npy_magic);
    out.insert(out.end(), magic.begin(), magic.end());
    append_le(out, static_cast<std::uint16_t>(header.size()));
    const ByteView text = as_bytes(std::string_view(header));
    out.insert(out.end(), text.begin(), text.end());
    out.insert(out.end(), data.begin(), data.end());
    return out;
}

// The fields that local and central header share, from "version needed" to "extra length".
void append_common(Bytes& out, std::uint32_t crc, std::uint32_t size, std::size_t name) {
    for (const std::uint16_t field : {std::uint16_t{20}, std::uint16_t{0}, std::uint16_t{0}, std::uint16_t{0}, first_day}) {
        append_le(out, field);
    }
    for (const std::uint32_t field : {crc, size, size}) append_le(out, field);
    append_le(out, static_cast<std::uint16_t>(name));
    append_le(out, std::uint16_t{0});
}

struct Entry {
    std::string name;
    ByteView data;
};

// Cuts `count` bytes off the front. REQUIRES: there are so many.
ByteView cut(ByteView& from, std::size_t count) {
    const ByteView piece = from.first(count);
    from = from.subspan(count);
    return piece;
}

Result<ByteView> entry_data(ByteView file, std::uint32_t offset, std::uint32_t size, const std::string& name) {
    if (offset > file.size() || file.size() - offset < local_bytes) return malformed("entry '" + name + "' lies outside the file");
    const ByteView local = file.subspan(offset);
    if (read_le<std::uint32_t>(local) != local_magic) return malformed("expected a local header for entry '" + name + "'");
    const std::size_t skip = local_bytes + read_le<std::uint16_t>(local.subspan(26)) + read_le<std::uint16_t>(local.subspan(28));
    if (local.size() < skip || local.size() - skip < size) return malformed("entry '" + name + "' is cut off");
    return local.subspan(skip, size);
}

Result<std::vector<Entry>> read_directory(ByteView file, const NpzLimits& limits) {
    if (file.size() < end_bytes) return malformed("expected a zip archive");
    std::size_t at = file.size() - end_bytes;
    const std::size_t least = at > most_comment ? at - most_comment : 0;
    while (read_le<std::uint32_t>(file.subspan(at)) != end_magic) {
        if (at == least) return malformed("expected the end of a zip archive's directory");
        --at;
    }
    const ByteView end = file.subspan(at);
    const auto count = read_le<std::uint16_t>(end.subspan(10));
    const auto offset = read_le<std::uint32_t>(end.subspan(16));
    if (count > limits.entries) {
        return Error{Code::too_large, "npz.too-large", "npz: expected at most " + std::to_string(limits.entries) +
                                                           " arrays, found " + std::to_string(count)};
    }
    if (offset > at) return malformed("its directory lies outside the file");
    ByteView left = file.subspan(offset, at - offset);
    std::vector<Entry> entries;
    for (std::size_t i = 0; i < count; ++i) {
        if (left.size() < central_bytes || read_le<std::uint32_t>(left) != central_magic) return malformed("its directory is damaged");
        const ByteView head = cut(left, central_bytes);
        const std::size_t name_bytes = read_le<std::uint16_t>(head.subspan(28));
        const std::size_t extra_bytes = std::size_t{read_le<std::uint16_t>(head.subspan(30))} + read_le<std::uint16_t>(head.subspan(32));
        if (left.size() < name_bytes + extra_bytes) return malformed("its directory is damaged");
        const ByteView raw = cut(left, name_bytes);
        cut(left, extra_bytes);
        std::string name(reinterpret_cast<const char*>(raw.data()), raw.size());
        if (read_le<std::uint16_t>(head.subspan(10)) != 0) {
            return Error{Code::invalid_argument, "npz.compressed",
                         "npz: expected stored arrays (np.savez), found compressed ones (np.savez_compressed)"};
        }
        const auto size = read_le<std::uint32_t>(head.subspan(24));
        if (size != read_le<std::uint32_t>(head.subspan(20))) return malformed("entry '" + name + "' has two sizes");
        ENTENTE_ASSIGN(const ByteView data, entry_data(file, read_le<std::uint32_t>(head.subspan(42)), size, name));
        if (crc32(data) != read_le<std::uint32_t>(head.subspan(16))) return malformed("entry '" + name + "' is damaged (CRC-32)");
        entries.push_back({std::move(name), data});
    }
    return entries;
}

// The part of an NPY header behind `key`, without blanks in front.
std::string_view after(std::string_view header, std::string_view key) {
    const std::size_t at = header.find(key);
    if (at == std::string_view::npos) return {};
    std::string_view rest = header.substr(at + key.size());
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == ':')) rest.remove_prefix(1);
    return rest;
}

Result<std::vector<std::uint32_t>> read_tuple(std::string_view text, const std::string& name) {
    const Error bad = malformed("array '" + name + "': expected a shape like (784, 200)");
    if (text.empty() || text.front() != '(') return bad;
    std::vector<std::uint32_t> shape;
    std::uint64_t number = 0;
    bool digits = false;
    for (const char c : text.substr(1)) {
        if (c >= '0' && c <= '9') {
            number = 10 * number + static_cast<std::uint64_t>(c - '0');
            digits = true;
            if (number > std::numeric_limits<std::uint32_t>::max()) return bad;
        } else if (c == ',' || c == ')') {
            if (digits) shape.push_back(static_cast<std::uint32_t>(number));
            if (c == ')') return shape;
            if (!digits || shape.size() > 8) return bad;
            number = 0;
            digits = false;
        } else if (c != ' ') {
            return bad;
        }
    }
    return bad;
}

struct Array {
    TensorShape tensor;
    ByteView data;
};

Result<Array> read_npy(const Entry& entry) {
    constexpr std::string_view suffix = ".npy";
    if (entry.name.size() <= suffix.size() || !entry.name.ends_with(suffix)) return malformed("expected .npy entries, found '" + entry.name + "'");
    const std::string name = entry.name.substr(0, entry.name.size() - suffix.size());
    ByteView bytes = entry.data;
    const ByteView magic = as_bytes(npy_magic);
    if (bytes.size() < magic.size() + 2 || !std::equal(magic.begin(), magic.end(), bytes.begin())) {
        return malformed("array '" + name + "': expected NPY format 1.0");
    }
    cut(bytes, magic.size());
    const auto header_bytes = read_le<std::uint16_t>(cut(bytes, 2));
    if (bytes.size() < header_bytes) return malformed("array '" + name + "': its header is cut off");
    const ByteView raw = cut(bytes, header_bytes);
    const std::string_view header(reinterpret_cast<const char*>(raw.data()), raw.size());
    if (!after(header, "'descr'").starts_with("'<f4'")) {
        return Error{Code::invalid_argument, "npz.dtype", "npz: expected float32 ('<f4') for array '" + name + "', found another type"};
    }
    if (!after(header, "'fortran_order'").starts_with("False")) return malformed("array '" + name + "': expected C order");
    Array array{{name, {}}, bytes};
    ENTENTE_ASSIGN(array.tensor.shape, read_tuple(after(header, "'shape'"), name));
    ENTENTE_ASSIGN(const std::uint64_t elements, element_count(array.tensor));
    if (bytes.size() != elements * sizeof(float)) return malformed("array '" + name + "': its shape and its size disagree");
    return array;
}

}  // namespace

Result<Bytes> write_npz(std::span<const TensorShape> tensors, std::span<const float> values) {
    ENTENTE_ASSIGN(const std::uint64_t elements, element_count(tensors));
    if (elements != values.size()) {
        return malformed("expected " + std::to_string(elements) + " values for the tensors, found " + std::to_string(values.size()));
    }
    if (!all_finite(as_bytes(values))) return Error{Code::invalid_argument, "npz.not-finite", "npz: expected finite values"};
    std::set<std::string> names;
    Bytes out;
    Bytes directory;
    std::size_t at = 0;
    for (const TensorShape& tensor : tensors) {
        if (tensor.name.empty() || tensor.name.size() > 4096 || !names.insert(tensor.name).second) {
            return malformed("expected distinct names, found '" + tensor.name + "' twice, empty or too long");
        }
        ENTENTE_ASSIGN(const std::uint64_t count, element_count(tensor));
        const Bytes file = npy(tensor, as_bytes(values.subspan(at, static_cast<std::size_t>(count))));
        at += static_cast<std::size_t>(count);
        const std::string name = tensor.name + ".npy";
        const std::uint64_t start = out.size();
        if (start + file.size() > std::numeric_limits<std::uint32_t>::max()) {
            return Error{Code::too_large, "npz.too-large", "npz: expected at most 4 GiB of parameters"};
        }
        const std::uint32_t crc = crc32(file);
        append_le(out, local_magic);
        append_common(out, crc, static_cast<std::uint32_t>(file.size()), name.size());
        append_le(directory, central_magic);
        append_le(directory, std::uint16_t{20});
        append_common(directory, crc, static_cast<std::uint32_t>(file.size()), name.size());
        append_le(directory, std::uint16_t{0});
        append_le(directory, std::uint32_t{0});  // disk, internal attributes
        append_le(directory, std::uint32_t{0});  // external attributes
        append_le(directory, static_cast<std::uint32_t>(start));
        for (Bytes* to : {&out, &directory}) {
            const ByteView text = as_bytes(std::string_view(name));
            to->insert(to->end(), text.begin(), text.end());
        }
        out.insert(out.end(), file.begin(), file.end());
    }
    const auto directory_at = static_cast<std::uint32_t>(out.size());
    out.insert(out.end(), directory.begin(), directory.end());
    append_le(out, end_magic);
    append_le(out, std::uint32_t{0});
    for (int i = 0; i < 2; ++i) append_le(out, static_cast<std::uint16_t>(tensors.size()));
    append_le(out, static_cast<std::uint32_t>(directory.size()));
    append_le(out, directory_at);
    append_le(out, std::uint16_t{0});
    return out;
}

Result<Npz> read_npz(ByteView file, const NpzLimits& limits) {
    ENTENTE_ASSIGN(const std::vector<Entry> entries, read_directory(file, limits));
    std::vector<Array> arrays;
    std::set<std::string> names;
    std::uint64_t total = 0;
    for (const Entry& entry : entries) {
        ENTENTE_ASSIGN(Array array, read_npy(entry));
        if (!names.insert(array.tensor.name).second) return malformed("expected distinct names, found '" + array.tensor.name + "' twice");
        if (!all_finite(array.data)) return Error{Code::invalid_argument, "npz.not-finite", "npz: expected finite values"};
        total += array.data.size();
        // Entries may share their bytes in a forged archive: the sum counts.
        if (total > limits.data_bytes) {
            return Error{Code::too_large, "npz.too-large", "npz: expected at most " + std::to_string(limits.data_bytes) + " bytes of data"};
        }
        arrays.push_back(std::move(array));
    }
    Npz npz;
    npz.values.resize(static_cast<std::size_t>(total / sizeof(float)));
    auto* to = reinterpret_cast<std::byte*>(npz.values.data());
    for (Array& array : arrays) {
        to = std::copy(array.data.begin(), array.data.end(), to);
        npz.tensors.push_back(std::move(array.tensor));
    }
    return npz;
}

}  // namespace entente::codec
