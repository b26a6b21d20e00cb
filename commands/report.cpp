#include "commands/report.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "commands/chart.hpp"
#include "commands/text.hpp"

namespace entente::commands {
namespace {

// Colours of their own for light and dark; the first is the accent.
constexpr std::string_view style = R"(
:root{color-scheme:light dark;--paper:#fbfaf7;--ink:#1c1b19;--soft:#6b6862;--rule:#ddd9d0;
--c0:#0b6bcb;--c1:#c2410c;--c2:#15803d;--c3:#7e22ce;--c4:#a16207;--c5:#be185d}
@media(prefers-color-scheme:dark){:root{--paper:#161514;--ink:#eceae5;--soft:#a3a099;--rule:#3a3835;
--c0:#6cb4ff;--c1:#ff9b63;--c2:#6fd68f;--c3:#c89bff;--c4:#e5c04d;--c5:#ff8fbd}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:70rem;margin:0 auto;padding:1.5rem 1rem 4rem}h1{font-size:1.6rem;margin:0 0 .25rem}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem}p{margin:.3rem 0;max-width:45rem}.soft{color:var(--soft)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1.5rem}
figure{margin:0}figcaption{font-weight:600;margin-bottom:.3rem}svg{width:100%;height:auto;display:block}
svg text{font:12px system-ui,sans-serif;fill:var(--soft)}svg .grid{stroke:var(--rule)}
.line{fill:none;stroke:var(--c);stroke-width:1.8}.band{fill:var(--c);opacity:.18}.bar{fill:var(--c)}
.thin{fill:none;stroke:var(--soft);stroke-width:1;opacity:.45}.thin:hover{opacity:1;stroke-width:2}.dot{fill:var(--c);opacity:0}.dot:hover{opacity:1}svg .end{fill:var(--c);font-weight:600}
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .9rem .3rem 0;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
.all td{font-weight:600}th:first-child,td:first-child{text-align:left}th{font-weight:600;color:var(--soft)}
.key{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;background:var(--c);margin-right:.45rem}
pre{overflow-x:auto;padding:.8rem;border:1px solid var(--rule);border-radius:.4rem;font-size:.85rem}
code{font-size:.85rem;overflow-wrap:anywhere}summary{cursor:pointer;padding:.3rem 0}
)";

// The runs that differ in their seed alone.
using Group = std::vector<const RunSummary*>;

std::vector<Group> groups_of(const std::vector<RunSummary>& runs) {
    std::vector<Group> groups;
    for (const RunSummary& run : runs) {
        const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.front()->label == run.label; });
        if (same == groups.end()) {
            groups.push_back({&run});
        } else {
            same->push_back(&run);
        }
    }
    return groups;
}

bool scored(const memory::RoundResult& round) { return round.federated.examples > 0; }

ChartLine line_of(const Group& group, const std::function<double(const RunSummary&, std::size_t)>& value, bool evaluated) {
    ChartLine line;
    line.label = group.front()->label;
    std::size_t rounds = group.front()->rounds.size();
    for (const RunSummary* run : group) rounds = std::min(rounds, run->rounds.size());
    for (std::size_t r = 0; r < rounds; ++r) {
        if (evaluated && !scored(group.front()->rounds[r])) continue;
        double sum = 0;
        double low = value(*group.front(), r);
        double high = low;
        for (const RunSummary* run : group) {
            const double v = value(*run, r);
            sum += v;
            low = std::min(low, v);
            high = std::max(high, v);
        }
        line.x.push_back(static_cast<double>(group.front()->rounds[r].round));
        line.y.push_back(sum / static_cast<double>(group.size()));
        line.low.push_back(low);
        line.high.push_back(high);
    }
    return line;
}

double last_accuracy(const RunSummary& run) {
    for (auto it = run.rounds.rbegin(); it != run.rounds.rend(); ++it) {
        if (scored(*it)) return it->federated.accuracy();
    }
    return 0;
}

std::uint64_t total(const RunSummary& run, std::uint64_t memory::RoundResult::* member) {
    std::uint64_t sum = 0;
    for (const memory::RoundResult& round : run.rounds) sum += round.*member;
    return sum;
}

std::string spread(const Group& group, const std::function<double(const RunSummary&)>& value, int digits) {
    double sum = 0;
    double low = value(*group.front());
    double high = low;
    for (const RunSummary* run : group) {
        sum += value(*run);
        low = std::min(low, value(*run));
        high = std::max(high, value(*run));
    }
    std::string text = decimal(sum / static_cast<double>(group.size()), digits);
    if (group.size() > 1) text += " (" + decimal(low, digits) + " to " + decimal(high, digits) + ")";
    return text;
}

std::string partner_range(const RunSummary& run) {
    if (run.partner_accuracy.empty()) return "-";
    std::vector<double> sorted = run.partner_accuracy;
    std::sort(sorted.begin(), sorted.end());
    return decimal(sorted.front(), 3) + " · " + decimal(sorted[sorted.size() / 2], 3) + " · " + decimal(sorted.back(), 3);
}

std::string summary_table(const std::vector<Group>& groups) {
    std::string html = "<thead><tr><th>run</th><th>seeds</th><th>accuracy</th><th>partners: least · middle · most</th>"
                       "<th>sent</th><th>received</th><th>seconds</th></tr></thead><tbody>";
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const Group& group = groups[i];
        const std::string& label = group.front()->label;
        html += "<tr><td><span class=\"key c" + std::to_string(i % 6) + "\"></span>" + std::to_string(i + 1) + ": " +
                html_text(label.empty() ? "as planned" : label) + "</td><td>" + std::to_string(group.size()) + "</td><td>" +
                spread(group, last_accuracy, 4) + "</td><td>" + partner_range(*group.front()) + "</td><td>" +
                human_bytes(total(*group.front(), &memory::RoundResult::bytes_up)) + "</td><td>" +
                human_bytes(total(*group.front(), &memory::RoundResult::bytes_down)) + "</td><td>" +
                spread(group, [](const RunSummary& r) { return r.seconds; }, 1) + "</td></tr>";
    }
    return html_table("What came of it", html + "</tbody>");
}

std::string charts(const std::vector<Group>& groups) {
    Chart accuracy{"Accuracy on the evaluation data", "round", "", 4, false, {}};
    Chart loss{"Loss: evaluation", "round", "", 3, true, {}};
    Chart sent{"Sent by all partners, so far", "round", " MB", 1, true, {}};
    std::vector<std::vector<double>> spreads;
    for (const Group& group : groups) {
        accuracy.lines.push_back(line_of(group, [](const RunSummary& r, std::size_t i) { return r.rounds[i].federated.accuracy(); }, true));
        loss.lines.push_back(line_of(group, [](const RunSummary& r, std::size_t i) { return r.rounds[i].federated.mean_loss(); }, true));
        const auto so_far = [](const RunSummary& r, std::size_t i) {
            double sum = 0;
            for (std::size_t k = 0; k <= i; ++k) sum += static_cast<double>(r.rounds[k].bytes_up);
            return sum / 1e6;
        };
        sent.lines.push_back(line_of(group, so_far, false));
        spreads.emplace_back();
        for (const RunSummary* run : group) {
            spreads.back().insert(spreads.back().end(), run->partner_accuracy.begin(), run->partner_accuracy.end());
        }
    }
    return "<div class=\"charts\">" + line_chart(accuracy) + line_chart(loss) + histogram("How the model does with each partner", spreads, 20) +
           line_chart(sent) + "</div>\n";
}

std::string cell(bool known, double value, int digits) { return known ? decimal(value, digits) : std::string(); }

}  // namespace

