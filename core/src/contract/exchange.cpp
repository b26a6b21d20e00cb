#include "entente/contract/exchange.hpp"

#include <algorithm>

#include "entente/policy/evaluate.hpp"
#include "acceptance.hpp"
#include "serial.hpp"

namespace entente::contract {
namespace {

constexpr std::size_t max_transfers_kept = 64;  // per agreement; older ones are forgotten
constexpr std::uint32_t format_version = 1;

Error refuse(Code code, const char* reason, std::string message) { return Error{code, reason, std::move(message)}; }

bool may_see(std::string_view caller, const Offer& offer) {
    return offer.assigner != caller && (offer.assignee.empty() || offer.assignee == caller);
}

// Of one agreement they are kept in the order in which they were opened.
bool earlier(const Transfer& a, const Transfer& b) { return a.version.round < b.version.round; }

bool running(const Transfer& transfer) {
    return transfer.state != TransferState::completed && transfer.state != TransferState::terminated;
}

}  // namespace

template <class Archive>
void Exchange::Listing::serialize(Archive& archive) {
    archive(asset, offer, version, withdrawn);
}

// What a snapshot holds, in this order.
struct Exchange::State {
    std::uint32_t format = format_version;
    std::string federation;
    std::map<std::string, codec::PublicKey> participants;
    std::map<std::string, Listing> listings;
    std::map<std::string, Agreement> agreements;
    std::vector<Transfer> transfers;
    std::uint64_t next_transfer = 1;
    std::uint64_t cursor = 1;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(format, federation, participants, listings, agreements, transfers, next_transfer, cursor);
    }
};

Status Exchange::admit(std::string_view participant, const codec::PublicKey& key) {
    ENTENTE_TRY(check_id(participant));
    const auto [it, added] = participants_.emplace(std::string(participant), key);
    if (!added && it->second != key) {
        return refuse(Code::conflict, "connector.other-key", std::string(participant) + " is known under another key");
    }
    if (added) ++cursor_;
    return done();
}

Status Exchange::expel(std::string_view participant) {
    const auto it = participants_.find(participant);
    if (it == participants_.end()) {
        return refuse(Code::not_found, "connector.unknown-participant", "no participant " + std::string(participant));
    }
    participants_.erase(it);
    for (auto& [id, listing] : listings_) {
        if (listing.asset.provider != participant) continue;
        listing.withdrawn = true;
        listing.version.reset();
        end_transfers(id, {false, "transfer.withdrawn", "The provider has left."});
    }
    ++cursor_;
    return done();
}

void Exchange::suspend(std::string_view participant, std::string sentence) {
    for (auto& [id, listing] : listings_) {
        if (listing.asset.provider == participant) end_transfers(id, {false, "participant.suspended", sentence});
    }
    if (const auto key = participants_.find(participant); key != participants_.end()) {
        for (const auto& [id, agreement] : agreements_) {
            if (agreement.assignee_key == key->second) end_agreement(id, {false, "participant.suspended", sentence});
        }
    }
    suspended_.insert_or_assign(std::string(participant), std::move(sentence));
    ++cursor_;
}

void Exchange::resume(std::string_view participant) {
    if (const auto it = suspended_.find(participant); it != suspended_.end()) suspended_.erase(it);
    ++cursor_;
}

Status Exchange::may_act(std::string_view caller) const {
    const auto it = suspended_.find(caller);
    return it == suspended_.end() ? done() : Status(refuse(Code::permission_denied, "participant.suspended", it->second));
}

