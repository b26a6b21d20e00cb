#include "commands/table_outcome.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "commands/text.hpp"

namespace entente::commands {
namespace {

// Student's t, 97.5 %, of 1 to 30 degrees of freedom.
constexpr std::array<double, 30> t_975{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
                                       2.120,  2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};

// The comparisons that say who loses: what a partner would have without the others is what it is held against.
std::vector<std::pair<const Training*, const Training*>> comparisons(const std::vector<Training>& trainings) {
    std::vector<std::pair<const Training*, const Training*>> pairs;
    const Training* local = find_training(trainings, "local");
    for (const char* name : {"federated", "fine-tuned"}) {
        const Training* to = find_training(trainings, name);
        if (local != nullptr && to != nullptr) pairs.emplace_back(local, to);
    }
    return pairs;
}

std::string with_sign(double value) { return (value < 0 ? "−" : "+") + decimal(std::fabs(value), std::fabs(value) < 9.9995 ? 3 : 1); }

const char* verdict_name(int verdict) { return verdict > 0 ? "gains" : verdict < 0 ? "loses" : "open"; }

std::string names_of(const std::vector<Gain>& gains, int verdict) {
    std::string names;
    for (const Gain& g : gains) {
        if (g.spread && g.who != "all" && g.verdict == verdict) names += (names.empty() ? "" : ", ") + printable(g.who);
    }
    return names;
}

std::size_t count_of(const std::vector<Gain>& gains, int verdict) {
    return static_cast<std::size_t>(std::count_if(gains.begin(), gains.end(), [verdict](const Gain& g) { return g.spread && g.who != "all" && g.verdict == verdict; }));
}

}  // namespace

std::string_view metric_name(const Tables& tables, std::size_t m) { return task::metric_names()[static_cast<std::size_t>(tables.task.metrics[m]) - 1]; }

const Training* find_training(const std::vector<Training>& trainings, std::string_view name) {
    const auto found = std::find_if(trainings.begin(), trainings.end(), [name](const Training& t) { return t.name == name; });
    return found == trainings.end() ? nullptr : &*found;
}

std::string value_text(std::optional<double> value) { return value ? decimal(*value, *value < 10 ? 3 : 1) : "–"; }

std::string spread_text(const std::optional<Spread>& s) {
    if (!s) return "–";
    const int digits = std::fabs(s->mean) < 10 ? 3 : 1;
    return decimal(s->mean, digits) + (s->error > 0 ? " ± " + decimal(s->error, digits) : "");
}

std::string csv_text(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
}

std::optional<Spread> spread_of(const std::vector<std::optional<double>>& values) {
    if (values.empty() || std::any_of(values.begin(), values.end(), [](const auto& v) { return !v; })) return std::nullopt;
    const auto n = static_cast<double>(values.size());
    double sum = 0.0, squares = 0.0;
    for (const auto& v : values) sum += *v;
    for (const auto& v : values) squares += (*v - sum / n) * (*v - sum / n);
    Spread s{sum / n, 0.0, 0.0};
    if (values.size() > 1) {
        s.error = std::sqrt(squares / (n - 1.0) / n);
        s.interval = s.error * (values.size() - 2 < t_975.size() ? t_975[values.size() - 2] : 1.96);
    }
    return s;
}

std::optional<Spread> spread_of(const Training& training, std::size_t who, std::size_t metric) {
    std::vector<std::optional<double>> values;
    for (const auto& seed : training.seeds) values.push_back(seed[who].metrics[metric]);
    return spread_of(values);
}

std::vector<Gain> gains_of(const Tables& tables, const Training& from, const Training& to) {
    std::vector<Gain> gains;
    const double better = task::lower_is_better(tables.task.metrics.front()) ? -1.0 : 1.0;
    for (std::size_t who = 0; who < to.seeds.front().size(); ++who) {
        std::vector<std::optional<double>> values;
        for (std::size_t s = 0; s < to.seeds.size(); ++s) {
            const auto& a = from.seeds[s][who].metrics.front();
            const auto& b = to.seeds[s][who].metrics.front();
            values.push_back(a && b ? std::optional<double>(better * (*b - *a)) : std::nullopt);
        }
        Gain g{to.seeds.front()[who].who, spread_of(values), 0};
        if (g.spread && std::fabs(g.spread->mean) > g.spread->interval) g.verdict = g.spread->mean > 0 ? 1 : -1;
        gains.push_back(std::move(g));
    }
    return gains;
}

std::string joining_sentence(const Tables& tables, const std::vector<Gain>& gains) {
    const std::size_t lose = count_of(gains, -1);
    return std::to_string(count_of(gains, 1)) + " of " + std::to_string(tables.partners.size()) + " partners gain; " +
           (lose == 0 ? std::string("none loses") : std::to_string(lose) + (lose == 1 ? " loses: " : " lose: ") + names_of(gains, -1)) + ".";
}

void print_scores(const Tables& tables, const std::vector<Training>& trainings, Environment& environment) {
    const std::size_t width = trainings.front().seeds.size() > 1 ? 17 : 12;
    std::size_t names = 8;
    for (const std::string& name : tables.names) names = std::max(names, printable(name).size());
    for (std::size_t m = 0; m < tables.task.metrics.size(); ++m) {
        const std::string_view metric = metric_name(tables, m);
        std::string head = "\n  " + pad(metric, std::max(names, metric.size())) + "  " + pad("rows", 10);
        for (const Training& t : trainings) head += pad(t.name, width);
        environment.print(head + "\n");
        for (std::size_t i = 0; i < trainings.front().seeds.front().size(); ++i) {
            const TableScore& first = trainings.front().seeds.front()[i];
            std::string line = "  " + pad(printable(first.who), std::max(names, metric.size())) + "  " + pad(grouped(first.examples), 10);
            for (const Training& t : trainings) line += pad(spread_text(spread_of(t, i, m)), width);
            environment.print(line + "\n");
        }
    }
}

void print_gains(const Tables& tables, const std::vector<Training>& trainings, Environment& environment) {
    if (tables.task.metrics.empty() || tables.partners.size() < 2) return;
    std::size_t names = 8;
    for (const std::string& name : tables.names) names = std::max(names, printable(name).size());
    for (const auto& [local, to] : comparisons(trainings)) {
        const std::vector<Gain> gains = gains_of(tables, *local, *to);
        environment.print("\n  " + std::string(metric_name(tables, 0)) + ", " + to->name + " instead of local" +
                          (to->seeds.size() > 1 ? ", 95 % interval over " + std::to_string(to->seeds.size()) + " seeds" : "") + "\n");
        for (const Gain& g : gains) {
            if (!g.spread) continue;
            std::string interval;
            if (to->seeds.size() > 1) interval = pad(with_sign(g.spread->mean - g.spread->interval) + " to " + with_sign(g.spread->mean + g.spread->interval), 20);
            environment.print("  " + pad(printable(g.who), names) + "  " + pad(with_sign(g.spread->mean), 10) + interval + (g.verdict == 0 ? "" : verdict_name(g.verdict)) + "\n");
        }
        environment.print("  " + joining_sentence(tables, gains) + "\n");
    }
}

std::string outcome_json(const Tables& tables, const std::vector<Training>& trainings, const std::vector<double>& importance) {
    std::string list, compared, features;
    for (const Training& t : trainings) {
        for (std::size_t i = 0; i < t.seeds.front().size(); ++i) {
            JsonObject o;
            o.text("training", t.name).text("who", t.seeds.front()[i].who).whole("examples", t.seeds.front()[i].examples);
            for (std::size_t m = 0; m < tables.task.metrics.size(); ++m) {
                const std::optional<Spread> s = spread_of(t, i, m);
                s ? o.number(metric_name(tables, m), s->mean) : o.raw(metric_name(tables, m), "null");
                if (s && t.seeds.size() > 1) o.number(std::string(metric_name(tables, m)) + "-error", s->error);
            }
            list += (list.empty() ? "" : ",") + o.str();
        }
    }
    for (const auto& [local, to] : comparisons(trainings)) {
        for (const Gain& g : gains_of(tables, *local, *to)) {
            if (!g.spread) continue;
            compared += (compared.empty() ? "" : ",") + JsonObject().text("who", g.who).text("training", to->name).text("metric", metric_name(tables, 0))
                            .number("gain", g.spread->mean).number("low", g.spread->mean - g.spread->interval)
                            .number("high", g.spread->mean + g.spread->interval).text("verdict", verdict_name(g.verdict)).str();
        }
    }
    const std::vector<std::string> names = task::feature_names(tables.task);
    for (std::size_t i = 0; i < importance.size(); ++i) {
        if (importance[i] > 0) features += (features.empty() ? "" : ",") + JsonObject().text("feature", names[i]).number("share", importance[i]).str();
    }
    JsonObject all;
    all.text("task", tables.task.name).whole("seeds", trainings.front().seeds.size()).raw("scores", "[" + list + "]").raw("joining", "[" + compared + "]");
    if (!importance.empty()) all.raw("importance", "[" + features + "]");
    return all.str();
}

std::string scores_csv(const Tables& tables, const std::vector<Training>& trainings, const std::vector<std::uint64_t>& seeds) {
    std::string csv = "training,seed,who,examples,metric,value\n";
    for (const Training& t : trainings) {
        for (std::size_t s = 0; s < t.seeds.size(); ++s) {
            for (const TableScore& score : t.seeds[s]) {
                for (std::size_t m = 0; m < score.metrics.size(); ++m) {
                    csv += t.name + "," + std::to_string(seeds[s]) + "," + csv_text(score.who) + "," + std::to_string(score.examples) + "," + std::string(metric_name(tables, m)) + "," +
                           (score.metrics[m] ? decimal(*score.metrics[m], 9) : std::string()) + "\n";
                }
            }
        }
    }
    return csv;
}

std::string gains_csv(const Tables& tables, const std::vector<Training>& trainings) {
    std::string csv = "who,instead_of,training,metric,gain,low,high,verdict\n";
    for (const auto& [local, to] : comparisons(trainings)) {
        for (const Gain& g : gains_of(tables, *local, *to)) {
            if (!g.spread) continue;
            csv += csv_text(g.who) + "," + local->name + "," + to->name + "," + std::string(metric_name(tables, 0)) + "," + decimal(g.spread->mean, 9) + "," +
                   decimal(g.spread->mean - g.spread->interval, 9) + "," + decimal(g.spread->mean + g.spread->interval, 9) + "," + verdict_name(g.verdict) + "\n";
        }
    }
    return csv;
}

}  // namespace entente::commands
