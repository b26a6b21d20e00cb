#include "entente/policy/odrl.hpp"

#include <doctest/doctest.h>

#include "entente/base/philox.hpp"
#include "entente/policy/evaluate.hpp"

using namespace entente;
using namespace entente::policy;

namespace {

// As EDC 0.15.1 repeats it in a ContractAgreementMessage (from a capture).
constexpr const char* edc_agreement = R"({
  "@id": "5376376d-8282-43fc-8683-dee1dc89d75b", "@type": "Agreement",
  "permission": [{"action": "use", "constraint": [{"and": [
    {"leftOperand": "https://w3id.org/entente/policy/purpose", "operator": "eq", "rightOperand": "urn:fl:federation:42"},
    {"leftOperand": "https://w3id.org/entente/policy/minCohortSize", "operator": "gteq", "rightOperand": "5"}]}]}],
  "prohibition": [{"action": "odrl:distribute"}],
  "assignee": "consumer", "assigner": "provider", "target": "asset-1", "timestamp": "2026-11-23T23:00:00Z"})";

constexpr const char* distribute = "http://www.w3.org/ns/odrl/2/distribute";

Policy read(std::string_view json) {
    const auto odrl = read_odrl(json);
    REQUIRE_MESSAGE(odrl.ok(), (odrl.ok() ? std::string() : odrl.error().message));
    return odrl->policy;
}

std::string reason(std::string_view json) {
    const auto odrl = read_odrl(json);
    return odrl.ok() ? std::string() : odrl.error().reason;
}

std::string permission(const std::string& inside) { return R"({"permission":[)" + inside + "]}"; }
std::string constrained(const std::string& constraint) { return permission(R"({"action":"use","constraint":[)" + constraint + "]}"); }
std::string atom(const std::string& left, const std::string& right) {
    return R"({"leftOperand":")" + left + R"(","operator":"eq","rightOperand":)" + right + "}";
}
std::vector<std::string> unread(const std::string& json) { return read(json).unread; }

}  // namespace

TEST_CASE("an agreement as EDC writes it: the frame beside the terms") {
    const auto odrl = read_odrl(edc_agreement);
    REQUIRE(odrl.ok());
    CHECK(odrl->frame.type == "Agreement");
    CHECK(odrl->frame.id == "5376376d-8282-43fc-8683-dee1dc89d75b");
    CHECK(odrl->frame.target == "asset-1");
    CHECK(odrl->frame.assigner == "provider");
    CHECK(odrl->frame.assignee == "consumer");
    CHECK(odrl->frame.timestamp == "2026-11-23T23:00:00Z");
    Policy expected = federation_policy({{operand::purpose, "eq", {"urn:fl:federation:42"}}, {operand::min_cohort_size, "gteq", {"5"}}});
    expected.profiles.clear();
    expected.prohibitions.push_back({distribute, {}});
    CHECK(odrl->policy == expected);
}

TEST_CASE("what this software writes is read back as it was") {
    Policy policy = federation_policy({{operand::purpose, "isAnyOf", {"urn:fl:federation:42", "urn:fl:federation:43"}},
                                       {operand::max_rounds, "lteq", {"5"}}});
    policy.prohibitions.push_back({distribute, {}});
    policy.obligations.push_back({"http://www.w3.org/ns/odrl/2/delete", {{"https://w3id.org/entente/policy/retention", "lteq", {"P0D"}}}});
    const auto odrl = read_odrl(to_odrl_json(policy, {.type = "Offer", .id = "o", .target = "t"}));
    REQUIRE(odrl.ok());
    CHECK(odrl->policy == policy);
    CHECK(odrl->frame.id == "o");
    CHECK(odrl->frame.type == "Offer");
}