Status Exchange::publish(std::string_view caller, Asset asset, SignedOffer offer) {
    ENTENTE_TRY(may_act(caller));
    const auto key = participants_.find(caller);
    if (key == participants_.end()) {
        return refuse(Code::permission_denied, "connector.unknown-participant", "no participant " + std::string(caller));
    }
    const bool own = asset.provider == caller && offer.offer.assigner == caller && asset.federation == federation_ &&
                     offer.offer.asset == asset.id && offer.assigner_key == key->second &&
                     asset.id == (asset.kind == AssetKind::global_model ? global_model_asset(federation_)
                                                                        : update_stream_asset(federation_, caller));
    if (!own) {
        return refuse(Code::permission_denied, "connector.foreign-asset",
                      "publish: expected an asset, an offer and a key of " + std::string(caller));
    }
    ENTENTE_TRY(verify(offer));
    ENTENTE_TRY(policy::check_shape(offer.offer.policy).status());
    const auto it = listings_.find(asset.id);
    if (it != listings_.end() && it->second.asset.provider != caller) {
        return refuse(Code::permission_denied, "connector.foreign-asset", asset.id + " belongs to another participant");
    }
    if (it != listings_.end() && !it->second.withdrawn && it->second.offer == offer) return done();
    Listing& listing = listings_[asset.id];
    listing.withdrawn = false;
    listing.offer = std::move(offer);
    listing.asset = std::move(asset);
    ++cursor_;
    return done();
}

Result<Exchange::Listing*> Exchange::own_listing(std::string_view caller, std::string_view asset) {
    const auto it = listings_.find(asset);
    if (it == listings_.end() || it->second.withdrawn) {
        return refuse(Code::not_found, "connector.no-asset", "no asset " + std::string(asset));
    }
    if (it->second.asset.provider != caller) {
        return refuse(Code::permission_denied, "connector.foreign-asset",
                      std::string(asset) + " belongs to another participant");
    }
    return &it->second;
}

Status Exchange::deliver(std::string_view caller, std::string_view asset, const Version& version) {
    ENTENTE_TRY(may_act(caller));
    ENTENTE_ASSIGN(Listing * listing, own_listing(caller, asset));
    if (listing->version == version) return done();
    listing->version = version;
    end_transfers(asset, {false, "transfer.superseded", "Another version has taken its place."});
    ++cursor_;
    return done();
}

Catalog Exchange::catalog(std::string_view caller, const CatalogQuery& query, std::optional<std::int64_t> now_ms) const {
    Catalog catalog;
    catalog.cursor = cursor_;
    auto from = query.asset ? listings_.find(*query.asset) : listings_.begin();
    const auto to = query.asset && from != listings_.end() ? std::next(from) : listings_.end();
    for (; from != to; ++from) {
        const Listing& listing = from->second;
        if (listing.withdrawn || !may_see(caller, listing.offer.offer)) continue;
        if (query.kind && listing.asset.kind != *query.kind) continue;
        if (now_ms && !shown(listing, *now_ms)) continue;
        catalog.entries.push_back({listing.asset, listing.offer, listing.version});
    }
    return catalog;
}

bool Exchange::shown(const Listing& listing, std::int64_t now_ms) const {
    const Offer& offer = listing.offer.offer;
    policy::Facts known;
    known.federation = "urn:fl:federation:" + federation_;
    known.now_ms = now_ms;
    known.agreed_at_ms = now_ms;
    policy::Verdict verdict = policy::evaluate(offer.policy, policy::Point::catalog, known);
    if (verdict.permitted) return true;
    // Said once for all who look: the offer is hidden, whoever asks.
    if (on_decision_) on_decision_({policy::Point::catalog, offer.id, offer.assigner, 0, std::move(verdict)});
    return false;
}

Result<Agreement> Exchange::negotiate(std::string_view caller, const Agreement& proposal, std::int64_t now_ms) {
    ENTENTE_ASSIGN(Agreement agreed, judge(caller, proposal, now_ms));
    if (agreements_.contains(agreed.id)) return agreed;
    add(agreed);
    ++cursor_;
    return agreed;
}

