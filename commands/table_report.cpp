#include "commands/table_report.hpp"

#include <algorithm>

#include "commands/chart.hpp"
#include "commands/report.hpp"
#include "commands/text.hpp"

namespace entente::commands {
namespace {

std::string cell(const std::optional<Spread>& s) {
    if (!s) return "–";
    const int digits = s->mean < 10 ? 3 : 1;
    return decimal(s->mean, digits) + (s->error > 0 ? " ± " + decimal(s->error, digits) : "");
}

std::string metric_table(const Tables& tables, const std::vector<Training>& trainings, std::size_t m) {
    std::string html = "<div class=\"scroll\"><table><thead><tr><th>" + std::string(task::metric_names()[static_cast<std::size_t>(tables.task.metrics[m]) - 1]) + "</th><th>rows</th>";
    for (const Training& t : trainings) html += "<th>" + html_text(t.name) + "</th>";
    html += "</tr></thead><tbody>";
    for (std::size_t i = 0; i < trainings.front().seeds.front().size(); ++i) {
        const TableScore& first = trainings.front().seeds.front()[i];
        html += "<tr><td>" + html_text(first.who) + "</td><td>" + grouped(first.examples) + "</td>";
        for (const Training& t : trainings) html += "<td>" + cell(spread_of(t, i, m)) + "</td>";
        html += "</tr>";
    }
    return html + "</tbody></table></div>\n";
}

std::string joining_table(const Tables& tables, const Training& local, const Training& to) {
    std::string html = "<div class=\"scroll\"><table><thead><tr><th>" + html_text(to.name) + " instead of local</th><th>gain</th><th>95 % interval</th><th></th></tr></thead><tbody>";
    for (const Gain& g : gains_of(tables, local, to)) {
        if (!g.spread) continue;
        const std::string interval = to.seeds.size() > 1 ? decimal(g.spread->mean - g.spread->interval, 3) + " to " + decimal(g.spread->mean + g.spread->interval, 3) : "one seed";
        html += "<tr><td>" + html_text(g.who) + "</td><td>" + decimal(g.spread->mean, 3) + "</td><td>" + interval + "</td><td>" +
                (g.verdict > 0 ? "gains" : g.verdict < 0 ? "<strong>loses</strong>" : "open") + "</td></tr>";
    }
    return html + "</tbody></table></div>\n";
}

// Of rows with about the same probability, how often it came true.
std::string calibration(const std::vector<task::Predictions>& federated) {
    constexpr std::size_t bins = 10;
    std::vector<double> said(bins), came(bins), rows(bins);
    for (const task::Predictions& p : federated) {
        for (std::size_t i = 0; i < p.scores.size(); ++i) {
            const double score = std::clamp(static_cast<double>(p.scores[i]), 0.0, 1.0);
            const std::size_t b = std::min(bins - 1, static_cast<std::size_t>(score * bins));
            said[b] += score;
            came[b] += static_cast<double>(p.labels[i]);
            rows[b] += 1.0;
        }
    }
    Chart chart{"How often it came true (1), were it as said (2)", "probability said, %", " %", 0, true, {}};
    ChartLine model, ideal;
    for (std::size_t b = 0; b < bins; ++b) {
        if (rows[b] == 0) continue;
        model.x.push_back(100.0 * said[b] / rows[b]);
        model.y.push_back(100.0 * came[b] / rows[b]);
        ideal.x.push_back(model.x.back());
        ideal.y.push_back(model.x.back());
    }
    model.low = model.high = model.y;
    ideal.low = ideal.high = ideal.y;
    chart.lines = {model, ideal};
    return line_chart(chart);
}

std::string confusion(const std::vector<task::Predictions>& federated) {
    task::Confusion all;
    for (const task::Predictions& p : federated) all.add(task::confusion_at(p.scores, p.labels, p.threshold));
    return "<div class=\"scroll\"><table><thead><tr><th></th><th>alarm</th><th>no alarm</th></tr></thead><tbody><tr><td>event</td><td>" + grouped(all.true_positive) + "</td><td>" +
           grouped(all.false_negative) + "</td></tr><tr><td>none</td><td>" + grouped(all.false_positive) + "</td><td>" + grouped(all.true_negative) + "</td></tr></tbody></table></div>\n";
}

std::string features(const Tables& tables, const std::vector<double>& importance) {
    const std::vector<std::string> names = task::feature_names(tables.task);
    std::vector<std::size_t> order(importance.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&importance](std::size_t a, std::size_t b) { return importance[a] > importance[b]; });
    std::string html = "<div class=\"scroll\"><table><thead><tr><th>feature</th><th>share of all gains</th></tr></thead><tbody>";
    for (std::size_t k = 0; k < std::min<std::size_t>(15, order.size()) && importance[order[k]] > 0; ++k) {
        html += "<tr><td>" + html_text(names[order[k]]) + "</td><td>" + decimal(100.0 * importance[order[k]], 1) + " %</td></tr>";
    }
    return html + "</tbody></table></div>\n";
}

}  // namespace

std::string table_report(const Tables& tables, const std::vector<Training>& trainings, const std::vector<task::Predictions>& federated, const std::vector<double>& importance) {
    const std::string title = tables.task.title.empty() ? tables.task.name : tables.task.title;
    const std::size_t seeds = trainings.front().seeds.size();
    std::string html = "<p>" + std::to_string(tables.partners.size()) + " partners; rows behind the split, which no model has seen; " +
                       (seeds == 1 ? std::string("one seed") : "means over " + std::to_string(seeds) + " seeds and their standard errors") + ".</p>\n<h2>What came of it</h2>\n";
    for (std::size_t m = 0; m < tables.task.metrics.size(); ++m) html += "<div style=\"margin-bottom:1.5rem\">" + metric_table(tables, trainings, m) + "</div>";
    const auto named = [&trainings](std::string_view name) { return std::find_if(trainings.begin(), trainings.end(), [name](const Training& t) { return t.name == name; }); };
    if (named("local") != trainings.end() && !tables.task.metrics.empty()) {
        html += "<h2>Who gains and who loses by joining</h2>\n";
        for (const char* name : {"federated", "fine-tuned"}) {
            if (named(name) != trainings.end()) html += joining_table(tables, *named("local"), *named(name));
        }
    }
    const bool has_labels = std::any_of(federated.begin(), federated.end(), [](const task::Predictions& p) { return !p.labels.empty(); });
    const bool has_probabilities = has_labels && tables.task.label.kind != task::LabelKind::none;
    if (has_labels) html += "<h2>Alarms of the common model, first seed</h2>\n" + confusion(federated);
    if (has_probabilities) html += "<h2>Are its probabilities met?</h2>\n<div style=\"max-width:30rem\">" + calibration(federated) + "</div>\n";
    if (!importance.empty()) html += "<h2>What the trees split by</h2>\n" + features(tables, importance);
    return html_page(title, html);
}

}  // namespace entente::commands
