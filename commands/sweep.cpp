#include "commands/sweep.hpp"

#include <algorithm>

#include "commands/plan_toml.hpp"
#include "entente/aggregate/strategy.hpp"

namespace entente::commands {
namespace {

Error bad(const std::string& found) {
    return Error{Code::invalid_argument, "usage.sweep",
                 "--sweep: expected keys of the plan with their values, like training.epochs=1,5, found \"" + found + "\""};
}

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts{""};
    for (const char c : text) {
        if (c == at) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

std::pair<std::string, std::string> section_and_key(const std::string& name) {
    if (name == "strategy") return {"aggregation", "strategy"};
    const std::size_t dot = name.rfind('.');
    if (dot == std::string::npos) return {"", name};
    const std::string section = name.substr(0, dot);
    return {section == "local" ? "training" : section, name.substr(dot + 1)};
}

std::string toml_value(const std::string& value) {
    if (value == "true" || value == "false") return value;
    if (value.find_first_not_of("0123456789.eE+-") == std::string::npos) return value;
    return "\"" + value + "\"";
}

bool sets(const std::string& line, std::string_view key) { return line.starts_with(std::string(key) + " ="); }

// The plan's own text with one line changed: what may stand there is decided by whoever reads plans.
Result<std::string> with(const std::string& toml, const std::string& name, const std::string& value) {
    const auto [section, key] = section_and_key(name);
    std::string out;
    bool inside = false;
    bool found = false;
    for (const std::string& line : split(toml, '\n')) {
        if (!line.empty() && line.front() == '[') inside = false;
        const auto keys = aggregate::strategy_keys();
        const bool tuned = std::any_of(keys.begin(), keys.end(), [&](const auto& k) { return sets(line, k.name); });
        if (inside && (sets(line, key) || (key == "strategy" && tuned))) continue;
        out += line + "\n";
        if (line == "[" + section + "]") {
            inside = true;
            found = true;
            out += key + " = " + toml_value(value) + "\n";
        }
    }
    if (!found) return bad(name + "=" + value);
    return out;
}

}  // namespace

Result<std::vector<SweepPoint>> read_grid(const std::vector<std::string>& terms) {
    std::vector<SweepPoint> grid{{}};
    for (const std::string& term : terms) {
        const std::size_t equals = term.find('=');
        if (equals == 0 || equals == std::string::npos || term.find_first_of("\"\n\r[]") != std::string::npos) return bad(term);
        std::vector<SweepPoint> wider;
        for (const SweepPoint& point : grid) {
            for (const std::string& value : split(term.substr(equals + 1), ',')) {
                if (value.empty()) return bad(term);
                wider.push_back(point);
                wider.back().emplace_back(term.substr(0, equals), value);
            }
        }
        if (wider.size() > most_points) {
            return Error{Code::invalid_argument, "usage.sweep", "--sweep: expected at most " + std::to_string(most_points) + " runs"};
        }
        grid = std::move(wider);
    }
    return grid;
}

Result<plan::Plan> apply(const plan::Plan& plan, const SweepPoint& point) {
    if (point.empty()) return plan;
    std::string toml = write_plan_toml(plan);
    for (const auto& [key, value] : point) {
        ENTENTE_ASSIGN(toml, with(toml, key, value));
    }
    return read_plan_toml(toml, "--sweep");
}

std::string label_of(const SweepPoint& point) {
    std::string label;
    for (const auto& [key, value] : point) label += (label.empty() ? "" : ", ") + key + "=" + value;
    return label;
}

}  // namespace entente::commands
