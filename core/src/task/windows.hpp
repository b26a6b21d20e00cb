// Which rows an example is made of, and its numbers.
#pragma once

#include <span>

#include "task/row_numbers.hpp"

namespace entente::task {

// An example's rows: so many from a place in the sequence on. Fewer than the window's length: the first stands for those
// that are not there.
struct WindowAt {
    std::size_t begin = 0;
    std::size_t count = 1;
};

inline std::uint32_t last_row(const WindowAt& window, const std::vector<std::uint32_t>& sequence) { return sequence[window.begin + window.count - 1]; }

// The order in which windows take rows: that of time, and without windows that of the file.
std::vector<std::uint32_t> sequence_of(const Task& task, std::vector<std::uint32_t> row_order);

// The windows of one side, each within one group and without a gap of rows of the other side. What is scored is a window's last row, so
// that a window of the other side may begin among the rows that came before.
std::vector<WindowAt> windows_of(const Task& task, const std::vector<std::uint32_t>& groups, const std::vector<std::uint32_t>& sequence,
                                 const std::vector<std::uint8_t>& sides, std::uint8_t side, bool last_only);

// Keeps references: task, scaled numbers and sequence outlive it.
class ExampleWriter {
public:
    ExampleWriter(const Task& task, const RowNumbers& numbers, const std::vector<std::uint32_t>& sequence);

    // `out` has the product of example_shape(task).
    void put(const WindowAt& window, std::span<float> out);

private:
    void put_summary(std::span<float> out);

    const Task& task_;
    const RowNumbers& numbers_;
    const std::vector<std::uint32_t>& sequence_;
    std::vector<std::uint32_t> rows_;                // of the window
    std::vector<float> row_;
    std::vector<std::vector<double>> columns_;       // with a summary
};

}  // namespace entente::task