TEST_CASE("one object for an array, expanded texts, ODRL's prefix and namespace: the same policy") {
    const Policy plain = read(R"({"profile":"https://w3id.org/entente/policy/v1","permission":[{"action":"use","constraint":[
        {"leftOperand":"https://w3id.org/entente/policy/minCohortSize","operator":"gteq","rightOperand":"5"}]}],
        "prohibition":[{"action":"http://www.w3.org/ns/odrl/2/distribute"}]})");
    const Policy other = read(R"({"@context":{"odrl":"http://www.w3.org/ns/odrl/2/"},"@type":["odrl:Offer"],"dct:title":"Updates",
        "odrl:profile":[{"@id":"https://w3id.org/entente/policy/v1"}],
        "http://www.w3.org/ns/odrl/2/permission":{"@type":"odrl:Permission","odrl:action":{"@id":"odrl:use"},"odrl:constraint":{"odrl:and":{"@list":[
        {"odrl:leftOperand":{"@id":"https://w3id.org/entente/policy/minCohortSize"},"odrl:operator":{"@id":"http://www.w3.org/ns/odrl/2/gteq"},
         "odrl:rightOperand":{"@value":"5","@type":"xsd:integer"}}]}}},
        "odrl:prohibition":{"odrl:action":"odrl:distribute","odrl:constraint":[]},"obligation":[]})");
    CHECK(plain == other);
    CHECK(plain.unread.empty());
    CHECK(read(constrained(atom("odrl:purpose", R"({"@id":"urn:x"})"))).permissions[0].constraints[0].left_operand ==
          "http://www.w3.org/ns/odrl/2/purpose");
    CHECK(read(constrained(atom("edc:inForceDate", R"({"@value":7})"))).permissions[0].constraints[0] ==
          Constraint{operand::in_force_date, "eq", {"7"}});
}