std::string html_page(const std::string& title, const std::string& body) {
    return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>" +
           html_text(title) + "</title><style>" + std::string(style) + "</style></head><body><main>\n<h1>" + html_text(title) + "</h1>\n" + body + "</main></body></html>\n";
}

std::string html_table(const std::string& label, const std::string& rows) {
    return "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + html_text(label) + "\"><table>" + rows + "</table></div>\n";
}

std::string html_report(const Report& report) {
    const std::vector<Group> groups = groups_of(report.runs);
    std::string html = "<p>" + html_text(report.data) + "</p>\n";
    if (report.runs.size() > groups.size()) html += "<p class=\"soft\">Bands reach from the lowest to the highest seed; lines are their mean.</p>\n";
    html += "<h2>What came of it</h2>\n" + summary_table(groups) + "<h2>Curves</h2>\n" + charts(groups);
    html += "<h2>Digests</h2>\n";
    for (const RunSummary& run : report.runs) {
        html += "<p>" + html_text(run.label + (run.label.empty() ? "" : ", ")) + "seed " + std::to_string(run.seed) + ": plan <code>" +
                to_hex(run.plan) + "</code>, model <code>" + to_hex(run.model) + "</code></p>\n";
    }
    html += "<h2>The plan" + std::string(report.runs.size() > 1 ? " of the first run" : "") + "</h2>\n<pre tabindex=\"0\">" +
            html_text(report.plan_toml) + "</pre>\n<h2>The numbers</h2>\n<details><summary>Every round as a table</summary><pre tabindex=\"0\">" +
            html_text(metrics_csv(report.runs)) + "</pre></details>\n";
    return html_page(report.title, html);
}

std::string metrics_csv(const std::vector<RunSummary>& runs) {
    std::string csv = "run,seed,round,accuracy,loss,train_loss,seconds,bytes_up,bytes_down,partners\n";
    for (const RunSummary& run : runs) {
        const std::size_t without = run.rounds.size() - std::min(run.rounds.size(), run.round_seconds.size());
        for (std::size_t i = 0; i < run.rounds.size(); ++i) {
            const memory::RoundResult& r = run.rounds[i];
            csv += (run.label.empty() ? "" : "\"" + run.label + "\"") + "," + std::to_string(run.seed) + "," + std::to_string(r.round) +
                   "," + cell(scored(r), r.federated.accuracy(), 6) + "," + cell(scored(r), r.federated.mean_loss(), 6) + "," +
                   decimal(r.train_loss, 6) + "," + cell(i >= without, i >= without ? run.round_seconds[i - without] : 0, 3) + "," +
                   std::to_string(r.bytes_up) + "," + std::to_string(r.bytes_down) + "," + std::to_string(r.contributors) + "\n";
        }
    }
    return csv;
}

std::string partners_csv(const std::vector<RunSummary>& runs) {
    std::string csv = "run,seed,partner,accuracy\n";
    for (const RunSummary& run : runs) {
        for (std::size_t i = 0; i < run.partner_accuracy.size(); ++i) {
            csv += (run.label.empty() ? "" : "\"" + run.label + "\"") + "," + std::to_string(run.seed) + "," + std::to_string(i + 1) +
                   "," + decimal(run.partner_accuracy[i], 6) + "\n";
        }
    }
    return csv;
}

}  // namespace entente::commands
