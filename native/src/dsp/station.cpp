#include "dsp/station.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "connectors/dsp/did.hpp"
#include "connectors/dsp/words.hpp"
#include "dsp/peer_identity.hpp"
#include "dsp/signed_identity.hpp"

namespace entente::native {
namespace {

constexpr const char* root = "/dsp";

}  // namespace

// Those that may still call back go first.
DspStation::~DspStation() {
    connector_.reset();
    service_.reset();
    data_.reset();
    outbound_.reset();
}

Result<std::unique_ptr<DspStation>> DspStation::open(DspStationOptions options) {
    std::unique_ptr<DspStation> station(new DspStation(std::move(options)));
    ENTENTE_TRY(station->build());
    return station;
}

Status DspStation::build() {
    address_ = o_.origin + root + "/" + std::string(dsp::version);
    ENTENTE_ASSIGN(ProcessStore store, ProcessStore::open(o_.folder + "/dsp.db"));
    store_ = std::make_unique<ProcessStore>(std::move(store));
    ENTENTE_ASSIGN(identity_, make_identity());
    behaviour_ = std::make_unique<dsp::ExchangeBehaviour>(
        dsp::ExchangeBehaviour::Options{o_.self, o_.key->public_key(), o_.space.exchange(), peers_, now_ms});
    OutboundOptions out;
    out.plain_loopback = o_.plain_loopback;
    out.opened_networks = o_.networks;
    if (o_.plain_loopback) out.opened_networks.push_back("127.0.0.0/8");
    out.own_origins = {o_.origin};
    out.own_ports = {o_.port};
    out.ca_file = o_.ca_file;
    ENTENTE_ASSIGN(outbound_, Outbound::make(o_.io, std::move(out)));
    ENTENTE_ASSIGN(data_, DataPlane::open({.post = o_.post, .store = *store_, .blobs = o_.blobs, .address = o_.origin + root, .root = root,
                                           .permit = [this](const Grant& grant) { return provider_->permitted(grant); },
                                           .on_served = o_.on_served}));
    dsp::NodeOptions node;
    node.participant = o_.self;
    node.address = address_;
    node.attempts = o_.attempts;
    node.called = [this](const std::string& id) {
        const auto it = peers_.find(id);
        return it == peers_.end() ? id : it->second.called();
    };
    DspOptions options{.post = o_.post, .outbound = outbound_, .store = *store_, .identity = *identity_, .behaviour = *behaviour_,
                       .node = std::move(node), .data = data_, .root = root,
                       .origins_of = [this](const std::string& id) { return origins_of(id); },
                       .did_document = dsp::did_document(o_.origin, o_.key->public_key(), o_.origin + root),
                       .on_step = [this](const dsp::Step& step) { heard(step); },
                       .on_failure = o_.on_failure};
    ENTENTE_ASSIGN(service_, DspService::open(std::move(options)));
    provider_ = std::make_unique<DspProvider>(DspProvider::Options{o_.space, *service_, *data_, o_.blob_of});
    connector_ = DspConnector::make({.self = o_.self, .coordinator = o_.coordinator, .space = o_.space, .service = *service_, .outbound = outbound_,
                                     .identity = *identity_, .peers = peers_, .post = o_.post, .on_problem = o_.on_problem,
                                     .on_acceptance = [this](const std::string& peer, contract::Agreement acceptance) {
                                         behaviour_->told(peer, std::move(acceptance));
                                     }});
    return done();
}

void DspStation::heard(const dsp::Step& step) {
    provider_->heard(step);
    connector_->heard(step);
    if (!step.applied || !step.negotiation || !o_.on_problem) return;
    const dsp::Negotiation& n = *step.negotiation;
    if (n.role != dsp::Role::provider || n.state != dsp::NegotiationState::terminated) return;
    o_.on_problem(n.peer, {Code::permission_denied, n.code.empty() ? "negotiation.ended" : n.code,
                           "the negotiation over " + n.dataset + " has ended" + (n.reasons.empty() ? std::string() : ": " + n.reasons.front())});
}

Result<std::unique_ptr<IdentityProvider>> DspStation::make_identity() {
    std::unique_ptr<IdentityProvider> ours;
    if (o_.vouched_by.issuer.empty()) {
        ours = make_signed_identity({.participant = o_.self, .key = *o_.key, .key_of = [this](const std::string& id) { return key_of(id); },
                                     .now_ms = now_ms, .also_accepted = {}});
    } else {
        ENTENTE_TRY(check_issuer_url(o_.vouched_by.issuer));
        ENTENTE_ASSIGN(AskIssuer ask, make_issuer_client(o_.io, o_.vouched_by.ca_file));
        ours = make_issuer_identity({.issuer = o_.vouched_by.issuer, .client = o_.vouched_by.client, .company_claim = o_.vouched_by.company_claim,
                                     .knows = [this](const std::string& id) { return key_of(id).has_value(); }, .ask = std::move(ask), .now_ms = now_ms});
    }
    return make_peer_identity({
        .signed_tokens = std::move(ours),
        .mock = o_.mock_identity ? make_mock_identity(o_.self) : nullptr,
        .edc_called = [this](const std::string& name) -> std::optional<std::string> {
            const std::lock_guard lock(keys_mutex_);
            const auto it = std::find_if(edcs_.begin(), edcs_.end(), [&](const auto& edc) { return edc.second.called() == name; });
            return it == edcs_.end() ? std::nullopt : std::optional(it->first);
        },
        .edc_at = [this](const std::string& address) {
            const std::lock_guard lock(keys_mutex_);
            return std::any_of(edcs_.begin(), edcs_.end(), [&](const auto& edc) { return edc.second.address == address; });
        }});
}

void DspStation::start() {
    service_->start();
    provider_->resume();
}

void DspStation::know(const dsp::Peer& peer, const codec::PublicKey& key) {
    peers_.insert_or_assign(peer.participant, peer);
    const std::lock_guard lock(keys_mutex_);
    keys_.insert_or_assign(peer.participant, key);
    edcs_.erase(peer.participant);
    if (peer.edc) edcs_.emplace(peer.participant, peer);
}

void DspStation::forget(const std::string& participant) {
    peers_.erase(participant);
    const std::lock_guard lock(keys_mutex_);
    keys_.erase(participant);
    edcs_.erase(participant);
}

std::optional<codec::PublicKey> DspStation::key_of(const std::string& participant) {
    const std::lock_guard lock(keys_mutex_);
    const auto it = keys_.find(participant);
    return it == keys_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<std::string> DspStation::origins_of(const std::string& participant) const {
    const auto it = peers_.find(participant);
    if (it == peers_.end()) return {};
    return {dsp::origin_of(it->second.address)};
}

}  // namespace entente::native
