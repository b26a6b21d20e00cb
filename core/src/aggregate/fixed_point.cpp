#include "entente/aggregate/fixed_point.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "entente/base/philox_blocks.hpp"
#include "entente/tensor/kernels.hpp"

namespace entente::aggregate {

std::int32_t FixedPoint::limit() const noexcept {
    return static_cast<std::int32_t>(((std::uint64_t{1} << (bits - 1u)) - 1u) << most_shift());
}

std::uint64_t FixedPoint::content_bytes(std::uint64_t values) const noexcept {
    if (block == 0) return values * bytes_per_value();
    const std::uint64_t rest = values % block;
    return values / block * record_bytes(block) + (rest > 0 ? record_bytes(static_cast<std::size_t>(rest)) : 0);
}

double FixedPoint::clip() const noexcept { return std::ldexp(static_cast<double>(limit()), -int{scale_log2}); }

Status check(const FixedPoint& grid) {
    const bool narrow = grid.bits == 8 || (grid.bits == 4 && grid.block > 0);
    if (!narrow && grid.bits != 16 && grid.bits != 32) {
        return Error{Code::invalid_argument, "plan.encoding",
                     "encoding.bits: expected 32, 16 or 8, or 4 with encoding.block, found " + std::to_string(int{grid.bits})};
    }
    if (grid.block != 0 && (!narrow || grid.block < 16 || grid.block > 4096 || grid.block % 2 != 0)) {
        return Error{Code::invalid_argument, "plan.encoding",
                     "encoding.block: expected an even number from 16 to 4096 with 8 or 4 bits, or 0, found " +
                         std::to_string(int{grid.block})};
    }
    if (grid.scale_log2 > 30) {
        return Error{Code::invalid_argument, "plan.encoding",
                     "encoding.scale_log2: expected 0 to 30, found " + std::to_string(int{grid.scale_log2})};
    }
    return done();
}

namespace {

// Values that are rounded at once where the grid has no blocks.
constexpr std::size_t run_values = 128;

// The smallest power of two that makes the block's values fit.
unsigned shift_for(double largest, const FixedPoint& grid) {
    const double fits = static_cast<double>(grid.limit() >> grid.most_shift());
    unsigned shift = 0;
    while (shift < grid.most_shift() && largest > std::ldexp(fits, static_cast<int>(shift))) ++shift;
    return shift;
}

// REQUIRES: all finite. The bits of magnitudes are in their order, and the largest integer is found by vectors.
double largest_of(std::span<const float> values) {
    std::int32_t largest = 0;
    for (const float v : values) {
        std::int32_t bits = 0;
        std::memcpy(&bits, &v, sizeof bits);
        largest = std::max(largest, bits & 0x7fff'ffff);
    }
    float magnitude = 0;
    std::memcpy(&magnitude, &largest, sizeof magnitude);
    return static_cast<double>(magnitude);
}

}  // namespace

namespace {

Status check_finite(std::span<const float> delta) {
    if (kernels::active().all_finite(delta.data(), delta.size())) return done();
    const auto bad = std::find_if(delta.begin(), delta.end(), [](float v) { return !std::isfinite(v); });
    return Error{Code::invalid_argument, "update.not-finite",
                 "quantise: expected finite values, found NaN or infinity at parameter " + std::to_string(bad - delta.begin())};
}

// REQUIRES: not empty.
bool all_zero(std::span<const float> values) {
    return values.front() == 0.0f && std::memcmp(values.data(), values.data() + 1, (values.size() - 1) * sizeof(float)) == 0;
}

// Rounds delta run by run, whole blocks where the grid has some, and calls take(first, integers) for each. Returns how many
// were clipped. A zero stays one whatever the chance, so a run of them, and a picture's border makes many, draws none.
template <class Take>
std::uint64_t each_rounded(std::span<const float> delta, const FixedPoint& grid, PhiloxKey key, const Take& take) {
    const kernels::Table& k = kernels::active();
    const std::size_t most = grid.block > 0 ? grid.block : run_values;
    const double scale = std::ldexp(1.0, grid.scale_log2);
    std::vector<std::uint32_t> words(most + 3);
    std::vector<std::int32_t> integers(most);
    std::uint64_t clipped = 0;
    for (std::size_t at = 0; at < delta.size(); at += most) {
        const std::span<const float> run = delta.subspan(at, std::min(most, delta.size() - at));
        const std::span<std::int32_t> rounded = std::span(integers).first(run.size());
        if (all_zero(run)) {
            std::fill(rounded.begin(), rounded.end(), 0);
            take(at, rounded);
            continue;
        }
        const std::size_t skipped = at % 4;  // of the first four words
        philox_words(key, at / 4, std::span(words).first(skipped + run.size()));
        const std::int32_t step = grid.block > 0 ? std::int32_t{1} << shift_for(largest_of(run) * scale, grid) : 1;
        const double steps = step;
        clipped += k.round_at_random(run.data(), words.data() + skipped, run.size(), scale / steps, grid.limit() / steps,
                                     rounded.data());
        if (step > 1) {
            for (std::int32_t& value : rounded) value *= step;
        }
        take(at, rounded);
    }
    return clipped;
}

}  // namespace

Result<Quantised> quantise(std::span<const float> delta, const FixedPoint& grid, PhiloxKey key) {
    ENTENTE_TRY(check_finite(delta));
    Quantised out;
    out.values.resize(delta.size());
    out.clipped = each_rounded(delta, grid, key, [&out](std::size_t first, std::span<const std::int32_t> integers) {
        std::copy(integers.begin(), integers.end(), out.values.begin() + static_cast<std::ptrdiff_t>(first));
    });
    return out;
}

std::vector<float> dequantise(std::span<const std::int32_t> values, const FixedPoint& grid) {
    const double unit = std::ldexp(1.0, -int{grid.scale_log2});
    std::vector<float> out;
    out.reserve(values.size());
    for (const std::int32_t value : values) out.push_back(static_cast<float>(static_cast<double>(value) * unit));
    return out;
}

namespace {

template <class T>
void pack_as(std::span<const std::int32_t> values, std::byte* to) {
    for (const std::int32_t value : values) {
        const T narrow = static_cast<T>(value);
        std::memcpy(to, &narrow, sizeof(T));
        to += sizeof(T);
    }
}

template <class T>
Status unpack_as(ByteView content, std::int32_t limit, std::span<std::int32_t> values) {
    // Without branches, so that vectors run over it; where the fault lies is looked for only when there is one.
    std::int32_t beyond = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = read_le<T>(content.subspan(i * sizeof(T), sizeof(T)));
        beyond |= values[i] < -limit ? 1 : 0;
    }
    if (beyond == 0) return done();
    const auto at = std::find_if(values.begin(), values.end(), [limit](std::int32_t value) { return value < -limit; });
    return Error{Code::invalid_argument, "update.range",
                 "unpack: expected at least " + std::to_string(-limit) + ", found " + std::to_string(*at) + " at parameter " +
                     std::to_string(at - values.begin())};
}

// Writes record_bytes(values.size()).
void pack_block(std::span<const std::int32_t> values, const FixedPoint& grid, std::byte* to) {
    std::int32_t largest = 0;
    for (const std::int32_t value : values) largest = std::max(largest, value < 0 ? -value : value);
    const unsigned shift = shift_for(static_cast<double>(largest), grid);
    *to++ = static_cast<std::byte>(shift);
    if (grid.bits == 8) {
        for (std::size_t i = 0; i < values.size(); ++i) to[i] = static_cast<std::byte>((values[i] >> shift) & 0xff);
        return;
    }
    const auto half = [&](std::size_t i) { return static_cast<unsigned>(values[i] >> shift) & 0xfu; };
    const std::size_t pairs = values.size() / 2;
    for (std::size_t i = 0; i < pairs; ++i) to[i] = static_cast<std::byte>(half(2 * i) | half(2 * i + 1) << 4u);
    if (values.size() % 2 == 1) to[pairs] = static_cast<std::byte>(half(values.size() - 1));
}

Status unpack_block(ByteView record, const FixedPoint& grid, std::span<std::int32_t> values) {
    const auto shift = static_cast<unsigned>(record[0]);
    if (shift > grid.most_shift()) {
        return Error{Code::invalid_argument, "update.range",
                     "unpack: expected an exponent up to " + std::to_string(grid.most_shift()) + ", found " + std::to_string(shift)};
    }
    const std::int32_t limit = grid.limit() >> grid.most_shift();
    const unsigned together = 8u / grid.bits;
    std::int32_t beyond = 0;
    // Up to the sign bit and back, so that the sign is spread.
    const auto take = [&](std::size_t i, std::uint32_t high) {
        const std::int32_t value = static_cast<std::int32_t>(high) >> (32u - grid.bits);
        beyond |= value < -limit ? 1 : 0;
        values[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(value) << shift);
    };
    const std::byte* packed = record.data() + 1;
    if (together == 1) {
        for (std::size_t i = 0; i < values.size(); ++i) take(i, static_cast<std::uint32_t>(packed[i]) << 24u);
    } else {
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::uint32_t byte = static_cast<std::uint32_t>(packed[i / 2]) << 24u;
            take(i, i % 2 == 0 ? byte << 4u : byte & 0xf000'0000u);
        }
    }
    if (beyond != 0) {
        return Error{Code::invalid_argument, "update.range",
                     "unpack: expected magnitudes up to " + std::to_string(limit) + ", found one beyond"};
    }
    if (together == 2 && values.size() % 2 == 1 && static_cast<unsigned>(record.back()) >> 4u != 0) {
        return Error{Code::invalid_argument, "update.range", "unpack: expected the last half byte empty"};
    }
    return done();
}

// Writes record_bytes() for each record. REQUIRES: whole records, but for the last of all.
void pack_run(std::span<const std::int32_t> values, const FixedPoint& grid, std::byte* to) {
    if (grid.block > 0) {
        for (std::size_t i = 0; i < values.size(); i += grid.block) {
            const std::size_t count = std::min<std::size_t>(grid.block, values.size() - i);
            pack_block(values.subspan(i, count), grid, to);
            to += grid.record_bytes(count);
        }
        return;
    }
    switch (grid.bits) {
        case 8: return pack_as<std::int8_t>(values, to);
        case 16: return pack_as<std::int16_t>(values, to);
        default: return pack_as<std::int32_t>(values, to);
    }
}

}  // namespace

Bytes pack(std::span<const std::int32_t> values, const FixedPoint& grid) {
    Bytes out(static_cast<std::size_t>(grid.content_bytes(values.size())));
    pack_run(values, grid, out.data());
    return out;
}

Result<QuantisedContent> quantise_and_pack(std::span<const float> delta, const FixedPoint& grid, PhiloxKey key) {
    ENTENTE_TRY(check_finite(delta));
    QuantisedContent out;
    out.bytes.resize(static_cast<std::size_t>(grid.content_bytes(delta.size())));
    out.clipped = each_rounded(delta, grid, key, [&](std::size_t first, std::span<const std::int32_t> integers) {
        pack_run(integers, grid, out.bytes.data() + static_cast<std::size_t>(grid.content_bytes(first)));
    });
    return out;
}

Status unpack(ByteView content, const FixedPoint& grid, std::span<std::int32_t> values) {
    if (content.size() != grid.content_bytes(values.size())) {
        return Error{Code::invalid_argument, "update.size",
                     "unpack: expected " + std::to_string(grid.content_bytes(values.size())) + " bytes, found " +
                         std::to_string(content.size())};
    }
    if (grid.block > 0) {
        for (std::size_t i = 0, at = 0; i < values.size(); i += grid.block) {
            const std::size_t count = std::min<std::size_t>(grid.block, values.size() - i);
            const std::size_t size = grid.record_bytes(count);
            ENTENTE_TRY(unpack_block(content.subspan(at, size), grid, values.subspan(i, count)));
            at += size;
        }
        return done();
    }
    switch (grid.bits) {
        case 8: return unpack_as<std::int8_t>(content, grid.limit(), values);
        case 16: return unpack_as<std::int16_t>(content, grid.limit(), values);
        default: return unpack_as<std::int32_t>(content, grid.limit(), values);
    }
}

Status check_packed(ByteView content, const FixedPoint& grid, std::uint64_t values) {
    const auto count = static_cast<std::size_t>(values);
    const kernels::Packed packed{reinterpret_cast<const unsigned char*>(content.data()), count, grid.block, grid.bits};
    if (content.size() == grid.content_bytes(values) && kernels::active().packed_good(packed)) return done();
    // What is wrong with it is a question for the slow way.
    std::vector<std::int32_t> integers(content.size() == grid.content_bytes(values) ? count : 0);
    ENTENTE_TRY(unpack(content, grid, integers));
    return Error{Code::invalid_argument, "update.size",
                 "unpack: expected " + std::to_string(grid.content_bytes(values)) + " bytes, found " + std::to_string(content.size())};
}

}  // namespace entente::aggregate
