// Random policies and facts: our evaluator against one that was written from the profile's table, as plainly as possible.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "entente/base/philox.hpp"
#include "entente/policy/evaluate.hpp"

using namespace entente;
using namespace entente::policy;

namespace {

const std::string ours = "https://w3id.org/entente/policy/";
const std::string odrl = "http://www.w3.org/ns/odrl/2/";
const std::string in_force = "https://w3id.org/edc/v0.0.1/ns/inForceDate";
const std::string schema_a(64, 'a');
const std::string schema_b(64, 'b');

// --- the naive evaluator: a table as text, and nothing shared with ours -----------------------------------------

// Values are drawn from these; what each means stands beside it.
const std::map<std::string, std::int64_t> counts{{"1", 1}, {"3", 3}, {"3.0", 3}, {"5", 5}, {"50e-1", 5}};
const std::map<std::string, std::int64_t> durations_ms{{"P0D", 0}, {"PT1H", 3'600'000}, {"P1DT1S", 86'401'000}};
const std::map<std::string, std::int64_t> dates_ms{{"1970-01-02T00:00:00Z", 86'400'000}, {"1970-01-03T00:00:01Z", 172'801'000}};
const std::map<std::string, std::int64_t> offsets_ms{{"contractAgreement+0s", 0}, {"contractAgreement+1d", 86'400'000}};

struct Naive {
    const Policy& policy;
    Point point;
    const Facts& facts;

    static std::string whole(const std::string& name) { return name.rfind("odrl:", 0) == 0 ? odrl + name.substr(5) : name; }

    bool acceptable() const {
        if (policy.profiles != std::vector<std::string>{ours + "v1"} || !policy.unread.empty()) return false;
        if (policy.permissions.size() != 1) return false;
        const std::string action = whole(policy.permissions[0].action);
        if (action != "use" && action != odrl + "use") return false;
        std::multiset<std::string> names;
        for (const Constraint& c : policy.permissions[0].constraints) {
            if (!known(c, false)) return false;
            names.insert(c.left_operand == odrl + "purpose" ? ours + "purpose" : c.left_operand + (c.left_operand == in_force ? c.op : ""));
        }
        for (const Rule& rule : policy.obligations) {
            if (whole(rule.action) != odrl + "delete" || rule.constraints.size() != 1 || !known(rule.constraints[0], true)) return false;
            names.insert("retention");
        }
        for (const Rule& rule : policy.prohibitions) {
            const std::string what = whole(rule.action);
            if ((what != odrl + "distribute" && what != odrl + "derive") || !rule.constraints.empty()) return false;
            names.insert(what);
        }
        return std::all_of(names.begin(), names.end(), [&names](const std::string& n) { return names.count(n) == 1; });
    }

    static bool known(const Constraint& c, bool duty) {
        const auto one_of = [&c](const auto& values) { return c.right_operand.size() == 1 && values.count(c.right_operand[0]) == 1; };
        const std::string& l = c.left_operand;
        if (duty) return (l == ours + "retention" || l == odrl + "delayPeriod") && (c.op == "lteq" || c.op == "eq") && one_of(durations_ms);
        if (l == ours + "purpose" || l == odrl + "purpose") {
            if (std::count(c.right_operand.begin(), c.right_operand.end(), "") > 0) return false;
            return (c.op == "isAnyOf" && !c.right_operand.empty()) || (c.op == "eq" && c.right_operand.size() == 1);
        }
        if (l == ours + "allowedOperation") {
            const std::set<std::string> words{"aggregate", "evaluate", "train", "export"};
            return c.op == "isAnyOf" && !c.right_operand.empty() &&
                   std::all_of(c.right_operand.begin(), c.right_operand.end(), [&words](const std::string& w) { return words.count(w) == 1; });
        }
        if (l == ours + "minCohortSize") return c.op == "gteq" && one_of(counts);
        if (l == ours + "maxRounds") return c.op == "lteq" && one_of(counts);
        if (l == ours + "modelSchemaHash") {
            return c.op == "eq" && (c.right_operand == std::vector<std::string>{"sha256:" + schema_a} ||
                                    c.right_operand == std::vector<std::string>{"sha256:" + schema_b});
        }
        if (l == in_force) return (c.op == "gteq" || c.op == "lteq") && (one_of(dates_ms) || one_of(offsets_ms));
        return false;  // everything that is refused for now, and everything else
    }

