#include "connectors/dsp/exchange_behaviour.hpp"

#include <algorithm>

#include "connectors/dsp/terms.hpp"
#include "connectors/dsp/words.hpp"
#include "connectors/dsp/writer.hpp"
#include "entente/policy/evaluate.hpp"
#include "entente/policy/odrl.hpp"

namespace entente::dsp {

using namespace contract;

std::string origin_of(std::string_view address) {
    const std::size_t scheme = address.find("://");
    if (scheme == std::string_view::npos) return {};
    const std::size_t end = address.find_first_of("/?#", scheme + 3);
    const std::string_view origin = address.substr(0, end);
    return origin.find_first_of("@\\ ") == std::string_view::npos && origin.size() > scheme + 3 ? std::string(origin) : std::string();
}

Status ExchangeBehaviour::admit_address(const std::string& peer, const std::string& address) {
    const auto it = o_.peers.find(peer);
    const std::string origin = origin_of(address);
    if (it != o_.peers.end() && !origin.empty() && origin == origin_of(it->second.address)) return done();
    return Error{Code::permission_denied, "dsp.callback",
                 "expected an address at " + (it == o_.peers.end() ? "a registered connector" : origin_of(it->second.address)) +
                     ", where " + peer + " is registered, found " + address.substr(0, 256)};
}

Behaviour::Found ExchangeBehaviour::catalogue(const std::string& peer, const CatalogueFilter& filter) {
    const Catalog all = o_.exchange.catalog(peer, {.kind = {}, .asset = filter.dataset}, o_.now_ms());
    Found found;
    for (const CatalogEntry& entry : all.entries) {
        if (entry.asset.provider != o_.self) continue;
        const std::size_t index = found.total++;
        if (index < filter.offset || found.datasets.size() >= filter.limit) continue;
        found.datasets.push_back(to_dataset(entry, {std::string(format_pull)}));
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
    if (asked.frame.id != offered.id || !policy::same_terms(asked.policy, offered.policy)) {
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
    if (agreed.frame.id == held.id && held.offer.offer.asset == n.dataset && policy::same_terms(agreed.policy, held.offer.offer.policy)) {
        return done();
    }
    return Error{Code::permission_denied, "agreement.mismatch",
                 "agreement: expected one that was accepted, found " + agreed.frame.id.substr(0, 256) + ", which was not"};
}

std::vector<Act> ExchangeBehaviour::next(const Negotiation& n, Kind kind, Cause cause) {
    if (cause != Cause::received) return {};
    if (n.role == Role::consumer && kind == Kind::agreement) return {{.send = Kind::verification}};
    if (n.role == Role::provider && kind == Kind::verification) return {{.send = Kind::finalization}};
    if (n.role != Role::provider || kind != Kind::contract_request) return {};
    const auto acceptance = read_acceptance(n.extensions);
    const auto held = acceptance.ok() ? o_.exchange.judge(n.peer, *acceptance, o_.now_ms()) : acceptance;
    if (held.ok() && n.history.size() == 1) {
        const auto agreement = agreement_over(n.offer, {held->id, n.dataset, o_.self, n.peer,
                                                        policy::format_instant(held->acceptance.agreed_at_ms)});
        if (agreement.ok()) return {{.send = Kind::agreement, .policy = *agreement, .extensions = acceptance_of(*held)}};
    }
    return {{.send = Kind::negotiation_termination, .code = "agreement.mismatch",
             .reasons = {"a counter-offer cannot be agreed to: the offer stands as it was published"}}};
}

// A transfer is started by the owner, who alone knows whether the bytes are there.
std::vector<Act> ExchangeBehaviour::next(const TransferProcess&, Kind, Cause) { return {}; }

}  // namespace entente::dsp