Result<Agreement> Exchange::judge(std::string_view caller, const Agreement& proposal, std::int64_t now_ms) const {
    ENTENTE_TRY(may_act(caller));
    const Offer& offer = proposal.offer.offer;
    const auto consumer = participants_.find(caller);
    if (consumer == participants_.end()) {
        return refuse(Code::permission_denied, "connector.unknown-participant", "no participant " + std::string(caller));
    }
    const auto it = listings_.find(offer.asset);
    if (it == listings_.end() || it->second.withdrawn || !may_see(caller, it->second.offer.offer)) {
        return refuse(Code::not_found, "connector.no-offer", "no offer over " + offer.asset);
    }
    // An agreement must be over the offer as it was published, and verified then: altered terms under a valid id are
    // refused here.
    if (it->second.offer != proposal.offer) {
        return refuse(Code::permission_denied, "agreement.mismatch",
                      "negotiate: expected the offer as published, found other terms under its id");
    }
    ENTENTE_TRY(verify_acceptance(proposal, {it->second.offer.assigner_key, consumer->second}));
    if (const auto over = agreements_over_.find(offer.asset); over != agreements_over_.end()) {
        for (const std::string& id : over->second) {
            const Agreement& agreement = agreements_.at(id);
            if (agreement.assignee_key == proposal.assignee_key && agreement.offer == proposal.offer) return agreement;
        }
    }
    constexpr std::int64_t clock_tolerance_ms = 300'000;
    const std::int64_t skew = proposal.acceptance.agreed_at_ms - now_ms;
    if (skew > clock_tolerance_ms || skew < -clock_tolerance_ms) {
        return refuse(Code::permission_denied, "agreement.clock",
                      "negotiate: expected a time of acceptance within five minutes of " + policy::format_instant(now_ms) +
                          ", found " + policy::format_instant(proposal.acceptance.agreed_at_ms) + "; check the clock");
    }
    return proposal;
}

Status Exchange::may_deliver(std::string_view caller, std::string_view asset, std::uint64_t round, std::int64_t now_ms) const {
    ENTENTE_ASSIGN(const std::vector<Agreement> over, agreements(caller, asset));
    Status verdict = done();
    for (const Agreement& agreement : over) {
        verdict = may_transfer(caller, agreement, round, now_ms);
        if (verdict.ok()) break;
    }
    return verdict;
}

Result<Transfer> Exchange::open(std::string_view caller, const TransferRequest& request, std::int64_t now_ms, std::string_view id) {
    ENTENTE_TRY(may_act(caller));
    if (const Transfer* known = id.empty() ? nullptr : find_transfer(id); known != nullptr) {
        const bool same = known->agreement == request.agreement && known->asset == request.asset && known->version == request.version;
        if (same && readable(caller, id).ok()) return *known;
        return refuse(Code::conflict, "transfer.duplicate", "expected a transfer that is new, found another's id");
    }
    const auto agreement = agreements_.find(request.agreement);
    if (agreement == agreements_.end()) {
        return refuse(Code::permission_denied, "agreement.unknown", "no agreement " + request.agreement);
    }
    const auto consumer = participants_.find(caller);
    if (consumer == participants_.end() || agreement->second.assignee_key != consumer->second) {
        return refuse(Code::permission_denied, "agreement.foreign", request.agreement + " is another participant's");
    }
    if (agreement->second.offer.offer.asset != request.asset) {
        return refuse(Code::permission_denied, "agreement.mismatch", request.agreement + " is over another asset");
    }
    const auto it = listings_.find(request.asset);
    if (it == listings_.end() || it->second.withdrawn) {
        return refuse(Code::not_found, "connector.no-asset", "no asset " + request.asset);
    }
    if (it->second.version != request.version) {
        return refuse(Code::conflict, "transfer.superseded", "transfer: another version has taken its place");
    }
    const Agreement& under = agreement->second;
    ENTENTE_TRY(tell(policy::Point::transfer, caller, under, request.version.round,
                     policy::evaluate(under.offer.offer.policy, policy::Point::transfer,
                                      facts(under, request.version.contract_round(), now_ms))));

    Transfer transfer;
    transfer.id = id.empty() ? "tr-" + std::to_string(next_transfer_++) : std::string(id);
    transfer.agreement = request.agreement;
    transfer.asset = request.asset;
    transfer.version = request.version;
    transfer.state = TransferState::started;
    add(transfer);
    return transfer;
}

policy::Facts Exchange::facts(const Agreement& agreement, std::uint64_t round, std::int64_t now_ms) const {
    policy::Facts known;
    known.federation = "urn:fl:federation:" + federation_;
    known.round = round;
    known.now_ms = now_ms;
    known.agreed_at_ms = agreement.acceptance.agreed_at_ms;
    known.to_assignee = true;  // open() and readable() know the caller by the assignee's key
    return known;
}

