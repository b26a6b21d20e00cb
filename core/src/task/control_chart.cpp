#include "entente/task/control_chart.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "entente/base/math.hpp"

namespace entente::task {
namespace {

constexpr double confidence = 0.999;
constexpr double normal_999 = 3.0902323061678132;
constexpr double share_kept = 0.85;
constexpr double no_variance = 1e-12;  // of numbers that are scaled to 1: what rounding leaves
constexpr std::size_t median_rows = 5;
constexpr double pi = 3.14159265358979323846;

// ln Gamma(twice / 2), from Gamma(1) = 1 and Gamma(1/2) = sqrt(pi).
double log_gamma_half(unsigned twice) {
    double sum = twice % 2 == 0 ? 0.0 : 0.5 * math::log(pi);
    for (unsigned n = twice % 2 == 0 ? 2 : 1; n < twice; n += 2) sum += math::log(static_cast<double>(n) / 2.0);
    return sum;
}

// The continued fraction of the incomplete beta function, by Lentz's method (DLMF 8.17.22).
double beta_fraction(double x, double a, double b) {
    constexpr double tiny = 1e-300;
    double c = 1.0, d = 1.0 - (a + b) * x / (a + 1.0);
    d = 1.0 / (std::fabs(d) < tiny ? tiny : d);
    double fraction = d;
    for (int m = 1; m <= 1000; ++m) {
        const double k = m;
        for (const double term : {k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k)), -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1))}) {
            d = 1.0 + term * d;
            d = 1.0 / (std::fabs(d) < tiny ? tiny : d);
            c = 1.0 + term / c;
            if (std::fabs(c) < tiny) c = tiny;
            fraction *= d * c;
        }
        if (std::fabs(d * c - 1.0) < 1e-15) break;
    }
    return fraction;
}

double f_distribution(double f, unsigned d1, unsigned d2) {
    const double a = d1 / 2.0, b = d2 / 2.0, x = d1 * f / (d1 * f + d2);
    if (x <= 0) return 0.0;
    if (x >= 1) return 1.0;
    const double front = math::exp(log_gamma_half(d1 + d2) - log_gamma_half(d1) - log_gamma_half(d2) + a * math::log(x) + b * math::log(1.0 - x));
    return x < (a + 1.0) / (a + b + 2.0) ? front * beta_fraction(x, a, b) / a : 1.0 - front * beta_fraction(1.0 - x, b, a) / b;
}

double t2_limit(std::size_t rows, std::size_t d) {
    const auto n = static_cast<double>(rows), k = static_cast<double>(d);
    return k * (n - 1.0) * (n + 1.0) / (n * (n - k)) * f_quantile(confidence, static_cast<unsigned>(d), static_cast<unsigned>(rows - d));
}

double q_limit(std::span<const double> left_over) {
    double t1 = 0.0, t2 = 0.0, t3 = 0.0;
    for (const double l : left_over) {
        t1 += l;
        t2 += l * l;
        t3 += l * l * l;
    }
    if (!(t1 > 0)) return 0.0;
    const double h = 1.0 - 2.0 * t1 * t3 / (3.0 * t2 * t2);
    const double inside = 1.0 + normal_999 * h * std::sqrt(2.0 * t2) / t1 + t2 * h * (h - 1.0) / (t1 * t1);
    return inside > 0 ? t1 * math::exp(math::log(inside) / h) : t1;
}

std::vector<double> medians(const std::vector<double>& x) {
    std::vector<double> out(x.size(), 0.0);
    for (std::size_t i = median_rows - 1; i < x.size(); ++i) {
        std::vector<double> last(x.begin() + static_cast<std::ptrdiff_t>(i + 1 - median_rows), x.begin() + static_cast<std::ptrdiff_t>(i + 1));
        std::sort(last.begin(), last.end());
        out[i] = last[median_rows / 2];
    }
    return out;
}

// T² over the first `count` eigenvectors, and what of the row's square they leave over.
struct Parts {
    double t2 = 0.0, rest = 0.0;
};

Parts parts_of(const ControlChart& chart, std::span<const float> row, std::size_t count) {
    Parts p;
    for (std::size_t c = 0; c < chart.width; ++c) p.rest += chart.varies[c] ? static_cast<double>(row[c]) * static_cast<double>(row[c]) : 0.0;
    for (std::size_t i = 0; i < count; ++i) {
        double score = 0.0;
        for (std::size_t c = 0; c < chart.width; ++c) score += chart.eigen.vectors[i * chart.width + c] * static_cast<double>(row[c]);
        p.t2 += score * score / chart.eigen.values[i];
        p.rest -= score * score;
    }
    return p;
}

}  // namespace

double f_quantile(double probability, unsigned d1, unsigned d2) {
    double low = 0.0, high = 1.0;
    while (f_distribution(high, d1, d2) < probability && high < 1e12) high *= 2.0;
    for (int i = 0; i < 100; ++i) {
        const double middle = (low + high) / 2.0;
        (f_distribution(middle, d1, d2) < probability ? low : high) = middle;
    }
    return high;
}

