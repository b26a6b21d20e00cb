#include <algorithm>
#include <cmath>

#include "commands/score.hpp"
#include "commands/text.hpp"
#include "entente/base/decimal.hpp"

namespace entente::commands {
namespace {

constexpr std::size_t reasons_in_file = 3;
constexpr std::size_t strongest = 5;
constexpr std::size_t bars = 10;
constexpr double widest = 24.0;

std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n;") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + "\"";
}

std::string cell_of(const task::Task& task, const ScoredTable& table, std::size_t column, std::uint32_t row) {
    const task::Values& v = table.rows.columns[column];
    switch (task.columns[column].kind) {
        case task::CellKind::number: return std::isnan(v.numbers[row]) ? "" : entente::decimal(v.numbers[row]);
        case task::CellKind::instant: return v.instants[row] == task::no_instant ? "" : table::format_instant(v.instants[row]);
        case task::CellKind::category: break;
    }
    return v.codes[row] == task::no_word ? "" : v.words[v.codes[row]];
}

// What names a row: id, groups and time, in the task's order.
std::vector<std::size_t> naming(const task::Task& task, const ScoredTable& table) {
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < task.columns.size(); ++i) {
        const task::Role role = task.columns[i].role;
        const bool names = role == task::Role::id || role == task::Role::group || role == task::Role::time;
        if (names && table.rows.columns[i].present()) columns.push_back(i);
    }
    return columns;
}

std::string label_of(task::Event event) { return event == task::Event::unknown ? "" : event == task::Event::yes ? "1" : "0"; }

std::vector<std::uint32_t> rows_of(const ScoredTable& table, const ScoreOutcome& outcome) {
    std::vector<std::uint32_t> rows;
    for (const std::uint32_t e : outcome.examples) rows.push_back(table.examples->last_row(e));
    return rows;
}

std::string row_title(const task::Task& task, const ScoredTable& table, std::uint32_t row) {
    std::string text = "row " + grouped(table.row_number(row));
    for (const std::size_t c : naming(task, table)) {
        const std::string cell = cell_of(task, table, c, row);
        if (!cell.empty()) text += ", " + task.columns[c].name + " " + printable(cell);
    }
    return text;
}

// What became of the alerts, where it is known by now.
struct Known {
    std::uint64_t events = 0, found = 0, false_alerts = 0, labels = 0;
};

Known known(const ScoredTable& table, const ScoreOutcome& outcome) {
    Known k;
    for (std::size_t i = 0; i < outcome.examples.size(); ++i) {
        const task::Event event = table.examples->event(outcome.examples[i]);
        const bool alert = task::is_alert(outcome.watch.alarm, outcome.scores[i]);
        if (event == task::Event::unknown) continue;
        ++k.labels;
        k.events += event == task::Event::yes ? 1u : 0u;
        k.found += event == task::Event::yes && alert ? 1u : 0u;
        k.false_alerts += event == task::Event::no && alert ? 1u : 0u;
    }
    return k;
}

std::string similar_text(const std::vector<task::Past::Case>& similar) {
    std::string text;
    for (const task::Past::Case& c : similar) {
        text += (text.empty() ? "row " : ", row ") + grouped(std::uint64_t{c.row} + 1) + (c.event == task::Event::unknown ? "" : c.event == task::Event::yes ? " (an event)" : " (no event)");
    }
    return text;
}

std::string bar(double share, double most) {
    const auto eighths = static_cast<std::size_t>(std::fabs(share) / most * widest * 8.0 + 0.5);
    std::string text;
    for (std::size_t i = 0; i < eighths / 8; ++i) text += share < 0 ? "░" : "█";
    constexpr const char* parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    return share < 0 ? text : text + parts[eighths % 8];
}

// Windows that share rows, and rows of one shipment, tell of the same event.
bool tells_the_same(const task::Task& task, const ScoredTable& table, const ScoreOutcome& outcome, const Alert& a, const Alert& b) {
    if (task.window.length > 1) return std::max(a.at, b.at) - std::min(a.at, b.at) < task.window.length;
    const std::uint32_t x = table.examples->last_row(outcome.examples[a.at]), y = table.examples->last_row(outcome.examples[b.at]);
    for (std::size_t c = 0; c < task.columns.size(); ++c) {
        const std::vector<std::uint32_t>& codes = table.rows.columns[c].codes;
        if (task.columns[c].role == task::Role::group && !codes.empty() && codes[x] == codes[y] && codes[x] != task::no_word) return true;
    }
    return false;
}

