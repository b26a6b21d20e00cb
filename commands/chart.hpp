// A line chart as SVG, without scripts: bands, lines, labels at their ends, a value under the pointer.
#pragma once

#include <string>
#include <vector>

namespace entente::commands {

struct ChartLine {
    std::string label;
    std::vector<double> x;  // ascending
    std::vector<double> y;  // of each x: mean, lowest and highest
    std::vector<double> low;
    std::vector<double> high;
    bool thin = false;      // one of many: without a label of its own, named under the pointer
};

struct Chart {
    std::string title;
    std::string x_label;
    std::string unit;    // behind a value: "", " MB"
    int digits = 3;      // of a value
    bool from_zero = false;
    std::vector<ChartLine> lines;
};

std::string line_chart(const Chart& chart);

// How many values lie where: bars from the lowest to the highest, for each line in its colour.
std::string histogram(const std::string& title, const std::vector<std::vector<double>>& values, int bins);

std::string html_text(std::string_view text);

}  // namespace entente::commands
