#include "entente/task/scored.hpp"

#include <cmath>
#include <numeric>

#include "entente/base/decimal.hpp"
#include "task/row_numbers.hpp"
#include "task/score_blocks.hpp"

namespace entente::task {
namespace {

constexpr std::size_t reasons_of_alert = 3;
constexpr std::size_t similar_of_alert = 3;

std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n;") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + "\"";
}

std::string label_of(Event event) { return event == Event::unknown ? "" : event == Event::yes ? "1" : "0"; }

// Which alerts are one: each leads to an earlier one of its set, or to itself.
class Sets {
public:
    explicit Sets(std::size_t size) : leader_(size) { std::iota(leader_.begin(), leader_.end(), std::size_t{0}); }
    std::size_t first_of(std::size_t i) {
        while (leader_[i] != i) i = leader_[i] = leader_[leader_[i]];
        return i;
    }
    void unite(std::size_t a, std::size_t b) {
        a = first_of(a), b = first_of(b);
        leader_[std::max(a, b)] = std::min(a, b);
    }

private:
    std::vector<std::size_t> leader_;
};

// Windows of a group are examples one behind the other, `stride` rows apart.
void unite_windows(const Task& task, const ScoreTable& table, const Scored& scored, Sets& sets) {
    const std::vector<std::uint32_t> groups = groups_of(task, table.rows);
    const auto group_of = [&](std::uint32_t example) { return groups[table.examples->last_row(example)]; };
    for (std::size_t i = 1; i < scored.alerts.size(); ++i) {
        const std::uint32_t before = scored.example_of(scored.alerts[i - 1]), example = scored.example_of(scored.alerts[i]);
        const bool overlap = std::uint64_t{example - before} * task.window.stride < task.window.length;
        if (overlap && group_of(before) == group_of(example)) sets.unite(i - 1, i);
    }
}

void unite_rows(const Task& task, const ScoreTable& table, const Scored& scored, Sets& sets) {
    const std::size_t none = scored.alerts.size();
    for (std::size_t c = 0; c < task.columns.size(); ++c) {
        const Values& v = table.rows.columns[c];
        if (task.columns[c].role != Role::group || !v.present()) continue;
        std::vector<std::size_t> alert_with(v.words.size(), none);
        for (std::size_t i = 0; i < scored.alerts.size(); ++i) {
            const std::uint32_t code = v.codes[table.examples->last_row(scored.example_of(scored.alerts[i]))];
            if (code == no_word || v.words[code].empty()) continue;
            if (alert_with[code] == none) alert_with[code] = i;
            sets.unite(alert_with[code], i);
        }
    }
}

}  // namespace

Result<std::unique_ptr<ScoreTable>> ScoreTable::start(const Task& task, Rows rows, const Rows* past, const Statistics* statistics) {
    auto table = std::make_unique<ScoreTable>();
    table->rows = std::move(rows);
    if (past != nullptr && looks_back(task)) {
        const std::uint64_t own = table->rows.size;
        table->rows = joined(task, *past, table->rows);
        table->first = static_cast<std::uint32_t>(table->rows.size - own);
    }
    ENTENTE_ASSIGN(ScoreRows examples, ScoreRows::start(task, table->rows, statistics));
    table->examples.emplace(std::move(examples));
    return table;
}

Result<Scored> score_table(Predictor& predictor, const ScoreTable& table, Watch watch, bool leave_out_past) {
    Scored s;
    s.watch = std::move(watch);
    ENTENTE_TRY(score_in_blocks(predictor, *table.examples, [&](std::size_t example, float score, std::span<const float>) {
        if (table.examples->last_row(example) < table.first) return;
        if (leave_out_past && table.examples->is_past(example)) {
            ++s.before_split;
            return;
        }
        if (is_alert(s.watch.alarm, score)) s.alerts.push_back({s.scores.size(), {}, {}});
        s.examples.push_back(static_cast<std::uint32_t>(example));
        s.scores.push_back(score);
    }));
    return s;
}

std::vector<Past::Case> similar_cases(const ScoreTable& table, const Past& past, std::size_t example) {
    std::vector<float> numbers(table.examples->inputs());
    table.examples->put(example, numbers);
    return past.nearest(numbers, similar_of_alert, table.examples->id(example));
}