TEST_CASE("what EDC 0.15.1 makes of a list and of its own operand on the wire says the same") {
    const Policy list = read(constrained(R"({"leftOperand":"urn:x","operator":"isAnyOf","rightOperand":["evaluate","train"]})"));
    const Policy text = read(constrained(
        R"({"leftOperand":"urn:x","operator":"isAnyOf","rightOperand":"[{\"@value\":\"evaluate\"},{\"@value\":\"train\"}]"})"));
    CHECK(list == text);
    CHECK(text.unread.empty());
    CHECK_FALSE(read(constrained(R"({"leftOperand":"urn:x","operator":"isAnyOf","rightOperand":"[{\"@value\":\"evaluate\"},"})")).unread.empty());
    CHECK(read(constrained(atom("inForceDate", "\"7\""))).permissions[0].constraints[0].left_operand == operand::in_force_date);
}

TEST_CASE("names are never matched by their last part") {
    for (const char* name : {"https://elsewhere/minCohortSize", "minCohortSize", "purpose", "entente:minCohortSize"}) {
        const Policy policy = read(constrained(atom(name, "\"5\"")));
        CHECK(policy.permissions[0].constraints[0].left_operand == name);
    }
    CHECK(read(permission(R"({"action":"https://elsewhere/use"})")).permissions[0].action == "https://elsewhere/use");
    CHECK(read(permission(R"({"action":"distribute"})")).permissions[0].action == "distribute");
    CHECK(read(R"({"profile":"https://elsewhere/policy/v1","permission":[{"action":"use"}]})").profiles[0] == "https://elsewhere/policy/v1");
}

TEST_CASE("what has no place in a policy is named, and the policy refused") {
    using Paths = std::vector<std::string>;
    const std::string good = atom("urn:a", "\"1\"");
    CHECK(unread(constrained(good + R"(,{"or":[)" + good + "]}")) == Paths{"permission[0].constraint[1].or", "permission[0].constraint[1]"});
    CHECK(unread(constrained(R"({"xone":[]})")).front() == "permission[0].constraint[0].xone");
    CHECK(unread(constrained(R"({"andSequence":{"@list":[]}})")).front() == "permission[0].constraint[0].andSequence");
    CHECK(unread(constrained(R"({"and":[]})")).front() == "permission[0].constraint[0].and");
    CHECK(unread(constrained(R"({"and":[)" + good + R"(],"leftOperand":"urn:a"})")).front() == "permission[0].constraint[0].and");
    CHECK(unread(constrained("{}")) == Paths{"permission[0].constraint[0]"});
    CHECK(unread(constrained("7")) == Paths{"permission[0].constraint[0]"});
    CHECK(unread(constrained(R"({"leftOperand":"urn:a","operator":"eq"})")) == Paths{"permission[0].constraint[0]"});
    for (const char* right : {"5", "true", "null", "[[\"a\"]]", "{\"@id\":5}", "{\"@value\":\"5\",\"unit\":\"x\"}", "[\"a\",5]"}) {
        CAPTURE(right);
        CHECK(unread(constrained(atom("urn:a", right))) == Paths{"permission[0].constraint[0].rightOperand"});
    }
    CHECK(unread(constrained(R"({"leftOperand":"urn:a","operator":"eq","rightOperand":"1","odrl:unit":"m"})")) ==
          Paths{"permission[0].constraint[0].odrl:unit"});
    CHECK(unread(permission(R"({"action":"use","target":"urn:x"})")) == Paths{"permission[0].target"});
    CHECK(unread(permission(R"({"action":"use","duty":[{"action":"pay"}]})")) == Paths{"permission[0].duty"});
    CHECK(unread(permission(R"({"action":"use","duty":[]})")).empty());
    CHECK(unread(permission(R"({"action":{"rdf:value":{"@id":"odrl:use"},"odrl:refinement":[]}})")) == Paths{"permission[0].action"});
    CHECK(unread(permission(R"({"action":"use","odrl:action":"odrl:use"})")) == Paths{"permission[0].odrl:action"});
    CHECK(unread(permission(R"("use")")) == Paths{"permission[0]"});
    CHECK(unread(R"({"permission":[{"action":"use"}],"conflict":"perm"})") == Paths{"conflict"});
    CHECK(unread(R"({"permission":[{"action":"use"}],"profile":[5]})") == Paths{"profile"});
    std::string deep = good;
    for (int level = 0; level < 4; ++level) deep = R"({"and":[)" + deep + "]}";
    CHECK(unread(constrained(deep)).empty());
    CHECK(unread(constrained(R"({"and":[)" + deep + "]}")) == Paths{"permission[0].constraint[0].and[0].and[0].and[0].and[0].and"});

    const Policy policy = read(R"({"profile":"https://w3id.org/entente/policy/v1","permission":[{"action":"use","duty":[{"action":"pay"}]}]})");
    CHECK(check_shape(policy).code == "policy.shape");
    CHECK(check_shape(policy).sentence.find("permission[0].duty") != std::string::npos);
}

TEST_CASE("what is no policy is an error") {
    CHECK(reason("") == "json.malformed");
    CHECK(reason("[]") == "odrl.malformed");
    CHECK(reason("{}") == "odrl.malformed");
    CHECK(reason(R"({"@type":"Offer","permission":[]})") == "odrl.malformed");
    CHECK(reason(R"({"permission":[{"action":"use"}],"odrl:permission":[{"action":"use"}]})") == "odrl.malformed");
    CHECK(reason(std::string(65 * 1024, ' ')) == "json.too-large");
    CHECK(reason(std::string(33, '[')) == "json.too-deep");
}

TEST_CASE("terms are the same whatever their order and spelling, and differ in any word") {
    const Policy one = read(edc_agreement);
    CHECK(same_terms(one, one));
    const Policy reordered = read(R"({"prohibition":{"action":"http://www.w3.org/ns/odrl/2/distribute","constraint":[]},"permission":{"action":"odrl:use","constraint":[
        {"leftOperand":"https://w3id.org/entente/policy/minCohortSize","operator":"odrl:gteq","rightOperand":"5"},
        {"leftOperand":"https://w3id.org/entente/policy/purpose","operator":"eq","rightOperand":["urn:fl:federation:42"]}]}})");
    CHECK(same_terms(one, reordered));
    Policy other = one;
    other.permissions[0].constraints[1].right_operand = {"4"};
    CHECK_FALSE(same_terms(one, other));
    other = one;
    other.prohibitions.clear();
    CHECK_FALSE(same_terms(one, other));
    other = one;
    other.permissions[0].constraints.pop_back();
    CHECK_FALSE(same_terms(one, other));
    other = one;
    other.permissions[0].constraints.push_back(other.permissions[0].constraints[0]);
    CHECK_FALSE(same_terms(one, other));
    other = one;
    other.profiles = {"urn:x"};
    CHECK_FALSE(same_terms(one, other));
    other = one;
    std::swap(other.permissions, other.obligations);
    CHECK_FALSE(same_terms(one, other));
    other = one;
    other.unread = {"x"};
    CHECK_FALSE(same_terms(other, other));
    // Fields cannot run into one another.
    Policy ab = one;
    ab.permissions[0].constraints = {{"a", "b", {"c", "d"}}};
    Policy cd = one;
    cd.permissions[0].constraints = {{"a", "b", {"c1:d"}}};
    CHECK_FALSE(same_terms(ab, cd));
    // eq and lteq of the handbook's synonyms stay two policies.
    Policy eq = one;
    Policy lteq = one;
    eq.obligations = {{"odrl:delete", {{"urn:retention", "eq", {"P0D"}}}}};
    lteq.obligations = {{"odrl:delete", {{"urn:retention", "lteq", {"P0D"}}}}};
    CHECK_FALSE(same_terms(eq, lteq));
}

TEST_CASE("a document gives its policies, each with the dataset it is over") {
    const auto catalogue = read_odrl_document(R"({"@type":"Catalog","dataset":[
        {"@id":"asset-1","hasPolicy":[{"@id":"o1","permission":[{"action":"use"}]},{"@id":"o2","permission":[{"action":"use"}]}],"distribution":[{"format":"x"}]},
        {"@id":"asset-2","odrl:hasPolicy":{"@id":"o3","odrl:permission":{"odrl:action":"odrl:use"},"target":"own"}}],
        "service":[{"@id":"s"}]})");
    REQUIRE(catalogue.ok());
    REQUIRE(catalogue->size() == 3);
    CHECK((*catalogue)[0].frame.target == "asset-1");
    CHECK((*catalogue)[1].frame.id == "o2");
    CHECK((*catalogue)[2].frame.target == "own");
    const auto message = read_odrl_document(R"({"@type":"ContractAgreementMessage","agreement":)" + std::string(edc_agreement) + "}");
    REQUIRE(message.ok());
    CHECK(message->front().frame.target == "asset-1");
    CHECK(read_odrl_document(edc_agreement)->size() == 1);
    CHECK(read_odrl_document("[]").error().reason == "odrl.malformed");
    CHECK(read_odrl_document(R"({"@type":"Catalog","dataset":[]})").error().reason == "odrl.malformed");
    CHECK_FALSE(read_odrl_document(R"({"hello":"world"})").ok());
}

TEST_CASE("mutated documents are read or refused, and what is read goes through evaluation and back") {
    const std::string seeds[] = {edc_agreement, constrained(atom("odrl:purpose", R"({"@value":"5","@type":"xsd:integer"})")),
                                 R"({"dataset":[{"@id":"a","hasPolicy":[{"odrl:permission":{"odrl:action":{"@id":"odrl:use"},"constraint":{"or":[]}}}]}]})"};
    const std::string_view splinters[] = {"{", "}", "[", "]", "\"", ":", ",", "\\u0000", "null", "1e999", "odrl:", "@id", "\xff", "and", "[[[["};
    Philox random({0x0d71, 0});
    std::size_t read_ones = 0;
    for (int run = 0; run < 20'000; ++run) {
        std::string text = seeds[run % 3];
        const std::uint32_t changes = 1 + random.next_u32() % 4;
        for (std::uint32_t i = 0; i < changes; ++i) {
            const std::size_t at = random.next_u32() % text.size();
            const std::size_t length = random.next_u32() % 12;
            switch (random.next_u32() % 4) {
                case 0: text[at] = static_cast<char>(random.next_u32()); break;
                case 1: text.erase(at, 1 + length); break;
                case 2: text.insert(at, splinters[random.next_u32() % 15]); break;
                default: text.insert(at, text.substr(random.next_u32() % text.size(), length)); break;
            }
            if (text.empty()) text = "{";
        }
        const auto found = read_odrl_document(text);
        if (!found.ok()) {
            CHECK_FALSE(found.error().message.empty());
            continue;
        }
        for (const Odrl& odrl : *found) {
            ++read_ones;
            static_cast<void>(evaluate(odrl.policy, Point::release, {}));
            static_cast<void>(explain(odrl.policy));
            const auto again = read_odrl(to_odrl_json(odrl.policy, odrl.frame));
            if (odrl.policy.unread.empty() && again.ok()) CHECK(same_terms(odrl.policy, again->policy));
        }
    }
    CHECK(read_ones > 1'000);  // the loop reaches what lies behind the syntax
}
