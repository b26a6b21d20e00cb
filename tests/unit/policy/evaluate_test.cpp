#include "entente/policy/evaluate.hpp"

#include <doctest/doctest.h>

using namespace entente;
using namespace entente::policy;

namespace {

constexpr std::int64_t day_ms = 86'400'000;
const std::string iri = "urn:fl:federation:demo";
const std::string schema_hex(64, 'a');

Policy with(std::vector<Constraint> constraints) { return federation_policy(std::move(constraints)); }

Facts all_facts() {
    Facts f;
    f.federation = iri;
    f.cohort = 3;
    f.round = 5;
    f.schema = digest_from_hex(schema_hex).value();
    f.agreed_at_ms = *parse_instant_ms("2026-06-01T00:00:00Z");
    f.now_ms = *f.agreed_at_ms + 10 * day_ms;
    return f;
}

std::string code(const Policy& policy, Point point, const Facts& facts) { return evaluate(policy, point, facts).code; }

// One row of the table: a term, a point where it is judged, facts that just permit and facts one step beyond.
struct Row {
    Constraint constraint;
    std::vector<Point> points;
    void (*at_bound)(Facts&);
    void (*beyond)(Facts&);
    void (*absent)(Facts&);
    const char* malformed;
};

const std::vector<Row> rows{
    {{operand::purpose, "eq", {iri}},
     {Point::negotiation, Point::transfer, Point::ingest, Point::release},
     [](Facts&) {},
     [](Facts& f) { f.federation = "urn:fl:federation:other"; },
     [](Facts& f) { f.federation.reset(); },
     ""},
    {{operand::min_cohort_size, "gteq", {"3"}},
     {Point::negotiation, Point::release},
     [](Facts& f) { f.cohort = 3; },
     [](Facts& f) { f.cohort = 2; },
     [](Facts& f) { f.cohort.reset(); },
     "three"},
    {{operand::max_rounds, "lteq", {"5"}},
     {Point::transfer, Point::ingest, Point::release},
     [](Facts& f) { f.round = 5; },
     [](Facts& f) { f.round = 6; },
     [](Facts& f) { f.round.reset(); },
     "-1"},
    {{operand::model_schema_hash, "eq", {"sha256:" + schema_hex}},
     {Point::negotiation, Point::ingest, Point::release},
     [](Facts&) {},
     [](Facts& f) { f.schema = Digest{}; },
     [](Facts& f) { f.schema.reset(); },
     "sha256:12"},
    {{operand::in_force_date, "lteq", {"contractAgreement+10d"}},
     {Point::negotiation, Point::transfer, Point::monitor, Point::ingest, Point::release},
     [](Facts&) {},
     [](Facts& f) { ++*f.now_ms; },
     [](Facts& f) { f.now_ms.reset(); },
     "contractAgreement+1y"},
    {{operand::in_force_date, "gteq", {"2026-06-11T00:00:00Z"}},
     {Point::negotiation, Point::transfer, Point::monitor, Point::ingest, Point::release},
     [](Facts&) {},
     [](Facts& f) { --*f.now_ms; },
     [](Facts& f) { f.now_ms.reset(); },
     "2026-02-31T00:00:00Z"},
};

}  // namespace

TEST_CASE("each term permits at its bound and denies one step beyond, at each point that judges it") {
    for (const Row& row : rows) {
        for (const Point point : row.points) {
            CAPTURE(row.constraint.left_operand);
            CAPTURE(std::string(to_string(point)));
            Facts facts = all_facts();
            row.at_bound(facts);
            CHECK(evaluate(with({row.constraint}), point, facts).permitted);
            row.beyond(facts);
            const Verdict denied = evaluate(with({row.constraint}), point, facts);
            CHECK(denied.code == "policy.denied");
            CHECK(denied.operand == row.constraint.left_operand);
            facts = all_facts();
            row.absent(facts);
            CHECK(code(with({row.constraint}), point, facts) == "policy.missing-fact");
        }
    }
}

TEST_CASE("a value that cannot be read refuses at every point, judged there or not") {
    for (const Row& row : rows) {
        Constraint bad = row.constraint;
        bad.right_operand = {row.malformed};
        for (int p = 0; p <= static_cast<int>(Point::release); ++p) {
            CHECK(code(with({bad}), static_cast<Point>(p), all_facts()) == "policy.bad-value");
        }
    }
}