Status explain_alert(const Task& task, Predictor& predictor, const ScoreTable& table, const Scored& scored, const Past* past, Alert& alert) {
    const std::uint32_t example = scored.example_of(alert);
    std::vector<float> numbers(table.examples->inputs());
    table.examples->put(example, numbers);
    ENTENTE_ASSIGN(const Explanation why, explain(task, predictor, numbers, scored.watch.usual));
    alert.reasons = reasons(task, why, scored.watch.inputs, table.rows, table.examples->last_row(example), reasons_of_alert);
    if (past != nullptr) alert.similar = similar_cases(table, *past, example);
    return done();
}

std::vector<AlertGroup> alert_groups(const Task& task, const ScoreTable& table, const Scored& scored) {
    Sets sets(scored.alerts.size());
    task.window.length > 1 ? unite_windows(task, table, scored, sets) : unite_rows(task, table, scored, sets);
    const auto stronger = [&](std::size_t a, std::size_t b) {
        const float one = scored.score_of(scored.alerts[a]), other = scored.score_of(scored.alerts[b]);
        return scored.watch.alarm.below ? one < other : one > other;
    };
    std::vector<AlertGroup> groups;
    std::vector<std::size_t> place(scored.alerts.size());  // of a set's first alert among the groups
    for (std::size_t i = 0; i < scored.alerts.size(); ++i) {
        const std::uint64_t row = table.row_number(table.examples->last_row(scored.example_of(scored.alerts[i])));
        const std::size_t first = sets.first_of(i);
        if (first == i) {
            place[i] = groups.size();
            groups.push_back({i, 0, row, row});
        }
        AlertGroup& g = groups[place[first]];
        ++g.alerts;
        g.first_row = std::min(g.first_row, row);
        g.last_row = std::max(g.last_row, row);
        if (stronger(i, g.strongest)) g.strongest = i;
    }
    std::stable_sort(groups.begin(), groups.end(), [&](const AlertGroup& a, const AlertGroup& b) { return stronger(a.strongest, b.strongest); });
    return groups;
}

std::vector<std::size_t> naming_columns(const Task& task, const Rows& rows) {
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < task.columns.size(); ++i) {
        const Role role = task.columns[i].role;
        const bool names = role == Role::id || role == Role::group || role == Role::time;
        if (names && rows.columns[i].present()) columns.push_back(i);
    }
    return columns;
}

std::string cell_of(const Task& task, const Rows& rows, std::size_t column, std::uint32_t row) {
    const Values& v = rows.columns[column];
    switch (task.columns[column].kind) {
        case CellKind::number: return std::isnan(v.numbers[row]) ? "" : decimal(v.numbers[row]);
        case CellKind::instant: return v.instants[row] == no_instant ? "" : table::format_instant(v.instants[row]);
        case CellKind::category: break;
    }
    return v.codes[row] == no_word ? "" : v.words[v.codes[row]];
}

std::string scored_csv(const Task& task, const ScoreTable& table, const Scored& scored) {
    const std::vector<std::size_t> names = naming_columns(task, table.rows);
    std::string text = "row";
    for (const std::size_t c : names) text += "," + task.columns[c].name;
    text += ",score,alert";
    for (std::size_t i = 1; i <= reasons_of_alert; ++i) text += ",reason_" + std::to_string(i) + ",share_" + std::to_string(i);
    text += ",similar_rows,similar_labels\n";
    const Alert none;
    auto next = scored.alerts.begin();
    for (std::size_t i = 0; i < scored.examples.size(); ++i) {
        const std::uint32_t row = table.examples->last_row(scored.examples[i]);
        text += std::to_string(table.row_number(row));
        for (const std::size_t c : names) text += "," + quoted(cell_of(task, table.rows, c, row));
        const bool is_alert = next != scored.alerts.end() && next->at == i;
        const Alert& alert = is_alert ? *next++ : none;
        text += "," + decimal(scored.scores[i]) + (is_alert ? ",1" : ",0");
        for (std::size_t k = 0; k < reasons_of_alert; ++k) {
            text += k < alert.reasons.size() ? "," + quoted(alert.reasons[k].text) + "," + decimal(static_cast<float>(alert.reasons[k].amount)) : ",,";
        }
        std::string rows, labels;
        bool known = false;
        for (const Past::Case& c : alert.similar) {
            rows += (rows.empty() ? "" : " ") + std::to_string(std::uint64_t{c.row} + 1);
            labels += label_of(c.event) + (&c == &alert.similar.back() ? "" : " ");
            known = known || c.event != Event::unknown;
        }
        text += "," + rows + "," + (known ? labels : "") + "\n";
    }
    return text;
}

}  // namespace entente::task
