#include "commands/policy_explain.hpp"

#include <doctest/doctest.h>

#include "commands/run.hpp"
#include "fake_environment.hpp"

using namespace entente;

namespace {

constexpr const char* offer = R"({"@type":"Offer","@id":"o1","target":"urn:fl:demo:global","profile":"https://w3id.org/entente/policy/v1",
    "permission":[{"action":"use","constraint":[{"leftOperand":"https://w3id.org/entente/policy/maxRounds","operator":"lteq","rightOperand":"5"}]}]})";

constexpr const char* catalogue = R"({"@type":"Catalog","dataset":[{"@id":"asset-1","hasPolicy":[{"@id":"o1","odrl:permission":{"odrl:action":"odrl:use"},
    "profile":"https://w3id.org/entente/policy/v1"}]},{"@id":"asset-2","hasPolicy":[{"@id":"o2","profile":"https://w3id.org/entente/policy/v1",
    "permission":[{"action":"use","constraint":[{"leftOperand":"https://w3id.org/entente/policy/clippingNorm","operator":"lteq","rightOperand":"1.0"},
    {"or":[{"leftOperand":"a","operator":"eq","rightOperand":"b"}]}]}]}]}]})";

struct Explained {
    FakeEnvironment environment;
    int exit;
    explicit Explained(std::string_view text, const std::string& name = "x.json", bool json = false) {
        environment.put(name, text);
        std::vector<std::string> args{"policy", "explain", name};
        if (json) args.emplace_back("--json");
        exit = commands::run(args, environment);
    }
    [[nodiscard]] bool says(const char* text) const { return environment.out.find(text) != std::string::npos; }
};

}  // namespace

TEST_CASE("an offer that is enforced is explained, and the exit code says so") {
    const Explained e(offer);
    CHECK(e.exit == commands::exit_done);
    CHECK(e.environment.out == "Offer o1 over urn:fl:demo:global\n"
                               "  enforced  It may be used in at most 5 rounds.\n"
                               "  This software agrees to these terms and enforces each of them.\n");
}

TEST_CASE("a catalogue is explained policy by policy; one that is refused decides the exit code, with each reason") {
    const Explained e(catalogue);
    CHECK(e.exit == commands::exit_policy);
    CHECK(e.says("o1 over asset-1\n  This software agrees"));
    CHECK(e.says("  refused   An update is shortened to a length of at most 1.0.\n"));
    CHECK(e.says("this software cannot enforce clippingNorm yet, so it does not agree to it (policy.not-enforceable)"));
    CHECK(e.says("permission[0].constraint[1].or"));
    CHECK(e.says("does not agree"));
}

TEST_CASE("a plan's two contracts are explained") {
    const Explained e("[policy]\nmin_cohort_size = 3\n", "plan.toml");
    CHECK(e.exit == commands::exit_done);
    CHECK(e.says("At least 3 partners must contribute before a result is published."));
    CHECK(e.says("It is deleted as soon as its round has ended."));
    CHECK(e.says("over urn:fl:digits-demo:global"));
}

TEST_CASE("for programs: one object with every term") {
    const Explained e(catalogue, "x.json", true);
    CHECK(e.exit == commands::exit_policy);
    CHECK(e.says("{\"enforced\":false,\"policies\":[{\"type\":\"\",\"id\":\"o1\",\"target\":\"asset-1\",\"enforced\":true,\"code\":\"\",\"terms\":[]},"));
    CHECK(e.says("\"operand\":\"https://w3id.org/entente/policy/clippingNorm\",\"value\":\"1.0\",\"enforced\":false,\"code\":\"policy.not-enforceable\""));
}

TEST_CASE("what cannot be read is said with its exit code") {
    CHECK(Explained("{\"permission\":").exit == commands::exit_bad_data);
    CHECK(Explained("{}").exit == commands::exit_bad_data);
    CHECK(Explained("[policy]\nmin_cohort = 3\n", "plan.toml").exit == commands::exit_configuration);
    FakeEnvironment environment;
    CHECK(commands::run({"policy", "explain", "https://example.org/x"}, environment) == commands::exit_usage);
    CHECK(commands::run({"policy", "explain", "missing.json"}, environment) == commands::exit_failed);
    CHECK(commands::run({"policy"}, environment) == commands::exit_usage);
    // Text of strangers moves no cursor.
    const Explained hostile(R"({"@id":"\u001b[2J","permission":[{"action":"use"}]})");
    CHECK(hostile.environment.out.find('\x1b') == std::string::npos);
}
