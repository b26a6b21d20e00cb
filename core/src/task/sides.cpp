// Which rows belong together, what their labels are, and on which side of the split they lie.
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "task/row_numbers.hpp"

namespace entente::task {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

Error refuse(const char* reason, std::string message) { return Error{Code::invalid_argument, reason, std::move(message)}; }

const Values* with_role(const Task& task, const Rows& rows, Role role) {
    for (std::size_t i = 0; i < task.columns.size(); ++i) {
        if (task.columns[i].role == role && rows.columns[i].present()) return &rows.columns[i];
    }
    return nullptr;
}

std::string row_name(std::size_t r) { return "row " + std::to_string(r + 1); }

// Before and from an instant on; of a group, the latest row decides, so that none is on both sides.
std::vector<std::uint8_t> by_time(const Task& task, const Rows& rows) {
    const Values* times = with_role(task, rows, Role::time);
    std::vector<std::uint8_t> sides(static_cast<std::size_t>(rows.size), side_none);
    for (std::size_t r = 0; times != nullptr && r < times->instants.size(); ++r) {
        if (times->instants[r] != no_instant) sides[r] = times->instants[r] < task.split.at ? side_train : side_test;
    }
    if (task.split.keep_whole.empty()) return sides;
    const Values& whole = rows.columns[*find_column(task, task.split.keep_whole)];
    std::vector<bool> later(whole.words.size());
    for (std::size_t r = 0; r < whole.codes.size(); ++r) {
        if (whole.codes[r] != no_word && sides[r] == side_test) later[whole.codes[r]] = true;
    }
    for (std::size_t r = 0; r < whole.codes.size(); ++r) {
        if (whole.codes[r] != no_word && sides[r] == side_train && later[whole.codes[r]]) sides[r] = side_test;
    }
    return sides;
}

std::vector<std::uint8_t> by_group(const Task& task, const Rows& rows) {
    std::vector<std::uint8_t> sides(static_cast<std::size_t>(rows.size), side_train);
    const Values* v = with_role(task, rows, Role::group);
    if (v == nullptr) return sides;
    // The hashes' order, not their size: of few groups the share is met, too.
    std::vector<bool> tested(v->words.size());
    std::vector<std::uint32_t> order;
    for (const std::uint32_t code : v->codes) {
        if (code == no_word || tested[code]) continue;
        tested[code] = true;
        order.push_back(code);
    }
    std::sort(order.begin(), order.end(), [v](std::uint32_t a, std::uint32_t b) {
        const std::uint64_t x = name_hash(v->words[a]), y = name_hash(v->words[b]);
        return x != y ? x < y : v->words[a] < v->words[b];
    });
    tested.assign(tested.size(), false);
    const auto count = static_cast<std::size_t>(task.split.test_share * static_cast<double>(order.size()) + 0.5);
    for (std::size_t i = 0; i < std::min(count, order.size()); ++i) tested[order[i]] = true;
    for (std::size_t r = 0; r < v->codes.size(); ++r) {
        if (v->codes[r] == no_word) {
            sides[r] = side_none;
        } else if (tested[v->codes[r]]) {
            sides[r] = side_test;
        }
    }
    return sides;
}

// A group with one marked row is scored whole, so that none is on both sides.
std::vector<std::uint8_t> by_mark(const Task& task, const Rows& rows, const std::vector<std::uint32_t>& groups) {
    const Values& marks = rows.columns[*find_column(task, task.split.column)];
    std::vector<std::uint8_t> sides(static_cast<std::size_t>(rows.size), side_train);
    if (!marks.present()) return by_group(task, rows);
    const bool grouped = with_role(task, rows, Role::group) != nullptr;
    std::unordered_set<std::uint32_t> scored;
    for (std::size_t r = 0; r < marks.numbers.size(); ++r) {
        if (std::isnan(marks.numbers[r])) {
            sides[r] = side_none;
        } else if (marks.numbers[r] != 0) {
            sides[r] = side_test;
            if (grouped) scored.insert(groups[r]);
        }
    }
    for (std::size_t r = 0; r < sides.size(); ++r) {
        if (sides[r] == side_train && scored.count(groups[r]) > 0) sides[r] = side_test;
    }
    return sides;
}

std::vector<std::uint8_t> by_head(const Task& task, const Rows& rows, const std::vector<std::uint32_t>& groups, const std::vector<std::uint32_t>& order) {
    std::vector<std::uint8_t> sides(static_cast<std::size_t>(rows.size), side_test);
    std::unordered_map<std::uint32_t, std::uint32_t> seen;
    for (const std::uint32_t r : order) {
        if (seen[groups[r]]++ < task.split.head_rows) sides[r] = side_train;
    }
    return sides;
}

Status check_ids(const Task& task, const Rows& rows, const std::vector<std::uint8_t>& sides) {
    const Values* ids = with_role(task, rows, Role::id);
    if (ids == nullptr) return done();
    std::vector<std::uint32_t> first(ids->words.size(), no_word);
    for (std::size_t r = 0; r < ids->codes.size(); ++r) {
        const std::uint32_t code = ids->codes[r];
        if (code == no_word || sides[r] == side_none) continue;
        if (first[code] == no_word) {
            first[code] = static_cast<std::uint32_t>(r);
        } else if (sides[first[code]] != sides[r]) {
            return refuse("table.leak", row_name(first[code]) + " and " + row_name(r) + ": expected an id on one side of the split, found \"" + ids->words[code].substr(0, 60) +
                                            "\" among the rows to train on and among those to be scored");
        }
    }
    return done();
}

}  // namespace

