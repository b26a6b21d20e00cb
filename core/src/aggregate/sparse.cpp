#include "entente/aggregate/sparse.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

namespace entente::aggregate {
namespace {

// Magnitudes of finite floats order as the integers of their bits.
constexpr std::uint32_t magnitude_bits = 0x7fff'ffffu;
constexpr unsigned coarse_shift = 15;
constexpr std::size_t coarse_bins = std::size_t{1} << (31 - coarse_shift);
constexpr std::size_t fine_bins = std::size_t{1} << coarse_shift;

std::uint32_t magnitude(float value) noexcept {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return bits & magnitude_bits;
}

// The bin in which the k-th largest lies; takes from `wanted` what lies in those above.
std::uint32_t bin_of(const std::vector<std::uint32_t>& counts, std::uint64_t& wanted) {
    std::size_t bin = counts.size() - 1;
    for (; bin > 0 && counts[bin] < wanted; --bin) wanted -= counts[bin];
    return static_cast<std::uint32_t>(bin);
}

Error bad_positions(const std::string& expected, const std::string& found) {
    return Error{Code::invalid_argument, "update.positions", "unpack: expected " + expected + ", found " + found};
}

}  // namespace

unsigned SparseForm::low_bits() const noexcept {
    unsigned bits = 0;
    while ((kept << (bits + 1)) <= parameters) ++bits;
    return bits;
}

std::uint64_t kept_count(std::uint64_t parameters, float top) noexcept {
    constexpr std::uint64_t one = 1'000'000;
    const auto millionths = static_cast<std::uint64_t>(std::floor(static_cast<double>(top) * static_cast<double>(one) + 0.5));
    return std::clamp<std::uint64_t>((parameters * millionths + one - 1) / one, 1, std::max<std::uint64_t>(parameters, 1));
}

std::vector<std::uint32_t> largest(std::span<const float> values, std::size_t k) {
    std::uint64_t wanted = k;
    std::vector<std::uint32_t> counts(coarse_bins, 0);
    for (const float v : values) ++counts[magnitude(v) >> coarse_shift];
    const std::uint32_t coarse = bin_of(counts, wanted);
    counts.assign(fine_bins, 0);
    for (const float v : values) {
        const std::uint32_t m = magnitude(v);
        if (m >> coarse_shift == coarse) ++counts[m & (fine_bins - 1)];
    }
    const std::uint32_t least = coarse << coarse_shift | bin_of(counts, wanted);
    std::vector<std::uint32_t> positions;
    positions.reserve(k);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint32_t m = magnitude(values[i]);
        if (m < least || (m == least && wanted == 0)) continue;
        if (m == least) --wanted;
        positions.push_back(static_cast<std::uint32_t>(i));
    }
    return positions;
}

Result<SparseUpdate> sparsify(std::span<float> p, const SparseForm& form, PhiloxKey key) {
    const auto bad = std::find_if(p.begin(), p.end(), [](float v) { return !std::isfinite(v); });
    if (bad != p.end()) {
        return Error{Code::invalid_argument, "update.not-finite",
                     "sparsify: expected finite values, found NaN or infinity at parameter " + std::to_string(bad - p.begin())};
    }
    SparseUpdate out;
    out.numbers.positions = largest(p, static_cast<std::size_t>(form.kept));
    std::vector<float> sent;
    sent.reserve(out.numbers.positions.size());
    for (const std::uint32_t at : out.numbers.positions) sent.push_back(p[at]);
    ENTENTE_ASSIGN(Quantised quantised, quantise(sent, form.grid, key));
    out.numbers.values = std::move(quantised.values);
    out.clipped = quantised.clipped;
    const double unit = std::ldexp(1.0, -int{form.grid.scale_log2});
    for (std::size_t i = 0; i < sent.size(); ++i) {
        const double left = static_cast<double>(sent[i]) - static_cast<double>(out.numbers.values[i]) * unit;
        p[out.numbers.positions[i]] = static_cast<float>(left);
    }
    return out;
}

Bytes pack(const Sparse& numbers, const SparseForm& form) {
    const unsigned low = form.low_bits();
    const auto low_bytes = static_cast<std::size_t>(form.low_bytes());
    Bytes out(low_bytes + static_cast<std::size_t>(form.high_bytes()));
    const auto set = [](std::byte* bits, std::uint64_t at) {
        bits[static_cast<std::size_t>(at / 8)] |= static_cast<std::byte>(1u << (at % 8));
    };
    for (std::size_t i = 0; i < numbers.positions.size(); ++i) {
        const std::uint64_t position = numbers.positions[i];
        for (unsigned bit = 0; bit < low; ++bit) {
            if ((position >> bit & 1u) != 0) set(out.data(), std::uint64_t{i} * low + bit);
        }
        set(out.data() + low_bytes, (position >> low) + i);
    }
    const Bytes values = pack(numbers.values, form.grid);
    out.insert(out.end(), values.begin(), values.end());
    return out;
}

Status unpack(ByteView content, const SparseForm& form, Sparse& numbers) {
    if (content.size() != form.content_bytes()) {
        return Error{Code::invalid_argument, "update.size",
                     "unpack: expected " + std::to_string(form.content_bytes()) + " bytes, found " + std::to_string(content.size())};
    }
    const unsigned low = form.low_bits();
    const ByteView lows = content.first(static_cast<std::size_t>(form.low_bytes()));
    const ByteView highs = content.subspan(lows.size(), static_cast<std::size_t>(form.high_bytes()));
    const auto bit = [](ByteView bits, std::uint64_t at) {
        return std::uint64_t{static_cast<unsigned>(bits[static_cast<std::size_t>(at / 8)]) >> (at % 8) & 1u};
    };
    const std::uint64_t kept = form.kept;
    numbers.positions.clear();
    numbers.positions.reserve(static_cast<std::size_t>(kept));
    for (std::uint64_t at = 0; at < 8 * std::uint64_t{highs.size()}; ++at) {
        if (bit(highs, at) == 0) continue;
        const std::uint64_t i = numbers.positions.size();
        if (i == kept) return bad_positions(std::to_string(kept) + " positions", "more");
        std::uint64_t position = (at - i) << low;
        for (unsigned k = 0; k < low; ++k) position |= bit(lows, i * low + k) << k;
        if (position >= form.parameters) {
            return bad_positions("positions below " + std::to_string(form.parameters), std::to_string(position));
        }
        if (i > 0 && position <= numbers.positions.back()) {
            return bad_positions("strictly rising positions",
                                 std::to_string(position) + " behind " + std::to_string(numbers.positions.back()));
        }
        numbers.positions.push_back(static_cast<std::uint32_t>(position));
    }
    if (numbers.positions.size() != kept) {
        return bad_positions(std::to_string(kept) + " positions", std::to_string(numbers.positions.size()));
    }
    numbers.values.resize(static_cast<std::size_t>(kept));
    ENTENTE_TRY(unpack(content.subspan(lows.size() + highs.size()), form.grid, numbers.values));
    // Bits behind the low ones, or a block with a larger exponent than it needs.
    const Bytes canonical = pack(numbers, form);
    if (std::equal(canonical.begin(), canonical.end(), content.begin())) return done();
    return Error{Code::invalid_argument, "update.not-canonical",
                 "unpack: expected the bytes that packing these numbers gives, found others"};
}

}  // namespace entente::aggregate
