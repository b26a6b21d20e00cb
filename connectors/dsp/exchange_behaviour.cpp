#include "connectors/dsp/exchange_behaviour.hpp"

#include <algorithm>

#include "connectors/dsp/terms.hpp"
#include "connectors/dsp/words.hpp"
#include "connectors/dsp/writer.hpp"
#include "entente/policy/evaluate.hpp"
#include "entente/policy/odrl.hpp"

namespace entente::dsp {

using namespace contract;

namespace {
constexpr std::int64_t edc_settles_ms = 500;
}  // namespace

std::string origin_of(std::string_view address) {
    const std::size_t scheme = address.find("://");
    if (scheme == std::string_view::npos) return {};
    const std::size_t end = address.find_first_of("/?#", scheme + 3);
    std::string origin(address.substr(0, end));
    if (origin.find_first_of("@\\ ") != std::string::npos || origin.size() <= scheme + 3) return {};
    for (char& c : origin) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    for (const auto& [prefix, port] : {std::pair<std::string_view, std::string_view>{"https://", ":443"}, {"http://", ":80"}}) {
        if (origin.starts_with(prefix) && origin.ends_with(port)) origin.resize(origin.size() - port.size());
    }
    return origin;
}

Status ExchangeBehaviour::admit_address(const std::string& peer, const std::string& address) {
    const auto it = o_.peers.find(peer);
    const std::string origin = origin_of(address);
    if (it != o_.peers.end() && !origin.empty() && origin == origin_of(it->second.address)) return done();
    return Error{Code::permission_denied, "dsp.callback",
                 "expected an address at " + (it == o_.peers.end() ? "a registered connector" : origin_of(it->second.address)) +
                     ", where " + peer + " is registered, found " + address.substr(0, 256)};
}

const Peer* ExchangeBehaviour::edc(const std::string& peer) const {
    const auto it = o_.peers.find(peer);
    return it != o_.peers.end() && it->second.edc ? &it->second : nullptr;
}

Extensions ExchangeBehaviour::shown_to_edc(const std::string& peer, const CatalogEntry& entry) const {
    HubView view;
    const std::string updates = update_stream_asset(o_.exchange.federation(), peer);
    if (auto agreements = o_.exchange.agreements(peer, updates); agreements.ok()) view.own_agreements = std::move(agreements).value();
    if (auto transfers = o_.exchange.transfers(peer, updates); transfers.ok()) view.own_transfers = std::move(transfers).value();
    Extensions all = view_of(std::move(view));
    if (!entry.offer.offer.policy.profiles.empty()) all[member::profile] = entry.offer.offer.policy.profiles.front();
    if (const auto it = told_.find(peer); it != told_.end()) all[member::accepted] = it->second.id;
    return all;
}

void ExchangeBehaviour::complete(Negotiation& n) {
    const auto it = told_.find(n.peer);
    if (edc(n.peer) == nullptr || it == told_.end() || it->second.offer.offer.asset != n.dataset) return;
    for (const auto& [name, text] : acceptance_of(it->second)) n.extensions.emplace(name, text);
}

// An EDC asks for an asset, not for a version of it: what it offers now. Whoever wanted another one sees that by its digest.
void ExchangeBehaviour::complete(TransferProcess& t) {
    const Agreement* agreement = edc(t.peer) == nullptr ? nullptr : o_.exchange.agreement(t.agreement_id);
    const auto now_offered = agreement == nullptr ? std::nullopt : o_.exchange.current(agreement->offer.offer.asset);
    if (!now_offered) return;
    for (const auto& [name, text] : version_of(*now_offered)) t.extensions.emplace(name, text);
}

Behaviour::Found ExchangeBehaviour::catalogue(const std::string& peer, const CatalogueFilter& filter) {
    const Catalog all = o_.exchange.catalog(peer, {.kind = {}, .asset = filter.dataset}, o_.now_ms());
    Found found;
    for (const CatalogEntry& entry : all.entries) {
        if (entry.asset.provider != o_.self) continue;
        const std::size_t index = found.total++;
        if (index < filter.offset || found.datasets.size() >= filter.limit) continue;
        found.datasets.push_back(to_dataset(entry, {std::string(format_pull)}));
        if (edc(peer) != nullptr) found.datasets.back().properties.merge(shown_to_edc(peer, entry));
    }
    return found;
}

Status ExchangeBehaviour::admit(const Negotiation& n) {
    if (n.role == Role::consumer) {
        return Error{Code::permission_denied, "contract.unasked", "this connector asks for what it wants; an offer that it did not ask for is not taken up"};
    }
    const Catalog seen = o_.exchange.catalog(n.peer, {.kind = {}, .asset = n.dataset});
    if (seen.entries.empty() || seen.entries.front().asset.provider != o_.self) {
        return Error{Code::not_found, "connector.no-offer", "expected a dataset that you may see, found none under " + n.dataset.substr(0, 256)};
    }
    ENTENTE_ASSIGN(const Agreement acceptance, read_acceptance(n.extensions));
    ENTENTE_ASSIGN(const policy::Odrl asked, policy::read_odrl(n.offer));
    const Offer& offered = seen.entries.front().offer.offer;
    if (asked.frame.id != offered.id || !same_terms(asked.policy, offered.policy, profile_of(n.peer))) {
        return Error{Code::permission_denied, "agreement.mismatch",
                     "contract request: expected the offer " + offered.id + " as it was published, found other terms; read the catalogue again"};
    }
    if (acceptance.offer.offer.asset != n.dataset) {
        return Error{Code::permission_denied, "agreement.mismatch", "contract request: expected an acceptance over " + n.dataset + ", found another's"};
    }
    const auto judged = o_.exchange.judge(n.peer, acceptance, o_.now_ms());
    return judged.ok() ? done() : Status(judged.error());
}

Status ExchangeBehaviour::admit(const TransferProcess& t) {
    const Agreement* agreement = o_.exchange.agreement(t.agreement_id);
    if (agreement == nullptr || agreement->offer.offer.assigner != o_.self || !o_.exchange.holds(t.peer, t.agreement_id)) {
        return Error{Code::not_found, "agreement.unknown", "expected an agreement of yours, found none under " + t.agreement_id.substr(0, 256)};
    }
    if (t.format != format_pull) {
        return Error{Code::invalid_argument, "dsp.format", "expected the format " + std::string(format_pull) + ", found " + t.format.substr(0, 80)};
    }
    const auto wanted = read_version(t.extensions);
    return wanted.ok() ? done() : Status(wanted.error());
}

Status ExchangeBehaviour::admit_agreement(const Negotiation& n) {
    // The acceptance that the provider holds: ours, perhaps an earlier one over the same offer.
    ENTENTE_ASSIGN(const Agreement held, read_acceptance(n.extensions));
    ENTENTE_ASSIGN(const policy::Odrl agreed, policy::read_odrl(n.agreement));
    ENTENTE_TRY(contract::verify(held, {held.offer.assigner_key, o_.own_key}));
    // An EDC gives agreements ids of its own.
    const bool named = agreed.frame.id == held.id || edc(n.peer) != nullptr;
    if (named && held.offer.offer.asset == n.dataset && same_terms(agreed.policy, held.offer.offer.policy, profile_of(n.peer))) {
        return done();
    }
    return Error{Code::permission_denied, "agreement.mismatch",
                 "agreement: expected one that was accepted, found " + agreed.frame.id.substr(0, 256) + ", which was not"};
}

std::vector<Act> ExchangeBehaviour::next(const Negotiation& n, Kind kind, Cause cause) {
    if (cause != Cause::received) return {};
    if (n.role == Role::consumer && kind == Kind::agreement) {
        // A cold EDC has not written down its own agreement yet when we have verified it, and answers 409.
        return {{.send = Kind::verification, .after_ms = edc(n.peer) != nullptr ? edc_settles_ms : 0}};
    }
    if (n.role == Role::provider && kind == Kind::verification) return {{.send = Kind::finalization}};
    if (n.role != Role::provider || kind != Kind::contract_request) return {};
    const auto acceptance = read_acceptance(n.extensions);
    const auto held = acceptance.ok() ? o_.exchange.judge(n.peer, *acceptance, o_.now_ms()) : acceptance;
    if (held.ok() && n.history.size() == 1) {
        // In our own spelling: an EDC understands its abbreviations only under its own context.
        const auto agreement = agreement_over(odrl_of(held->offer.offer), {held->id, n.dataset, o_.self, edc(n.peer) != nullptr ? edc(n.peer)->called() : n.peer,
                                                        policy::format_instant(held->acceptance.agreed_at_ms)});
        if (agreement.ok()) return {{.send = Kind::agreement, .policy = *agreement, .extensions = acceptance_of(*held)}};
    }
    return {{.send = Kind::negotiation_termination, .code = "agreement.mismatch",
             .reasons = {"a counter-offer cannot be agreed to: the offer stands as it was published"}}};
}

// A transfer is started by the owner, who alone knows whether the bytes are there.
std::vector<Act> ExchangeBehaviour::next(const TransferProcess&, Kind, Cause) { return {}; }

}  // namespace entente::dsp
