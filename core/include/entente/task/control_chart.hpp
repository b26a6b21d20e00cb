// Is a row of numbers unlike the normal ones? Hotelling's T² and the residual Q of principal components: what a neural network that looks for
// anomalies has to beat, from means and covariances alone.
//
//   ENTENTE_ASSIGN(const task::ControlChart chart, task::fit_control_chart(normal_rows, 8));
//   std::vector<double> t2 = chart.t2_ratios(rows);     // above 2: SKAB's rule for T² alone
//   std::vector<double> both = chart.t2_q_ratios(rows); // above 1: T² of the first components or Q is beyond its limit
//
// Rows are [n, width], each number scaled by its own mean and deviation. With S the sample covariance of the normal rows, its
// eigenvalues l falling and eigenvectors v, z a row, d the eigenvalues that are not 0, k the least number of them whose share
// of the sum exceeds 0.85:
//   T²      sum over i of (v_i z)² / l_i, over all d, or over the first k        (Hotelling 1931)
//   limit   d (n - 1) (n + 1) / (n (n - d)) F_0.999(d, n - d), or with k for d   (Tracy, Young, Mason 1992, equation 5)
//   Q       |z|² less the squares of the first k scores; its limit by Jackson and Mudholkar 1979, equation 3.4
// Each row's value is the median of the five rows that end there; the first four are 0. In double, in the order of the rows, with Jacobi
// rotations in a fixed order: the same bits everywhere. Thread-safety: pure.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "entente/base/result.hpp"

namespace entente::task {

struct Eigen {
    std::vector<double> values;   // falling
    std::vector<double> vectors;  // [size, size], a vector a row, of length 1
};

// Of a symmetric matrix [size, size], by cyclic Jacobi rotations (Golub and Van Loan 2013, section 8.5).
Eigen eigen_of(std::span<const double> symmetric, std::size_t size);

// The value that Fisher's F with d1 and d2 degrees of freedom does not exceed with this probability. REQUIRES: d1, d2 > 0, 0 < probability < 1.
double f_quantile(double probability, unsigned d1, unsigned d2);

struct ControlChart {
    std::size_t width = 0;
    std::vector<bool> varies;    // of each number; one that is the same in all normal rows is left out
    std::size_t rank = 0;        // d
    std::size_t components = 0;  // k
    Eigen eigen;
    double t2_limit = 0.0;       // of all d
    double t2_limit_components = 0.0;
    double q_limit = 0.0;        // 0: nothing is left over

    [[nodiscard]] std::vector<double> t2_ratios(std::span<const float> rows) const;
    [[nodiscard]] std::vector<double> t2_q_ratios(std::span<const float> rows) const;  // the larger of T² and Q, each over its limit
};

// invalid_argument "control.rows": fewer rows than width + 2, a number that is not finite, or no two rows that differ.
Result<ControlChart> fit_control_chart(std::span<const float> normal, std::size_t width);

}  // namespace entente::task
