#include "commands/table_course.hpp"

#include <algorithm>

#include "commands/chart.hpp"
#include "commands/report.hpp"
#include "commands/table_outcome.hpp"
#include "commands/text.hpp"
#include "entente/task/sums.hpp"

namespace entente::commands {
namespace {

void add_point(ChartLine& line, std::uint64_t at, std::optional<double> value) {
    if (!value) return;
    line.x.push_back(static_cast<double>(at));
    line.y.push_back(*value);
    line.low = line.high = line.y;
}

// All partners' rows as a line of its own, what partners alone come to beside it, and each partner's rows thin.
Chart metric_chart(const Course& course, const Tables& tables, std::optional<double> local) {
    Chart chart{std::string(metric_name(tables, 0)) + ": the common model on all rows (1)", std::string(course.counted), "", 3, false, {}};
    const std::size_t whos = course.steps.front().scores.size();
    for (std::size_t k = 0; k < whos; ++k) {
        const std::size_t who = (k + whos - 1) % whos;  // "all" is the last
        ChartLine line{course.steps.front().scores[who].who, {}, {}, {}, {}, k > 0};
        for (const CourseStep& step : course.steps) add_point(line, step.at, step.scores[who].metrics.front());
        chart.lines.push_back(std::move(line));
        if (k > 0 || !local) continue;
        ChartLine alone{"partners alone", {}, {}, {}, {}, false};
        for (const std::uint64_t at : {course.steps.front().at, course.steps.back().at}) add_point(alone, at, local);
        chart.lines.push_back(std::move(alone));
        chart.title += ", partners alone at their end (2)";
    }
    if (whos > 2) chart.title += "; thin, on each partner's rows";
    return chart;
}

Chart loss_chart(const Course& course) {
    Chart chart{"Loss: rows behind the split (1), while training (2)", std::string(course.counted), "", 3, false, {}};
    ChartLine behind{"behind the split", {}, {}, {}, {}, false}, training{"while training", {}, {}, {}, {}, false};
    for (const CourseStep& step : course.steps) {
        add_point(behind, step.at, step.loss);
        add_point(training, step.at, step.train_loss);
    }
    if (!behind.x.empty()) chart.lines = {behind, training};
    return chart;
}

std::string steps_table(const Course& course, const Tables& tables) {
    const bool losses = course.steps.front().loss.has_value();
    std::string html = "<thead><tr><th>" + std::string(course.counted) + "</th>";
    for (std::size_t m = 0; m < tables.task.metrics.size(); ++m) html += "<th>" + std::string(metric_name(tables, m)) + "</th>";
    html += losses ? "<th>loss</th><th>while training</th></tr></thead><tbody>" : "</tr></thead><tbody>";
    for (const CourseStep& step : course.steps) {
        html += "<tr><td>" + std::to_string(step.at) + "</td>";
        for (const auto& value : step.scores.back().metrics) html += "<td>" + value_text(value) + "</td>";
        html += losses ? "<td>" + value_text(step.loss) + "</td><td>" + value_text(step.train_loss) + "</td></tr>" : "</tr>";
    }
    return "<details><summary>The curves of all rows as a table</summary>" + html_table("The common model on all rows", html + "</tbody>") + "</details>\n";
}

}  // namespace

Status add_step(Course& course, const Tables& tables, std::uint64_t at, TableModel model) {
    const std::vector<TableModel> models{std::move(model)};
    ENTENTE_ASSIGN(const std::vector<task::Predictions> said, predict_tables(tables, models));
    course.steps.push_back({at, score_tables(tables, said), {}, {}});
    return done();
}

void add_bytes(Course& course, const Tables& tables, const plan::Plan& plan, const std::vector<memory::RoundResult>& rounds) {
    std::uint64_t up = 0, down = 0;
    for (const memory::RoundResult& r : rounds) {
        up += r.bytes_up;
        down += r.bytes_down;
    }
    course.how = "Models and updates are counted as their envelopes, signed and compressed";
    if (task::shares_statistics(tables.task)) {
        const std::uint64_t sums = std::uint64_t{task::sum_count(tables.task)} * task::sum_digits * plan.aggregation.grid.bytes_per_value();
        course.crossed.push_back({"statistics", true, sums * tables.partners.size()});
        course.how += "; statistics, given once, as the plan's grid carries them";
    }
    course.crossed.push_back({"models", false, down});
    course.crossed.push_back({"updates", true, up});
    course.how += ".";
}

Status follow_trees(Course& course, const Tables& tables, const trees::Forest& forest, std::uint64_t answered) {
    constexpr std::size_t places = 20;
    course.counted = "trees";
    const std::size_t all = forest.trees.size(), stride = (all + places - 1) / places;
    for (std::size_t n = all % stride == 0 ? stride : all % stride; n <= all; n += stride) {
        trees::Forest some = forest;
        some.trees.resize(n);
        ENTENTE_TRY(add_step(course, tables, n, {{}, std::move(some)}));
    }
    const std::uint64_t partners = tables.partners.size();
    std::uint64_t nodes = 0;
    for (const trees::Tree& tree : forest.trees) nodes += tree.size();
    if (task::shares_statistics(tables.task)) course.crossed.push_back({"statistics", true, partners * task::sum_count(tables.task) * task::sum_digits * sizeof(std::int16_t)});
    course.crossed.push_back({"counts of the cells", true, partners * (std::uint64_t{forest.features} * trees::sketch_cells + 2) * sizeof(std::uint64_t)});
    course.crossed.push_back({"nodes of the trees", false, partners * nodes * sizeof(trees::Node)});
    course.crossed.push_back({"sums of derivatives", true, partners * answered * sizeof(std::int64_t)});
    course.how = "Trees are simulated: sums and counts are taken as 64-bit integers, not packed, in no envelope; statistics as 16-bit digits.";
    return done();
}

std::string course_curves(const Course& course, const Tables& tables, std::optional<double> local) {
    if (course.steps.empty() || tables.task.metrics.empty()) return {};
    return "<div class=\"charts\">" + line_chart(metric_chart(course, tables, local)) + line_chart(loss_chart(course)) + "</div>\n" + steps_table(course, tables);
}

std::string course_bytes(const Course& course, const Tables& tables) {
    std::string html = "<thead><tr><th>what</th><th>direction</th><th>all partners</th><th>a partner, mean</th></tr></thead><tbody>";
    std::uint64_t sum = 0;
    const auto row = [&html, &tables](const std::string& what, const char* direction, std::uint64_t bytes) {
        html += "<tr><td>" + html_text(what) + "</td><td>" + direction + "</td><td>" + human_bytes(bytes) + "</td><td>" + human_bytes(bytes / tables.partners.size()) + "</td></tr>";
    };
    for (const Crossing& c : course.crossed) {
        row(c.what, c.up ? "up, from partners" : "down, to partners", c.bytes);
        sum += c.bytes;
    }
    row("in all", "", sum);
    return html_table("What crossed the border", html + "</tbody>") + "<p class=\"soft\">" + html_text(course.how) + "</p>\n";
}

std::string course_csv(const Course& course, const Tables& tables) {
    std::string csv = std::string(course.counted) + ",who,metric,value\n";
    for (const CourseStep& step : course.steps) {
        const auto line = [&csv, &step](const std::string& who, std::string_view metric, const std::optional<double>& value) {
            if (value) csv += std::to_string(step.at) + "," + csv_text(who) + "," + std::string(metric) + "," + decimal(*value, 9) + "\n";
        };
        for (const TableScore& score : step.scores) {
            for (std::size_t m = 0; m < score.metrics.size(); ++m) line(score.who, metric_name(tables, m), score.metrics[m]);
        }
        line("all", "loss", step.loss);
        line("all", "train-loss", step.train_loss);
    }
    return csv;
}

}  // namespace entente::commands
