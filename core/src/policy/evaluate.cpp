#include "entente/policy/evaluate.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

namespace entente::policy {
namespace {

constexpr std::size_t max_constraints = 64;
constexpr std::int64_t ms_per_second = 1000;
constexpr std::int64_t seconds_per_day = 86400;

Verdict deny(std::string code, std::string sentence, std::string operand = {}) {
    return Verdict{false, std::move(code), std::move(sentence), std::move(operand)};
}
Verdict permit() { return Verdict{true, {}, {}, {}}; }

std::optional<std::uint64_t> parse_count(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// Howard Hinnant's days_from_civil (chrono-compatible low-level date algorithms), for years from 1970.
std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) noexcept {
    y -= m <= 2 ? 1 : 0;
    const std::int64_t era = y / 400;
    const auto yoe = static_cast<std::int64_t>(y - era * 400);
    const std::int64_t doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct Civil {
    std::int64_t year;
    unsigned month;
    unsigned day;
};

Civil civil_from_days(std::int64_t z) noexcept {
    z += 719468;
    const std::int64_t era = z / 146097;
    const std::int64_t doe = z - era * 146097;
    const std::int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const std::int64_t mp = (5 * doy + 2) / 153;
    const auto day = static_cast<unsigned>(doy - (153 * mp + 2) / 5 + 1);
    const auto month = static_cast<unsigned>(mp < 10 ? mp + 3 : mp - 9);
    return {yoe + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

// "contractAgreement+30d" relative to the agreement, or an absolute instant. Empty when it is neither.
struct DateBound {
    bool relative = false;
    std::int64_t ms = 0;
};

std::optional<DateBound> parse_date_bound(std::string_view text) noexcept {
    constexpr std::string_view prefix = "contractAgreement+";
    if (!text.starts_with(prefix)) {
        const auto instant = parse_instant_ms(text);
        if (!instant) return std::nullopt;
        return DateBound{false, *instant};
    }
    text.remove_prefix(prefix.size());
    if (text.size() < 2) return std::nullopt;
    std::int64_t unit_s = 0;
    switch (text.back()) {
        case 's': unit_s = 1; break;
        case 'm': unit_s = 60; break;
        case 'h': unit_s = 3600; break;
        case 'd': unit_s = seconds_per_day; break;
        default: return std::nullopt;
    }
    text.remove_suffix(1);
    const auto count = parse_count(text);
    if (!count || *count > 100'000'000) return std::nullopt;
    return DateBound{true, static_cast<std::int64_t>(*count) * unit_s * ms_per_second};
}

bool schema_value_ok(std::string_view text) {
    constexpr std::string_view prefix = "sha256:";
    return text.starts_with(prefix) && digest_from_hex(text.substr(prefix.size())).ok();
}

struct Term {
    const char* operand;
    std::string_view operators;  // separated by blanks
    bool (*value_ok)(std::string_view);
    std::string_view expected;
};

constexpr std::array<Term, 5> terms{{
    {operand::purpose, "eq isAnyOf", [](std::string_view v) { return !v.empty(); }, "a federation's IRI"},
    {operand::min_cohort_size, "gteq", [](std::string_view v) { return parse_count(v).has_value(); }, "a whole number"},
    {operand::max_rounds, "lteq", [](std::string_view v) { return parse_count(v).has_value(); }, "a whole number"},
    {operand::model_schema_hash, "eq", schema_value_ok, "sha256: and 64 hexadecimal digits"},
    {operand::in_force_date, "gteq lteq", [](std::string_view v) { return parse_date_bound(v).has_value(); },
     "contractAgreement+<n>(s|m|h|d) or an instant like 2027-01-31T00:00:00Z"},
}};

const Term* find_term(std::string_view name) {
    const auto it = std::find_if(terms.begin(), terms.end(), [name](const Term& t) { return name == t.operand; });
    return it == terms.end() ? nullptr : &*it;
}

bool lists(std::string_view words, std::string_view word) {
    if (word.empty() || word.find(' ') != std::string_view::npos) return false;
    for (std::size_t at = words.find(word); at != std::string_view::npos; at = words.find(word, at + 1)) {
        const bool starts = at == 0 || words[at - 1] == ' ';
        const bool ends = at + word.size() == words.size() || words[at + word.size()] == ' ';
        if (starts && ends) return true;
    }
    return false;
}

Verdict check_constraint(const Constraint& c) {
    const Term* term = find_term(c.left_operand);
    if (term == nullptr) {
        return deny("policy.unknown-operand", "expected a term of the profile, found \"" + c.left_operand + "\"", c.left_operand);
    }
    if (!lists(term->operators, c.op)) {
        return deny("policy.unknown-operator",
                    "expected operator " + std::string(term->operators) + ", found \"" + c.op + "\"", c.left_operand);
    }
    if (c.right_operand.empty() || (c.op != "isAnyOf" && c.right_operand.size() != 1)) {
        return deny("policy.bad-value", "expected one right operand, found " + std::to_string(c.right_operand.size()),
                    c.left_operand);
    }
    for (const std::string& value : c.right_operand) {
        if (!term->value_ok(value)) {
            return deny("policy.bad-value", "expected " + std::string(term->expected) + ", found \"" + value + "\"",
                        c.left_operand);
        }
    }
    return permit();
}

Verdict missing(const Constraint& c, const char* fact) {
    return deny("policy.missing-fact", std::string("the ") + fact + " is not known here, so this term cannot be judged",
                c.left_operand);
}

Verdict refused(const Constraint& c, const std::string& expected, const std::string& found) {
    return deny("policy.denied", "expected " + expected + ", found " + found, c.left_operand);
}

Verdict check_purpose(const Constraint& c, const Facts& facts) {
    if (!facts.federation) return missing(c, "federation");
    const auto& allowed = c.right_operand;
    if (std::find(allowed.begin(), allowed.end(), *facts.federation) != allowed.end()) return permit();
    return refused(c, "use for " + allowed.front(), *facts.federation);
}

Verdict check_cohort(const Constraint& c, const Facts& facts) {
    if (!facts.cohort) return missing(c, "number of contributing partners");
    const std::uint64_t bound = *parse_count(c.right_operand.front());
    if (*facts.cohort >= bound) return permit();
    return refused(c, "at least " + std::to_string(bound) + " contributing partners", std::to_string(*facts.cohort));
}

Verdict check_rounds(const Constraint& c, const Facts& facts) {
    if (!facts.round) return missing(c, "round");
    const std::uint64_t bound = *parse_count(c.right_operand.front());
    if (*facts.round <= bound) return permit();
    return refused(c, "at most " + std::to_string(bound) + " rounds", "round " + std::to_string(*facts.round));
}

Verdict check_schema(const Constraint& c, const Facts& facts) {
    if (!facts.schema) return missing(c, "model layout");
    const std::string found = "sha256:" + to_hex(*facts.schema);
    if (found == c.right_operand.front()) return permit();
    return refused(c, "the model layout " + c.right_operand.front(), found);
}

Verdict check_date(const Constraint& c, const Facts& facts) {
    const DateBound bound = *parse_date_bound(c.right_operand.front());
    if (!facts.now_ms) return missing(c, "time");
    if (bound.relative && !facts.agreed_at_ms) return missing(c, "time of the agreement");
    const std::int64_t limit = bound.relative ? *facts.agreed_at_ms + bound.ms : bound.ms;
    if (c.op == "gteq" ? *facts.now_ms >= limit : *facts.now_ms <= limit) return permit();
    return refused(c, (c.op == "gteq" ? "not before " : "not after ") + format_instant(limit), format_instant(*facts.now_ms));
}

using Check = Verdict (*)(const Constraint&, const Facts&);

// Which term is judged at which point. A term that a point does not list is judged elsewhere, never ignored
// everywhere: each operand stands at least once.
struct Binding {
    const char* operand;
    std::string_view points;
    Check check;
};

constexpr std::array<Binding, 5> bindings{{
    {operand::purpose, "negotiation transfer ingest release", check_purpose},
    {operand::min_cohort_size, "negotiation release", check_cohort},
    {operand::max_rounds, "transfer ingest release", check_rounds},
    {operand::model_schema_hash, "negotiation ingest release", check_schema},
    {operand::in_force_date, "negotiation transfer monitor ingest release", check_date},
}};

std::string unread_sentence(const std::string& path) {
    for (const std::string_view choice : {"or", "xone", "andSequence"}) {
        if (!path.ends_with("." + std::string(choice)) && !path.ends_with(":" + std::string(choice))) continue;
        return path + ": \"" + std::string(choice) + "\" leaves open what was agreed; expected constraints that all hold";
    }
    return "expected only parts that this software understands, found " + path;
}

std::string_view short_name(std::string_view iri) {
    const auto slash = iri.rfind('/');
    return slash == std::string_view::npos ? iri : iri.substr(slash + 1);
}

}  // namespace

std::string_view to_string(Point point) noexcept {
    switch (point) {
        case Point::catalog: return "catalog";
        case Point::negotiation: return "negotiation";
        case Point::transfer: return "transfer";
        case Point::monitor: return "monitor";
        case Point::ingest: return "ingest";
        case Point::release: return "release";
    }
    return "unknown";
}

Status Verdict::status() const {
    if (permitted) return done();
    const std::string term = operand.empty() ? std::string() : std::string(short_name(operand)) + ": ";
    return Error{Code::permission_denied, code, term + sentence};
}

Verdict check_shape(const Policy& policy) {
    if (policy.profiles.size() != 1 || policy.profiles.front() != profile) {
        return deny("policy.unknown-profile", "expected the profile " + std::string(profile) + ", found " +
                                                  (policy.profiles.empty() ? "none" : policy.profiles.front()));
    }
    if (!policy.unread.empty()) return deny("policy.shape", unread_sentence(policy.unread.front()));
    if (policy.permissions.size() != 1) {
        return deny("policy.shape", "expected exactly one permission, found " + std::to_string(policy.permissions.size()));
    }
    const Rule& rule = policy.permissions.front();
    if (rule.action != action_use) {
        return deny("policy.unknown-action", "expected the action use, found \"" + rule.action + "\"");
    }
    for (const auto* rules : {&policy.prohibitions, &policy.obligations}) {
        if (!rules->empty()) {
            return deny("policy.unknown-action", "no prohibition or obligation can be enforced yet, found \"" +
                                                     rules->front().action + "\"");
        }
    }
    if (rule.constraints.size() > max_constraints) {
        return deny("policy.shape", "expected at most 64 terms, found " + std::to_string(rule.constraints.size()));
    }
    std::map<std::string, int> seen;
    for (const Constraint& constraint : rule.constraints) {
        if (Verdict verdict = check_constraint(constraint); !verdict.permitted) return verdict;
        // Both ends of a period may be given, each once; any other operand only once.
        const bool period = constraint.left_operand == operand::in_force_date;
        const std::string key = constraint.left_operand + (period ? " " + constraint.op : "");
        if (++seen[key] > 1) {
            return deny("policy.shape", "the term appears more than once", constraint.left_operand);
        }
    }
    return permit();
}

Verdict evaluate(const Policy& policy, Point point, const Facts& facts) {
    if (Verdict verdict = check_shape(policy); !verdict.permitted) return verdict;
    for (const Constraint& constraint : policy.permissions.front().constraints) {
        for (const Binding& binding : bindings) {
            if (constraint.left_operand != binding.operand || !lists(binding.points, to_string(point))) continue;
            if (Verdict verdict = binding.check(constraint, facts); !verdict.permitted) return verdict;
        }
    }
    return permit();
}

std::optional<std::int64_t> parse_instant_ms(std::string_view text) noexcept {
    constexpr std::string_view pattern = "dddd-dd-ddTdd:dd:ddZ";
    if (text.size() != pattern.size()) return std::nullopt;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const bool digit = text[i] >= '0' && text[i] <= '9';
        if (pattern[i] == 'd' ? !digit : text[i] != pattern[i]) return std::nullopt;
    }
    const auto number = [text](std::size_t at, std::size_t length) {
        return static_cast<unsigned>(*parse_count(text.substr(at, length)));
    };
    const unsigned year = number(0, 4), month = number(5, 2), day = number(8, 2);
    const unsigned hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const std::int64_t days = days_from_civil(year, month, day);
    const Civil back = civil_from_days(days);
    if (back.day != day || back.month != month) return std::nullopt;  // 31 February and its like
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * ms_per_second;
}

std::string format_instant(std::int64_t ms) {
    const std::int64_t seconds = ms < 0 ? 0 : ms / ms_per_second;
    const Civil date = civil_from_days(seconds / seconds_per_day);
    const std::int64_t rest = seconds % seconds_per_day;
    const auto padded = [](std::int64_t value, std::size_t width) {
        std::string text = std::to_string(value);
        return std::string(text.size() < width ? width - text.size() : 0, '0') + text;
    };
    return padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + "T" + padded(rest / 3600, 2) +
           ":" + padded(rest / 60 % 60, 2) + ":" + padded(rest % 60, 2) + "Z";
}

}  // namespace entente::policy
