#include "entente/task/explain.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "entente/base/philox.hpp"
#include "task/words.hpp"

namespace entente::task {
namespace {

constexpr std::size_t few = 4;    // columns whose orders are all tried
constexpr std::size_t drawn = 8;  // orders, each also backwards

// Which column each number of a row comes from.
std::vector<std::uint32_t> columns_of_numbers(const Task& task) {
    std::vector<std::uint32_t> columns;
    for (const Feature& f : task.features) columns.insert(columns.end(), width_of(task, f), static_cast<std::uint32_t>(*find_column(task, f.column)));
    return columns;
}

std::vector<std::vector<std::uint32_t>> orders_of(std::size_t columns) {
    std::vector<std::vector<std::uint32_t>> orders;
    std::vector<std::uint32_t> order(columns);
    std::iota(order.begin(), order.end(), 0u);
    if (columns <= few) {
        do orders.push_back(order);
        while (std::next_permutation(order.begin(), order.end()));
        return orders;
    }
    Philox random(derive_key(0, 0, {}, Purpose::explain));
    for (std::size_t i = 0; i < drawn; ++i) {
        random.shuffle(order);
        orders.push_back(order);
        orders.emplace_back(order.rbegin(), order.rend());
    }
    return orders;
}

Result<Explanation> by_errors(Predictor& predictor, std::span<const float> example, const std::vector<std::uint32_t>& of_number, Explanation why, const std::vector<std::size_t>& place) {
    ENTENTE_ASSIGN(const std::vector<double> errors, predictor.errors(example));
    for (std::size_t i = 0; i < errors.size(); ++i) why.shares[place[of_number[i % of_number.size()]]].amount += errors[i];
    for (Share& s : why.shares) s.amount /= static_cast<double>(errors.size());
    for (const Share& s : why.shares) why.score += s.amount;
    return why;
}

std::string signed_brief(double amount) { return (amount < 0 ? "" : "+") + brief(amount, 3); }

// What lies between the first and the last of the usual cuts.
std::string usual_range(const InputSummary& s) { return s.cuts.empty() ? brief(s.mean) : s.cuts.size() == 1 ? "about " + brief(s.cuts.front()) : brief(s.cuts.front()) + " to " + brief(s.cuts.back()); }

std::string value_text(const Task& task, const Column& column, const Values& v, std::uint32_t row, const Feature& f, std::optional<double> x) {
    if (f.kind == FeatureKind::days_between) {
        if (!x) return column.name + " not known";
        return column.name + " " + counted(static_cast<std::uint64_t>(std::llround(std::fabs(*x))), "day") + (*x < 0 ? " after " : " before ") + f.to;
    }
    if (!v.present()) return column.name + " not known";
    switch (task.columns[*find_column(task, column.name)].kind) {
        case CellKind::number: return std::isnan(v.numbers[row]) ? column.name + " not known" : column.name + " " + brief(v.numbers[row]) + (column.unit.empty() ? "" : " " + column.unit);
        case CellKind::instant: return v.instants[row] == no_instant ? column.name + " not known" : column.name + " " + table::format_instant(v.instants[row]);
        case CellKind::category: break;
    }
    return v.codes[row] == no_word ? column.name + " not known" : column.name + " " + v.words[v.codes[row]];
}

}  // namespace

Result<Explanation> explain(const Task& task, Predictor& predictor, std::span<const float> example, std::span<const float> usual) {
    if (example.size() != predictor.inputs() || usual.size() != predictor.inputs()) {
        return Error{Code::invalid_argument, "model.sizes", "expected an example and a usual one of " + std::to_string(predictor.inputs()) + " numbers"};
    }
    const std::vector<std::uint32_t> of_number = columns_of_numbers(task);
    std::vector<std::size_t> place(task.columns.size());  // of a column among the shares
    Explanation why;
    for (std::uint32_t c = 0; c < task.columns.size(); ++c) {
        if (std::find(of_number.begin(), of_number.end(), c) == of_number.end()) continue;
        place[c] = why.shares.size();
        why.shares.push_back({c, 0.0});
    }
    if (task.label.kind == LabelKind::none) return by_errors(predictor, example, of_number, std::move(why), place);
    const auto orders = orders_of(why.shares.size());
    const std::size_t size = example.size();
    std::vector<float> path;
    for (const std::vector<std::uint32_t>& order : orders) {
        // From the usual example to this one, a column at a time.
        path.assign(usual.begin(), usual.end());
        for (const std::uint32_t turn : order) {
            const std::size_t before = path.size() - size;
            for (std::size_t i = 0; i < size; ++i) path.push_back(place[of_number[i % of_number.size()]] == turn ? example[i] : path[before + i]);
        }
        ENTENTE_ASSIGN(const std::vector<float> scores, predictor.scores(path));
        for (std::size_t k = 0; k < order.size(); ++k) why.shares[order[k]].amount += static_cast<double>(scores[k + 1]) - static_cast<double>(scores[k]);
        why.usual = static_cast<double>(scores.front());
        why.score = static_cast<double>(scores.back());
    }
    for (Share& s : why.shares) s.amount /= static_cast<double>(orders.size());
    return why;
}

std::string cell_text(const Task& task, std::uint32_t at, std::span<const InputSummary> usual, const Rows& rows, std::uint32_t row) {
    const Column& column = task.columns[at];
    const InputSummary* summary = nullptr;
    for (const InputSummary& s : usual) {
        if (task.features[s.feature].column == column.name && summary == nullptr) summary = &s;
    }
    const auto feature = std::find_if(task.features.begin(), task.features.end(), [&column](const Feature& f) { return f.column == column.name; });
    const Feature& f = summary != nullptr ? task.features[summary->feature] : *feature;
    const auto x = input_value(task, f, rows, row);
    if (f.kind == FeatureKind::same_count) return "how many rows have " + value_text(task, column, rows.columns[at], row, f, std::nullopt);
    const std::string value = value_text(task, column, rows.columns[at], row, f, x);
    if (summary == nullptr || summary->rows() == 0) return value;
    if (f.kind == FeatureKind::one_hot) {
        const std::size_t place = x ? static_cast<std::size_t>(*x) : summary->counts.size() - 1;
        return value + ", " + percent(static_cast<double>(summary->counts[place]) / static_cast<double>(summary->rows())) + " of the usual rows";
    }
    return value + ", usually " + usual_range(*summary);
}

std::vector<Reason> reasons(const Task& task, const Explanation& why, std::span<const InputSummary> usual, const Rows& rows, std::uint32_t row, std::size_t most) {
    const double towards = task.label.kind == LabelKind::remaining ? -1.0 : 1.0;
    std::vector<Share> shares;
    for (const Share& s : why.shares) {
        if (towards * s.amount > 0) shares.push_back(s);
    }
    std::stable_sort(shares.begin(), shares.end(), [towards](const Share& a, const Share& b) { return towards * a.amount > towards * b.amount; });
    std::vector<Reason> out;
    for (std::size_t i = 0; i < std::min(most, shares.size()); ++i) {
        out.push_back({shares[i].column, shares[i].amount, cell_text(task, shares[i].column, usual, rows, row) + " (" + signed_brief(shares[i].amount) + ")"});
    }
    return out;
}

Past::Past(const ScoreRows& rows) : inputs_(rows.inputs()) {
    const std::size_t most = static_cast<std::size_t>(most_past_numbers / inputs_);
    std::vector<std::size_t> chosen;
    for (std::size_t e = 0; e < rows.size(); ++e) {
        if (rows.is_past(e)) chosen.push_back(e);
    }
    if (chosen.size() > most) chosen.erase(chosen.begin(), chosen.end() - static_cast<std::ptrdiff_t>(most));
    numbers_.resize(chosen.size() * inputs_);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        rows.put(chosen[i], std::span(numbers_).subspan(i * inputs_, inputs_));
        cases_.push_back({rows.last_row(chosen[i]), rows.event(chosen[i]), 0.0});
        ids_.push_back(rows.id(chosen[i]));
    }
}

std::vector<Past::Case> Past::nearest(std::span<const float> example, std::size_t count, std::string_view id) const {
    std::vector<Case> found;
    for (std::size_t i = 0; i < cases_.size(); ++i) {
        double sum = 0.0;
        for (std::size_t k = 0; k < inputs_; ++k) {
            const double apart = static_cast<double>(numbers_[i * inputs_ + k]) - static_cast<double>(example[k]);
            sum += apart * apart;
        }
        const bool itself = id.empty() || ids_[i].empty() ? sum == 0.0 : ids_[i] == id;
        if (!itself) found.push_back({cases_[i].row, cases_[i].event, sum});
    }
    const std::size_t kept = std::min(count, found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(),
                      [](const Case& a, const Case& b) { return a.distance != b.distance ? a.distance < b.distance : a.row < b.row; });
    found.resize(kept);
    for (Case& c : found) c.distance = std::sqrt(c.distance);
    return found;
}

}  // namespace entente::task
