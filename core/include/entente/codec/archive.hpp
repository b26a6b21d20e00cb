// Structures as canonical little-endian bytes, by cereal, and back from bytes that an enemy may have written.
//
//   struct Terms {
//       std::string purpose;
//       std::vector<std::uint32_t> shape;
//       template <class Archive>
//       void serialize(Archive& archive) { archive(purpose, shape); }
//   };
//   Bytes bytes = codec::encode(terms);
//   Result<Terms> back = codec::decode<Terms>(bytes);
//
// Format: integers and floats little-endian at their own width; bool one byte 0 or 1; an enum its underlying
// integer; strings, vectors and maps a u64 count, then the elements; optional one byte (1 = empty), then the
// value; variant an i32 index, then the value. No names, no versions, no padding.
//
// Use fixed-width integers only (size_t and long differ between targets). An enum needs, beside it,
// `constexpr bool is_known(MyEnum)`; without it decoding does not compile. cereal's polymorphic and memory
// headers (pointers) are forbidden.
//
// Decoding refuses, before it allocates: counts above the bytes left, more memory than
// limits.allocation_bytes, deeper nesting than limits.depth; and always: bytes left over, bool bytes beyond
// 1, unknown enum values, and anything that encode() would have written differently. Errors are
// invalid_argument with reason
//   "archive.truncated"  "archive.trailing"  "archive.malformed"  "archive.not-canonical"
//   "archive.too-deep"   "archive.too-large"
//
// Thread-safety: encode and decode are pure.
#pragma once

#include <algorithm>
#include <cereal/cereal.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"
#include "entente/codec/sign.hpp"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the archives copy numbers as they lie in memory");

namespace entente::codec {

struct ArchiveLimits {
    std::uint32_t depth = 32;                           // nested structures and containers
    std::uint64_t allocation_bytes = 16 * 1024 * 1024;  // heap that all containers together may ask for
};

namespace archive_detail {

template <class T>
inline constexpr bool is_number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool> &&
                                  !std::is_same_v<T, long double> && !std::is_same_v<T, wchar_t>;

// Elements that are copied in one go: numbers and bytes.
template <class T>
inline constexpr bool is_bulk = is_number<T> || std::is_same_v<T, std::byte>;

}  // namespace archive_detail

class BoundedOutputArchive
    : public cereal::OutputArchive<BoundedOutputArchive, cereal::AllowEmptyClassElision> {
public:
    explicit BoundedOutputArchive(Bytes& out) : OutputArchive(this), out_(out) {}

    void put(const void* data, std::size_t count);

private:
    Bytes& out_;
};

// Reads `bytes`, which must outlive it. The first failure stands; behind it every number is read as 0 and every container as
// empty, so that reading ends soon. finish() tells.
class BoundedInputArchive : public cereal::InputArchive<BoundedInputArchive, cereal::AllowEmptyClassElision> {
public:
    BoundedInputArchive(ByteView bytes, const ArchiveLimits& limits)
        : InputArchive(this), left_(bytes), limits_(limits), budget_bytes_(limits.allocation_bytes) {}

    void take(void* data, std::size_t count);

    // A container's count: at least `wire_bytes` of input must be left and `heap_bytes` of budget for each.
    std::size_t take_count(std::size_t wire_bytes, std::size_t heap_bytes);

    void enter();
    void leave() noexcept { --depth_; }

    void fail(const char* reason, const char* message);  // both live for ever
    [[nodiscard]] bool failed() const { return reason_ != nullptr; }
    [[nodiscard]] Status finish() const;  // the failure, or that bytes are left

private:
    ByteView left_;
    const char* reason_ = nullptr;
    const char* message_ = nullptr;
    ArchiveLimits limits_;
    std::uint64_t budget_bytes_;
    std::uint32_t depth_ = 0;
};

// cereal calls these around every value.
template <class T>
void prologue(BoundedInputArchive& archive, const T&) {
    if constexpr (!std::is_arithmetic_v<T> && !std::is_enum_v<T>) archive.enter();
}
template <class T>
void epilogue(BoundedInputArchive& archive, const T&) {
    if constexpr (!std::is_arithmetic_v<T> && !std::is_enum_v<T>) archive.leave();
}

template <class T>
    requires std::is_arithmetic_v<T>
void CEREAL_SAVE_FUNCTION_NAME(BoundedOutputArchive& archive, const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
        const unsigned char byte = value ? 1 : 0;
        archive.put(&byte, 1);
    } else {
        static_assert(archive_detail::is_number<T>, "this type has no portable width");
        archive.put(&value, sizeof value);
    }
}