Eigen eigen_of(std::span<const double> symmetric, std::size_t size) {
    std::vector<double> a(symmetric.begin(), symmetric.end()), v(size * size, 0.0);
    for (std::size_t i = 0; i < size; ++i) v[i * size + i] = 1.0;
    for (int sweep = 0; sweep < 60; ++sweep) {
        double off = 0.0, all = 0.0;
        for (std::size_t p = 0; p < size; ++p) {
            for (std::size_t q = 0; q < size; ++q) (p == q ? all : off) += a[p * size + q] * a[p * size + q];
        }
        if (off <= 1e-30 * all) break;
        for (std::size_t p = 0; p + 1 < size; ++p) {
            for (std::size_t q = p + 1; q < size; ++q) {
                if (a[p * size + q] == 0.0) continue;
                const double theta = (a[q * size + q] - a[p * size + p]) / (2.0 * a[p * size + q]);
                const double t = (theta >= 0 ? 1.0 : -1.0) / (std::fabs(theta) + std::sqrt(theta * theta + 1.0));
                const double c = 1.0 / std::sqrt(t * t + 1.0), s = t * c;
                for (std::size_t k = 0; k < size; ++k) {
                    const double x = a[k * size + p], y = a[k * size + q];
                    a[k * size + p] = c * x - s * y;
                    a[k * size + q] = s * x + c * y;
                }
                for (std::size_t k = 0; k < size; ++k) {
                    const double x = a[p * size + k], y = a[q * size + k];
                    a[p * size + k] = c * x - s * y;
                    a[q * size + k] = s * x + c * y;
                    const double u = v[p * size + k], w = v[q * size + k];
                    v[p * size + k] = c * u - s * w;
                    v[q * size + k] = s * u + c * w;
                }
            }
        }
    }
    std::vector<std::size_t> order(size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t k) { return a[i * size + i] > a[k * size + k]; });
    Eigen e;
    for (const std::size_t i : order) {
        e.values.push_back(a[i * size + i]);
        e.vectors.insert(e.vectors.end(), v.begin() + static_cast<std::ptrdiff_t>(i * size), v.begin() + static_cast<std::ptrdiff_t>((i + 1) * size));
    }
    return e;
}

Result<ControlChart> fit_control_chart(std::span<const float> normal, std::size_t width) {
    const auto refuse = [](const std::string& message) { return Error{Code::invalid_argument, "control.rows", message}; };
    const std::size_t n = width == 0 ? 0 : normal.size() / width;
    if (n < width + 2 || n * width != normal.size()) return refuse("expected at least " + std::to_string(width + 2) + " normal rows, found " + std::to_string(n));
    if (std::any_of(normal.begin(), normal.end(), [](float z) { return !std::isfinite(z); })) return refuse("expected finite numbers");
    std::vector<double> mean(width), covariance(width * width);
    for (std::size_t i = 0; i < normal.size(); ++i) mean[i % width] += static_cast<double>(normal[i]) / static_cast<double>(n);
    for (std::size_t r = 0; r < n; ++r) {
        for (std::size_t i = 0; i < width; ++i) {
            const double x = static_cast<double>(normal[r * width + i]) - mean[i];
            for (std::size_t k = 0; k < width; ++k) covariance[i * width + k] += x * (static_cast<double>(normal[r * width + k]) - mean[k]) / static_cast<double>(n - 1);
        }
    }
    ControlChart chart;
    chart.width = width;
    for (std::size_t i = 0; i < width; ++i) chart.varies.push_back(covariance[i * width + i] > no_variance);
    chart.eigen = eigen_of(covariance, width);
    const std::vector<double>& l = chart.eigen.values;
    double all = 0.0, kept = 0.0;
    for (const double value : l) all += std::max(value, 0.0);
    if (!(all > no_variance)) return refuse("expected rows that differ");
    while (chart.rank < width && l[chart.rank] > 1e-9 * all) ++chart.rank;
    while (chart.components < chart.rank && kept <= share_kept * all) kept += l[chart.components++];
    chart.t2_limit = t2_limit(n, chart.rank);
    chart.t2_limit_components = t2_limit(n, chart.components);
    chart.q_limit = q_limit(std::span(l).subspan(chart.components, chart.rank - chart.components));
    return chart;
}

std::vector<double> ControlChart::t2_ratios(std::span<const float> rows) const {
    std::vector<double> t2;
    for (std::size_t at = 0; at + width <= rows.size(); at += width) t2.push_back(parts_of(*this, rows.subspan(at, width), rank).t2 / t2_limit);
    return medians(t2);
}

std::vector<double> ControlChart::t2_q_ratios(std::span<const float> rows) const {
    std::vector<double> t2, q;
    for (std::size_t at = 0; at + width <= rows.size(); at += width) {
        const Parts p = parts_of(*this, rows.subspan(at, width), components);
        t2.push_back(p.t2 / t2_limit_components);
        q.push_back(q_limit > 0 ? std::max(p.rest, 0.0) / q_limit : 0.0);
    }
    std::vector<double> larger = medians(t2);
    const std::vector<double> of_q = medians(q);
    for (std::size_t i = 0; i < larger.size(); ++i) larger[i] = std::max(larger[i], of_q[i]);
    return larger;
}

}  // namespace entente::task
