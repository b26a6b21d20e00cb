// An EDC's owner in its place: what is asked in which order, and what comes of each answer.
#include "connectors/dsp/offerings.hpp"
#include "support.hpp"

#include "entente/policy/odrl.hpp"

using namespace edc_test;

TEST_CASE("edc: the newest version that is served is used, and the key is sent") {
    ScriptedEdc edc;
    EdcClient client({.management = management, .key = "secret", .participant = "consumer", .version = {}}, edc);
    edc.expect("POST /v4/assets/request", 200, "[]");
    REQUIRE(client.connect().ok());
    CHECK(client.version() == "v4");
    REQUIRE(edc.requests.at(0).headers.size() == 1);
    CHECK(edc.requests.at(0).headers.at(0) == std::pair<std::string, std::string>("X-Api-Key", "secret"));

    edc.expect("POST /v4/assets/request", 401, R"([{"message":"Request could not be authenticated"}])");
    const Status refused = client.connect();
    CHECK(reason(refused) == "edc.credentials");
    CHECK(refused.error().message.find("could not be authenticated") != std::string::npos);

    edc.expect("POST /v4/assets/request", 404, "<html>");
    edc.expect("POST /v3/assets/request", 404, "<html>");
    CHECK(reason(client.connect()) == "edc.version");
    edc.expect("POST /v4/assets/request", 0);
    CHECK(reason(client.connect()) == "outbound.unreachable");
}

TEST_CASE("edc: nothing is asked before it is known which version is served") {
    ScriptedEdc edc;
    EdcClient client({.management = management, .key = {}, .participant = "consumer", .version = {}}, edc);
    CHECK(reason(client.publish({})) == "edc.not-connected");
    CHECK(reason(client.catalogue({})) == "edc.not-connected");
    CHECK(reason(client.withdraw("a")) == "edc.not-connected");
}

TEST_CASE("edc: publishing creates asset, policy and definition; what is there already is compared") {
    Scene s;
    SUBCASE("new") {
        s.edc.expect("POST /v3/assets", 200, id_answer);
        s.edc.expect("POST /v3/policydefinitions", 200, id_answer);
        s.edc.expect("POST /v3/contractdefinitions", 200, id_answer);
        CHECK(s.client.publish(s.publication()).ok());
    }
    SUBCASE("the same once more") {
        s.edc.expect("POST /v3/assets", 409, conflict_answer);
        s.edc.expect("GET /v3/assets/model", 200, asset_answer);
        s.edc.expect("POST /v3/policydefinitions", 409, conflict_answer);
        s.edc.expect("GET /v3/policydefinitions/policy:model", 200, policy_answer);
        s.edc.expect("POST /v3/contractdefinitions", 409, conflict_answer);
        s.edc.expect("GET /v3/contractdefinitions/definition:model", 200, definition_answer);
        CHECK(s.client.publish(s.publication()).ok());
    }
    SUBCASE("another round of it: the properties are brought up to date") {
        Publication next = s.publication();
        next.properties["round"] = "8";
        s.edc.expect("POST /v3/assets", 409, conflict_answer);
        s.edc.expect("GET /v3/assets/model", 200, asset_answer);
        s.edc.expect("GET /v3/assets/model", 200, asset_answer);
        s.edc.expect("PUT /v3/assets", 204);
        s.edc.expect("POST /v3/policydefinitions", 200, id_answer);
        s.edc.expect("POST /v3/contractdefinitions", 200, id_answer);
        CHECK(s.client.publish(next).ok());
        CHECK(s.edc.requests.at(5).body.find("\"https://w3id.org/entente/ns/round\":\"8\"") != std::string::npos);
    }
    SUBCASE("somebody else's asset of that name") {
        Publication other = s.publication();
        other.source = "http://127.0.0.1:9000/other";
        s.edc.expect("POST /v3/assets", 409, conflict_answer);
        s.edc.expect("GET /v3/assets/model", 200, asset_answer);
        s.edc.expect("GET /v3/assets/model", 200, asset_answer);
        CHECK(reason(s.client.publish(other)) == "edc.conflict");
    }
    SUBCASE("other terms under that name") {
        Publication other = s.publication();
        other.policy.permissions.at(0).constraints.at(1).right_operand = {"3"};
        s.edc.expect("POST /v3/assets", 200, id_answer);
        s.edc.expect("POST /v3/policydefinitions", 409, conflict_answer);
        s.edc.expect("GET /v3/policydefinitions/policy:model", 200, policy_answer);
        CHECK(reason(s.client.publish(other)) == "edc.conflict");
    }
    SUBCASE("an EDC that validates policies says why") {
        s.edc.expect("POST /v3/assets", 200, id_answer);
        s.edc.expect("POST /v3/policydefinitions", 400, R"([{"message":"leftOperand is not bound to any scopes"}])");
        const Status refused = s.client.publish(s.publication());
        CHECK(reason(refused) == "edc.refused");
        CHECK(refused.error().message.find("not bound to any scopes") != std::string::npos);
    }
}

