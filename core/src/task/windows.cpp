#include "task/windows.hpp"

#include <algorithm>
#include <cmath>

namespace entente::task {
namespace {

void put_row(const RowNumbers& numbers, std::uint32_t r, std::span<float> out) {
    std::fill(out.begin(), out.end(), 0.0f);
    const std::size_t stride = numbers.dense_at.size();
    for (std::size_t i = 0; i < stride; ++i) out[numbers.dense_at[i]] = static_cast<float>(numbers.dense[r * stride + i]);
    for (std::size_t f = 0; f < numbers.hot.size(); ++f) out[numbers.hot_at[f] + numbers.hot[f][r]] = 1.0f;
}

double summary_of(Summary kind, std::span<const double> x) {
    const auto n = static_cast<double>(x.size());
    const auto mean_of = [](std::span<const double> v) {
        double sum = 0.0;
        for (const double value : v) sum += value;
        return sum / static_cast<double>(v.size());
    };
    const double mean = mean_of(x);
    switch (kind) {
        case Summary::last_mean: return mean_of(x.last(std::min<std::size_t>(5, x.size())));
        case Summary::mean: return mean;
        case Summary::slope: {
            const double middle = (n - 1.0) / 2.0;
            double products = 0.0, squares = 0.0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                const double t = static_cast<double>(i) - middle;
                products += t * x[i];
                squares += t * t;
            }
            return squares > 0 ? products / squares * n : 0.0;
        }
        case Summary::deviation: {
            double squares = 0.0;
            for (const double value : x) squares += (value - mean) * (value - mean);
            return std::sqrt(squares / n);
        }
    }
    return 0.0;
}

// How many rows of the same group, all trained on, lie right before a place in the sequence, as far as a window reaches.
std::size_t rows_before(const Task& task, const std::vector<std::uint32_t>& groups, const std::vector<std::uint32_t>& sequence, const std::vector<std::uint8_t>& sides,
                        std::size_t at) {
    std::size_t n = 0;
    while (n + 1 < task.window.length && n < at && groups[sequence[at - n - 1]] == groups[sequence[at]] && sides[sequence[at - n - 1]] == side_train) ++n;
    return n;
}

}  // namespace

std::vector<std::uint32_t> sequence_of(const Task& task, std::vector<std::uint32_t> row_order) {
    if (task.window.length == 1) std::sort(row_order.begin(), row_order.end());
    return row_order;
}

std::vector<WindowAt> windows_of(const Task& task, const std::vector<std::uint32_t>& groups, const std::vector<std::uint32_t>& sequence,
                                 const std::vector<std::uint8_t>& sides, std::uint8_t side, bool last_only) {
    const Window& w = task.window;
    std::vector<WindowAt> windows;
    for (std::size_t begin = 0; begin < sequence.size();) {
        const auto goes_on = [&](std::size_t at) {
            return w.length > 1 && at < sequence.size() && groups[sequence[at]] == groups[sequence[begin]] && sides[sequence[at]] == sides[sequence[begin]];
        };
        std::size_t end = begin + 1;
        while (goes_on(end)) ++end;
        if (sides[sequence[begin]] == side) {
            const std::size_t before = side == side_test ? rows_before(task, groups, sequence, sides, begin) : 0;
            const std::size_t first = begin - before, count = end - first;
            if (count < w.length && w.pad) windows.push_back({first, count});
            const std::size_t last = count < w.length ? 0 : count - w.length;
            for (std::size_t at = last_only ? last : 0; at + w.length <= count; at += w.stride) windows.push_back({first + at, w.length});
        }
        begin = end;
    }
    return windows;
}

ExampleWriter::ExampleWriter(const Task& task, const RowNumbers& numbers, const std::vector<std::uint32_t>& sequence)
    : task_(task), numbers_(numbers), sequence_(sequence), rows_(task.window.length), row_(numbers.width) {
    if (!task.window.summary.empty()) columns_.assign(numbers.width, std::vector<double>(task.window.length));
}

void ExampleWriter::put_summary(std::span<float> out) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        // Doubles where there are some: a window's deviation is small beside its mean.
        put_row(numbers_, rows_[i], row_);
        for (std::size_t c = 0; c < numbers_.width; ++c) columns_[c][i] = row_[c];
        const std::size_t stride = numbers_.dense_at.size();
        for (std::size_t d = 0; d < stride; ++d) columns_[numbers_.dense_at[d]][i] = numbers_.dense[rows_[i] * stride + d];
    }
    for (std::size_t s = 0; s < task_.window.summary.size(); ++s) {
        for (std::size_t c = 0; c < numbers_.width; ++c) out[s * numbers_.width + c] = static_cast<float>(summary_of(task_.window.summary[s], columns_[c]));
    }
}

void ExampleWriter::put(const WindowAt& window, std::span<float> out) {
    const std::size_t absent = rows_.size() - window.count;
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] = sequence_[window.begin + (i < absent ? 0 : i - absent)];
    if (!task_.window.summary.empty()) return put_summary(out);
    for (std::size_t i = 0; i < rows_.size(); ++i) put_row(numbers_, rows_[i], out.subspan(i * numbers_.width, numbers_.width));
}

}  // namespace entente::task