Status Exchange::tell(policy::Point point, std::string_view caller, const Agreement& agreement, std::uint64_t round,
                      policy::Verdict verdict) const {
    Status status = verdict.status();
    const Offer& offer = agreement.offer.offer;
    const std::string_view whom = offer.asset == global_model_asset(federation_) ? caller : std::string_view(offer.assigner);
    if (on_decision_) on_decision_({point, agreement.id, std::string(whom), round, std::move(verdict)});
    return status;
}

Status Exchange::may_transfer(std::string_view caller, const Agreement& agreement, std::uint64_t round, std::int64_t now_ms) const {
    return tell(policy::Point::transfer, caller, agreement, round,
                policy::evaluate(agreement.offer.offer.policy, policy::Point::transfer, facts(agreement, round, now_ms)));
}

Status Exchange::in_force(std::string_view caller, const Transfer& transfer, std::int64_t now_ms) const {
    const auto it = agreements_.find(transfer.agreement);
    if (it == agreements_.end()) return refuse(Code::permission_denied, "agreement.unknown", "no agreement " + transfer.agreement);
    policy::Verdict verdict = policy::evaluate(it->second.offer.offer.policy, policy::Point::monitor,
                                               facts(it->second, transfer.version.contract_round(), now_ms));
    if (verdict.permitted) return done();
    return tell(policy::Point::monitor, caller, it->second, transfer.version.round, std::move(verdict));
}

Result<Transfer> Exchange::readable(std::string_view caller, std::string_view transfer) const {
    ENTENTE_TRY(may_act(caller));
    const Transfer* found = find_transfer(transfer);
    if (found == nullptr) return refuse(Code::not_found, "transfer.unknown", "no transfer " + std::string(transfer));
    const auto agreement = agreements_.find(found->agreement);
    const auto consumer = participants_.find(caller);
    if (agreement == agreements_.end() || consumer == participants_.end() ||
        agreement->second.assignee_key != consumer->second) {
        return refuse(Code::permission_denied, "transfer.foreign", std::string(transfer) + " is another participant's");
    }
    return *found;
}

Result<Transfer> Exchange::conclude(std::string_view caller, std::string_view id, const Outcome& outcome) {
    ENTENTE_ASSIGN(Transfer transfer, readable(caller, id));
    if (!running(transfer)) return transfer;
    ENTENTE_ASSIGN(transfer.state, advance(transfer.state, outcome.accepted ? TransferMessage::complete : TransferMessage::terminate));
    transfer.code = outcome.code;
    transfer.sentence = outcome.sentence;
    for (Transfer& kept : transfers_.find(transfer.agreement)->second) {
        if (kept.id == id) kept = transfer;
    }
    ++cursor_;
    return transfer;
}

Result<std::vector<Transfer>> Exchange::transfers(std::string_view caller, std::string_view asset) const {
    const auto it = listings_.find(asset);
    if (it == listings_.end()) return std::vector<Transfer>();
    if (it->second.asset.provider != caller) {
        return refuse(Code::permission_denied, "connector.foreign-asset", std::string(asset) + " belongs to another participant");
    }
    return in_order(asset);
}

Result<std::vector<Agreement>> Exchange::agreements(std::string_view caller, std::string_view asset) const {
    std::vector<Agreement> found;
    const auto over = agreements_over_.find(asset);
    if (over == agreements_over_.end()) return found;
    for (const std::string& id : over->second) {
        const Agreement& agreement = agreements_.at(id);
        if (agreement.offer.offer.assigner == caller) found.push_back(agreement);
    }
    return found;
}

bool Exchange::holds(std::string_view participant, std::string_view id) const {
    const auto agreement = agreements_.find(id);
    const auto consumer = participants_.find(participant);
    return agreement != agreements_.end() && consumer != participants_.end() && agreement->second.assignee_key == consumer->second;
}

Status Exchange::withdraw(std::string_view caller, std::string_view asset) {
    const auto it = listings_.find(asset);
    if (it != listings_.end() && it->second.withdrawn && it->second.asset.provider == caller) return done();
    ENTENTE_ASSIGN(Listing * listing, own_listing(caller, asset));
    listing->withdrawn = true;
    end_transfers(asset, {false, "transfer.withdrawn", "The provider has withdrawn the asset."});
    ++cursor_;
    return done();
}

