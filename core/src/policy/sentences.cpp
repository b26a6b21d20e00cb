#include "sentences.hpp"

#include <array>
#include <utility>

#include "entente/policy/evaluate.hpp"
#include "terms.hpp"
#include "values.hpp"
#include "vocabulary.hpp"

namespace entente::policy {
namespace {

std::string first_value(const Constraint& c) { return c.right_operand.empty() ? std::string() : c.right_operand.front(); }

std::string counted(std::int64_t count, const char* noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// "1 day and 12 hours".
std::string spelled_out(std::int64_t ms) {
    constexpr std::array<std::pair<std::int64_t, const char*>, 4> units{
        {{86'400'000, "day"}, {3'600'000, "hour"}, {60'000, "minute"}, {1'000, "second"}}};
    std::string text;
    for (const auto& [size, noun] : units) {
        if (const std::int64_t count = ms / size; count > 0) text += (text.empty() ? "" : " and ") + counted(count, noun);
        ms %= size;
    }
    return text.empty() ? "0 seconds" : text;
}

// "a", "a or b", "a, b or c".
std::string either(const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
    return text;
}

std::string partners(const std::string& count) { return count + (count == "1" ? " partner" : " partners"); }

}  // namespace

std::string purpose_sentence(const Constraint& c) {
    constexpr std::string_view prefix = "urn:fl:federation:";
    std::vector<std::string> names;
    for (const std::string& value : c.right_operand) names.push_back(value.starts_with(prefix) ? value.substr(prefix.size()) : value);
    return "It may be used only for the federation " + either(names) + ".";
}

std::string operations_sentence(const Constraint& c) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> deeds{{{"aggregate", "combined with those of others"},
                                                                                  {"evaluate", "evaluated"},
                                                                                  {"train", "trained on"},
                                                                                  {"export", "exported for other programs"}}};
    std::vector<std::string> known;
    for (const std::string& value : c.right_operand) {
        std::string deed = value;
        for (const auto& [word, meaning] : deeds) {
            if (word == value) deed = meaning;
        }
        known.push_back(deed);
    }
    return "It may only be " + either(known) + ".";
}

std::string cohort_sentence(const Constraint& c) {
    return "At least " + partners(first_value(c)) + " must contribute before a result is published.";
}

std::string rounds_sentence(const Constraint& c) {
    return "It may be used in at most " + first_value(c) + (first_value(c) == "1" ? " round." : " rounds.");
}

std::string schema_sentence(const Constraint&) { return "It is valid for exactly one model layout."; }

std::string date_sentence(const Constraint& c) {
    const std::string value = first_value(c);
    const std::string which = canonical_operator(c.op) == "gteq" ? "The agreement starts " : "The agreement ends ";
    const auto bound = parse_date_bound(value);
    if (!bound) return which + "at " + value + ".";
    if (!bound->relative) return which + "on " + value.substr(0, 10) + " at " + value.substr(11, 5) + " UTC.";
    if (bound->ms == 0) return which + "when it is accepted.";
    // In the unit that was written: 30 days, not 1 month; 72 hours, not 3 days.
    const std::string count = value.substr(value.find('+') + 1, value.size() - value.find('+') - 2);
    const char* noun = value.back() == 'd' ? "day" : value.back() == 'h' ? "hour" : value.back() == 'm' ? "minute" : "second";
    return which + count + " " + noun + (count == "1" ? "" : "s") + " after it was accepted.";
}

std::string retention_sentence(const Constraint& c) {
    const auto bound = parse_duration_ms(first_value(c));
    if (!bound) return "It must be deleted within " + first_value(c) + ".";
    if (*bound == 0) return "It is deleted as soon as its round has ended.";
    return "It is deleted at the latest " + spelled_out(*bound) + " after its round.";
}

std::string epsilon_sentence(const Constraint& c) {
    return "What can be learned about a single record is bounded by differential privacy with epsilon at most " + first_value(c) + ".";
}

std::string delta_sentence(const Constraint& c) { return "Differential privacy is counted with delta at most " + first_value(c) + "."; }

std::string clipping_sentence(const Constraint& c) { return "An update is shortened to a length of at most " + first_value(c) + "."; }

std::string sealed_sentence(const Constraint&) { return "Updates must be sealed, so that only their sum can be read."; }

}  // namespace entente::policy