TEST_CASE("everything unknown is refused with its code") {
    const Facts facts = all_facts();
    const auto refused = [&facts](const Policy& p) { return code(p, Point::negotiation, facts); };
    CHECK(refused(with({{"https://example.org/dancing", "eq", {"yes"}}})) == "policy.unknown-operand");
    CHECK(refused(with({{operand::min_cohort_size, "lteq", {"3"}}})) == "policy.unknown-operator");
    CHECK(refused(with({{operand::min_cohort_size, "gteq lteq", {"3"}}})) == "policy.unknown-operator");
    CHECK(refused(with({{operand::min_cohort_size, "", {"3"}}})) == "policy.unknown-operator");
    CHECK(refused(with({{operand::min_cohort_size, "gteq", {"3", "4"}}})) == "policy.bad-value");
    CHECK(refused(with({{operand::min_cohort_size, "gteq", {}}})) == "policy.bad-value");

    Policy policy = with({});
    CHECK(refused(policy).empty());
    policy.profiles = {"https://example.org/profile"};
    CHECK(refused(policy) == "policy.unknown-profile");
    policy.profiles.clear();
    CHECK(refused(policy) == "policy.unknown-profile");
    policy = with({});
    policy.profiles.push_back("https://example.org/second");
    CHECK(refused(policy) == "policy.unknown-profile");
    policy = with({});
    policy.permissions.front().action = "sell";
    CHECK(refused(policy) == "policy.unknown-action");
    policy = with({});
    policy.permissions.push_back(policy.permissions.front());
    CHECK(refused(policy) == "policy.shape");
    policy = with({});
    policy.prohibitions.push_back({"distribute", {}});
    CHECK(refused(policy) == "policy.unknown-action");
    policy = with({});
    policy.obligations.push_back({"delete", {}});
    CHECK(refused(policy) == "policy.unknown-action");
    policy = with({});
    policy.unread.push_back("permission[0].duty");
    CHECK(refused(policy) == "policy.shape");
    const Constraint cohort{operand::min_cohort_size, "gteq", {"1"}};
    CHECK(refused(with({cohort, cohort})) == "policy.shape");
    CHECK(refused(with(std::vector<Constraint>(65, cohort))) == "policy.shape");
}

TEST_CASE("removing a term never turns a permit into a denial, and an unknown one always refuses") {
    std::vector<Constraint> all;
    for (const Row& row : rows) all.push_back(row.constraint);
    for (std::uint32_t mask = 0; mask < (1u << all.size()); ++mask) {
        std::vector<Constraint> some;
        for (std::size_t i = 0; i < all.size(); ++i) {
            if ((mask >> i) & 1u) some.push_back(all[i]);
        }
        for (int p = 0; p <= static_cast<int>(Point::release); ++p) {
            const auto point = static_cast<Point>(p);
            CHECK(evaluate(with(some), point, all_facts()).permitted);
            auto more = some;
            more.push_back({"https://example.org/unknown", "eq", {"x"}});
            CHECK_FALSE(evaluate(with(more), point, all_facts()).permitted);
        }
    }
}

TEST_CASE("instants are read and written exactly, and dates that do not exist are refused") {
    CHECK(*parse_instant_ms("1970-01-01T00:00:00Z") == 0);
    CHECK(*parse_instant_ms("2000-02-29T12:34:56Z") == 951'827'696'000);
    CHECK(*parse_instant_ms("2038-01-19T03:14:08Z") == 2'147'483'648'000);
    CHECK(format_instant(951'827'696'000) == "2000-02-29T12:34:56Z");
    for (const char* bad : {"2001-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z", "2026-01-01T24:00:00Z",
                            "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "1969-12-31T00:00:00Z", "", "Z"}) {
        CHECK_FALSE(parse_instant_ms(bad).has_value());
    }
}

TEST_CASE("a policy in words names each term, and ODRL JSON keeps the text as it is") {
    std::vector<Constraint> all;
    for (const Row& row : rows) all.push_back(row.constraint);
    const auto terms = explain(with(all));
    REQUIRE(terms.size() == rows.size());
    CHECK(terms[0].sentence == "It may be used only for the federation demo.");
    CHECK(terms[1].sentence == "At least 3 partners must contribute before a result is published.");
    CHECK(terms[4].sentence == "The agreement ends 10 days after it was accepted.");
    for (const Term& term : terms) CHECK(term.enforced);
    const auto unknown = explain(with({{"https://example.org/x", "eq", {"1"}}}));
    CHECK_FALSE(unknown.front().enforced);

    CHECK(to_odrl_json(with({{operand::purpose, "eq", {"a\"b"}}}), {.type = "Offer", .id = "o", .target = "t"}) ==
          "{\"@context\":\"http://www.w3.org/ns/odrl.jsonld\",\"@type\":\"Offer\",\"@id\":\"o\","
          "\"profile\":\"https://w3id.org/entente/policy/v1\",\"target\":\"t\",\"permission\":[{\"action\":\"use\","
          "\"constraint\":[{\"leftOperand\":\"https://w3id.org/entente/policy/purpose\",\"operator\":\"eq\","
          "\"rightOperand\":\"a\\\"b\"}]}]}");
}
