// Drives a company's own Eclipse EDC through its Management API: what is offered, what is asked for, and under which terms.
//
//   EdcClient edc({.management = "http://127.0.0.1:8181/management", .key = "…", .participant = "plant-a"}, http);
//   ENTENTE_TRY(edc.connect());                                       // which version of its API is served
//   ENTENTE_ASSIGN(const auto datasets, edc.catalogue(coordinator));
//   ENTENTE_ASSIGN(const EdcAgreement agreement, edc.negotiate(coordinator, datasets.front(), facts));
//   ENTENTE_ASSIGN(const Pull pull, edc.pull(coordinator, agreement));
//   ENTENTE_TRY(edc.fetch(pull, sink));
//   ENTENTE_TRY(edc.terminate(pull.transfer, "received"));
//
// EDC takes what it cannot evaluate for satisfied, so the terms are judged here: an offer before it is asked for, and the
// agreement that comes back, which must also say what the offer said (permission_denied "agreement.mismatch", "policy.*").
// EDC drops a policy's profile on its way; the provider's catalogue says it as a property instead (member::profile), and a
// dataset without one is refused like any policy without profile.
//
// Every call blocks and has the deadline of the options: deadline_exceeded "edc.deadline" with the last state that was
// seen. Errors: answers.hpp's error_of(), the readers', and those of Http. Calls may be repeated: what exists already is
// compared and is no error when it is the same, conflict "edc.conflict" when it is not. One thread.
#pragma once

#include <vector>

#include "connectors/dsp/catalogue.hpp"
#include "connectors/edc/answers.hpp"
#include "connectors/edc/http.hpp"
#include "entente/policy/evaluate.hpp"

namespace entente::edc {

struct EdcOptions {
    std::string management;   // address of the Management API, without a version
    std::string key;          // its X-Api-Key; empty: none is sent
    std::string participant;  // EDC's own id in the data space
    std::string version;      // "v3" or "v4"; empty: the newest that is served
    std::int64_t deadline_ms = 60'000;
};

struct Publication {
    std::string asset;
    policy::Policy policy;
    std::map<std::string, std::string> properties;  // members below words.hpp's `ns`
    std::string source;  // where EDC fetches the bytes: an address of ours that only it can reach
    std::string source_type = "HttpData";  // another one: only data planes that registered for it serve the asset
};

struct EdcAgreement {
    std::string wire_id;  // what both connectors call it: for ledgers and receipts
    std::string local_id; // what EDC's own API calls it
    std::string dataset;
    policy::Policy policy;
};

struct Pull {
    std::string transfer;
    dsp::DataAddress address;
};

class EdcClient {
public:
    EdcClient(EdcOptions options, Http& http) : o_(std::move(options)), http_(http) {}

    // Finds out what is served. unavailable "edc.version" when it is neither v4 nor v3. Called before anything else.
    Status connect();
    [[nodiscard]] std::string_view version() const { return api_ == nullptr ? std::string_view() : api_->version(); }

    // Asset, policy and contract definition. Properties of an asset that was published already are brought up to date;
    // its source and its terms are not changed: "edc.conflict".
    Status publish(const Publication& publication);
    // Out of the catalogue. An asset that an agreement was concluded over stays in EDC, unseen.
    Status withdraw(const std::string& asset);

    Result<std::vector<dsp::Dataset>> catalogue(const Peer& peer);
    // The first offer of the dataset. Tried once more when EDC has lost its own race.
    Result<EdcAgreement> negotiate(const Peer& peer, const dsp::Dataset& dataset, const policy::Facts& facts);

    Result<Pull> pull(const Peer& peer, const EdcAgreement& agreement);
    Status fetch(const Pull& pull, contract::ByteSink& sink);
    // Done when the provider has sent everything. The transfer's id.
    Result<std::string> push(const Peer& peer, const EdcAgreement& agreement, const std::string& to);

    Status suspend(const std::string& transfer, const std::string& reason);
    Result<Pull> resume(const std::string& transfer);  // of a pull: with a new address, the earlier one is dead
    Status terminate(const std::string& transfer, const std::string& reason);

private:
    Result<std::string> ask(const Call& call, const std::string& what);
    Result<HttpResponse> send(const Call& call);
    template <class T>
    Status create(const T& thing, Thing kind, const std::string& what);
    Result<Progress> until(Thing kind, const std::string& id, std::initializer_list<std::string_view> states);
    Result<EdcAgreement> judged(const Peer& peer, const dsp::Dataset& dataset, const std::string& local_id, const policy::Facts& facts);
    Result<dsp::DataAddress> address_of(const std::string& transfer);

    EdcOptions o_;
    Http& http_;
    std::unique_ptr<ManagementApi> api_;
};

}  // namespace entente::edc
