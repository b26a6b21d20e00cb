// What other connectors send and answer: messages and catalogues of the Dataspace Protocol, EDC's Management API.
#include "connectors/dsp/catalogue.hpp"
#include "connectors/dsp/offerings.hpp"
#include "connectors/dsp/reader.hpp"
#include "connectors/dsp/writer.hpp"
#include "connectors/edc/answers.hpp"
#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using namespace entente;
using dsp::Kind;

constexpr int kinds = static_cast<int>(Kind::transfer_termination) + 1;

void run_dataspace(ByteView bytes) {
    const std::string_view json = text_of(bytes);
    for (int k = 0; k < kinds; ++k) {
        const auto read = dsp::read_message(json, {static_cast<Kind>(k)});
        if (!read.ok()) continue;
        expect(read->kind == static_cast<Kind>(k), "of the kind that was expected");
        const auto again = dsp::read_message(dsp::write(*read), {read->kind});
        expect(again.ok() && again->provider_pid == read->provider_pid && again->consumer_pid == read->consumer_pid, "what is written is read again");
    }
    if (const auto page = dsp::read_catalog(json); page.ok()) {
        for (const dsp::Dataset& dataset : page->datasets) static_cast<void>(dsp::read_entry(dataset));
    }
    static_cast<void>(dsp::read_dataset(json));
    static_cast<void>(dsp::read_catalog_request(json));
    static_cast<void>(dsp::read_state(json));
    static_cast<void>(dsp::read_refusal(json));
    static_cast<void>(dsp::read_version_path(json));
}

std::vector<Bytes> dataspace_seeds() {
    std::vector<Bytes> all;
    for (int k = 0; k < kinds; ++k) {
        dsp::Message m;
        m.kind = static_cast<Kind>(k);
        m.id = "urn:uuid:1";
        m.provider_pid = "urn:uuid:p";
        m.consumer_pid = "urn:uuid:c";
        m.extensions = {{"acceptance", "AAAA"}};
        if (m.kind == Kind::contract_request || m.kind == Kind::contract_offer) m.policy = R"({"@id":"o","@type":"Offer","target":"d","permission":[{"action":"use"}]})";
        if (m.kind == Kind::agreement) m.policy = R"({"@id":"a","@type":"Agreement","target":"d","assigner":"x","assignee":"y","permission":[{"action":"use"}]})";
        if (m.kind == Kind::transfer_request) {
            m.provider_pid.clear();
            m.callback_address = "https://b.example/dsp";
            m.agreement_id = "a";
            m.format = "HttpData-PULL";
        }
        if (m.kind == Kind::transfer_start) m.address = dsp::DataAddress{"https://w3id.org/idsa/v4.1/HTTP", "https://a.example/data/1", "t", "bearer"};
        if (m.kind == Kind::transfer_termination) m.reasons = {"expected at most 3 rounds, found round 4"};
        all.push_back(bytes_of(dsp::write(m)));
    }
    const std::string dataset = R"({"@id":"d","@type":"Dataset","hasPolicy":[{"@id":"o","@type":"Offer","permission":[{"action":"use"}]}],)"
                                R"("distribution":[{"@type":"Distribution","format":"HttpData-PULL","accessService":"s"}]})";
    all.push_back(bytes_of(R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@id":"c","@type":"Catalog","participantId":"p","dataset":[)" + dataset +
                           R"(],"service":[{"@id":"s","@type":"DataService","endpointURL":"https://a.example/dsp"}]})"));
    all.push_back(bytes_of(R"({"@context":["https://w3id.org/dspace/2025/1/context.jsonld"],"@type":"CatalogRequestMessage","filter":[]})"));
    all.push_back(bytes_of(R"({"@context":{"dspace":"https://w3id.org/dspace/2025/1/"},"@type":"dspace:TransferCompletionMessage","dspace:providerPid":{"@id":"p"},"dspace:consumerPid":"c"})"));
    all.push_back(bytes_of(R"({"protocolVersions":[{"version":"2025-1","path":"/2025-1","binding":"HTTPS"}]})"));
    return all;
}

void run_management(ByteView bytes) {
    const std::string_view body = text_of(bytes);
    static_cast<void>(edc::read_id(body));
    static_cast<void>(edc::read_progress(body));
    static_cast<void>(edc::read_agreement(body));
    static_cast<void>(edc::read_address(body));
    expect(!edc::error_of(502, body, "asking").message.empty(), "a refusal says something");
}

std::vector<Bytes> management_seeds() {
    return {bytes_of(R"({"@type":"IdResponse","@id":"1","createdAt":1700000000000})"),
            bytes_of(R"({"@type":"ContractNegotiation","@id":"1","state":"FINALIZED","contractAgreementId":"a","errorDetail":"","@context":{"@vocab":"https://w3id.org/edc/v0.0.1/ns/"}})"),
            bytes_of(R"({"@type":"ContractAgreement","@id":"1","agreementId":"2","assetId":"d","providerId":"p","consumerId":"c","policy":{"@id":"3","@type":"odrl:Agreement","odrl:permission":{"odrl:action":{"@id":"odrl:use"}}}})"),
            bytes_of(R"({"@type":"DataAddress","type":"https://w3id.org/idsa/v4.1/HTTP","endpoint":"http://localhost/public","authType":"bearer","authorization":"t"})"),
            bytes_of(R"([{"message":"no such asset","type":"ObjectNotFound","path":null,"invalidValue":null}])")};
}

}  // namespace

Target dataspace() { return {"dataspace", run_dataspace, dataspace_seeds}; }
Target management() { return {"management", run_management, management_seeds}; }

}  // namespace fuzz
