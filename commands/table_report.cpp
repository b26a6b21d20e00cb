#include "commands/table_report.hpp"

#include <algorithm>

#include "commands/chart.hpp"
#include "commands/report.hpp"
#include "commands/text.hpp"

namespace entente::commands {
namespace {

std::string metric_table(const Tables& tables, const std::vector<Training>& trainings, std::size_t m) {
    const std::string name(metric_name(tables, m));
    std::string html = "<thead><tr><th>" + name + "</th><th>rows</th>";
    for (const Training& t : trainings) html += "<th>" + html_text(t.name) + "</th>";
    html += "</tr></thead><tbody>";
    for (std::size_t i = 0; i < trainings.front().seeds.front().size(); ++i) {
        const TableScore& first = trainings.front().seeds.front()[i];
        html += std::string(first.who == "all" ? "<tr class=\"all\">" : "<tr>") + "<td>" + html_text(first.who) + "</td><td>" + grouped(first.examples) + "</td>";
        for (const Training& t : trainings) html += "<td>" + spread_text(spread_of(t, i, m)) + "</td>";
        html += "</tr>";
    }
    return html_table(name, html + "</tbody>");
}

// What a reader who goes no further should have read.
std::string said_first(const Tables& tables, const std::vector<Training>& trainings) {
    if (tables.task.metrics.empty()) return {};
    std::string values;
    for (const Training& t : trainings) {
        values += (values.empty() ? "" : ", ") + html_text(t.name) + " " + spread_text(spread_of(t, t.seeds.front().size() - 1, 0));
    }
    std::string html = "<p>" + std::string(metric_name(tables, 0)) + (task::lower_is_better(tables.task.metrics.front()) ? " (less is better)" : "") + " over all rows: " + values + ".";
    const Training *local = find_training(trainings, "local"), *federated = find_training(trainings, "federated");
    if (local != nullptr && tables.partners.size() > 1) html += " With everybody's model " + html_text(joining_sentence(tables, gains_of(tables, *local, *federated)));
    return html + "</p>\n";
}

std::string joining_table(const Tables& tables, const Training& local, const Training& to) {
    const std::string name = to.name + " instead of local";
    std::string html = "<thead><tr><th>" + html_text(name) + "</th><th>gain</th><th>95 % interval</th><th>verdict</th></tr></thead><tbody>";
    for (const Gain& g : gains_of(tables, local, to)) {
        if (!g.spread) continue;
        const std::string interval = to.seeds.size() > 1 ? decimal(g.spread->mean - g.spread->interval, 3) + " to " + decimal(g.spread->mean + g.spread->interval, 3) : "one seed";
        html += "<tr><td>" + html_text(g.who) + "</td><td>" + decimal(g.spread->mean, 3) + "</td><td>" + interval + "</td><td>" +
                (g.verdict > 0 ? "gains" : g.verdict < 0 ? "<strong>loses</strong>" : "open") + "</td></tr>";
    }
    return html_table(name, html + "</tbody>");
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
    return html_table("Alarms", "<thead><tr><th>rows</th><th>alarm</th><th>no alarm</th></tr></thead><tbody><tr><td>event</td><td>" + grouped(all.true_positive) + "</td><td>" +
           grouped(all.false_negative) + "</td></tr><tr><td>none</td><td>" + grouped(all.false_positive) + "</td><td>" + grouped(all.true_negative) + "</td></tr></tbody>");
}

std::string features(const Tables& tables, const std::vector<double>& importance) {
    const std::vector<std::string> names = task::feature_names(tables.task);
    std::vector<std::size_t> order(importance.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&importance](std::size_t a, std::size_t b) { return importance[a] > importance[b]; });
    std::string html = "<thead><tr><th>feature</th><th>share of all gains</th></tr></thead><tbody>";
    for (std::size_t k = 0; k < std::min<std::size_t>(15, order.size()) && importance[order[k]] > 0; ++k) {
        html += "<tr><td>" + html_text(names[order[k]]) + "</td><td>" + decimal(100.0 * importance[order[k]], 1) + " %</td></tr>";
    }
    return html_table("Share of all gains", html + "</tbody>");
}

}  // namespace

std::string table_report(const Tables& tables, const std::vector<Training>& trainings, const Course& course, const std::vector<task::Predictions>& federated,
                         const std::vector<double>& importance) {
    const std::string title = tables.task.title.empty() ? tables.task.name : tables.task.title;
    const std::size_t seeds = trainings.front().seeds.size();
    std::string html = "<p>" + std::to_string(tables.partners.size()) + " partners; rows behind the split, which no model has seen; " +
                       (seeds == 1 ? std::string("one seed") : "means over " + std::to_string(seeds) + " seeds and their standard errors") + ".</p>\n" + said_first(tables, trainings) + "<h2>What came of it</h2>\n";
    for (std::size_t m = 0; m < tables.task.metrics.size(); ++m) html += "<div style=\"margin-bottom:1.5rem\">" + metric_table(tables, trainings, m) + "</div>";
    const Training* local = find_training(trainings, "local");
    const bool has_metrics = !tables.task.metrics.empty();
    if (local != nullptr && has_metrics) {
        html += "<h2>Who gains and who loses by joining</h2>\n";
        for (const char* name : {"federated", "fine-tuned"}) {
            if (const Training* to = find_training(trainings, name)) html += joining_table(tables, *local, *to);
        }
    }
    html += "<h2>How it came about, first seed</h2>\n" + course_curves(course, tables, local != nullptr && has_metrics ? local->seeds.front().back().metrics.front() : std::nullopt);
    html += "<h2>What crossed the border, first seed</h2>\n" + course_bytes(course, tables);
    const bool has_labels = std::any_of(federated.begin(), federated.end(), [](const task::Predictions& p) { return !p.labels.empty(); });
    const bool has_probabilities = has_labels && tables.task.label.kind != task::LabelKind::none;
    if (has_labels) html += "<h2>Alarms of the common model, first seed</h2>\n" + confusion(federated);
    if (has_probabilities) html += "<h2>Are its probabilities met?</h2>\n<div style=\"max-width:30rem\">" + calibration(federated) + "</div>\n";
    if (!importance.empty()) html += "<h2>What the trees split by</h2>\n" + features(tables, importance);
    return html_page(title, html);
}

}  // namespace entente::commands