void print_alert(const task::Task& task, const ScoredTable& table, const ScoreOutcome& outcome, const Alert& alert, Environment& environment) {
    environment.print("  " + decimal(static_cast<double>(outcome.scores[alert.at]), 3) + "  " + row_title(task, table, table.examples->last_row(outcome.examples[alert.at])) + "\n");
    for (const task::Reason& r : alert.reasons) environment.print("         " + printable(r.text) + "\n");
    if (!alert.similar.empty()) environment.print("         like your past " + similar_text(alert.similar) + "\n");
}

}  // namespace

std::string scored_csv(const task::Task& task, const ScoredTable& table, const ScoreOutcome& outcome) {
    const std::vector<std::size_t> names = naming(task, table);
    std::string text = "row";
    for (const std::size_t c : names) text += "," + task.columns[c].name;
    text += ",score,alert";
    for (std::size_t i = 1; i <= reasons_in_file; ++i) text += ",reason_" + std::to_string(i) + ",share_" + std::to_string(i);
    text += ",similar_rows,similar_labels\n";
    auto alert = outcome.alerts.begin();
    for (std::size_t i = 0; i < outcome.examples.size(); ++i) {
        const std::uint32_t row = table.examples->last_row(outcome.examples[i]);
        text += std::to_string(table.row_number(row));
        for (const std::size_t c : names) text += "," + quoted(cell_of(task, table, c, row));
        const bool is_alert = alert != outcome.alerts.end() && alert->at == i;
        text += "," + entente::decimal(outcome.scores[i]) + (is_alert ? ",1" : ",0");
        std::string rows, labels;
        for (std::size_t k = 0; k < reasons_in_file; ++k) {
            const bool there = is_alert && k < alert->reasons.size();
            text += there ? "," + quoted(alert->reasons[k].text) + "," + entente::decimal(static_cast<float>(alert->reasons[k].amount)) : ",,";
        }
        if (is_alert) {
            for (const task::Past::Case& c : alert->similar) {
                rows += (rows.empty() ? "" : " ") + std::to_string(std::uint64_t{c.row} + 1);
                labels += label_of(c.event) + (&c == &alert->similar.back() ? "" : " ");
            }
            ++alert;
        }
        text += "," + rows + "," + (labels.find_first_not_of(' ') == std::string::npos ? "" : labels) + "\n";
    }
    return text;
}

void print_outcome(const task::Task& task, const ScoredTable& table, const ScoreOutcome& outcome, Environment& environment) {
    const std::uint64_t made = outcome.before_split + outcome.scores.size();
    const std::uint64_t left_out = task.window.stride == 1 ? table.file_rows() - std::min(table.file_rows(), made) : 0;
    environment.print("\n  Alarm        " + task::sentence(task, outcome.watch.alarm) + "\n");
    if (outcome.before_split > 0) environment.print("  Not scored   " + grouped(outcome.before_split) + " examples before the split, which the alarm is calibrated with\n");
    if (left_out > 0) environment.print("  Left out     " + grouped(left_out) + " rows that no window ends at\n");
    environment.print("  Alerts       " + task::check_rate(task, outcome.watch.alarm, outcome.scores.size(), outcome.alerts.size()).sentence + "\n");
    const Known k = known(table, outcome);
    if (k.labels > 0) {
        environment.print("  Known        of " + grouped(k.events) + " events " + grouped(k.found) + " had an alert; " + grouped(k.false_alerts) + (k.false_alerts == 1 ? " alert" : " alerts") + " without an event\n");
    }
    std::size_t moved = 0;
    const std::vector<task::Drift> drift = task::drift_of(task, outcome.watch.inputs, table.rows, rows_of(table, outcome));
    for (const task::Drift& d : drift) moved += d.moved ? 1u : 0u;
    environment.print("  Drift        " + (moved == 0 ? std::string("none") : grouped(moved)) + " of " + grouped(drift.size()) + " inputs " + (moved > 1 ? "have" : "has") +
                      " moved against the rows it was calibrated with\n");
    for (const task::Drift& d : drift) {
        if (d.moved) environment.print("    " + printable(d.sentence) + "\n");
    }
    if (moved > 0) environment.print("    entente score --recalibrate takes newer rows for the threshold; a model that has aged needs a new round.\n");
    if (outcome.alerts.size() > most_explained) environment.print("  ! the first " + grouped(most_explained) + " alerts have reasons, the others none\n");
    std::vector<const Alert*> order;
    for (const Alert& a : outcome.alerts) order.push_back(&a);
    const bool below = outcome.watch.alarm.below;
    std::stable_sort(order.begin(), order.end(), [&](const Alert* a, const Alert* b) {
        return below ? outcome.scores[a->at] < outcome.scores[b->at] : outcome.scores[a->at] > outcome.scores[b->at];
    });
    if (!order.empty()) environment.print("\n  The strongest alerts\n");
    std::vector<const Alert*> shown;
    for (const Alert* alert : order) {
        const auto same = [&](const Alert* other) { return tells_the_same(task, table, outcome, *alert, *other); };
        if (shown.size() == strongest) break;
        if (std::any_of(shown.begin(), shown.end(), same)) continue;
        shown.push_back(alert);
        print_alert(task, table, outcome, *alert, environment);
    }
}

