#include "entente/base/nearest.hpp"

#include <algorithm>
#include <vector>

namespace entente {
namespace {

// Letters added, left out or replaced, and neighbours swapped, each as one.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> above(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::swap(before, above);
        std::swap(above, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u);
            row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, std::span<const std::string_view> names) {
    std::string best;
    std::size_t best_distance = std::min<std::size_t>(3, word.size() / 2 + 1);
    for (const std::string_view name : names) {
        const std::size_t d = distance(word, name);
        if (d < best_distance) {
            best_distance = d;
            best = std::string(name);
        }
    }
    return best;
}

}  // namespace entente
