// The commands of the machines, carried out over the memory connector. Its completions run before a call returns.
#include <algorithm>

#include "connectors/memory/federation_impl.hpp"

namespace entente::memory {

namespace coordinator = round::coordinator;
namespace participant = round::participant;
using contract::CallOptions;

namespace {

// What a call completed with. REQUIRES: the connector completes at once.
template <class T>
struct Answer {
    std::optional<Result<T>> result;
    contract::Completion<T> completion() {
        return [this](Result<T> r) { result.emplace(std::move(r)); };
    }
    Result<T> take() { return std::move(*result); }
};

template <class T, class Call>
Result<T> ask(Call&& call) {
    Answer<T> answer;
    call(answer.completion());
    return answer.take();
}

}  // namespace

void Federation::Impl::send(coordinator::Event event) {
    std::deque<coordinator::Command> queue;
    const auto append = [&queue](coordinator::Commands commands) {
        for (auto& command : commands) queue.push_back(std::move(command));
    };
    append(coordinator->handle(std::move(event)));
    while (!queue.empty()) {
        coordinator::Command command = std::move(queue.front());
        queue.pop_front();
        std::visit([this](auto& c) { on(c); }, command);
    }
}

void Federation::Impl::send(Partner& partner, participant::Event event) {
    for (participant::Command& command : partner.machine->handle(std::move(event))) {
        std::visit([this, &partner](auto& c) { on(partner, c); }, command);
    }
}

// Everybody looks once at what has changed. Coordinator first, then the partners in order.
Result<bool> Federation::Impl::exchange() {
    bool moved = false;
    if (coordinator_cursor != space->exchange().cursor()) {
        wake_coordinator();
        moved = true;
    }
    for (Partner& partner : partners) moved = wake(partner) || moved;
    return moved;
}

void Federation::Impl::wake_coordinator() {
    coordinator_cursor = space->exchange().cursor();
    const std::string asset = contract::global_model_asset(options.plan.federation.id);
    auto catalog = ask<contract::Catalog>([&](auto done) {
        coordinator_connector->catalog({.kind = contract::AssetKind::update_stream, .asset = {}}, {}, std::move(done));
    });
    auto agreed = ask<std::vector<contract::Agreement>>(
        [&](auto done) { coordinator_connector->agreements(asset, {}, std::move(done)); });
    if (!catalog.ok() || !agreed.ok()) return;
    if (options.shuffle_arrivals) {
        const auto order = arrival_order(coordinator->view().round);
        std::vector<contract::CatalogEntry> shuffled;
        for (const std::size_t i : order) {
            const auto it = std::find_if(catalog->entries.begin(), catalog->entries.end(), [&](const auto& entry) {
                return entry.asset.provider == partners[i].setup.id;
            });
            if (it != catalog->entries.end()) shuffled.push_back(*it);
        }
        catalog->entries = std::move(shuffled);
    }
    send(coordinator::Watched{std::move(catalog).value(), std::move(agreed).value(), now_ms});
}

bool Federation::Impl::wake(Partner& p) {
    if (!p.parked || p.parked->cursor == space->exchange().cursor()) return false;
    p.parked.reset();
    const std::string own = contract::update_stream_asset(options.plan.federation.id, p.setup.id);
    auto catalog = ask<contract::Catalog>([&](auto done) { p.connector->catalog({}, {}, std::move(done)); });
    auto agreed = ask<std::vector<contract::Agreement>>([&](auto done) { p.connector->agreements(own, {}, std::move(done)); });
    auto moved = ask<std::vector<contract::Transfer>>([&](auto done) { p.connector->transfers(own, {}, std::move(done)); });
    if (!catalog.ok() || !agreed.ok() || !moved.ok()) {
        p.outcome = Error{Code::internal, "federation.connector", "the memory connector refused a look at the catalogue"};
        return false;
    }
    send(p, participant::Watched{std::move(catalog).value(), space->exchange().current(own), std::move(agreed).value(),
                                 std::move(moved).value(), now_ms});
    return true;
}

// --- the coordinator's commands ---------------------------------------------------------------------------------

void Federation::Impl::on(coordinator::Persist& c) {
    const std::optional<round::Entry> last = ledger.empty() ? std::nullopt : std::optional(ledger.back());
    ledger.push_back(round::chain(last, std::move(c.record)));
    if (std::holds_alternative<round::AgreementConcluded>(ledger.back().record.body)) ++agreements;
}

void Federation::Impl::on(coordinator::KeepStaged& c) { token_kept = c.token; }
void Federation::Impl::on(coordinator::DropStaged&) {}

void Federation::Impl::on(coordinator::StoreBlob& c) {
    blobs.clear();
    blobs.emplace(c.blob, std::move(c.bytes));
}

void Federation::Impl::on(coordinator::LoadBlob&) {}

void Federation::Impl::on(coordinator::OfferModel& c) {
    coordinator_connector->publish(std::move(c.asset), std::move(c.offer), {}, [](Result<Done>) {});
}

void Federation::Impl::on(coordinator::PublishModel& c) {
    coordinator_connector->deliver(c.asset, c.version, contract::make_source(Bytes(*blobs.at(c.blob))), {},
                                   [](Result<Done>) {});
}

void Federation::Impl::on(coordinator::Negotiate& c) {
    auto agreement = ask<contract::Agreement>(
        [&](auto done) { coordinator_connector->negotiate(std::move(c.proposal), {}, std::move(done)); });
    send(coordinator::Negotiated{std::move(c.participant), std::move(agreement), now_ms});
}

void Federation::Impl::on(coordinator::Retrieve& c) {
    contract::BoundedSink sink(c.limit_bytes);
    auto transfer = ask<contract::Transfer>(
        [&](auto done) { coordinator_connector->transfer(c.request, sink, {}, std::move(done)); });
    const auto source = contract::make_source(sink.take());
    const std::uint64_t token = next_token++;
    const bool arrived = transfer.ok();
    send(coordinator::Retrieved{std::move(c.participant), std::move(transfer), token, arrived ? source.get() : nullptr, now_ms});
    if (token_kept == token) send(coordinator::Stored{token, now_ms});
}

void Federation::Impl::on(coordinator::Conclude& c) {
    coordinator_connector->conclude(c.transfer, c.outcome, {}, [](Result<Done>) {});
}

// --- a participant's commands -----------------------------------------------------------------------------------

void Federation::Impl::on(Partner& p, participant::OfferUpdates& c) {
    auto answer = ask<Done>([&](auto done) { p.connector->publish(c.asset, c.offer, {}, std::move(done)); });
    if (answer.ok()) {
        send(p, participant::Offered{});
    } else {
        send(p, participant::Failed{answer.error(), now_ms});
    }
}

void Federation::Impl::on(Partner& p, participant::Watch& c) {
    if (c.wait_ms == 0) c.cursor = 0;
    p.parked = c;
}

void Federation::Impl::on(Partner& p, participant::Wait& c) {
    now_ms += c.ms;
    send(p, participant::Waited{now_ms});
}

void Federation::Impl::on(Partner& p, participant::Negotiate& c) {
    auto answer = ask<contract::Agreement>([&](auto done) { p.connector->negotiate(c.proposal, {}, std::move(done)); });
    if (answer.ok()) {
        send(p, participant::Agreed{std::move(answer).value()});
    } else {
        send(p, participant::Failed{answer.error(), now_ms});
    }
}

void Federation::Impl::on(Partner& p, participant::Fetch& c) {
    contract::BoundedSink sink(c.limit_bytes);
    auto answer = ask<contract::Transfer>([&](auto done) { p.connector->transfer(c.request, sink, {}, std::move(done)); });
    if (answer.ok()) {
        p.bytes_down += sink.bytes().size();
        send(p, participant::Fetched{std::move(answer).value(), sink.take()});
    } else {
        send(p, participant::Failed{answer.error(), now_ms});
    }
}

void Federation::Impl::on(Partner& p, participant::Conclude& c) {
    p.connector->conclude(c.transfer, c.outcome, {}, [](Result<Done>) {});
}

void Federation::Impl::on(Partner& p, participant::Train& c) {
    p.job = std::move(c);
    if (auto started = start_job(p); !started.ok()) p.outcome = started.error();
}

void Federation::Impl::on(Partner& p, participant::Deliver& c) {
    p.bytes_up += c.envelope->size();
    auto answer = ask<Done>([&](auto done) {
        p.connector->deliver(c.asset, c.version, contract::make_source(Bytes(*c.envelope)), {}, std::move(done));
    });
    if (answer.ok()) {
        send(p, participant::Delivered{});
    } else {
        send(p, participant::Failed{answer.error(), now_ms});
    }
}

void Federation::Impl::on(Partner& p, participant::Finish& c) {
    p.finished = true;
    if (!c.outcome.ok()) p.outcome = c.outcome;
}

void Federation::Impl::on(Partner&, participant::Notice&) {}

}  // namespace entente::memory
