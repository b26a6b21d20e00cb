#include "entente/policy/evaluate.hpp"

#include <algorithm>

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
    f.operations = operation::aggregate;
    f.kept_ms = 0;
    f.to_assignee = true;
    return f;
}

std::string code(const Policy& policy, Point point, const Facts& facts) { return evaluate(policy, point, facts).code; }

// One row of the table: a term, the points where it is judged, facts that just permit and facts one step beyond.
struct Row {
    Constraint constraint;
    std::vector<Point> points;
    void (*at_bound)(Facts&);
    void (*beyond)(Facts&);
    void (*absent)(Facts&);
    std::vector<const char*> malformed;
};

const std::vector<Point> all_points{Point::catalog, Point::negotiation, Point::transfer, Point::monitor, Point::ingest, Point::release};

const std::vector<Row> rows{
    {{operand::purpose, "eq", {iri}},
     {Point::catalog, Point::negotiation, Point::transfer, Point::ingest, Point::release},
     [](Facts&) {},
     [](Facts& f) { f.federation = "urn:fl:federation:other"; },
     [](Facts& f) { f.federation.reset(); },
     {""}},
    {{operand::allowed_operation, "isAnyOf", {"aggregate", "evaluate"}},
     {Point::negotiation, Point::ingest, Point::release},
     [](Facts& f) { f.operations = operation::aggregate | operation::evaluate; },
     [](Facts& f) { f.operations = operation::aggregate | operation::export_model; },
     [](Facts& f) { f.operations.reset(); },
     {"", "sell", "distribute", "Aggregate", "aggregate "}},
    {{operand::min_cohort_size, "gteq", {"3"}},
     {Point::negotiation, Point::release},
     [](Facts& f) { f.cohort = 3; },
     [](Facts& f) { f.cohort = 2; },
     [](Facts& f) { f.cohort.reset(); },
     {"three", "", "-3", "2.5", "3e-1", "18446744073709551616", "0x3", " 3", "1e999", "NaN"}},
    {{operand::max_rounds, "lteq", {"5"}},
     {Point::transfer, Point::monitor, Point::ingest, Point::release},
     [](Facts& f) { f.round = 5; },
     [](Facts& f) { f.round = 6; },
     [](Facts& f) { f.round.reset(); },
     {"-1", "", "5.5", "."}},
    {{operand::model_schema_hash, "eq", {"sha256:" + schema_hex}},
     {Point::negotiation, Point::ingest, Point::release},
     [](Facts&) {},
     [](Facts& f) { f.schema = Digest{}; },
     [](Facts& f) { f.schema.reset(); },
     {"sha256:12", "", "md5:12", "sha256:"}},
    {{operand::in_force_date, "lteq", {"contractAgreement+10d"}},
     all_points,
     [](Facts&) {},
     [](Facts& f) { ++*f.now_ms; },
     [](Facts& f) { f.now_ms.reset(); },
     {"contractAgreement+1y", "contractAgreement+", "contractAgreement+d", "contractAgreement-1d", "contractAgreement+1.5d",
      "contractAgreement+999999999999d"}},
    {{operand::in_force_date, "gteq", {"2026-06-11T00:00:00Z"}},
     all_points,
     [](Facts&) {},
     [](Facts& f) { --*f.now_ms; },
     [](Facts& f) { f.now_ms.reset(); },
     {"2026-02-31T00:00:00Z", "2026-06-11", "2026-06-11T00:00:00+01:00"}},
    {{operand::retention, "lteq", {"PT1H"}},
     {Point::negotiation, Point::ingest},
     [](Facts& f) { f.kept_ms = 3'600'000; },
     [](Facts& f) { f.kept_ms = 3'600'001; },
     [](Facts& f) { f.kept_ms.reset(); },
     {"P", "PT", "P1M", "P1Y", "P1W", "1D", "P-1D", "P1DT", "PT1H1D", "PT1S1M", "P1.5D", "PT1D", "P1H", "P999999999999D"}},
};

void add(Policy& policy, const Constraint& constraint) {
    if (constraint.left_operand == operand::retention) {
        policy.obligations.push_back({action::erase, {constraint}});
    } else {
        policy.permissions.front().constraints.push_back(constraint);
    }
}
Policy of(const std::vector<Constraint>& constraints) {
    Policy policy = with({});
    for (const Constraint& c : constraints) add(policy, c);
    return policy;
}

}  // namespace