void Exchange::add(const Agreement& agreement) {
    agreements_over_[agreement.offer.offer.asset].insert(agreement.id);
    agreements_.emplace(agreement.id, agreement);
}

void Exchange::add(const Transfer& transfer) {
    std::vector<Transfer>& kept = transfers_[transfer.agreement];
    kept.push_back(transfer);
    agreement_of_[transfer.id] = transfer.agreement;
    if (kept.size() > max_transfers_kept) {
        agreement_of_.erase(kept.front().id);
        kept.erase(kept.begin());
    }
}

const Transfer* Exchange::find_transfer(std::string_view id) const {
    const auto agreement = agreement_of_.find(id);
    if (agreement == agreement_of_.end()) return nullptr;
    const std::vector<Transfer>& kept = transfers_.find(agreement->second)->second;
    return &*std::find_if(kept.begin(), kept.end(), [id](const Transfer& t) { return t.id == id; });
}

std::vector<Transfer> Exchange::in_order(std::string_view asset) const {
    std::vector<Transfer> found;
    const auto take = [&](const std::vector<Transfer>& kept) { found.insert(found.end(), kept.begin(), kept.end()); };
    if (asset.empty()) {
        for (const auto& [agreement, kept] : transfers_) take(kept);
    } else if (const auto over = agreements_over_.find(asset); over != agreements_over_.end()) {
        for (const std::string& id : over->second) {
            if (const auto kept = transfers_.find(id); kept != transfers_.end()) take(kept->second);
        }
    }
    std::stable_sort(found.begin(), found.end(), earlier);
    return found;
}

void Exchange::end_transfers(std::string_view asset, const Outcome& outcome) {
    const auto over = agreements_over_.find(asset);
    if (over == agreements_over_.end()) return;
    for (const std::string& id : over->second) end_agreement(id, outcome);
}

void Exchange::end_agreement(std::string_view agreement, const Outcome& outcome) {
    const auto kept = transfers_.find(agreement);
    if (kept == transfers_.end()) return;
    for (Transfer& transfer : kept->second) {
        if (!running(transfer)) continue;
        transfer.state = TransferState::terminated;
        transfer.code = outcome.code;
        transfer.sentence = outcome.sentence;
        ++cursor_;
    }
}

std::optional<Version> Exchange::current(std::string_view asset) const {
    const auto it = listings_.find(asset);
    if (it == listings_.end() || it->second.withdrawn) return std::nullopt;
    return it->second.version;
}

const Agreement* Exchange::agreement(std::string_view id) const {
    const auto it = agreements_.find(id);
    return it == agreements_.end() ? nullptr : &it->second;
}

Bytes Exchange::serialize() const {
    State state;
    state.federation = federation_;
    state.participants.insert(participants_.begin(), participants_.end());
    state.listings.insert(listings_.begin(), listings_.end());
    state.agreements.insert(agreements_.begin(), agreements_.end());
    state.transfers = in_order({});
    state.next_transfer = next_transfer_;
    state.cursor = cursor_;
    return codec::encode(state);
}

Result<Exchange> Exchange::deserialize(ByteView bytes) {
    constexpr std::uint64_t most = 256 * 1024 * 1024;
    auto state = codec::decode<State>(bytes, codec::ArchiveLimits{.depth = 32, .allocation_bytes = most});
    if (!state.ok() || state->format != format_version) {
        return refuse(Code::data_loss, "exchange.malformed",
                      "exchange: its snapshot cannot be read" + (state.ok() ? std::string() : ": " + state.error().message));
    }
    Exchange exchange(state->federation);
    exchange.participants_.insert(state->participants.begin(), state->participants.end());
    exchange.listings_.insert(state->listings.begin(), state->listings.end());
    for (const auto& [id, agreement] : state->agreements) exchange.add(agreement);
    for (const Transfer& transfer : state->transfers) exchange.add(transfer);
    exchange.next_transfer_ = state->next_transfer;
    exchange.cursor_ = state->cursor;
    return exchange;
}

}  // namespace entente::contract
