// JSON, and the usage policies in it.
#include "entente/base/json.hpp"

#include "commands/policy_explain.hpp"
#include "entente/policy/evaluate.hpp"
#include "entente/policy/odrl.hpp"
#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using namespace entente;

void run_json(ByteView bytes) {
    const auto read = read_json(text_of(bytes));
    if (!read.ok()) return;
    const std::string written = write_json(*read);
    const auto again = read_json(written);
    expect(again.ok() && write_json(*again) == written, "what is written is read again");
}

std::vector<Bytes> json_seeds() {
    return {bytes_of(R"({"a":[1,-2.5e+10,true,false,null],"b":{"c":"\u00e4\ud83d\ude00\n"},"":{}})"), bytes_of("[[[[[[[[1]]]]]]]]"), bytes_of(R"("x")"),
            bytes_of(R"({"a":1,"a":2})")};
}

void run_policy(ByteView bytes) {
    const auto found = policy::read_odrl_document(text_of(bytes));
    if (!found.ok()) return;
    for (const policy::Odrl& one : *found) {
        expect(policy::same_terms(one.policy, one.policy) || !policy::check_shape(one.policy).permitted, "a policy is its own equal, or refused");
        const policy::Verdict shape = policy::check_shape(one.policy);
        expect(shape.permitted || (!shape.code.empty() && !shape.sentence.empty()), "a refusal says why");
        for (const auto point : {policy::Point::catalog, policy::Point::negotiation, policy::Point::transfer, policy::Point::ingest, policy::Point::release}) {
            expect(!policy::evaluate(one.policy, point, {}).permitted || shape.permitted, "what cannot be judged permits nothing");
        }
    }
}

std::vector<Bytes> policy_seeds() {
    const std::string rules = R"("permission":[{"action":"use","constraint":[)"
                              R"({"leftOperand":"https://w3id.org/entente/policy/maxRounds","operator":"lteq","rightOperand":"10"},)"
                              R"({"and":[{"leftOperand":"https://w3id.org/entente/policy/purpose","operator":"eq","rightOperand":"urn:fl:federation:digits"},)"
                              R"({"leftOperand":"https://w3id.org/edc/v0.0.1/ns/inForceDate","operator":"lteq","rightOperand":"contractAgreement+30d"}]}]}],)"
                              R"("prohibition":[{"action":"distribute"}],"obligation":[{"action":"delete","constraint":[)"
                              R"({"leftOperand":"https://w3id.org/entente/policy/retention","operator":"lteq","rightOperand":"P30D"}]}])";
    return {bytes_of("{\"@id\":\"o\",\"@type\":\"Offer\",\"target\":\"d\",\"assigner\":\"a\"," + rules + "}"),
            bytes_of("{\"@context\":[\"https://w3id.org/dspace/2025/1/context.jsonld\"],\"@id\":\"d\",\"@type\":\"Dataset\",\"hasPolicy\":[{\"@id\":\"o\",\"@type\":\"Offer\"," +
                     rules + "}]}"),
            bytes_of("{\"odrl:permission\":{\"odrl:action\":{\"@id\":\"odrl:use\"},\"odrl:constraint\":{\"odrl:leftOperand\":{\"@id\":\"x\"},"
                     "\"odrl:operator\":{\"@id\":\"odrl:eq\"},\"odrl:rightOperand\":{\"@value\":\"1\"}}},\"@type\":\"odrl:Set\"}")};
}

}  // namespace

Target json() { return {"json", run_json, json_seeds}; }
Target policy() { return {"policy", run_policy, policy_seeds}; }

}  // namespace fuzz