TEST_CASE("each term permits at its bound and denies one step beyond, at each point that judges it and at no other") {
    for (const Row& row : rows) {
        for (const Point point : all_points) {
            CAPTURE(row.constraint.left_operand);
            CAPTURE(std::string(to_string(point)));
            const bool judged = std::find(row.points.begin(), row.points.end(), point) != row.points.end();
            const Policy policy = of({row.constraint});
            Facts facts = all_facts();
            row.at_bound(facts);
            CHECK(evaluate(policy, point, facts).permitted);
            CHECK(evaluate(policy, point, facts).input.empty() == !judged);
            row.beyond(facts);
            const Verdict denied = evaluate(policy, point, facts);
            CHECK(denied.code == (judged ? "policy.denied" : ""));
            CHECK(denied.operand == (judged ? row.constraint.left_operand : ""));
            facts = all_facts();
            row.absent(facts);
            CHECK(code(policy, point, facts) == (judged ? "policy.missing-fact" : ""));
        }
    }
}

TEST_CASE("a value that cannot be read refuses at every point, judged there or not") {
    for (const Row& row : rows) {
        for (const char* malformed : row.malformed) {
            CAPTURE(malformed);
            Constraint bad = row.constraint;
            bad.right_operand = {malformed};
            for (const Point point : all_points) CHECK(code(of({bad}), point, all_facts()) == "policy.bad-value");
        }
    }
}

TEST_CASE("what the ledger keeps of a decision is what was looked at") {
    std::vector<Constraint> all;
    for (const Row& row : rows) all.push_back(row.constraint);
    CHECK(evaluate(of(all), Point::monitor, all_facts()).input ==
          "maxRounds=5 inForceDate=2026-06-11T00:00:00Z inForceDate=2026-06-11T00:00:00Z");
    Facts late = all_facts();
    late.round = 6;
    const Verdict denied = evaluate(of(all), Point::monitor, late);
    CHECK(denied.input == "maxRounds=round 6");
    CHECK(denied.sentence == "expected at most 5 rounds, found round 6");
    CHECK(denied.status().error().message == "maxRounds: expected at most 5 rounds, found round 6");
}

TEST_CASE("what must not be passed on goes to the assignee alone, and is not passed on") {
    Policy policy = with({});
    policy.prohibitions = {{action::distribute, {}}, {"odrl:derive", {}}};
    Facts facts = all_facts();
    for (const Point point : all_points) CHECK(evaluate(policy, point, facts).permitted);
    facts.to_assignee = false;
    CHECK(code(policy, Point::transfer, facts) == "policy.denied");
    CHECK(code(with({}), Point::transfer, facts).empty());
    facts.to_assignee.reset();
    CHECK(code(policy, Point::transfer, facts) == "policy.missing-fact");
    for (const std::uint32_t forbidden : {operation::distribute, operation::derive}) {
        facts.operations = operation::export_model | forbidden;
        const Verdict denied = evaluate(policy, Point::release, facts);
        CHECK(denied.code == "policy.denied");
        CHECK(denied.operand == (forbidden == operation::distribute ? action::distribute : action::derive));
    }
    facts.operations.reset();
    CHECK(code(policy, Point::release, facts) == "policy.missing-fact");
    policy.prohibitions = {{action::distribute, {{operand::max_rounds, "lteq", {"3"}}}}};
    CHECK(check_shape(policy).code == "policy.shape");
    policy.prohibitions = {{action::distribute, {}}, {"odrl:distribute", {}}};
    CHECK(check_shape(policy).code == "policy.shape");
}

TEST_CASE("a copy may be used as the terms say, whatever else is not known") {
    Policy policy = of({{operand::allowed_operation, "isAnyOf", {"train", "evaluate"}}, {operand::min_cohort_size, "gteq", {"3"}}});
    CHECK(permits(policy, operation::train).permitted);
    CHECK(permits(policy, operation::export_model).operand == operand::allowed_operation);
    policy.prohibitions = {{action::distribute, {}}};
    CHECK(permits(policy, operation::train | operation::distribute).operand == action::distribute);
    CHECK(permits(with({}), operation::export_model).permitted);
    CHECK(permits(Policy{}, operation::train).code == "policy.unknown-profile");
    CHECK(permits(of({{operand::clipping_norm, "lteq", {"1"}}}), operation::train).code == "policy.not-enforceable");
}

