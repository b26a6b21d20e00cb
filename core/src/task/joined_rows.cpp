#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "entente/task/rows.hpp"

namespace entente::task {
namespace {

// Those of the earlier rows whose id is not among the later ones.
std::vector<std::uint32_t> not_in(const Task& task, const Rows& earlier, const Rows& later) {
    const auto id = std::find_if(task.columns.begin(), task.columns.end(), [](const Column& c) { return c.role == Role::id; });
    std::unordered_set<std::string_view> known;
    const Values* ids = nullptr;
    if (id != task.columns.end()) {
        const auto at = static_cast<std::size_t>(id - task.columns.begin());
        ids = &earlier.columns[at];
        known.insert(later.columns[at].words.begin(), later.columns[at].words.end());
    }
    std::vector<std::uint32_t> rows;
    for (std::uint32_t r = 0; r < earlier.size; ++r) {
        const bool again = ids != nullptr && ids->present() && ids->codes[r] != no_word && known.count(ids->words[ids->codes[r]]) > 0;
        if (!again) rows.push_back(r);
    }
    return rows;
}

// A column that one of them lacks is missing in its rows.
template <class T>
std::vector<T> both(const std::vector<T>& a, std::size_t rows_a, const std::vector<T>& b, std::size_t rows_b, T missing) {
    if (a.empty() && b.empty()) return {};
    std::vector<T> out = a.empty() ? std::vector<T>(rows_a, missing) : a;
    out.insert(out.end(), b.begin(), b.end());
    out.resize(rows_a + rows_b, missing);
    return out;
}

}  // namespace

bool looks_back(const Task& task) noexcept {
    return std::any_of(task.features.begin(), task.features.end(), [](const Feature& f) { return f.kind == FeatureKind::history || f.kind == FeatureKind::same_count; });
}

Rows joined(const Task& task, const Rows& earlier, const Rows& later) {
    const Rows first = select(earlier, not_in(task, earlier, later));
    Rows out;
    out.size = first.size + later.size;
    out.report = later.report;
    const auto a = static_cast<std::size_t>(first.size), b = static_cast<std::size_t>(later.size);
    for (std::size_t c = 0; c < task.columns.size(); ++c) {
        const Values &x = first.columns[c], &y = later.columns[c];
        Values& v = out.columns.emplace_back();
        v.numbers = both(x.numbers, a, y.numbers, b, std::nan(""));
        v.instants = both(x.instants, a, y.instants, b, no_instant);
        v.words = x.words;
        std::unordered_map<std::string_view, std::uint32_t> codes;
        for (std::size_t w = 0; w < x.words.size(); ++w) codes.emplace(x.words[w], static_cast<std::uint32_t>(w));
        std::vector<std::uint32_t> code_of, recoded;
        for (const std::string& word : y.words) {
            const auto [found, is_new] = codes.emplace(word, static_cast<std::uint32_t>(v.words.size()));
            if (is_new) v.words.push_back(word);
            code_of.push_back(found->second);
        }
        for (const std::uint32_t code : y.codes) recoded.push_back(code == no_word ? no_word : code_of[code]);
        v.codes = both(x.codes, a, recoded, b, no_word);
    }
    return out;
}

}  // namespace entente::task
