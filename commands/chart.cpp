#include "commands/chart.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "commands/text.hpp"

namespace entente::commands {
namespace {

constexpr double width = 420;
constexpr double height = 270;
constexpr double left = 48;
constexpr double right = 92;
constexpr double top = 14;
constexpr double bottom = 40;
constexpr int colours = 6;

std::string number(double value) { return decimal(value, 1); }

std::string text_at(double x, double y, const char* anchor, const std::string& text, const std::string& style = "") {
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\"" +
           (style.empty() ? "" : " class=\"" + style + "\"") + ">" + html_text(text) + "</text>";
}

// 1, 2 or 5 times a power of ten, so that a range has at most `most` steps.
double step_for(double range, int most) {
    const double rough = std::max(range, 1e-12) / most;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (power * factor >= rough) return power * factor;
    }
    return 10 * power;
}

int digits_of(double step) { return std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6); }

struct Axes {
    double x0, x1, y0, y1, y_step;
    [[nodiscard]] double x(double v) const { return left + (v - x0) / (x1 - x0) * (width - left - right); }
    [[nodiscard]] double y(double v) const { return height - bottom - (v - y0) / (y1 - y0) * (height - top - bottom); }
};

Axes axes_of(const Chart& chart) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Axes a{infinity, -infinity, chart.from_zero ? 0.0 : infinity, -infinity, 1};
    for (const ChartLine& line : chart.lines) {
        for (std::size_t i = 0; i < line.x.size(); ++i) {
            a.x0 = std::min(a.x0, line.x[i]);
            a.x1 = std::max(a.x1, line.x[i]);
            a.y0 = std::min(a.y0, line.low[i]);
            a.y1 = std::max(a.y1, line.high[i]);
        }
    }
    if (!(a.x1 > a.x0)) a.x1 = a.x0 + 1;
    if (!(a.y1 > a.y0)) a.y1 = a.y0 + 1e-3;
    a.y_step = step_for(a.y1 - a.y0, 5);
    a.y0 = std::floor(a.y0 / a.y_step + 1e-9) * a.y_step;
    a.y1 = std::ceil(a.y1 / a.y_step - 1e-9) * a.y_step;
    return a;
}

std::string grid(const Chart& chart, const Axes& a) {
    std::string svg;
    for (int i = 0; a.y0 + i * a.y_step <= a.y1 + a.y_step / 2; ++i) {
        const double v = a.y0 + i * a.y_step;
        const double y = a.y(v);
        svg += "<line x1=\"" + number(left) + "\" x2=\"" + number(width - right) + "\" y1=\"" + number(y) + "\" y2=\"" +
               number(y) + "\" class=\"grid\"/>" + text_at(left - 6, y + 4, "end", decimal(v, digits_of(a.y_step)));
    }
    const double step = std::max(1.0, step_for(a.x1 - a.x0, 5));
    for (double v = std::ceil(a.x0 / step) * step; v <= a.x1 + 1e-9; v += step) {
        svg += text_at(a.x(v), height - bottom + 18, "middle", decimal(v, 0));
    }
    return svg + text_at((left + width - right) / 2, height - 4, "middle", chart.x_label);
}

std::string points(const Axes& a, const std::vector<double>& x, const std::vector<double>& y, bool backwards = false) {
    std::string list;
    for (std::size_t k = 0; k < x.size(); ++k) {
        const std::size_t i = backwards ? x.size() - 1 - k : k;
        list += number(a.x(x[i])) + "," + number(a.y(y[i])) + " ";
    }
    return list;
}

std::string draw(const Chart& chart, const Axes& a, const ChartLine& line, const std::string& colour) {
    std::string svg;
    if (line.thin) {
        if (line.x.empty()) return svg;
        return "<polyline class=\"thin\" points=\"" + points(a, line.x, line.y) + "\"><title>" + html_text(line.label) + ", at the end " +
               decimal(line.y.back(), chart.digits) + chart.unit + "</title></polyline>";
    }
    if (line.low != line.high) {
        svg += "<polygon class=\"band " + colour + "\" points=\"" + points(a, line.x, line.low) +
               points(a, line.x, line.high, true) + "\"/>";
    }
    svg += "<polyline class=\"line " + colour + "\" points=\"" + points(a, line.x, line.y) + "\"/>";
    for (std::size_t i = 0; i < line.x.size(); ++i) {
        std::string said = (line.label.empty() ? "" : line.label + ", ") + chart.x_label + " " + decimal(line.x[i], 0) + ": " +
                           decimal(line.y[i], chart.digits) + chart.unit;
        if (line.low[i] != line.high[i]) {
            said += " (" + decimal(line.low[i], chart.digits) + " to " + decimal(line.high[i], chart.digits) + ")";
        }
        svg += "<circle class=\"dot " + colour + "\" cx=\"" + number(a.x(line.x[i])) + "\" cy=\"" + number(a.y(line.y[i])) +
               "\" r=\"5\"><title>" + html_text(said) + "</title></circle>";
    }
    return svg;
}