    bool permits() const {
        if (!acceptable()) return false;
        for (const Constraint& c : policy.permissions[0].constraints) {
            if (!holds(c)) return false;
        }
        for (const Rule& rule : policy.obligations) {
            const bool asked = point == Point::negotiation || point == Point::ingest;
            if (asked && !(facts.kept_ms && *facts.kept_ms <= durations_ms.at(rule.constraints[0].right_operand[0]))) return false;
        }
        for (const Rule& rule : policy.prohibitions) {
            const bool distribute = whole(rule.action) == odrl + "distribute";
            if (point == Point::transfer && distribute && !(facts.to_assignee && *facts.to_assignee)) return false;
            if (point == Point::release && !(facts.operations && (*facts.operations & (distribute ? 16u : 32u)) == 0)) return false;
        }
        return true;
    }

    bool here(const std::set<Point>& points) const { return points.count(point) == 1; }

    bool holds(const Constraint& c) const {
        const std::string& l = c.left_operand;
        if (l == ours + "purpose" || l == odrl + "purpose") {
            if (!here({Point::catalog, Point::negotiation, Point::transfer, Point::ingest, Point::release})) return true;
            return facts.federation && std::count(c.right_operand.begin(), c.right_operand.end(), *facts.federation) > 0;
        }
        if (l == ours + "allowedOperation") {
            if (!here({Point::negotiation, Point::ingest, Point::release})) return true;
            if (!facts.operations) return false;
            const char* words[] = {"aggregate", "evaluate", "train", "export"};
            for (int i = 0; i < 4; ++i) {
                const bool asked = (*facts.operations >> i & 1u) != 0;
                if (asked && std::count(c.right_operand.begin(), c.right_operand.end(), words[i]) == 0) return false;
            }
            return true;
        }
        if (l == ours + "minCohortSize") {
            if (!here({Point::negotiation, Point::release})) return true;
            return facts.cohort && static_cast<std::int64_t>(*facts.cohort) >= counts.at(c.right_operand[0]);
        }
        if (l == ours + "maxRounds") {
            if (!here({Point::transfer, Point::monitor, Point::ingest, Point::release})) return true;
            return facts.round && static_cast<std::int64_t>(*facts.round) <= counts.at(c.right_operand[0]);
        }
        if (l == ours + "modelSchemaHash") {
            if (!here({Point::negotiation, Point::ingest, Point::release})) return true;
            return facts.schema && "sha256:" + to_hex(*facts.schema) == c.right_operand[0];
        }
        if (!facts.now_ms) return false;
        const bool relative = offsets_ms.count(c.right_operand[0]) == 1;
        if (relative && !facts.agreed_at_ms) return false;
        const std::int64_t bound = relative ? *facts.agreed_at_ms + offsets_ms.at(c.right_operand[0]) : dates_ms.at(c.right_operand[0]);
        return c.op == "gteq" ? *facts.now_ms >= bound : *facts.now_ms <= bound;
    }
};

// --- what is drawn ------------------------------------------------------------------------------------------------

class Draw {
public:
    explicit Draw(std::uint32_t seed) : random_({seed, 0x901c}) {}

    std::uint32_t below(std::uint32_t n) { return random_.next_u32() % n; }
    bool one_in(std::uint32_t n) { return below(n) == 0; }
    template <class Values>
    auto from(const Values& values) {
        auto it = values.begin();
        std::advance(it, below(static_cast<std::uint32_t>(values.size())));
        return *it;
    }

    Constraint term() {
        switch (below(9)) {
            case 0: return {from(std::vector<std::string>{ours + "purpose", odrl + "purpose"}), "isAnyOf", some({"urn:a", "urn:b", "urn:c"})};
            case 1: return {ours + "purpose", "eq", {from(std::vector<std::string>{"urn:a", "urn:b"})}};
            case 2: return {ours + "allowedOperation", "isAnyOf", some({"aggregate", "evaluate", "train", "export"})};
            case 3: return {ours + "minCohortSize", "gteq", {from(counts).first}};
            case 4: return {ours + "maxRounds", "lteq", {from(counts).first}};
            case 5: return {ours + "modelSchemaHash", "eq", {"sha256:" + (one_in(3) ? schema_b : schema_a)}};
            case 6: return {in_force, "lteq", {one_in(2) ? from(dates_ms).first : from(offsets_ms).first}};
            case 7: return {in_force, "gteq", {one_in(2) ? from(dates_ms).first : from(offsets_ms).first}};
            default: return {ours + "retention", one_in(2) ? "lteq" : "eq", {from(durations_ms).first}};
        }
    }

    Constraint odd_term() {
        Constraint c = term();
        switch (below(5)) {
            case 0: c.left_operand = from(std::vector<std::string>{"https://elsewhere/maxRounds", "", ours + "roundNumber", "maxRounds"}); break;
            case 1: c.op = from(std::vector<std::string>{"neq", "gt", "odrl:eq", "", "gteq lteq"}); break;
            case 2: c.right_operand = {}; break;
            case 3: c.right_operand = {from(std::vector<std::string>{"", "-1", "x", "1e999", "P1M", "contractAgreement"})}; break;
            default: c = {ours + "clippingNorm", "lteq", {"1.0"}}; break;
        }
        return c;
    }