std::vector<std::uint32_t> groups_of(const Task& task, const Rows& rows) {
    std::vector<std::uint32_t> groups(static_cast<std::size_t>(rows.size), 0);
    if (const Values* v = with_role(task, rows, Role::group)) groups = v->codes;
    return groups;
}

std::vector<std::uint32_t> row_order(const Task& task, const Rows& rows, const std::vector<std::uint32_t>& groups) {
    std::vector<std::uint32_t> order(static_cast<std::size_t>(rows.size));
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
    // Groups in the order of their first row.
    std::unordered_map<std::uint32_t, std::uint32_t> place;
    std::vector<std::uint32_t> rank(order.size());
    for (std::size_t r = 0; r < order.size(); ++r) rank[r] = place.try_emplace(groups[r], static_cast<std::uint32_t>(place.size())).first->second;
    const Values* times = with_role(task, rows, Role::time);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        if (rank[a] != rank[b]) return rank[a] < rank[b];
        if (times == nullptr) return false;
        if (!times->instants.empty()) return times->instants[a] < times->instants[b];
        return times->numbers[a] < times->numbers[b];
    });
    return order;
}

Result<std::vector<double>> labels_of(const Task& task, const Rows& rows, const std::vector<std::uint32_t>& groups, const std::vector<std::uint32_t>& order) {
    const Label& l = task.label;
    std::vector<double> labels(static_cast<std::size_t>(rows.size), l.kind == LabelKind::none ? 0.0 : missing);
    if (l.kind == LabelKind::remaining) {
        const Values* behind = l.column.empty() ? nullptr : &rows.columns[*find_column(task, l.column)];
        double remaining = 0.0;
        for (std::size_t i = order.size(); i-- > 0;) {
            const bool is_last = i + 1 == order.size() || groups[order[i + 1]] != groups[order[i]];
            const double more = is_last && behind != nullptr && behind->present() ? behind->numbers[order[i]] : 0.0;
            remaining = is_last ? (more > 0 ? more : 0.0) : remaining + 1.0;
            labels[order[i]] = std::min(remaining, l.cap) / l.cap;
        }
        return labels;
    }
    if (l.column.empty()) return labels;
    const Values& v = rows.columns[*find_column(task, l.column)];
    if (!v.present()) return labels;
    const Values* times = with_role(task, rows, Role::time);
    for (std::size_t r = 0; r < labels.size(); ++r) {
        if (l.kind == LabelKind::later) {
            if (times == nullptr || times->instants[r] == no_instant || v.instants[r] == no_instant) continue;
            const double days = static_cast<double>(v.instants[r] - times->instants[r]) / static_cast<double>(table::ms_per_day);
            labels[r] = days > l.tolerance_days ? 1.0 : 0.0;
        } else {
            const double x = v.numbers[r];
            if (l.kind != LabelKind::value && !std::isnan(x) && x != 0.0 && x != 1.0) {
                return refuse("table.label", row_name(r) + ", " + l.column + ": expected a label of 0 or 1, found another number");
            }
            labels[r] = l.kind == LabelKind::value ? l.scale * x : l.kind == LabelKind::none && std::isnan(x) ? 0.0 : x;
        }
    }
    return labels;
}

std::vector<std::uint8_t> split_of(const Task& task, const Rows& rows, const std::vector<std::uint32_t>& groups, const std::vector<std::uint32_t>& order) {
    switch (task.split.kind) {
        case SplitKind::none: break;
        case SplitKind::time: return by_time(task, rows);
        case SplitKind::group: return by_group(task, rows);
        case SplitKind::head: return by_head(task, rows, groups, order);
        case SplitKind::marked: return by_mark(task, rows, groups);
    }
    return std::vector<std::uint8_t>(static_cast<std::size_t>(rows.size), side_train);
}

Result<std::vector<std::uint8_t>> sides_of(const Task& task, const Rows& rows, const std::vector<std::uint32_t>& groups,
                                           const std::vector<std::uint32_t>& order, const std::vector<double>& labels) {
    std::vector<std::uint8_t> sides = split_of(task, rows, groups, order);
    for (std::size_t r = 0; r < sides.size(); ++r) {
        if (std::isnan(labels[r])) sides[r] = side_none;
    }
    ENTENTE_TRY(check_ids(task, rows, sides));
    return sides;
}

}  // namespace entente::task
