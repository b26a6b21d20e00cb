#include "connectors/dsp/offerings.hpp"

#include <charconv>

#include "entente/base/base64.hpp"
#include "entente/policy/odrl.hpp"

namespace entente::dsp {

using namespace contract;

namespace {

constexpr const char* global_model = "global-model";
constexpr const char* update_stream = "update-stream";
constexpr std::size_t most_transfers_told = 16;

Error bad(const std::string& sentence) { return {Code::invalid_argument, "dataset.malformed", "dataset: " + sentence}; }

Result<std::string> text_of(const Extensions& all, const char* name) {
    const auto it = all.find(name);
    if (it != all.end()) return it->second;
    return bad(std::string("expected the member ") + name + ", found none");
}

template <class Number>
Result<Number> number_of(const Extensions& all, const char* name) {
    ENTENTE_ASSIGN(const std::string text, text_of(all, name));
    Number value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec == std::errc() && end == text.data() + text.size() && !text.empty()) return value;
    return bad(std::string("expected a whole number as ") + name + ", found \"" + text.substr(0, 80) + "\"");
}

template <class T>
std::string packed(const T& value) {
    return to_base64url(encode(value));
}

}  // namespace

std::string odrl_of(const Offer& offer) {
    return policy::to_odrl_json(offer.policy, {.type = "Offer", .id = offer.id, .target = {}, .assigner = {}, .assignee = {}, .timestamp = {}});
}

Extensions version_of(const Version& v) {
    return {{member::round, std::to_string(v.round)},
            {member::digest, to_hex(v.content)},
            {member::size, std::to_string(v.size_bytes)},
            {member::lots, std::to_string(v.lots)}};
}

Result<Version> read_version(const Extensions& all) {
    Version v;
    ENTENTE_ASSIGN(v.round, number_of<std::uint64_t>(all, member::round));
    ENTENTE_ASSIGN(const std::string digest, text_of(all, member::digest));
    ENTENTE_ASSIGN(v.content, digest_from_hex(digest));
    ENTENTE_ASSIGN(v.size_bytes, number_of<std::uint64_t>(all, member::size));
    ENTENTE_ASSIGN(v.lots, number_of<std::uint32_t>(all, member::lots));
    return v;
}

Dataset to_dataset(const CatalogEntry& entry, std::vector<std::string> formats) {
    Dataset d;
    d.id = entry.asset.id;
    d.offers.push_back(odrl_of(entry.offer.offer));
    d.formats = std::move(formats);
    if (entry.version) d.properties = version_of(*entry.version);
    d.properties[member::federation] = entry.asset.federation;
    d.properties[member::kind] = entry.asset.kind == AssetKind::global_model ? global_model : update_stream;
    d.properties[member::provider] = entry.asset.provider;
    d.properties[member::signed_offer] = packed(Publication{entry.asset, entry.offer});
    return d;
}

Result<CatalogEntry> read_entry(const Dataset& d, Profile profile) {
    ENTENTE_ASSIGN(const std::string text, text_of(d.properties, member::signed_offer));
    ENTENTE_ASSIGN(const Bytes bytes, from_base64url(text));
    ENTENTE_ASSIGN(Publication signed_one, decode_publication(bytes));
    ENTENTE_TRY(verify(signed_one.offer));
    const Offer& offer = signed_one.offer.offer;
    if (signed_one.asset.id != d.id || offer.asset != d.id || offer.assigner != signed_one.asset.provider) {
        return bad("expected the signed offer of " + d.id + " and its provider, found another's");
    }
    if (d.offers.size() != 1) return bad("expected one offer, found " + std::to_string(d.offers.size()));
    ENTENTE_ASSIGN(const policy::Odrl shown, policy::read_odrl(d.offers.front()));
    if (!same_terms(shown.policy, offer.policy, profile)) {
        return Error{Code::permission_denied, "dataset.other-terms", d.id + ": expected the terms that its provider signed, found others"};
    }
    CatalogEntry entry{std::move(signed_one.asset), std::move(signed_one.offer), std::nullopt};
    if (d.properties.contains(member::round)) {
        ENTENTE_ASSIGN(entry.version, read_version(d.properties));
    }
    return entry;
}

Extensions acceptance_of(const Agreement& agreement) { return {{member::acceptance, packed(agreement)}}; }

Extensions view_of(HubView view) {
    view.catalog = {};
    if (view.own_transfers.size() > most_transfers_told) {
        view.own_transfers.erase(view.own_transfers.begin(), view.own_transfers.end() - static_cast<std::ptrdiff_t>(most_transfers_told));
    }
    return {{member::view, packed(view)}};
}

Result<HubView> read_view(const Extensions& all) {
    ENTENTE_ASSIGN(const std::string text, text_of(all, member::view));
    ENTENTE_ASSIGN(const Bytes bytes, from_base64url(text));
    return decode_hub_view(bytes);
}

Extensions outcome_of(const Outcome& outcome) { return {{member::outcome, packed(outcome)}}; }

Result<Outcome> read_outcome(const Extensions& all) {
    ENTENTE_ASSIGN(const std::string text, text_of(all, member::outcome));
    ENTENTE_ASSIGN(const Bytes bytes, from_base64url(text));
    return decode_outcome(bytes);
}

Result<Agreement> read_acceptance(const Extensions& all) {
    const auto it = all.find(member::acceptance);
    if (it == all.end()) {
        return Error{Code::permission_denied, "contract.no-acceptance",
                     "contract request: expected the consumer's signed acceptance (https://w3id.org/entente/ns/acceptance), found none"};
    }
    ENTENTE_ASSIGN(const Bytes bytes, from_base64url(it->second));
    return decode_agreement(bytes);
}

}  // namespace entente::dsp