template <class T>
    requires std::is_arithmetic_v<T>
void CEREAL_LOAD_FUNCTION_NAME(BoundedInputArchive& archive, T& value) {
    if constexpr (std::is_same_v<T, bool>) {
        unsigned char byte = 0;
        archive.take(&byte, 1);
        if (byte > 1) archive.fail("archive.malformed", "expected a bool of 0 or 1");
        value = byte == 1;
    } else {
        static_assert(archive_detail::is_number<T>, "this type has no portable width");
        archive.take(&value, sizeof value);
    }
}

template <class E>
    requires std::is_enum_v<E>
void CEREAL_SAVE_FUNCTION_NAME(BoundedOutputArchive& archive, const E& value) {
    const auto raw = static_cast<std::underlying_type_t<E>>(value);
    archive.put(&raw, sizeof raw);
}

template <class E>
    requires std::is_enum_v<E>
void CEREAL_LOAD_FUNCTION_NAME(BoundedInputArchive& archive, E& value) {
    std::underlying_type_t<E> raw{};
    archive.take(&raw, sizeof raw);
    value = static_cast<E>(raw);
    if constexpr (!std::is_same_v<E, std::byte>) {
        static_assert(
            requires(E e) {
                { is_known(e) } -> std::same_as<bool>;
            },
            "write `constexpr bool is_known(E)` beside the enum");
        if (!is_known(value)) archive.fail("archive.malformed", "expected a known enum value");
    }
}

