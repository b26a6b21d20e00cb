#include "entente/task/sums.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "task/row_numbers.hpp"
#include "task/statistics.hpp"

namespace entente::task {
namespace {

using Wide = __int128;
using WideBits = unsigned __int128;
using Digits = std::array<Wide, sum_digits>;

constexpr double units = 1048576.0;    // of 1: 2^20
constexpr double largest = 268435456.0;  // 2^28
constexpr unsigned digit_bits = 15;
constexpr std::size_t of_number = 3;  // sums: n, q, q^2

Error refuse(const char* reason, std::string message) { return Error{Code::invalid_argument, reason, std::move(message)}; }

std::int64_t regime_of(const Task& task, double value) { return static_cast<std::int64_t>(std::floor(value / task.scaling.regime_step + 0.5)); }

// The first regime and how many there are; none without a column.
std::pair<std::int64_t, std::size_t> regimes(const Task& task) {
    if (task.scaling.regime.empty()) return {0, 0};
    const Column& c = task.columns[*find_column(task, task.scaling.regime)];
    const std::int64_t first = regime_of(task, c.least);
    return {first, static_cast<std::size_t>(regime_of(task, c.most) - first + 1)};
}

std::size_t scaled_count(const Task& task) {
    std::size_t count = 0;
    for (const Feature& f : task.features) count += f.kind == FeatureKind::one_hot ? 0 : width_of(task, f);
    return count;
}

void add_row(const double* numbers, std::size_t count, Wide* sums) {
    for (std::size_t i = 0; i < count; ++i) {
        if (std::isnan(numbers[i])) continue;
        const Wide q = std::llround(std::clamp(numbers[i], -largest, largest) * units);
        sums[of_number * i] += 1;
        sums[of_number * i + 1] += q;
        sums[of_number * i + 2] += q * q;
    }
}

void carry(Digits& d) {
    for (std::size_t k = 0; k + 1 < d.size(); ++k) {
        const Wide over = d[k] >> digit_bits;
        d[k] -= over << digit_bits;
        d[k + 1] += over;
    }
}

// Digits of either sign as digits of one.
bool make_one_sign(Digits& d) {
    carry(d);
    if (d.back() >= 0) return false;
    for (Wide& digit : d) digit = -digit;
    carry(d);
    return true;
}

// From the highest digit on: rounded as double rounds, in one order.
double value_of(std::span<const float> digits) {
    double value = 0.0;
    for (std::size_t k = sum_digits; k-- > 0;) value = value * static_cast<double>(1u << digit_bits) + static_cast<double>(digits[k]);
    return value;
}

// Modulo 2^128.
WideBits bits_of(std::span<const float> digits) {
    WideBits value = 0;
    for (std::size_t k = sum_digits; k-- > 0;) value = (value << digit_bits) + static_cast<WideBits>(static_cast<Wide>(static_cast<std::int64_t>(digits[k])));
    return value;
}

// Of q, from sums around a whole number m beside the mean: sum (q - m)^2 = sum q^2 - 2 m sum q + n m^2 is exact, and small.
double variance_of(std::span<const float> n, std::span<const float> sum, std::span<const float> squares) {
    const double rows = value_of(n);
    const double middle = std::floor(value_of(sum) / rows);
    if (!(std::fabs(middle) < 0x1p62)) return 0.0;
    const auto m = static_cast<WideBits>(static_cast<Wide>(static_cast<std::int64_t>(middle)));
    const WideBits around = bits_of(squares) - 2 * m * bits_of(sum) + bits_of(n) * m * m;
    const double apart = static_cast<double>(static_cast<Wide>(bits_of(sum) - bits_of(n) * m)) / rows;
    return std::max(static_cast<double>(static_cast<Wide>(around)) / rows - apart * apart, 0.0);
}

RegimeStatistics read_regime(std::int64_t regime, std::size_t count, std::span<const float> digits) {
    RegimeStatistics s{regime, std::vector<std::uint64_t>(count), std::vector<double>(count), std::vector<double>(count)};
    for (std::size_t i = 0; i < count; ++i) {
        const std::span<const float> of = digits.subspan(of_number * i * sum_digits);
        const double n = value_of(of);
        if (!(n > 0)) continue;
        s.rows[i] = static_cast<std::uint64_t>(std::min(n, 0x1p53));
        s.mean[i] = value_of(of.subspan(sum_digits)) / n / units;
        s.deviation[i] = std::sqrt(variance_of(of, of.subspan(sum_digits), of.subspan(2 * sum_digits))) / units;
    }
    return s;
}

}  // namespace

bool shares_statistics(const Task& task) noexcept { return task.scaling.kind == ScalingKind::federated; }

Status check_sums(const Task& task) {
    if (task.scaling.floor < 1.0 / units) return refuse("task.scaling", "scaling.floor: expected at least 0.000001 where a federation scales together");
    if (task.scaling.regime.empty()) return done();
    const Column& c = task.columns[*find_column(task, task.scaling.regime)];
    const double apart = (c.most - c.least) / task.scaling.regime_step;
    if (!(apart < static_cast<double>(most_regimes) - 1) || std::fabs(c.least / task.scaling.regime_step) > 1e12) {
        return refuse("task.scaling", "scaling.regime: expected " + c.name + " to have `least` and `most`, at most " + std::to_string(most_regimes) +
                                          " regimes apart, where a federation scales together");
    }
    return done();
}

std::size_t sum_count(const Task& task) { return of_number * scaled_count(task) * (1 + regimes(task).second) + 2; }

Result<std::vector<std::int32_t>> sums_of(const Task& task, const Rows& rows) {
    const std::vector<std::uint32_t> groups = groups_of(task, rows);
    const std::vector<std::uint32_t> order = row_order(task, rows, groups);
    ENTENTE_ASSIGN(const std::vector<double> labels, labels_of(task, rows, groups, order));
    ENTENTE_ASSIGN(const std::vector<std::uint8_t> sides, sides_of(task, rows, groups, order, labels));
    const RowNumbers numbers = numbers_of(task, rows, labels);
    const std::vector<std::int64_t> of_row = regimes_of(task, rows);
    const auto [first, count] = regimes(task);
    const std::size_t scaled = numbers.dense_at.size();
    const bool classes = task.label.kind == LabelKind::flag || task.label.kind == LabelKind::later;
    std::vector<Wide> sums(sum_count(task));
    for (std::size_t r = 0; r < sides.size(); ++r) {
        if (sides[r] != side_train) continue;
        const double* row = numbers.dense.data() + r * scaled;
        add_row(row, scaled, sums.data());
        if (count > 0 && of_row[r] >= first && of_row[r] < first + static_cast<std::int64_t>(count)) {
            add_row(row, scaled, &sums[of_number * scaled * (1 + static_cast<std::size_t>(of_row[r] - first))]);
        }
        sums[sums.size() - 2] += 1;
        if (classes && labels[r] > 0.5) sums.back() += 1;
    }
    std::vector<std::int32_t> digits(sums.size() * sum_digits);
    for (std::size_t s = 0; s < sums.size(); ++s) {
        const bool negative = sums[s] < 0;
        WideBits rest = static_cast<WideBits>(negative ? -sums[s] : sums[s]);
        for (std::size_t k = 0; k < sum_digits; ++k, rest >>= digit_bits) {
            const auto digit = static_cast<std::int32_t>(rest & ((1u << digit_bits) - 1));
            digits[s * sum_digits + k] = negative ? -digit : digit;
        }
    }
    return digits;
}

std::vector<float> carried(std::span<const std::int64_t> added) {
    std::vector<float> out(added.size());
    for (std::size_t at = 0; at + sum_digits <= added.size(); at += sum_digits) {
        Digits d;
        std::copy_n(added.begin() + static_cast<std::ptrdiff_t>(at), sum_digits, d.begin());
        const bool negative = make_one_sign(d);
        for (std::size_t k = 0; k < sum_digits; ++k) out[at + k] = static_cast<float>(static_cast<double>(negative ? -d[k] : d[k]));
    }
    return out;
}

bool has_sums(std::span<const float> digits) noexcept {
    return std::any_of(digits.begin(), digits.end(), [](float d) { return d != 0.0f; });
}

Result<Shared> read_sums(const Task& task, std::span<const float> digits) {
    const std::size_t sums = sum_count(task), scaled = scaled_count(task);
    const bool whole = digits.size() == sums * sum_digits && std::all_of(digits.begin(), digits.end(), [](float d) { return std::fabs(d) < 0x1p62f && std::floor(d) == d; });
    const auto last = [&](std::size_t from_end) { return value_of(digits.subspan((sums - from_end) * sum_digits, sum_digits)); };
    if (!whole || !(last(2) > 0) || !(last(1) >= 0) || !(last(1) <= last(2))) {
        return refuse("task.sums", "expected the " + std::to_string(sums) + " sums of this task's rows, found " + std::to_string(digits.size()) + " numbers that are none");
    }
    Shared shared;
    shared.rows = static_cast<std::uint64_t>(std::min(last(2), 0x1p53));
    shared.positive = static_cast<std::uint64_t>(std::min(last(1), 0x1p53));
    const std::size_t block = of_number * scaled * sum_digits;
    shared.statistics.all = read_regime(0, scaled, digits);
    const auto [first, count] = regimes(task);
    for (std::size_t i = 0; i < count; ++i) {
        RegimeStatistics s = read_regime(first + static_cast<std::int64_t>(i), scaled, digits.subspan(block * (1 + i)));
        if (std::any_of(s.rows.begin(), s.rows.end(), [](std::uint64_t n) { return n > 0; })) shared.statistics.regimes.push_back(std::move(s));
    }
    return shared;
}

}  // namespace entente::task