// Labels at the ends of the lines, pushed apart where they would cover each other.
std::string end_labels(const Chart& chart, const Axes& a) {
    struct Label {
        double y;
        std::size_t line;
    };
    std::vector<Label> labels;
    for (std::size_t i = 0; i < chart.lines.size(); ++i) {
        if (!chart.lines[i].x.empty() && !chart.lines[i].thin) labels.push_back({a.y(chart.lines[i].y.back()) + 4, i});
    }
    std::stable_sort(labels.begin(), labels.end(), [](const Label& p, const Label& q) { return p.y < q.y; });
    for (std::size_t i = 1; i < labels.size(); ++i) labels[i].y = std::max(labels[i].y, labels[i - 1].y + 14);
    double floor = height - bottom;
    for (std::size_t i = labels.size(); i-- > 0; floor = labels[i].y - 14) labels[i].y = std::min(labels[i].y, floor);
    std::string svg;
    for (const Label& label : labels) {
        const ChartLine& line = chart.lines[label.line];
        const std::string name = labels.size() > 1 ? std::to_string(label.line + 1) + ": " : "";
        svg += text_at(width - right + 6, label.y, "start", name + decimal(line.y.back(), chart.digits) + chart.unit,
                       "end c" + std::to_string(label.line % colours));
    }
    return svg;
}

std::string frame(const std::string& title, const std::string& inside) {
    return "<figure><figcaption>" + html_text(title) + "</figcaption><svg viewBox=\"0 0 " + decimal(width, 0) + " " +
           decimal(height, 0) + "\" role=\"img\" aria-label=\"" + html_text(title) + "\">" + inside + "</svg></figure>\n";
}

}  // namespace

std::string html_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += c;
        }
    }
    return out;
}

std::string line_chart(const Chart& chart) {
    const bool any = std::any_of(chart.lines.begin(), chart.lines.end(), [](const ChartLine& l) { return !l.x.empty(); });
    if (!any) return {};
    const Axes a = axes_of(chart);
    std::string svg = grid(chart, a);
    for (const bool thin : {true, false}) {
        for (std::size_t i = 0; i < chart.lines.size(); ++i) {
            if (chart.lines[i].thin == thin) svg += draw(chart, a, chart.lines[i], "c" + std::to_string(i % colours));
        }
    }
    return frame(chart.title, svg + end_labels(chart, a));
}

std::string histogram(const std::string& title, const std::vector<std::vector<double>>& values, int bins) {
    double low = std::numeric_limits<double>::infinity();
    double high = -low;
    for (const auto& line : values) {
        for (const double v : line) {
            low = std::min(low, v);
            high = std::max(high, v);
        }
    }
    if (!(high >= low)) return {};
    if (high - low < 1e-6) high = low + 1e-6;
    double most = 1;
    std::vector<std::vector<double>> counts(values.size(), std::vector<double>(static_cast<std::size_t>(bins)));
    for (std::size_t line = 0; line < values.size(); ++line) {
        for (const double v : values[line]) {
            const auto bin = std::min<std::size_t>(static_cast<std::size_t>((v - low) / (high - low) * bins),
                                                   static_cast<std::size_t>(bins) - 1);
            most = std::max(most, counts[line][bin] += 1);
        }
    }
    const Axes a{low, high, 0, most, most};
    const double bar = (width - left - right) / bins;
    std::string svg = text_at(left - 6, a.y(most) + 4, "end", decimal(most, 0)) + text_at(left - 6, a.y(0) + 4, "end", "0");
    for (std::size_t line = 0; line < values.size(); ++line) {
        const double share = bar / static_cast<double>(values.size());
        for (std::size_t bin = 0; bin < counts[line].size(); ++bin) {
            if (counts[line][bin] == 0) continue;
            const double x = left + static_cast<double>(bin) * bar + static_cast<double>(line) * share;
            const double y = a.y(counts[line][bin]);
            const double from = low + static_cast<double>(bin) / bins * (high - low);
            svg += "<rect class=\"bar c" + std::to_string(line % colours) + "\" x=\"" + number(x) + "\" y=\"" + number(y) +
                   "\" width=\"" + number(std::max(share - 0.6, 0.6)) + "\" height=\"" + number(height - bottom - y) +
                   "\"><title>" + decimal(counts[line][bin], 0) + " partners from " + decimal(from, 3) + " to " +
                   decimal(from + (high - low) / bins, 3) + "</title></rect>";
        }
    }
    svg += text_at(left, height - bottom + 18, "start", decimal(low, 3)) +
           text_at(width - right, height - bottom + 18, "end", decimal(high, 3)) +
           text_at((left + width - right) / 2, height - 4, "middle", "accuracy on a partner's own rows");
    return frame(title, svg);
}

}  // namespace entente::commands
