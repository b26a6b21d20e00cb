#include "edc/edc_connector.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "connectors/dsp/exchange_behaviour.hpp"
#include "entente/base/json.hpp"
#include "entente/codec/sha256.hpp"

namespace entente::native {

using namespace contract;
using hub::HubSide;
using hub::HubSpace;

namespace {

constexpr std::int64_t look_pause_ms = 500;
constexpr const char* acceptance_note = "edc.acceptance";  // what we show: our latest acceptance of the global model's offer
constexpr const char* held_note = "edc.held";              // the one that became an agreement,
constexpr const char* wire_note = "edc.held.wire";         // and the agreement's two names
constexpr const char* local_note = "edc.held.local";

Error cancelled() { return {Code::cancelled, "connector.cancelled", "the call was cancelled"}; }

std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// As many bytes as were announced, and no more.
class Exact final : public ByteSink {
public:
    Exact(ByteSink& to, std::uint64_t size) : to_(to), left_(size) {}
    Status append(ByteView piece) override {
        if (piece.size() > left_) return superseded();
        left_ -= piece.size();
        return to_.append(piece);
    }
    [[nodiscard]] bool whole() const { return left_ == 0; }
    static Error superseded() { return {Code::conflict, "transfer.superseded", "another version has taken this one's place"}; }

private:
    ByteSink& to_;
    std::uint64_t left_;
};

}  // namespace

EdcConnector::EdcConnector(EdcConnectorOptions options, EdcSide& side, edc::Http& http)
    : o_(std::move(options)), side_(side), http_(http),
      edc_({.management = o_.management, .key = o_.key, .participant = o_.edc_id.empty() ? o_.self : o_.edc_id, .version = {}}, http),
      updates_(update_stream_asset(o_.federation, o_.self)) {}

Status EdcConnector::connect() { return edc_.connect(); }

Result<std::optional<Agreement>> EdcConnector::remembered() {
    ENTENTE_ASSIGN(const auto agreement, side_.note(held_note));
    ENTENTE_ASSIGN(const auto wire, side_.note(wire_note));
    ENTENTE_ASSIGN(const auto local, side_.note(local_note));
    if (!agreement || !wire || !local) return std::optional<Agreement>();
    ENTENTE_ASSIGN(Agreement held, decode_agreement(*agreement));
    held_ = edc::EdcAgreement{text_of(*wire), text_of(*local), held.offer.offer.asset, held.offer.offer.policy};
    return std::optional(std::move(held));
}

// The name that EDC's calls want last: with it, all are there.
Status EdcConnector::remember(const Agreement& agreement, const edc::EdcAgreement& known) {
    ENTENTE_TRY(side_.keep_note(held_note, encode(agreement)));
    ENTENTE_TRY(side_.keep_note(wire_note, as_bytes(std::string_view(known.wire_id))));
    ENTENTE_TRY(side_.keep_note(local_note, as_bytes(std::string_view(known.local_id))));
    held_ = known;
    return done();
}

// Brings our asset in EDC up to what the exchange offers.
Status EdcConnector::show() {
    const Catalog ours = side_.run([&](HubSpace& space, HubSide&) {
        return space.exchange().catalog(o_.coordinator.id, {.kind = AssetKind::update_stream, .asset = updates_});
    });
    if (ours.entries.empty()) return done();
    const CatalogEntry& entry = ours.entries.front();
    edc::Publication publication{updates_, entry.offer.offer.policy, dsp::to_dataset(entry, {}).properties, updates_, side_.source_type()};
    ENTENTE_ASSIGN(const auto acceptance, side_.note(acceptance_note));
    if (acceptance) {
        ENTENTE_ASSIGN(const Agreement accepted, decode_agreement(*acceptance));
        publication.properties.merge(dsp::acceptance_of(accepted));
    }
    if (publication.properties == shown_) return done();
    Status published = edc_.publish(publication);
    if (!published.ok() && published.error().reason == "edc.conflict") {
        // Other terms than before, of an earlier federation by this name: what was agreed to under those stays in EDC.
        ENTENTE_TRY(edc_.withdraw(updates_));
        published = edc_.publish(publication);
    }
    ENTENTE_TRY(published);
    shown_ = std::move(publication.properties);
    return done();
}

// What the coordinator's books say about our updates. Its acceptance may have been read long after it was signed.
Status EdcConnector::adopt(const HubView& told) {
    for (const Agreement& agreement : told.own_agreements) {
        const auto adopted = side_.run([&](HubSpace& space, HubSide&) -> Status {
            if (space.exchange().agreement(agreement.id) != nullptr) return done();
            const auto agreed = space.negotiate(o_.coordinator.id, agreement, std::min(space.now_ms(), agreement.acceptance.agreed_at_ms));
            return agreed.ok() ? done() : Status(agreed.error());
        });
        ENTENTE_TRY(adopted);
    }
    told_ = told.own_transfers;
    std::erase_if(told_, [this](const Transfer& t) { return t.asset != updates_; });
    return done();
}

Result<HubView> EdcConnector::look() {
    ENTENTE_ASSIGN(const auto datasets, edc_.catalogue(o_.coordinator));
    std::vector<CatalogEntry> entries;
    for (const dsp::Dataset& dataset : datasets) {
        const auto federation = dataset.properties.find(dsp::member::federation);
        if (federation == dataset.properties.end() || federation->second != o_.federation) continue;
        auto entry = dsp::read_entry(dataset, dsp::Profile::may_be_lost);
        if (!entry.ok() && o_.on_problem) o_.on_problem(entry.error());
        if (!entry.ok() || entry->asset.provider != o_.coordinator.id || entry->asset.kind != AssetKind::global_model) continue;
        if (const std::string& meant_for = entry->offer.offer.assignee; !meant_for.empty() && meant_for != o_.self) continue;
        offered_[dataset.id] = dataset;
        entries.push_back(std::move(entry).value());
        if (const auto told = dsp::read_view(dataset.properties); told.ok()) ENTENTE_TRY(adopt(*told));
    }
    HubView view = side_.run([&](HubSpace& space, HubSide&) { return space.view(o_.self); });
    view.catalog = {std::move(entries), 0};
    view.own_transfers = told_;
    const Digest content = codec::sha256(encode(view));
    for (std::size_t i = 0; i < 8; ++i) view.catalog.cursor = (view.catalog.cursor << 8u) | std::to_integer<std::uint64_t>(content.bytes[i]);
    return view;
}

Result<HubView> EdcConnector::watch(std::uint64_t cursor, std::int64_t wait_ms, const CallOptions& options) {
    const std::int64_t end = monotonic_ms() + wait_ms;
    for (;;) {
        if (options.cancel.cancelled()) return cancelled();
        ENTENTE_ASSIGN(HubView view, look());
        if (view.catalog.cursor != cursor || monotonic_ms() + look_pause_ms > end) return view;
        http_.pause(look_pause_ms);
    }
}

void EdcConnector::publish(Asset asset, SignedOffer offer, CallOptions options, Completion<Done> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    Result<Done> offered = side_.run([&](HubSpace& space, HubSide&) { return space.publish(o_.self, std::move(asset), std::move(offer)); });
    if (offered.ok()) offered = show();
    completion(std::move(offered));
}

void EdcConnector::deliver(std::string asset, Version version, std::shared_ptr<ByteSource> content, CallOptions options, Completion<Done> completion) {
    Result<Done> delivered = side_.run([&](HubSpace& space, HubSide& own) -> Result<Done> {
        const Status use = space.exchange().may_deliver(o_.self, asset, version.round, space.now_ms());
        if (!use.ok() && hub::may_start(options).ok()) return use.error();
        Result<Done> result = done();
        own.deliver(asset, version, content, options, [&result](Result<Done> r) { result = std::move(r); });
        return result;
    });
    if (delivered.ok()) delivered = show();
    completion(std::move(delivered));
}

void EdcConnector::catalog(CatalogQuery query, CallOptions options, Completion<Catalog> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    auto view = look();
    if (!view.ok()) return completion(view.error());
    std::erase_if(view->catalog.entries, [&query](const CatalogEntry& entry) {
        return (query.kind && entry.asset.kind != *query.kind) || (query.asset && entry.asset.id != *query.asset);
    });
    completion(std::move(view->catalog));
}

void EdcConnector::negotiate(Agreement proposal, CallOptions options, Completion<Agreement> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    completion(agree(proposal, options));
}

// The dataset as it is when the coordinator has read our acceptance.
Result<dsp::Dataset> EdcConnector::accepted(const Agreement& proposal, const CallOptions& options) {
    const std::string& asset = proposal.offer.offer.asset;
    const std::int64_t end = monotonic_ms() + options.timeout_ms;
    for (;;) {
        ENTENTE_TRY(look());
        const auto dataset = offered_.find(asset);
        if (dataset == offered_.end()) return Error{Code::not_found, "connector.no-offer", "no offer over " + asset};
        const auto read = dataset->second.properties.find(dsp::member::accepted);
        if (read != dataset->second.properties.end() && read->second == proposal.id) return dataset->second;
        if (options.cancel.cancelled()) return cancelled();
        if (monotonic_ms() + look_pause_ms > end) {
            return Error{Code::deadline_exceeded, "connector.deadline",
                         o_.coordinator.id + " has not read our acceptance in EDC's catalogue: can it reach this EDC, and is it who the coordinator knows?"};
        }
        if (o_.on_wait) o_.on_wait();
        http_.pause(look_pause_ms);
    }
}

Result<Agreement> EdcConnector::agree(const Agreement& proposal, const CallOptions& options) {
    ENTENTE_ASSIGN(auto held, remembered());
    if (held && held->offer == proposal.offer) return std::move(*held);
    ENTENTE_TRY(side_.keep_note(acceptance_note, encode(proposal)));
    ENTENTE_TRY(show());
    ENTENTE_ASSIGN(const dsp::Dataset dataset, accepted(proposal, options));
    policy::Facts facts = o_.facts;
    facts.now_ms = facts.agreed_at_ms = proposal.acceptance.agreed_at_ms;
    ENTENTE_ASSIGN(const edc::EdcAgreement agreed, edc_.negotiate(o_.coordinator, dataset, facts));
    ENTENTE_TRY(remember(proposal, agreed));
    return proposal;
}

void EdcConnector::transfer(TransferRequest request, ByteSink& sink, CallOptions options, Completion<Transfer> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    completion(fetch(request, sink));
}

// The provider would refuse it, but EDC has no ear for that while it waits for a start.
Status EdcConnector::may_ask(const Agreement& agreement, std::uint64_t round) const {
    policy::Facts facts;
    facts.federation = o_.facts.federation;
    facts.round = round;
    facts.now_ms = now_ms();
    facts.agreed_at_ms = agreement.acceptance.agreed_at_ms;
    facts.to_assignee = true;
    return policy::evaluate(agreement.offer.offer.policy, policy::Point::transfer, facts).status();
}

Result<Transfer> EdcConnector::fetch(const TransferRequest& request, ByteSink& sink) {
    ENTENTE_ASSIGN(const auto held, remembered());
    if (!held || held->id != request.agreement) return Error{Code::permission_denied, "agreement.unknown", "no agreement " + request.agreement};
    if (held_->dataset != request.asset) return Error{Code::permission_denied, "agreement.mismatch", request.agreement + " is over another asset"};
    ENTENTE_TRY(may_ask(*held, request.version.round));
    auto pulled = edc_.pull(o_.coordinator, *held_);
    // Whoever ended it may be asked again: that the terms forbid it was found above.
    if (!pulled.ok() && pulled.error().reason == "edc.terminated") return Error{Code::unavailable, "edc.terminated", pulled.error().message};
    ENTENTE_ASSIGN(const edc::Pull pull, std::move(pulled));
    Exact exact(sink, request.version.size_bytes);
    Status fetched = edc_.fetch(pull, exact);
    if (fetched.ok() && !exact.whole()) fetched = Exact::superseded();
    if (!fetched.ok()) {
        const auto ended = edc_.terminate(pull.transfer, fetched.error().reason + ": " + fetched.error().message);
        static_cast<void>(ended);
        return fetched.error();
    }
    return Transfer{pull.transfer, request.agreement, request.asset, request.version, TransferState::started, {}, {}};
}

void EdcConnector::conclude(std::string transfer, Outcome outcome, CallOptions options, Completion<Done> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    completion(edc_.terminate(transfer, outcome.accepted ? std::string(dsp::received_whole) : outcome.code + ": " + outcome.sentence));
}

void EdcConnector::transfers(std::string asset, CallOptions options, Completion<std::vector<Transfer>> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    completion(asset == updates_ ? told_ : std::vector<Transfer>());
}

void EdcConnector::agreements(std::string asset, CallOptions options, Completion<std::vector<Agreement>> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    completion(side_.run([&](HubSpace& space, HubSide&) { return space.exchange().agreements(o_.self, asset); }));
}

void EdcConnector::withdraw(std::string asset, CallOptions options, Completion<Done> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    Result<Done> withdrawn = side_.run([&](HubSpace& space, HubSide&) { return space.withdraw(o_.self, asset); });
    if (withdrawn.ok()) withdrawn = edc_.withdraw(asset);
    if (withdrawn.ok()) shown_.clear();
    completion(std::move(withdrawn));
}

void EdcConnector::wait(std::uint64_t cursor, CallOptions options, Completion<std::uint64_t> completion) {
    if (options.cancel.cancelled()) return completion(cancelled());
    const auto view = watch(cursor, options.timeout_ms, options);
    if (!view.ok()) return completion(view.error());
    completion(view->catalog.cursor);
}

}  // namespace entente::native