TEST_CASE("edc: what is withdrawn leaves the catalogue; an asset under agreement stays in EDC") {
    Scene s;
    s.edc.expect("DELETE /v3/contractdefinitions/definition:model", 204);
    s.edc.expect("DELETE /v3/policydefinitions/policy:model", 404, "[]");
    s.edc.expect("DELETE /v3/assets/model", 409, conflict_answer);
    CHECK(s.client.withdraw("model").ok());
    s.edc.expect("DELETE /v3/contractdefinitions/definition:a%2Fb", 500, "<html>");
    CHECK(reason(s.client.withdraw("a/b")) == "edc.failed");
}

TEST_CASE("edc: the catalogue is read page by page, and must be the peer's own") {
    Scene s;
    s.edc.expect("POST /v3/catalog/request", 200, catalogue_answer);
    const auto found = s.client.catalogue(s.provider);
    REQUIRE(found.ok());
    REQUIRE(found->size() == 1);
    CHECK(found->at(0).properties.at("round") == "7");
    s.edc.expect("POST /v3/catalog/request", 200, catalogue_answer);
    CHECK(reason(s.client.catalogue({"another", s.provider.address})) == "edc.peer");
    s.edc.expect("POST /v3/catalog/request", 502, R"([{"message":"Failed to connect to localhost"}])");
    CHECK(reason(s.client.catalogue(s.provider)) == "edc.peer");

    std::string full = R"({"@type":"Catalog","@id":"c","participantId":"provider","dataset":[)";
    for (int i = 0; i < 100; ++i) {
        full += std::string(i == 0 ? "" : ",") + R"({"@type":"Dataset","@id":"d)" + std::to_string(i) +
                R"(","hasPolicy":[{"@id":"o","@type":"Offer","permission":[{"action":"use"}]}],"distribution":[{"format":"HttpData-PULL","accessService":"s"}]})";
    }
    s.edc.expect("POST /v3/catalog/request", 200, full + "]}");
    s.edc.expect("POST /v3/catalog/request", 200, catalogue_answer);
    CHECK(s.client.catalogue(s.provider)->size() == 101);
    CHECK(s.edc.requests.back().body.find("\"offset\":100") != std::string::npos);
}