std::string scored_json(const task::Task& task, const ScoredTable& table, const ScoreOutcome& outcome) {
    std::string moved;
    for (const task::Drift& d : task::drift_of(task, outcome.watch.inputs, table.rows, rows_of(table, outcome))) {
        if (d.moved) moved += (moved.empty() ? "" : ",") + JsonObject().text("column", task.features[d.feature].column).number("psi", d.psi).text("sentence", d.sentence).str();
    }
    const task::RateCheck rate = task::check_rate(task, outcome.watch.alarm, outcome.scores.size(), outcome.alerts.size());
    const Known k = known(table, outcome);
    JsonObject o;
    o.text("task", task.name).whole("rows", table.file_rows()).whole("scored", outcome.scores.size()).whole("alerts", outcome.alerts.size());
    o.number("threshold", outcome.watch.alarm.threshold).boolean("below", outcome.watch.alarm.below).whole("calibrated_with", outcome.watch.alarm.examples);
    o.number("expected_share", rate.expected).text("rate", rate.rate == task::Rate::more ? "more" : rate.rate == task::Rate::fewer ? "fewer" : "as-calibrated");
    if (k.labels > 0) o.whole("events", k.events).whole("found", k.found).whole("false_alerts", k.false_alerts);
    return o.raw("moved", "[" + moved + "]").str();
}

void print_explanation(const task::Task& task, const ScoredTable& table, const task::Watch& watch, std::size_t example, const task::Explanation& why,
                       const std::vector<task::Past::Case>& similar, Environment& environment) {
    const std::uint32_t row = table.examples->last_row(example);
    const bool alert = task::is_alert(watch.alarm, static_cast<float>(why.score));
    environment.print("  " + row_title(task, table, row) + "\n  score " + decimal(why.score, 3) + (why.usual != 0 ? ", of the mean example " + decimal(why.usual, 3) : "") + "; " +
                      (alert ? "an alert" : "no alert") + ": " + (watch.alarm.below ? "below " : "above ") + decimal(watch.alarm.threshold, 3) + " is one\n\n");
    std::vector<task::Share> shares = why.shares;
    std::stable_sort(shares.begin(), shares.end(), [](const task::Share& a, const task::Share& b) { return std::fabs(a.amount) > std::fabs(b.amount); });
    shares.resize(std::min(bars, shares.size()));
    std::size_t width = 0;
    std::vector<std::string> cells;
    for (const task::Share& s : shares) {
        cells.push_back(printable(task::cell_text(task, s.column, watch.inputs, table.rows, row)));
        width = std::max(width, std::min<std::size_t>(cells.back().size(), 64));
    }
    const double most = shares.empty() ? 1.0 : std::max(std::fabs(shares.front().amount), 1e-12);
    for (std::size_t i = 0; i < shares.size(); ++i) {
        environment.print("  " + pad(cells[i], width) + "  " + (shares[i].amount < 0 ? "-" : "+") + pad(decimal(std::fabs(shares[i].amount), 3), 8) + bar(shares[i].amount, most) + "\n");
    }
    if (!similar.empty()) environment.print("\n  Like your past " + similar_text(similar) + "\n");
}

}  // namespace entente::commands
