#include <algorithm>
#include <cmath>

#include "commands/score.hpp"
#include "commands/text.hpp"

namespace entente::commands {
namespace {

constexpr std::size_t strongest = 5;
constexpr std::size_t bars = 10;
constexpr double widest = 24.0;

std::vector<std::uint32_t> rows_of(const task::ScoreTable& table, const task::Scored& scored) {
    std::vector<std::uint32_t> rows;
    for (const std::uint32_t e : scored.examples) rows.push_back(table.examples->last_row(e));
    return rows;
}

std::string row_title(const task::Task& task, const task::ScoreTable& table, std::uint32_t row) {
    std::string text = "row " + grouped(table.row_number(row));
    for (const std::size_t c : task::naming_columns(task, table.rows)) {
        const std::string cell = task::cell_of(task, table.rows, c, row);
        if (!cell.empty()) text += ", " + task.columns[c].name + " " + printable(cell);
    }
    return text;
}

// What became of the alerts, where it is known by now.
struct Known {
    std::uint64_t events = 0, found = 0, false_alerts = 0, labels = 0;
};

Known known(const task::ScoreTable& table, const task::Scored& scored) {
    Known k;
    for (std::size_t i = 0; i < scored.examples.size(); ++i) {
        const task::Event event = table.examples->event(scored.examples[i]);
        const bool alert = task::is_alert(scored.watch.alarm, scored.scores[i]);
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

void print_alert(const task::Task& task, const task::ScoreTable& table, const task::Scored& scored, const task::Alert& alert, Environment& environment) {
    environment.print("  " + decimal(static_cast<double>(scored.score_of(alert)), 3) + "  " + row_title(task, table, table.examples->last_row(scored.example_of(alert))) + "\n");
    for (const task::Reason& r : alert.reasons) environment.print("         " + printable(r.text) + "\n");
    if (!alert.similar.empty()) environment.print("         like your past " + similar_text(alert.similar) + "\n");
}

}  // namespace

void print_outcome(const task::Task& task, const task::ScoreTable& table, const task::Scored& scored, Environment& environment) {
    const std::uint64_t made = scored.before_split + scored.scores.size();
    const std::uint64_t left_out = task.window.stride == 1 ? table.file_rows() - std::min(table.file_rows(), made) : 0;
    environment.print("\n  Alarm        " + task::sentence(task, scored.watch.alarm) + "\n");
    if (scored.before_split > 0) environment.print("  Not scored   " + grouped(scored.before_split) + " examples before the split, which the alarm is calibrated with\n");
    if (left_out > 0) environment.print("  Left out     " + grouped(left_out) + " rows that no window ends at\n");
    environment.print("  Alerts       " + task::check_rate(task, scored.watch.alarm, scored.scores.size(), scored.alerts.size()).sentence + "\n");
    const Known k = known(table, scored);
    if (k.labels > 0) {
        environment.print("  Known        of " + grouped(k.events) + " events " + grouped(k.found) + " had an alert; " + grouped(k.false_alerts) + (k.false_alerts == 1 ? " alert" : " alerts") + " without an event\n");
    }
    std::size_t moved = 0;
    const std::vector<task::Drift> drift = task::drift_of(task, scored.watch.inputs, table.rows, rows_of(table, scored));
    for (const task::Drift& d : drift) moved += d.moved ? 1u : 0u;
    environment.print("  Drift        " + (moved == 0 ? std::string("none") : grouped(moved)) + " of " + grouped(drift.size()) + " inputs " + (moved > 1 ? "have" : "has") +
                      " moved against the rows it was calibrated with\n");
    for (const task::Drift& d : drift) {
        if (d.moved) environment.print("    " + printable(d.sentence) + "\n");
    }
    if (moved > 0) environment.print("    entente score --recalibrate takes newer rows for the threshold; a model that has aged needs a new round.\n");
    if (scored.alerts.size() > task::most_explained) environment.print("  ! the first " + grouped(task::most_explained) + " alerts have reasons, the others none\n");
    const std::vector<task::AlertGroup> groups = task::alert_groups(task, table, scored);
    if (!groups.empty()) environment.print("\n  The strongest alerts\n");
    for (std::size_t i = 0; i < std::min(strongest, groups.size()); ++i) print_alert(task, table, scored, scored.alerts[groups[i].strongest], environment);
}

std::string scored_json(const task::Task& task, const task::ScoreTable& table, const task::Scored& scored) {
    std::string moved;
    for (const task::Drift& d : task::drift_of(task, scored.watch.inputs, table.rows, rows_of(table, scored))) {
        if (d.moved) moved += (moved.empty() ? "" : ",") + JsonObject().text("column", task.features[d.feature].column).number("psi", d.psi).text("sentence", d.sentence).str();
    }
    const task::RateCheck rate = task::check_rate(task, scored.watch.alarm, scored.scores.size(), scored.alerts.size());
    const Known k = known(table, scored);
    JsonObject o;
    o.text("task", task.name).whole("rows", table.file_rows()).whole("scored", scored.scores.size()).whole("alerts", scored.alerts.size());
    o.number("threshold", scored.watch.alarm.threshold).boolean("below", scored.watch.alarm.below).whole("calibrated_with", scored.watch.alarm.examples);
    o.number("expected_share", rate.expected).text("rate", rate.rate == task::Rate::more ? "more" : rate.rate == task::Rate::fewer ? "fewer" : "as-calibrated");
    if (k.labels > 0) o.whole("events", k.events).whole("found", k.found).whole("false_alerts", k.false_alerts);
    return o.raw("moved", "[" + moved + "]").str();
}

void print_explanation(const task::Task& task, const task::ScoreTable& table, const task::Watch& watch, std::size_t example, const task::Explanation& why,
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