template <class T>
void CEREAL_SERIALIZE_FUNCTION_NAME(BoundedOutputArchive& archive, cereal::NameValuePair<T>& pair) {
    archive(pair.value);
}
template <class T>
void CEREAL_SERIALIZE_FUNCTION_NAME(BoundedInputArchive& archive, cereal::NameValuePair<T>& pair) {
    archive(pair.value);
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(BoundedOutputArchive& archive, const cereal::BinaryData<T>& data) {
    archive.put(data.data, static_cast<std::size_t>(data.size));
}
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(BoundedInputArchive& archive, cereal::BinaryData<T>& data) {
    archive.take(data.data, static_cast<std::size_t>(data.size));
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(BoundedOutputArchive& archive, const cereal::SizeTag<T>& tag) {
    const std::uint64_t count = tag.size;
    archive.put(&count, sizeof count);
}
// For cereal's containers that have no overload below: 64 bytes of heap per element is a guess on the safe
// side for everything that is small.
template <class T>
void CEREAL_LOAD_FUNCTION_NAME(BoundedInputArchive& archive, cereal::SizeTag<T>& tag) {
    tag.size = static_cast<std::remove_reference_t<T>>(archive.take_count(1, 64));
}

inline void CEREAL_LOAD_FUNCTION_NAME(BoundedInputArchive& archive, std::string& text) {
    text.resize(archive.take_count(1, 1));
    archive.take(text.data(), text.size());
}
inline void CEREAL_SAVE_FUNCTION_NAME(BoundedOutputArchive& archive, const std::string& text) {
    const std::uint64_t count = text.size();
    archive.put(&count, sizeof count);
    archive.put(text.data(), text.size());
}

// cereal's own loaders resize to the claimed count first and ask for no more than one byte of it.
template <class T, class A>
    requires(!std::is_same_v<T, bool>)
void CEREAL_LOAD_FUNCTION_NAME(BoundedInputArchive& archive, std::vector<T, A>& vector) {
    constexpr bool bulk = archive_detail::is_bulk<T>;
    const std::size_t count = archive.take_count(bulk ? sizeof(T) : 1, sizeof(T));
    vector.resize(count);
    if constexpr (bulk) {
        archive.take(vector.data(), count * sizeof(T));
    } else {
        for (T& element : vector) {
            if (archive.failed()) break;
            archive(element);
        }
    }
}
template <class T, class A>
    requires(!std::is_same_v<T, bool>)
void CEREAL_SAVE_FUNCTION_NAME(BoundedOutputArchive& archive, const std::vector<T, A>& vector) {
    const std::uint64_t count = vector.size();
    archive.put(&count, sizeof count);
    if constexpr (archive_detail::is_bulk<T>) {
        archive.put(vector.data(), vector.size() * sizeof(T));
    } else {
        for (const T& element : vector) archive(element);
    }
}

template <class K, class V, class C, class A>
void CEREAL_LOAD_FUNCTION_NAME(BoundedInputArchive& archive, std::map<K, V, C, A>& map) {
    constexpr std::size_t node_bytes = sizeof(std::pair<const K, V>) + 4 * sizeof(void*);
    const std::size_t count = archive.take_count(1, node_bytes);
    map.clear();
    for (std::size_t i = 0; i < count && !archive.failed(); ++i) {
        K key{};
        V value{};
        archive(key, value);
        if (!map.empty() && !map.key_comp()(map.rbegin()->first, key)) {
            return archive.fail("archive.not-canonical", "expected map keys in ascending order, each once");
        }
        map.emplace_hint(map.end(), std::move(key), std::move(value));
    }
}
template <class K, class V, class C, class A>
void CEREAL_SAVE_FUNCTION_NAME(BoundedOutputArchive& archive, const std::map<K, V, C, A>& map) {
    const std::uint64_t count = map.size();
    archive.put(&count, sizeof count);
    for (const auto& [key, value] : map) archive(key, value);
}

namespace archive_detail {

template <std::size_t I, class Variant>
void load_alternative(BoundedInputArchive& archive, std::size_t index, Variant& variant) {
    if (index == I) {
        std::variant_alternative_t<I, Variant> value{};
        archive(value);
        variant.template emplace<I>(std::move(value));
    } else if constexpr (I + 1 < std::variant_size_v<Variant>) {
        load_alternative<I + 1>(archive, index, variant);
    }
}

}  // namespace archive_detail

// cereal's own loader throws at an index that there is not.
template <class First, class... Others>
void CEREAL_LOAD_FUNCTION_NAME(BoundedInputArchive& archive, std::variant<First, Others...>& variant) {
    std::int32_t index = 0;
    archive(index);
    if (index < 0 || static_cast<std::size_t>(index) > sizeof...(Others)) {
        return archive.fail("archive.malformed", "expected the index of an alternative");
    }
    archive_detail::load_alternative<0>(archive, static_cast<std::size_t>(index), variant);
}

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, PublicKey& key) {
    archive(cereal::binary_data(key.bytes.data(), key.bytes.size()));
}
template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, Signature& signature) {
    archive(cereal::binary_data(signature.bytes.data(), signature.bytes.size()));
}

template <class T>
[[nodiscard]] Bytes encode(const T& value) {
    Bytes out;
    BoundedOutputArchive archive(out);
    archive(value);
    return out;
}

template <class T>
Result<T> decode(ByteView bytes, const ArchiveLimits& limits = {}) {
    BoundedInputArchive archive(bytes, limits);
    T value{};
    archive(value);
    ENTENTE_TRY(archive.finish());
    const Bytes again = encode(value);
    if (!std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) {
        return Error{Code::invalid_argument, "archive.not-canonical", "expected the bytes that encoding the value gives"};
    }
    return value;
}

}  // namespace entente::codec

namespace entente {

template <class Archive>
void CEREAL_SERIALIZE_FUNCTION_NAME(Archive& archive, Digest& digest) {
    archive(cereal::binary_data(digest.bytes.data(), digest.bytes.size()));
}

}  // namespace entente

namespace cereal {

// Of the two ways to (de)serialise an enum, cereal's and the strict one above, choose the strict one.
template <class E>
    requires std::is_enum_v<E>
struct specialize<entente::codec::BoundedInputArchive, E, specialization::non_member_load_save>
    : std::true_type {
};
template <class E>
    requires std::is_enum_v<E>
struct specialize<entente::codec::BoundedOutputArchive, E, specialization::non_member_load_save>
    : std::true_type {
};

}  // namespace cereal

CEREAL_REGISTER_ARCHIVE(entente::codec::BoundedOutputArchive)
CEREAL_REGISTER_ARCHIVE(entente::codec::BoundedInputArchive)
CEREAL_SETUP_ARCHIVE_TRAITS(entente::codec::BoundedInputArchive, entente::codec::BoundedOutputArchive)
