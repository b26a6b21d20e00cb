#include "connectors/hub/hub_space.hpp"

#include <algorithm>
#include <iterator>

#include "entente/codec/sha256.hpp"

namespace entente::hub {

using namespace contract;

namespace {

// Of each asset's transfers a participant gets the latest few: enough for its receipts, and a poll stays small.
constexpr std::size_t transfers_shown = 4;

}  // namespace

Status may_start(const CallOptions& options) {
    if (options.cancel.cancelled()) return Error{Code::cancelled, "connector.cancelled", "the call was cancelled"};
    if (options.timeout_ms <= 0) {
        return Error{Code::deadline_exceeded, "connector.deadline", "the call's deadline had passed before it began"};
    }
    return done();
}

// Applies a change to the books, saves them, and takes the change back when that fails.
template <class Change>
auto HubSpace::change(bool urgent, Change&& apply) -> decltype(apply()) {
    const std::uint64_t cursor = exchange_.cursor();
    Exchange before = exchange_;
    auto result = apply();
    if (!result.ok()) return result;
    if (exchange_.cursor() == cursor && !urgent) return result;
    if (Status saved = storage_.save(exchange_, urgent); !saved.ok()) {
        exchange_ = std::move(before);
        return saved.error();
    }
    if (exchange_.cursor() != cursor) notify();
    return result;
}

Status HubSpace::admit(const std::string& participant, const codec::PublicKey& key) {
    return change(true, [&]() -> Status { return exchange_.admit(participant, key); });
}

Status HubSpace::expel(const std::string& participant) {
    return change(true, [&]() -> Status { return exchange_.expel(participant); });
}

Status HubSpace::admit_anew(const std::string& participant, const codec::PublicKey& key) {
    return change(true, [&]() -> Status {
        static_cast<void>(exchange_.expel(participant));  // unknown already, where this is done again after a crash
        return exchange_.admit(participant, key);
    });
}

Status HubSpace::suspend(const std::string& participant, const std::string& sentence) {
    return change(true, [&]() -> Status {
        exchange_.suspend(participant, sentence);
        return done();
    });
}

Status HubSpace::resume(const std::string& participant) {
    return change(true, [&]() -> Status {
        exchange_.resume(participant);
        return done();
    });
}

Status HubSpace::publish(const std::string& caller, Asset asset, SignedOffer offer) {
    return change(true, [&]() -> Status { return exchange_.publish(caller, std::move(asset), std::move(offer)); });
}

Status HubSpace::may_deliver(const std::string& caller, const std::string& asset) const {
    const auto known = exchange_.transfers(caller, asset);  // knows whose it is
    if (!known.ok()) return known.error();
    Exchange trial = exchange_;
    return trial.deliver(caller, asset, Version{});
}

Status HubSpace::delivered(const std::string& caller, const std::string& asset, const Version& version) {
    return change(true, [&]() -> Status { return exchange_.deliver(caller, asset, version); });
}

Result<Agreement> HubSpace::negotiate(const std::string& caller, const Agreement& proposal,
                                      std::optional<std::int64_t> judged_at_ms) {
    return change(true, [&]() -> Result<Agreement> {
        return exchange_.negotiate(caller, proposal, judged_at_ms.value_or(now_ms_()));
    });
}

Result<Transfer> HubSpace::open(const std::string& caller, const TransferRequest& request, const std::string& id) {
    return change(false, [&]() -> Result<Transfer> { return exchange_.open(caller, request, now_ms_(), id); });
}

Status HubSpace::conclude(const std::string& caller, const std::string& transfer, const Outcome& outcome) {
    return change(false, [&]() -> Status {
        auto concluded = exchange_.conclude(caller, transfer, outcome);
        if (!concluded.ok()) return concluded.error();
        return done();
    });
}

Status HubSpace::withdraw(const std::string& caller, const std::string& asset) {
    return change(true, [&]() -> Status { return exchange_.withdraw(caller, asset); });
}

Status HubSpace::end_agreement(const std::string& agreement, const Outcome& outcome) {
    return change(true, [&]() -> Status {
        exchange_.end_agreement(agreement, outcome);
        return done();
    });
}

HubView HubSpace::view(const std::string& participant) {
    HubView view;
    view.catalog = exchange_.catalog(participant, {}, now_ms_());
    for (const std::string& own : {update_stream_asset(federation_, participant), global_model_asset(federation_)}) {
        auto agreements = exchange_.agreements(participant, own);
        if (agreements.ok()) std::move(agreements->begin(), agreements->end(), std::back_inserter(view.own_agreements));
        auto transfers = exchange_.transfers(participant, own);
        if (!transfers.ok()) continue;  // another participant's
        if (!view.own_version) view.own_version = exchange_.current(own);
        const auto shown = static_cast<std::ptrdiff_t>(std::min(transfers->size(), transfers_shown));
        std::move(transfers->end() - shown, transfers->end(), std::back_inserter(view.own_transfers));
    }
    view.catalog.cursor = 0;
    const Digest content = codec::sha256(encode(view));
    Seen& seen = seen_[participant];
    if (seen.cursor == 0 || seen.content != content) seen = {content, exchange_.cursor()};
    view.catalog.cursor = seen.cursor;
    return view;
}

void HubSpace::view_when_changed(const std::string& participant, std::uint64_t cursor, std::int64_t deadline_ms,
                                 CancelToken cancel, std::function<void(HubView)> answer) {
    HubView now = view(participant);
    if (now.catalog.cursor != cursor || deadline_ms <= now_ms_()) return answer(std::move(now));
    waits_.push_back({participant, cursor, deadline_ms, std::move(cancel), std::move(answer)});
}

void HubSpace::notify() {
    std::list<Wait> due;
    for (auto it = waits_.begin(); it != waits_.end();) {
        const auto next = std::next(it);
        if (it->cancel.cancelled() || view(it->participant).catalog.cursor != it->cursor) due.splice(due.end(), waits_, it);
        it = next;
    }
    for (Wait& wait : due) wait.answer(view(wait.participant));
    if (on_change_) on_change_();
}

void HubSpace::expire(std::int64_t now_ms) {
    std::list<Wait> due;
    for (auto it = waits_.begin(); it != waits_.end();) {
        const auto next = std::next(it);
        if (it->cancel.cancelled() || it->deadline_ms <= now_ms) due.splice(due.end(), waits_, it);
        it = next;
    }
    for (Wait& wait : due) wait.answer(view(wait.participant));
}

std::optional<std::int64_t> HubSpace::next_deadline() const {
    std::optional<std::int64_t> next;
    for (const Wait& wait : waits_) next = std::min(next.value_or(wait.deadline_ms), wait.deadline_ms);
    return next;
}

void HubSpace::drain() {
    std::list<Wait> all = std::move(waits_);
    waits_.clear();
    for (Wait& wait : all) wait.answer(view(wait.participant));
}

std::vector<std::string> HubSpace::waiting() const {
    std::vector<std::string> ids;
    for (const Wait& wait : waits_) {
        if (!wait.cancel.cancelled()) ids.push_back(wait.participant);
    }
    return ids;
}

}  // namespace entente::hub
