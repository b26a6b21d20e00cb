#include "connectors/edc/edc_client.hpp"

#include <algorithm>

#include "connectors/dsp/offerings.hpp"
#include "connectors/dsp/terms.hpp"
#include "connectors/dsp/words.hpp"
#include "entente/policy/odrl.hpp"

namespace entente::edc {
namespace {

constexpr std::int64_t first_pause_ms = 100;
constexpr std::int64_t longest_pause_ms = 1'000;
constexpr std::size_t page = 100;
constexpr std::size_t max_datasets = 10'000;

bool success(int status) { return status >= 200 && status < 300; }

std::string policy_id(const std::string& asset) { return "policy:" + asset; }
std::string definition_id(const std::string& asset) { return "definition:" + asset; }

// EDC loses its own race now and then: it sends its verification before its peer, also an EDC, has written down its own
// agreement, and takes the 409 for an end; or it is told that all is final before it has written down its verification, says it
// once more, and takes our "dsp.state" for an end. 0.14.0 may fail to say that it ends, and then remembers that alone.
bool overtook_itself(const Progress& progress) {
    if (progress.state != "TERMINATED") return false;
    for (const char* sign : {"409", "dsp.state", "Failed to send termination"}) {
        if (progress.error.find(sign) != std::string::npos) return true;
    }
    return false;
}

// The profile that EDC has dropped, as the dataset's provider says it.
policy::Policy with_profile(policy::Policy policy, const dsp::Dataset& dataset) {
    const auto it = dataset.properties.find(dsp::member::profile);
    if (policy.profiles.empty() && it != dataset.properties.end()) policy.profiles = {it->second};
    return policy;
}

}  // namespace

Result<HttpResponse> EdcClient::send(const Call& call) {
    HttpRequest request{call.method, o_.management + call.path, {}, call.body};
    if (!o_.key.empty()) request.headers.emplace_back("X-Api-Key", o_.key);
    return http_.send(request, nullptr);
}

Result<std::string> EdcClient::ask(const Call& call, const std::string& what) {
    if (api_ == nullptr) return Error{Code::internal, "edc.not-connected", "EDC: expected connect() before " + what};
    ENTENTE_ASSIGN(HttpResponse response, send(call));
    if (!success(response.status)) return error_of(response.status, response.body, what);
    return std::move(response.body);
}

Status EdcClient::connect() {
    std::string found;
    for (const char* version : {"v4", "v3"}) {
        if (!o_.version.empty() && o_.version != version) continue;
        auto api = make_management_api(version);
        ENTENTE_ASSIGN(const HttpResponse response, send(api->probe()));
        if (success(response.status)) {
            api_ = std::move(api);
            return done();
        }
        if (response.status == 401 || response.status == 403) return error_of(response.status, response.body, "EDC's Management API");
        found += (found.empty() ? "" : ", ") + std::string(version) + ": " + std::to_string(response.status);
    }
    return Error{Code::unavailable, "edc.version",
                 o_.management + ": expected EDC's Management API v4 or v3, found " + (found.empty() ? "version " + o_.version : found)};
}

template <class T>
Status EdcClient::create(const T& thing, Thing kind, const std::string& what) {
    const auto created = ask(api_->create(thing), "creating " + what);
    if (created.ok()) return done();
    if (created.error().code != Code::conflict) return created.error();
    ENTENTE_ASSIGN(const std::string there, ask(api_->read(kind, thing.id), "reading " + what));
    if (says(there, thing)) return done();
    return Error{Code::conflict, "edc.conflict", what + ": expected it to be new or the same, found another one in EDC: " + there.substr(0, 300)};
}

Status EdcClient::publish(const Publication& publication) {
    if (api_ == nullptr) return Error{Code::internal, "edc.not-connected", "EDC: expected connect() before publishing"};
    Asset asset{publication.asset, {}, publication.source, publication.source_type};
    for (const auto& [name, value] : publication.properties) asset.properties[std::string(dsp::ns) + name] = value;
    if (publication.policy.profiles.size() == 1) asset.properties[std::string(dsp::ns) + dsp::member::profile] = publication.policy.profiles.front();

    Status created = create(asset, Thing::asset, "the asset " + asset.id);
    if (!created.ok() && created.error().reason == "edc.conflict") {
        ENTENTE_ASSIGN(const std::string there, ask(api_->read(Thing::asset, asset.id), "reading the asset " + asset.id));
        if (!same_source(there, asset)) return created;
        ENTENTE_TRY(ask(api_->replace(asset), "bringing the asset " + asset.id + " up to date"));
    } else {
        ENTENTE_TRY(created);
    }
    ENTENTE_TRY(create(PolicyDefinition{policy_id(asset.id), publication.policy}, Thing::policy, "the policy of " + asset.id));
    return create(ContractDefinition{definition_id(asset.id), policy_id(asset.id), asset.id}, Thing::definition,
                  "the contract definition of " + asset.id);
}

Status EdcClient::withdraw(const std::string& asset) {
    if (api_ == nullptr) return Error{Code::internal, "edc.not-connected", "EDC: expected connect() before withdrawing"};
    // In this order: each is in use by the one before.
    const std::pair<Thing, std::string> things[] = {
        {Thing::definition, definition_id(asset)}, {Thing::policy, policy_id(asset)}, {Thing::asset, asset}};
    for (const auto& [thing, id] : things) {
        const auto removed = ask(api_->remove(thing, id), "removing " + id);
        if (removed.ok() || removed.error().code == Code::not_found) continue;
        if (thing == Thing::asset && removed.error().code == Code::conflict) continue;
        return removed.error();
    }
    return done();
}

Result<std::vector<dsp::Dataset>> EdcClient::catalogue(const Peer& peer) {
    if (api_ == nullptr) return Error{Code::internal, "edc.not-connected", "EDC: expected connect() before the catalogue"};
    std::vector<dsp::Dataset> all;
    while (all.size() < max_datasets) {
        ENTENTE_ASSIGN(const std::string body, ask(api_->catalogue(peer, all.size(), page), "the catalogue of " + peer.id));
        ENTENTE_ASSIGN(dsp::CataloguePage found, dsp::read_catalog(body));
        if (found.participant != peer.id) {
            return Error{Code::permission_denied, "edc.peer", peer.address + ": expected the catalogue of " + peer.id + ", found that of " + found.participant};
        }
        const std::size_t count = found.datasets.size();
        std::move(found.datasets.begin(), found.datasets.end(), std::back_inserter(all));
        if (count < page) break;
    }
    return all;
}

Result<Progress> EdcClient::until(Thing kind, const std::string& id, std::initializer_list<std::string_view> states) {
    const std::int64_t end = http_.now_ms() + o_.deadline_ms;
    std::string last = "nothing";
    for (std::int64_t pause = first_pause_ms;; pause = std::min(2 * pause, longest_pause_ms)) {
        const auto body = ask(api_->read(kind, id), "reading " + id);
        // An EDC that restarts or is busy for a moment loses nothing.
        if (!body.ok() && body.error().code != Code::unavailable) return body.error();
        if (body.ok()) {
            ENTENTE_ASSIGN(Progress progress, read_progress(*body));
            if (std::find(states.begin(), states.end(), progress.state) != states.end()) return progress;
            last = progress.state + (progress.error.empty() ? "" : " (" + progress.error + ")");
        } else {
            last = body.error().message;
        }
        if (http_.now_ms() + pause > end) break;
        http_.pause(pause);
    }
    std::string wanted;
    for (const std::string_view state : states) wanted += (wanted.empty() ? "" : " or ") + std::string(state);
    return Error{Code::deadline_exceeded, "edc.deadline",
                 id + ": expected " + wanted + " within " + std::to_string(o_.deadline_ms) + " ms, found " + last};
}

Result<EdcAgreement> EdcClient::judged(const Peer& peer, const dsp::Dataset& dataset, const std::string& local_id, const policy::Facts& facts) {
    ENTENTE_ASSIGN(const std::string body, ask(api_->read(Thing::agreement, local_id), "reading the agreement " + local_id));
    ENTENTE_ASSIGN(const AgreementRecord record, read_agreement(body));
    ENTENTE_TRY(dsp::check_agreement(record.policy, {dataset.offers.front(), dataset.id, peer.id, o_.participant, dsp::Profile::may_be_lost}));
    if (record.provider != peer.id || record.consumer != o_.participant) {
        return Error{Code::permission_denied, "agreement.mismatch",
                     "agreement " + record.wire_id + ": expected one of " + peer.id + " with " + o_.participant + ", found " + record.provider +
                         " with " + record.consumer};
    }
    ENTENTE_ASSIGN(const policy::Odrl agreed, policy::read_odrl(record.policy));
    EdcAgreement agreement{record.wire_id, record.local_id, dataset.id, with_profile(agreed.policy, dataset)};
    ENTENTE_TRY(policy::evaluate(agreement.policy, policy::Point::negotiation, facts).status());
    return agreement;
}

Result<EdcAgreement> EdcClient::negotiate(const Peer& peer, const dsp::Dataset& dataset, const policy::Facts& facts) {
    if (api_ == nullptr) return Error{Code::internal, "edc.not-connected", "EDC: expected connect() before a negotiation"};
    if (dataset.offers.empty()) return Error{Code::invalid_argument, "edc.offer", dataset.id + ": expected an offer, found none"};
    ENTENTE_ASSIGN(const policy::Odrl offered, policy::read_odrl(dataset.offers.front()));
    ENTENTE_TRY(policy::evaluate(with_profile(offered.policy, dataset), policy::Point::negotiation, facts).status());
    ENTENTE_ASSIGN(const Call call, api_->negotiate(peer, dataset.offers.front(), dataset.id));
    for (bool again = false;; again = true) {
        ENTENTE_ASSIGN(const std::string body, ask(call, "negotiating over " + dataset.id));
        ENTENTE_ASSIGN(const std::string id, read_id(body));
        ENTENTE_ASSIGN(const Progress progress, until(Thing::negotiation, id, {"FINALIZED", "TERMINATED"}));
        if (progress.state == "FINALIZED") return judged(peer, dataset, progress.agreement, facts);
        if (!again && overtook_itself(progress)) continue;
        return Error{Code::permission_denied, "edc.terminated",
                     "negotiation over " + dataset.id + ": expected FINALIZED, found TERMINATED: " + progress.error};
    }
}

Result<dsp::DataAddress> EdcClient::address_of(const std::string& transfer) {
    if (!api_->tells_addresses()) {
        return Error{Code::unavailable, "edc.address",
                     "Management API " + std::string(api_->version()) + ": expected the address of the transfer from EDC's data plane; it has no call for it"};
    }
    const std::int64_t end = http_.now_ms() + o_.deadline_ms;
    // The address follows the state by a moment.
    for (std::int64_t pause = first_pause_ms;; pause = std::min(2 * pause, longest_pause_ms)) {
        const auto body = ask(api_->address(transfer), "the address of the transfer " + transfer);
        if (body.ok()) return read_address(*body);
        if (body.error().code != Code::not_found || http_.now_ms() + pause > end) return body.error();
        http_.pause(pause);
    }
}

Result<Pull> EdcClient::pull(const Peer& peer, const EdcAgreement& agreement) {
    if (api_ == nullptr) return Error{Code::internal, "edc.not-connected", "EDC: expected connect() before a transfer"};
    ENTENTE_ASSIGN(const std::string body, ask(api_->transfer(peer, {.agreement = agreement.local_id, .push_to = {}}), "a pull of " + agreement.dataset));
    ENTENTE_ASSIGN(const std::string id, read_id(body));
    ENTENTE_ASSIGN(const Progress progress, until(Thing::transfer, id, {"STARTED", "TERMINATED"}));
    if (progress.state != "STARTED") {
        return Error{Code::permission_denied, "edc.terminated", "transfer of " + agreement.dataset + ": expected STARTED, found TERMINATED: " + progress.error};
    }
    ENTENTE_ASSIGN(dsp::DataAddress address, address_of(id));
    return Pull{id, std::move(address)};
}

Status EdcClient::fetch(const Pull& pull, contract::ByteSink& sink) {
    // As it is: EDC's data planes refuse it with "Bearer " before it, whatever authType says.
    HttpRequest request{"GET", pull.address.endpoint, {{"Authorization", pull.address.authorization}}, {}};
    ENTENTE_ASSIGN(const HttpResponse response, http_.send(request, &sink));
    if (success(response.status)) return done();
    return error_of(response.status, response.body, "the bytes of the transfer " + pull.transfer);
}

Result<std::string> EdcClient::push(const Peer& peer, const EdcAgreement& agreement, const std::string& to) {
    if (api_ == nullptr) return Error{Code::internal, "edc.not-connected", "EDC: expected connect() before a transfer"};
    const TransferWish wish{agreement.local_id, "HttpData-PUSH", to};
    ENTENTE_ASSIGN(const std::string body, ask(api_->transfer(peer, wish), "a push of " + agreement.dataset));
    ENTENTE_ASSIGN(std::string id, read_id(body));
    ENTENTE_ASSIGN(const Progress progress, until(Thing::transfer, id, {"COMPLETED", "TERMINATED"}));
    if (progress.state == "COMPLETED") return id;
    return Error{Code::permission_denied, "edc.terminated", "push of " + agreement.dataset + ": expected COMPLETED, found TERMINATED: " + progress.error};
}

Status EdcClient::suspend(const std::string& transfer, const std::string& reason) {
    ENTENTE_TRY(ask(api_->suspend(transfer, reason), "suspending the transfer " + transfer));
    ENTENTE_TRY(until(Thing::transfer, transfer, {"SUSPENDED", "TERMINATED"}));
    return done();
}

Result<Pull> EdcClient::resume(const std::string& transfer) {
    ENTENTE_TRY(ask(api_->resume(transfer), "resuming the transfer " + transfer));
    ENTENTE_ASSIGN(const Progress progress, until(Thing::transfer, transfer, {"STARTED", "TERMINATED"}));
    if (progress.state != "STARTED") {
        return Error{Code::permission_denied, "edc.terminated", "transfer " + transfer + ": expected STARTED, found TERMINATED: " + progress.error};
    }
    ENTENTE_ASSIGN(dsp::DataAddress address, address_of(transfer));
    return Pull{transfer, std::move(address)};
}

Status EdcClient::terminate(const std::string& transfer, const std::string& reason) {
    ENTENTE_TRY(ask(api_->terminate(transfer, reason), "terminating the transfer " + transfer));
    ENTENTE_TRY(until(Thing::transfer, transfer, {"TERMINATED", "COMPLETED"}));
    return done();
}

}  // namespace entente::edc