TEST_CASE("terms that cannot be enforced yet are refused by name") {
    const Constraint epsilon{operand::dp_epsilon_budget, "lteq", {"8.0"}};
    const Constraint delta{operand::dp_delta, "lteq", {"1e-5"}};
    const Constraint clip{operand::clipping_norm, "lteq", {"1.0"}};
    const Constraint sealed{operand::secure_aggregation, "eq", {"sealed/v1"}};
    for (const auto& terms : std::vector<std::vector<Constraint>>{{epsilon, delta}, {clip}, {sealed}}) {
        const Verdict verdict = check_shape(of(terms));
        CHECK(verdict.code == "policy.not-enforceable");
        CHECK(verdict.operand == terms.front().left_operand);
        CHECK(verdict.sentence.find("this software cannot enforce") == 0);
        for (const Point point : all_points) CHECK(code(of(terms), point, all_facts()) == "policy.not-enforceable");
    }
    CHECK(check_shape(of({epsilon})).code == "policy.shape");
    CHECK(check_shape(of({delta})).code == "policy.shape");
    CHECK(check_shape(of({clip, clip})).code == "policy.shape");
    for (const char* bad : {"0", "-1", "0.0e9", "", "inf", "1e9999", "1,0"}) {
        CHECK(check_shape(of({{operand::clipping_norm, "lteq", {bad}}})).code == "policy.bad-value");
    }
    CHECK(check_shape(of({{operand::secure_aggregation, "eq", {"optional"}}})).code == "policy.bad-value");
    // What is wrong in itself is said before what is not built.
    CHECK(check_shape(of({clip, {"https://example.org/x", "eq", {"1"}}})).code == "policy.unknown-operand");
}

TEST_CASE("synonyms are read, each term is named once, and stands in its place") {
    Facts facts = all_facts();
    const Constraint odrl_purpose{"http://www.w3.org/ns/odrl/2/purpose", "eq", {iri}};
    const Constraint delay{"http://www.w3.org/ns/odrl/2/delayPeriod", "eq", {"P0D"}};
    CHECK(evaluate(of({odrl_purpose}), Point::negotiation, facts).permitted);
    CHECK(check_shape(of({odrl_purpose, {operand::purpose, "eq", {iri}}})).code == "policy.shape");
    Policy policy = with({});
    policy.obligations = {{"odrl:delete", {delay}}};
    CHECK(evaluate(policy, Point::ingest, facts).permitted);
    facts.kept_ms = 1;
    CHECK(code(policy, Point::ingest, facts) == "policy.denied");
    policy.obligations.push_back({action::erase, {{operand::retention, "lteq", {"P7D"}}}});
    CHECK(check_shape(policy).code == "policy.shape");
    policy.obligations = {{action::erase, {}}};
    CHECK(check_shape(policy).code == "policy.shape");
    policy.obligations = {{action::erase, {{operand::max_rounds, "lteq", {"3"}}}}};
    CHECK(check_shape(policy).code == "policy.shape");
    CHECK(check_shape(with({{operand::retention, "lteq", {"P0D"}}})).code == "policy.shape");
}

TEST_CASE("whole numbers are read exactly, however they are written") {
    for (const char* five : {"5", "5.0", "05", "0.5e1", "50e-1", "500E-2", "5e+0", "5.000"}) {
        CAPTURE(five);
        Facts facts = all_facts();
        facts.round = 5;
        CHECK(code(of({{operand::max_rounds, "lteq", {five}}}), Point::ingest, facts).empty());
        facts.round = 6;
        CHECK(code(of({{operand::max_rounds, "lteq", {five}}}), Point::ingest, facts) == "policy.denied");
    }
    Facts facts = all_facts();
    facts.round = 18'446'744'073'709'551'615u;
    CHECK(code(of({{operand::max_rounds, "lteq", {"18446744073709551615"}}}), Point::ingest, facts).empty());
    CHECK(code(of({{operand::max_rounds, "lteq", {"18446744073709551614"}}}), Point::ingest, facts) == "policy.denied");
}

