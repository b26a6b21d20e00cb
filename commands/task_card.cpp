#include "commands/task_card.hpp"

#include <algorithm>
#include <cmath>

#include "commands/text.hpp"
#include "entente/base/json.hpp"
#include "entente/table/number.hpp"

namespace entente::commands {
namespace {

std::string row(const std::string& what, const std::string& value) { return "| " + what + " | " + value + " |\n"; }

// What others wrote stays in its cell.
std::string cell(std::string_view text) {
    std::string out = printable(text);
    std::replace(out.begin(), out.end(), '|', '/');
    return out;
}

std::string label_text(const task::Task& t) {
    switch (t.label.kind) {
        case task::LabelKind::none: return "whether a row is like the rows trained on (an autoencoder's error)";
        case task::LabelKind::flag: return t.label.column + ", 0 or 1";
        case task::LabelKind::value: return t.label.column + ", a number";
        case task::LabelKind::later: return "whether " + t.label.column + " is more than " + decimal(t.label.tolerance_days, 0) + " days behind the row's time";
        case task::LabelKind::remaining: return "rows until the last of the group, at most " + decimal(t.label.cap, 0);
    }
    return {};
}

std::string split_text(const task::Task& t) {
    const task::Split& s = t.split;
    const std::string by_name = decimal(100.0 * s.test_share, 0) + " % of the groups, by their names' hash";
    switch (s.kind) {
        case task::SplitKind::none: return "none: every row is trained on";
        case task::SplitKind::time:
            return "by time: rows from " + table::format_instant(s.at) + " on are only scored" + (s.keep_whole.empty() ? "" : "; each " + s.keep_whole + " stays whole");
        case task::SplitKind::group: return "only scored: " + by_name;
        case task::SplitKind::head: return "the first " + std::to_string(s.head_rows) + " rows of each group are trained on";
        case task::SplitKind::marked: return "only scored: groups that " + s.column + " marks" + (s.last_only ? ", by their last window" : "") + "; of a file without it, " + by_name;
    }
    return {};
}

std::string known_too_late(const task::Task& t) {
    std::string names;
    for (const task::Column& c : t.columns) {
        if (c.role == task::Role::forbidden) names += (names.empty() ? "" : ", ") + cell(c.name);
    }
    return names;
}

std::string_view text_at(const Json& object, std::string_view name) {
    const Json* found = object.find(name);
    return found != nullptr && found->kind == Json::Kind::string ? std::string_view(found->text) : std::string_view();
}

std::optional<double> number_at(const Json* object, std::string_view name) {
    const Json* found = object == nullptr ? nullptr : object->find(name);
    if (found == nullptr || found->kind != Json::Kind::number) return std::nullopt;
    const auto read = table::parse_number(found->text, '.');
    return read && std::fabs(*read) < 1e15 ? read : std::nullopt;
}

}  // namespace

TaskFacts task_facts(const Tables& tables, const std::vector<Training>& trainings) {
    TaskFacts facts;
    facts.task = tables.task;
    for (std::size_t i = 0; i < tables.partners.size(); ++i) {
        facts.partners.push_back({tables.names[i], to_hex(tables.digests[i]), tables.partners[i].train.last_rows.size(), tables.partners[i].test.last_rows.size()});
    }
    for (std::size_t m = 0; m < tables.task.metrics.size(); ++m) {
        CardScores& scores = facts.scores.emplace_back();
        scores.metric = metric_name(tables, m);
        for (const Training& t : trainings) scores.trainings.push_back(t.name);
        const std::vector<TableScore>& whos = trainings.front().seeds.front();
        for (std::size_t who = 0; who < whos.size(); ++who) {
            auto& [name, values] = scores.rows.emplace_back(whos[who].who, std::vector<std::string>{});
            for (const Training& t : trainings) values.push_back(spread_text(spread_of(t, who, m)));
        }
    }
    const std::size_t seeds = trainings.front().seeds.size();
    facts.how = "Simulated, " + (seeds == 1 ? std::string("one seed") : std::to_string(seeds) + " seeds: means and their standard errors") + ".";
    return facts;
}

Status read_given(std::string_view lines, TaskFacts& facts) {
    for (const task::Metric m : facts.task.metrics) facts.scores.push_back({std::string(task::metric_names()[static_cast<std::size_t>(m) - 1]), {"alone", "together"}, {}});
    for (std::size_t number = 1; !lines.empty(); ++number) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        const std::string_view line = lines.substr(0, end);
        lines.remove_prefix(std::min(end + 1, lines.size()));
        if (line.empty()) continue;
        const std::string at = "line " + std::to_string(number) + ": ";
        auto read = read_json(line);
        if (!read.ok()) return Error{read.error().code, read.error().reason, at + read.error().message};
        const Json* data = read->find("data");
        const std::string who(text_at(*read, "participant"));
        const auto train = number_at(data, "train"), test = number_at(data, "test");
        if (who.empty() || !train || !test || *train < 0 || *test < 0 || !digest_from_hex(text_at(*data, "digest")).ok()) {
            return Error{Code::invalid_argument, "card.given", at + "expected what `entente join --json` ends with: participant and data with digest, train and test"};
        }
        facts.partners.push_back({who, std::string(text_at(*data, "digest")), static_cast<std::uint64_t>(*train), static_cast<std::uint64_t>(*test)});
        for (CardScores& scores : facts.scores) {
            scores.rows.push_back({who, {value_text(number_at(read->find("metrics_alone"), scores.metric)), value_text(number_at(read->find("metrics_federated"), scores.metric))}});
        }
    }
    facts.how = "As the partners gave it, each of its own rows.";
    return done();
}

std::string task_section(const TaskFacts& facts) {
    const task::Task& t = facts.task;
    std::string text = "\n## Task\n\n| | |\n|---|---|\n" + row("task", cell(t.title.empty() ? t.name : t.name + ": " + t.title)) + row("says", cell(label_text(t))) + row("split", cell(split_text(t)));
    if (t.window.length > 1) text += row("window", std::to_string(t.window.length) + " rows of one group");
    text += row("scaling", std::string(task::scaling_kind_names()[static_cast<std::size_t>(t.scaling.kind) - 1]) + (t.scaling.regime.empty() ? "" : ", by " + cell(t.scaling.regime)));
    text += row("inputs", grouped(task::feature_names(t).size()) + " numbers");
    if (t.trees) text += row("model", std::to_string(t.trees->trees) + " boosted trees of depth " + std::to_string(t.trees->depth));
    if (const std::string late = known_too_late(t); !late.empty()) text += row("left out, known too late", late);
    if (facts.partners.empty()) return text + "\nData and scores are the partners' to give (`--partners`); they are not known here.\n";
    text += "\n## Data\n\n| partner | to train on | to score | digest of its rows (SHA-256) |\n|---|---|---|---|\n";
    for (const CardPartner& p : facts.partners) text += "| " + cell(p.who) + " | " + grouped(p.train) + " | " + grouped(p.test) + " | `" + cell(p.data) + "` |\n";
    text += "\n## Scores\n\nOf rows behind the split, which no model has seen. " + facts.how + "\n";
    for (const CardScores& scores : facts.scores) {
        text += "\n| " + scores.metric;
        for (const std::string& training : scores.trainings) text += " | " + training;
        text += " |\n|---";
        for (std::size_t i = 0; i < scores.trainings.size(); ++i) text += "|---";
        text += "|\n";
        for (const auto& [who, values] : scores.rows) {
            text += "| " + cell(who);
            for (const std::string& value : values) text += " | " + value;
            text += " |\n";
        }
    }
    return text;
}

}  // namespace entente::commands