    Policy policy() {
        Policy p = federation_policy({});
        for (std::uint32_t n = below(5); n > 0; --n) add(p, one_in(25) ? odd_term() : term());
        if (one_in(4)) p.prohibitions.push_back({one_in(2) ? "odrl:distribute" : odrl + "derive", {}});
        if (one_in(40)) p.prohibitions.push_back({"odrl:sell", {}});
        if (one_in(40)) p.permissions.push_back(p.permissions.front());
        if (one_in(40)) p.profiles.push_back("urn:other");
        if (one_in(40)) p.unread.push_back("or");
        return p;
    }

    static void add(Policy& p, const Constraint& c) {
        if (c.left_operand == ours + "retention") {
            p.obligations.push_back({"odrl:delete", {c}});
        } else {
            p.permissions.front().constraints.push_back(c);
        }
    }

    Facts facts() {
        Facts f;
        if (!one_in(8)) f.federation = from(std::vector<std::string>{"urn:a", "urn:b"});
        if (!one_in(8)) f.cohort = below(7);
        if (!one_in(8)) f.round = below(7);
        if (!one_in(8)) f.schema = digest_from_hex(one_in(3) ? schema_b : schema_a).value();
        if (!one_in(8)) f.now_ms = 86'399'000 + 1'000 * below(3) + 86'400'000 * below(2);
        if (!one_in(8)) f.agreed_at_ms = one_in(2) ? 0 : 86'400'000;
        if (!one_in(8)) f.operations = below(16) | (one_in(8) ? 16u : 0u) | (one_in(8) ? 32u : 0u);
        if (!one_in(8)) f.kept_ms = from(durations_ms).second + (one_in(2) ? 0 : 1);
        if (!one_in(8)) f.to_assignee = !one_in(4);
        return f;
    }

private:
    std::vector<std::string> some(const std::vector<std::string>& words) {
        std::vector<std::string> chosen{from(words)};
        for (const std::string& word : words) {
            if (word != chosen.front() && one_in(2)) chosen.push_back(word);
        }
        return chosen;
    }

    Philox random_;
};

}  // namespace

TEST_CASE("random policies and facts: the same verdict as the naive evaluator's") {
    Draw draw(1);
    std::size_t permitted = 0;
    constexpr std::size_t runs = 40'000;
    for (std::size_t run = 0; run < runs; ++run) {
        const Policy policy = draw.policy();
        const Facts facts = draw.facts();
        const auto point = static_cast<Point>(draw.below(6));
        const Verdict verdict = evaluate(policy, point, facts);
        const Naive naive{policy, point, facts};
        CAPTURE(run);
        REQUIRE(verdict.permitted == naive.permits());
        REQUIRE(check_shape(policy).permitted == naive.acceptable());
        CHECK(verdict.permitted == verdict.code.empty());
        permitted += verdict.permitted ? 1 : 0;
    }
    // Neither outcome is the exception, or the test would show little.
    CHECK(permitted > runs / 10);
    CHECK(permitted < runs * 9 / 10);
}

TEST_CASE("adding a term never turns a refusal into a permission, removing one never a permission into a refusal") {
    Draw draw(2);
    std::size_t turned = 0;
    for (int run = 0; run < 20'000; ++run) {
        const Policy policy = draw.policy();
        const Facts facts = draw.facts();
        const auto point = static_cast<Point>(draw.below(6));
        const bool permitted = evaluate(policy, point, facts).permitted;
        Policy more = policy;
        Draw::add(more, draw.one_in(5) ? draw.odd_term() : draw.term());
        const bool then = evaluate(more, point, facts).permitted;
        REQUIRE_FALSE((!permitted && then));
        turned += permitted && !then ? 1 : 0;
        Policy unknown = policy;
        unknown.permissions.front().constraints.push_back({"https://example.org/unknown", "eq", {"x"}});
        REQUIRE_FALSE(evaluate(unknown, point, facts).permitted);
        if (!permitted) continue;
        Policy less = policy;
        std::vector<Constraint>& terms = less.permissions.front().constraints;
        if (!terms.empty()) terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(draw.below(static_cast<std::uint32_t>(terms.size()))));
        REQUIRE(evaluate(less, point, facts).permitted);
        less = policy;
        less.obligations.clear();
        REQUIRE(evaluate(less, point, facts).permitted);
        less = policy;
        less.prohibitions.clear();
        REQUIRE(evaluate(less, point, facts).permitted);
    }
    CHECK(turned > 1'000);
}