TEST_CASE("the window of an agreement is where monitor permits") {
    const Policy policy = of({{operand::in_force_date, "lteq", {"contractAgreement+2s"}},
                              {operand::in_force_date, "gteq", {"1970-01-01T00:00:01Z"}},
                              {operand::max_rounds, "lteq", {"2"}}});
    const Window window = window_of(policy, 500);
    for (std::int64_t now = 0; now < 4'000; now += 500) {
        for (std::uint64_t round = 1; round < 4; ++round) {
            Facts facts;
            facts.now_ms = now;
            facts.agreed_at_ms = 500;
            facts.round = round;
            CHECK(window.contains(now, round) == evaluate(policy, Point::monitor, facts).permitted);
        }
    }
    CHECK(window_of(with({}), 0).contains(0, 18'446'744'073'709'551'615u));
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
    for (const char* action : {"distribute", "https://elsewhere/distribute", "use", "odrl:sell", ""}) {
        policy = with({});
        policy.prohibitions.push_back({action, {}});
        CHECK(refused(policy) == "policy.unknown-action");
    }
    for (const char* action : {"delete", "https://elsewhere/delete", "odrl:inform", ""}) {
        policy = with({});
        policy.obligations.push_back({action, {{operand::retention, "lteq", {"P0D"}}}});
        CHECK(refused(policy) == "policy.unknown-action");
    }
    policy = with({});
    policy.unread.push_back("permission[0].duty");
    CHECK(refused(policy) == "policy.shape");
    const Constraint cohort{operand::min_cohort_size, "gteq", {"1"}};
    CHECK(refused(with({cohort, cohort})) == "policy.shape");
    CHECK(refused(with(std::vector<Constraint>(65, cohort))) == "policy.shape");
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
    Policy policy = of(all);
    policy.prohibitions = {{action::distribute, {}}};
    std::vector<std::string> sentences;
    for (const Term& term : explain(policy)) {
        CHECK(term.enforced);
        CHECK(term.code.empty());
        sentences.push_back(term.sentence);
    }
    CHECK(sentences == std::vector<std::string>{"It may be used only for the federation demo.",
                                                "It may only be combined with those of others or evaluated.",
                                                "At least 3 partners must contribute before a result is published.",
                                                "It may be used in at most 5 rounds.",
                                                "It is valid for exactly one model layout.",
                                                "The agreement ends 10 days after it was accepted.",
                                                "The agreement starts on 2026-06-11 at 00:00 UTC.",
                                                "It must not be passed on to anybody else.",
                                                "It is deleted at the latest 1 hour after its round."});

    CHECK(to_odrl_json(with({{operand::purpose, "eq", {"a\"b"}}}), {.type = "Offer", .id = "o", .target = "t"}) ==
          "{\"@context\":\"http://www.w3.org/ns/odrl.jsonld\",\"@type\":\"Offer\",\"@id\":\"o\","
          "\"profile\":\"https://w3id.org/entente/policy/v1\",\"target\":\"t\",\"permission\":[{\"action\":\"use\","
          "\"constraint\":[{\"leftOperand\":\"https://w3id.org/entente/policy/purpose\",\"operator\":\"eq\","
          "\"rightOperand\":\"a\\\"b\"}]}]}");
}

TEST_CASE("a part that is refused says so, with the code that the evaluation gives") {
    const auto only = [](const Policy& policy) {
        const std::vector<Term> terms = explain(policy);
        REQUIRE(terms.size() == 1);
        CHECK_FALSE(terms[0].enforced);
        CHECK(terms[0].code == check_shape(policy).code);
        CHECK_FALSE(terms[0].reason.empty());
        return terms[0].sentence;
    };
    CHECK(only(with({{"https://example.org/x", "eq", {"1"}}})) ==
          "A term that this software does not know: https://example.org/x. It will be refused.");
    CHECK(only(with({{operand::clipping_norm, "lteq", {"1.5"}}})) == "An update is shortened to a length of at most 1.5.");
    CHECK(only(with({{operand::max_rounds, "gteq", {"3"}}})) == "It may be used in at most 3 rounds.");
    Policy policy = with({});
    policy.prohibitions = {{"odrl:sell", {}}};
    only(policy);
    policy = with({});
    policy.obligations = {{"odrl:inform", {}}};
    only(policy);
    policy = with({});
    policy.unread = {"permission[0].duty"};
    only(policy);
    policy = with({});
    policy.profiles = {};
    only(policy);
    policy = with({});
    policy.permissions.push_back(policy.permissions.front());
    only(policy);
}