TEST_CASE("edc: a negotiation ends with an agreement whose two ids are kept") {
    Scene s;
    const dsp::Dataset dataset = s.dataset();
    s.edc.expect("POST /v3/contractnegotiations", 200, id_answer);
    s.edc.expect("GET /v3/contractnegotiations/n-1", 200, state_answer("REQUESTED"));
    s.edc.expect("GET /v3/contractnegotiations/n-1", 503, "");
    s.edc.expect("GET /v3/contractnegotiations/n-1", 0);
    s.edc.expect("GET /v3/contractnegotiations/n-1", 200, finalized_answer);
    s.edc.expect("GET /v3/contractagreements/local-1", 200, agreement_answer());
    const auto agreement = s.client.negotiate(s.provider, dataset, s.facts);
    REQUIRE(agreement.ok());
    CHECK(agreement->wire_id == "wire-1");
    CHECK(agreement->local_id == "local-1");
    CHECK(policy::same_terms(agreement->policy, terms()));
    CHECK(s.edc.paused_ms == 100 + 200 + 400);
    const std::string& body = s.edc.requests.at(3).body;
    CHECK(body.find(R"("@context":"http://www.w3.org/ns/odrl.jsonld")") != std::string::npos);
    CHECK(body.find(R"("target":"model")") != std::string::npos);
    CHECK(body.find(R"("assigner":"provider")") != std::string::npos);
    CHECK(body.find(R"("@id":"ZGVm:bW9k:ODA5")") != std::string::npos);
}

TEST_CASE("edc: an agreement that is not the offer is refused, whatever EDC thinks of it") {
    Scene s;
    const dsp::Dataset dataset = s.dataset();
    const auto with = [&](const std::string& answer) {
        s.edc.expect("POST /v3/contractnegotiations", 200, id_answer);
        s.edc.expect("GET /v3/contractnegotiations/n-1", 200, finalized_answer);
        s.edc.expect("GET /v3/contractagreements/local-1", 200, answer);
        return reason(s.client.negotiate(s.provider, dataset, s.facts));
    };
    CHECK(with(agreement_answer()) == "ok");
    CHECK(with(agreement_answer("1")) == "agreement.mismatch");
    CHECK(with(agreement_answer("2", "somebody")) == "agreement.mismatch");
    std::string other_provider = agreement_answer();
    other_provider.replace(other_provider.find(R"("providerId":"provider")"), 23, R"("providerId":"somebody")");
    CHECK(with(other_provider) == "agreement.mismatch");
}

TEST_CASE("edc: terms that we cannot keep are not asked for") {
    Scene s;
    dsp::Dataset dataset = s.dataset();
    SUBCASE("too small a cohort") {
        s.facts.cohort = 1;
        CHECK(reason(s.client.negotiate(s.provider, dataset, s.facts)) == "policy.denied");
    }
    SUBCASE("an operand that nobody knows") {
        std::string& offer = dataset.offers.at(0);
        offer.replace(offer.find("policy/minCohortSize"), 20, "policy/maxCohortSize");
        CHECK(reason(s.client.negotiate(s.provider, dataset, s.facts)) == "policy.unknown-operand");
    }
    SUBCASE("no profile, neither in the policy nor beside it") {
        dataset.properties.erase(dsp::member::profile);
        CHECK(reason(s.client.negotiate(s.provider, dataset, s.facts)) == "policy.unknown-profile");
    }
    SUBCASE("another profile") {
        dataset.properties[dsp::member::profile] = "https://elsewhere.example/profile";
        CHECK(reason(s.client.negotiate(s.provider, dataset, s.facts)) == "policy.unknown-profile");
    }
    SUBCASE("no offer") {
        dataset.offers.clear();
        CHECK(reason(s.client.negotiate(s.provider, dataset, s.facts)) == "edc.offer");
    }
}

TEST_CASE("edc: a negotiation in which EDC overtook itself is tried once more, others are not") {
    Scene s;
    const dsp::Dataset dataset = s.dataset();
    std::string race = state_answer("TERMINATED", R"(,"errorDetail":"Fatal error: 409 Conflict")");
    SUBCASE("a peer that is an EDC") {}
    SUBCASE("one that could not say that it ends") {
        race = state_answer("TERMINATED", R"(,"errorDetail":"Failed to send termination to counter party: Value in JsonObjects name/value pair cannot be null")");
    }
    SUBCASE("a peer that is ours") { race = state_answer("TERMINATED", R"(,"errorDetail":"{\"code\":\"dsp.state\",\"reason\":[]}")"); }
    s.edc.expect("POST /v3/contractnegotiations", 200, id_answer);
    s.edc.expect("GET /v3/contractnegotiations/n-1", 200, race);
    s.edc.expect("POST /v3/contractnegotiations", 200, id_answer);
    s.edc.expect("GET /v3/contractnegotiations/n-1", 200, finalized_answer);
    s.edc.expect("GET /v3/contractagreements/local-1", 200, agreement_answer());
    CHECK(s.client.negotiate(s.provider, dataset, s.facts).ok());

    for (int i = 0; i < 2; ++i) {
        s.edc.expect("POST /v3/contractnegotiations", 200, id_answer);
        s.edc.expect("GET /v3/contractnegotiations/n-1", 200, race);
    }
    CHECK(reason(s.client.negotiate(s.provider, dataset, s.facts)) == "edc.terminated");

    s.edc.expect("POST /v3/contractnegotiations", 200, id_answer);
    s.edc.expect("GET /v3/contractnegotiations/n-1", 200, state_answer("TERMINATED", R"(,"errorDetail":"the offer is gone")"));
    const auto refused = s.client.negotiate(s.provider, dataset, s.facts);
    CHECK(reason(refused) == "edc.terminated");
    CHECK(refused.error().message.find("the offer is gone") != std::string::npos);
}

TEST_CASE("edc: nothing waits for ever") {
    Scene s;
    const dsp::Dataset dataset = s.dataset();
    s.edc.expect("POST /v3/contractnegotiations", 200, id_answer);
    for (int i = 0; i < 8; ++i) s.edc.expect("GET /v3/contractnegotiations/n-1", 200, state_answer("REQUESTED"));
    const auto late = s.client.negotiate(s.provider, dataset, s.facts);
    CHECK(reason(late) == "edc.deadline");
    CHECK(late.error().message.find("REQUESTED") != std::string::npos);
}

TEST_CASE("edc: a pull has an address once it has started, and a new one when it is resumed") {
    Scene s;
    const EdcAgreement agreement{"wire-1", "local-1", "model", terms()};
    const std::string expanded = R"({"https://w3id.org/edc/v0.0.1/ns/endpoint":"http://data.example/public","https://w3id.org/edc/v0.0.1/ns/authType":"bearer",
        "https://w3id.org/edc/v0.0.1/ns/authorization":"TOKEN"})";
    s.edc.expect("POST /v3/transferprocesses", 200, id_answer);
    s.edc.expect("GET /v3/transferprocesses/n-1", 200, state_answer("REQUESTED"));
    s.edc.expect("GET /v3/transferprocesses/n-1", 200, state_answer("STARTED"));
    s.edc.expect("GET /v3/edrs/n-1/dataaddress", 404, "[]");
    s.edc.expect("GET /v3/edrs/n-1/dataaddress", 200, expanded);
    const auto pull = s.client.pull(s.provider, agreement);
    REQUIRE(pull.ok());
    CHECK(pull->address.authorization == "TOKEN");
    CHECK(s.edc.requests.at(2).body.find(R"("contractId":"local-1")") != std::string::npos);

    struct Text final : contract::ByteSink {
        std::string text;
        Status append(ByteView piece) override {
            text.append(reinterpret_cast<const char*>(piece.data()), piece.size());
            return done();
        }
    } sink;
    s.edc.expect("GET http://data.example/public", 200, "the bytes");
    CHECK(s.client.fetch(*pull, sink).ok());
    CHECK(sink.text == "the bytes");
    REQUIRE(s.edc.requests.back().headers.size() == 1);
    CHECK(s.edc.requests.back().headers.at(0).second == "TOKEN");
    s.edc.expect("GET http://data.example/public", 403, "");
    CHECK(reason(s.client.fetch(*pull, sink)) == "edc.credentials");

    s.edc.expect("POST /v3/transferprocesses/n-1/suspend", 204);
    s.edc.expect("GET /v3/transferprocesses/n-1", 200, state_answer("SUSPENDED"));
    CHECK(s.client.suspend("n-1", "a pause").ok());
    s.edc.expect("POST /v3/transferprocesses/n-1/resume", 204);
    s.edc.expect("GET /v3/transferprocesses/n-1", 200, state_answer("STARTED"));
    s.edc.expect("GET /v3/edrs/n-1/dataaddress", 200, R"({"endpoint":"http://data.example/public","authorization":"NEW"})");
    CHECK(s.client.resume("n-1")->address.authorization == "NEW");
    s.edc.expect("POST /v3/transferprocesses/n-1/terminate", 204);
    s.edc.expect("GET /v3/transferprocesses/n-1", 200, state_answer("TERMINATED"));
    CHECK(s.client.terminate("n-1", "received").ok());
}

TEST_CASE("edc: a transfer that ends before it has begun says why") {
    Scene s;
    const EdcAgreement agreement{"wire-1", "local-1", "model", terms()};
    const std::string ended = state_answer("TERMINATED", R"(,"errorDetail":"No Endpoint generator function registered")");
    s.edc.expect("POST /v3/transferprocesses", 200, id_answer);
    s.edc.expect("GET /v3/transferprocesses/n-1", 200, ended);
    const auto pull = s.client.pull(s.provider, agreement);
    CHECK(reason(pull) == "edc.terminated");
    CHECK(pull.error().message.find("No Endpoint generator") != std::string::npos);
    s.edc.expect("POST /v3/transferprocesses", 200, id_answer);
    s.edc.expect("GET /v3/transferprocesses/n-1", 200, state_answer("COMPLETED"));
    CHECK(s.client.push(s.provider, agreement, "http://127.0.0.1:9000/sink").ok());
    CHECK(s.edc.requests.at(4).body.find(R"("baseUrl":"http://127.0.0.1:9000/sink")") != std::string::npos);
}

TEST_CASE("edc: an answer that is none is said to be none") {
    Scene s;
    for (const char* body : {"", "<html>", "[]", "{}", R"({"@id":1})"}) {
        s.edc.expect("POST /v3/transferprocesses", 200, body);
        CHECK_FALSE(s.client.pull(s.provider, {"w", "l", "model", {}}).ok());
    }
    CHECK(reason(read_agreement(R"({"@id":"a","providerId":"p","consumerId":"c"})")) == "edc.answer");
    CHECK(reason(read_progress(R"({"@id":"a"})")) == "edc.answer");
    CHECK(read_agreement(R"({"@id":"a","providerId":"p","consumerId":"c","policy":{}})")->wire_id == "a");
}
