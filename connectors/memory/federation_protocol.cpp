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

// Counts what a transfer brings and copies nothing: in one process the content lies in the Space for whoever may read it.
class Receipt final : public contract::ByteSink {
public:
    explicit Receipt(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}
    Status append(ByteView piece) override {
        if (piece.size() > limit_bytes_ - bytes_) {
            return Error{Code::too_large, "transfer.too-large",
                         "transfer: expected at most " + std::to_string(limit_bytes_) + " bytes, found more"};
        }
        bytes_ += piece.size();
        return done();
    }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

private:
    std::uint64_t limit_bytes_;
    std::uint64_t bytes_ = 0;
};

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
    carry_out(partner, partner.seat->machine.handle(std::move(event)));
}

void Federation::Impl::carry_out(Partner& partner, participant::Commands commands) {
    for (participant::Command& command : commands) {
        std::visit([this, &partner](auto& c) { on(partner, c); }, command);
    }
}

// Everybody looks once at what has changed. Coordinator first, then the partners in order.
bool Federation::Impl::exchange() {
    bool moved = false;
    if (!changed.empty() || !agreed.empty()) {
        wake_coordinator();
        moved = true;
    }
    for (const std::size_t i : present) moved = wake(partners[i]) || moved;
    return witness() || moved;
}

// In one process there is one history: who is present has seen it, and cosigns at once.
bool Federation::Impl::witness() {
    const std::uint64_t round = options.plan.round.witnesses > 0 ? coordinator->summary().unwitnessed : 0;
    if (round == 0) return false;
    for (const std::size_t i : present) send(coordinator::Cosigned{partners[i].setup.id, round, now_ms});
    return coordinator->summary().unwitnessed != round;
}

// It is shown what has changed and nothing else: what it knows already would change nothing.
void Federation::Impl::wake_coordinator() {
    coordinator::Watched shown{{}, std::exchange(agreed, {}), now_ms};
    for (const std::size_t i : std::exchange(changed, {})) {
        const std::string asset = contract::update_stream_asset(options.plan.federation.id, partners[i].setup.id);
        auto catalog = ask<contract::Catalog>([&](auto done) {
            coordinator_connector->catalog({.kind = contract::AssetKind::update_stream, .asset = asset}, {}, std::move(done));
        });
        if (!catalog.ok()) continue;
        shown.catalog.cursor = catalog->cursor;
        for (contract::CatalogEntry& entry : catalog->entries) shown.catalog.entries.push_back(std::move(entry));
    }
    send(std::move(shown));
    retrieve_updates();
}

// A few at a time: their transfers in order, the opening of those that nobody has open at the same time, their judgement in
// order.
void Federation::Impl::retrieve_updates() {
    const std::vector<coordinator::Retrieve> all = std::exchange(retrievals, {});
    const std::size_t at_once = std::size_t{4} * lanes.width();
    for (std::size_t from = 0; from < all.size(); from += at_once) {
        const std::size_t count = std::min(at_once, all.size() - from);
        std::vector<Result<contract::Transfer>> transfers;
        std::vector<std::shared_ptr<contract::ByteSource>> contents;
        std::vector<std::shared_ptr<round::OpenedUpdate>> opened;
        for (std::size_t k = 0; k < count; ++k) {
            const coordinator::Retrieve& c = all[from + k];
            Receipt receipt(c.limit_bytes);
            transfers.push_back(ask<contract::Transfer>(
                [&](auto done) { coordinator_connector->transfer(c.request, receipt, {}, std::move(done)); }));
            contents.push_back(contract::make_source(space->content(c.request.asset)));
            opened.push_back(std::exchange(partners[index.at(c.participant)].sealed, nullptr));
        }
        lanes.run(count, [&](std::size_t k, unsigned) {
            if (transfers[k].ok() && !opened[k]) opened[k] = coordinator->open(*contents[k]);
        });
        for (std::size_t k = 0; k < count; ++k) {
            const coordinator::Retrieve& c = all[from + k];
            const std::uint64_t token = next_token++;
            if (transfers[k].ok()) under_transfer[transfers[k]->id] = index.at(c.participant);
            send(coordinator::Retrieved{c.participant, std::move(transfers[k]), token, nullptr, now_ms, std::move(opened[k])});
            if (token_kept == token) send(coordinator::Stored{token, now_ms});
        }
    }
}

bool Federation::Impl::wake(Partner& p) {
    Seat& seat = *p.seat;
    if (!seat.parked || !seat.news) return false;
    seat.parked.reset();
    seat.news = false;
    const std::string own = contract::update_stream_asset(options.plan.federation.id, p.setup.id);
    const std::string global = contract::global_model_asset(options.plan.federation.id);
    auto catalog = ask<contract::Catalog>(
        [&](auto done) { seat.connector.catalog({.kind = {}, .asset = global}, {}, std::move(done)); });
    auto own_agreements =
        ask<std::vector<contract::Agreement>>([&](auto done) { seat.connector.agreements(own, {}, std::move(done)); });
    auto moved = ask<std::vector<contract::Transfer>>([&](auto done) { seat.connector.transfers(own, {}, std::move(done)); });
    if (!catalog.ok() || !own_agreements.ok() || !moved.ok()) {
        p.outcome = Error{Code::internal, "federation.connector", "the memory connector refused a look at the catalogue"};
        return false;
    }
    send(p, participant::Watched{std::move(catalog).value(), space->exchange().current(own),
                                 std::move(own_agreements).value(), std::move(moved).value(), now_ms});
    const auto v = seat.machine.view();
    p.update_agreement = v.update_agreement;
    p.model_agreement = v.model_agreement;
    return true;
}

void Federation::Impl::tell_all() {
    for (const std::size_t i : present) {
        if (partners[i].seat) partners[i].seat->news = true;
    }
}

// --- the coordinator's commands ---------------------------------------------------------------------------------

void Federation::Impl::record(round::Record record) {
    const std::optional<round::Entry> last = ledger.empty() ? std::nullopt : std::optional(ledger.back());
    ledger.push_back(round::chain(last, std::move(record)));
}

void Federation::Impl::record_decisions() {
    space->exchange().on_decision([this](const contract::Decision& d) {
        round::PolicyDecided line = round::decided(d.point, d.agreement, d.participant, d.round, d.verdict);
        if (decision_log.is_news(line)) record({now_ms, std::move(line)});
    });
}

void Federation::Impl::on(coordinator::Persist& c) {
    record(std::move(c.record));
    const round::Body& body = ledger.back().record.body;
    if (std::holds_alternative<round::AgreementConcluded>(body)) ++agreements;
    if (const auto* model = std::get_if<round::ModelPublished>(&body)) {
        // Nothing but the present model is asked for again.
        std::erase_if(blobs, [model](const auto& b) { return b.first != model->blob && b.first != model->memory; });
    }
}

void Federation::Impl::on(coordinator::KeepStaged& c) { token_kept = c.token; }
void Federation::Impl::on(coordinator::DropStaged&) {}

void Federation::Impl::on(coordinator::StoreBlob& c) { blobs.emplace(c.blob, std::move(c.bytes)); }

void Federation::Impl::on(coordinator::LoadBlob& c) {
    const auto it = blobs.find(c.blob);
    if (it == blobs.end()) {
        return send(coordinator::BlobLoaded{c.blob, Error{Code::not_found, "federation.checkpoint", "no such blob"}, nullptr});
    }
    const auto source = contract::make_source(it->second);
    send(coordinator::BlobLoaded{c.blob, Done{}, source.get()});
}

// What was counted has been dropped when its transfer was concluded.
void Federation::Impl::on(coordinator::DeleteUpdates&) {}

void Federation::Impl::on(coordinator::EndAgreement& c) {
    space->exchange().end_agreement(c.agreement, c.outcome);
    tell_all();
}

void Federation::Impl::on(coordinator::OfferModel& c) {
    coordinator_connector->publish(std::move(c.asset), std::move(c.offer), {}, [](Result<Done>) {});
    tell_all();
}

void Federation::Impl::on(coordinator::PublishModel& c) {
    coordinator_connector->deliver(c.asset, c.version, contract::make_source(blobs.at(c.blob)), {},
                                   [](Result<Done>) {});
    tell_all();
}

void Federation::Impl::on(coordinator::Negotiate& c) {
    auto agreement = ask<contract::Agreement>(
        [&](auto done) { coordinator_connector->negotiate(std::move(c.proposal), {}, std::move(done)); });
    Partner& partner = partners[index.at(c.participant)];
    if (partner.seat) partner.seat->news = true;
    send(coordinator::Negotiated{std::move(c.participant), std::move(agreement), now_ms});
}

void Federation::Impl::on(coordinator::Retrieve& c) { retrievals.push_back(std::move(c)); }

void Federation::Impl::on(coordinator::Conclude& c) {
    coordinator_connector->conclude(c.transfer, c.outcome, {}, [](Result<Done>) {});
    const auto whose = under_transfer.extract(c.transfer);
    if (whose.empty()) return;
    Partner& partner = partners[whose.mapped()];
    space->drop_content(contract::update_stream_asset(options.plan.federation.id, partner.setup.id));
    if (partner.seat) partner.seat->news = true;
}

// --- a participant's commands -----------------------------------------------------------------------------------

void Federation::Impl::on(Partner& p, participant::OfferUpdates& c) {
    auto answer = ask<Done>([&](auto done) { p.seat->connector.publish(c.asset, c.offer, {}, std::move(done)); });
    if (answer.ok()) {
        changed.push_back(index.at(p.setup.id));
        send(p, participant::Offered{});
    } else {
        send(p, participant::Failed{answer.error(), now_ms});
    }
}

void Federation::Impl::on(Partner& p, participant::Watch& c) {
    if (c.wait_ms == 0) p.seat->news = true;
    p.seat->parked = c;
}

void Federation::Impl::on(Partner& p, participant::Wait& c) {
    now_ms += c.ms;
    send(p, participant::Waited{now_ms});
}

void Federation::Impl::on(Partner& p, participant::Negotiate& c) {
    auto answer =
        ask<contract::Agreement>([&](auto done) { p.seat->connector.negotiate(c.proposal, {}, std::move(done)); });
    if (answer.ok()) {
        agreed.push_back(*answer);
        send(p, participant::Agreed{std::move(answer).value()});
    } else {
        send(p, participant::Failed{answer.error(), now_ms});
    }
}

void Federation::Impl::on(Partner& p, participant::Fetch& c) { p.seat->fetch = std::move(c); }

// The same model comes to everybody: the first who fetches it opens it for all.
void Federation::Impl::fetch(Partner& p) {
    const participant::Fetch wanted = *std::exchange(p.seat->fetch, std::nullopt);
    const bool first = opened_version != wanted.request.version;
    Receipt receipt(wanted.limit_bytes);
    auto answer = ask<contract::Transfer>(
        [&](auto done) { p.seat->connector.transfer(wanted.request, receipt, {}, std::move(done)); });
    if (!answer.ok()) return send(p, participant::Failed{answer.error(), now_ms});
    if (first) {
        opened_version = wanted.request.version;
        opened_model = round::Participant::open(options.plan, *space->content(wanted.request.asset), coordinator_key);
    }
    p.bytes_down += receipt.bytes();
    bytes_down += receipt.bytes();
    p.seat->fetched = participant::Fetched{std::move(answer).value(), {}, opened_model};
}

void Federation::Impl::on(Partner& p, participant::Conclude& c) {
    p.seat->connector.conclude(c.transfer, c.outcome, {}, [](Result<Done>) {});
}

void Federation::Impl::on(Partner& p, participant::Train& c) { p.seat->job = std::move(c); }

void Federation::Impl::on(Partner& p, participant::KeepState& c) {
    p.state = *c.state;
    send(p, participant::Kept{});
}

void Federation::Impl::on(Partner& p, participant::Deliver& c) {
    p.bytes_up += c.envelope->size();
    bytes_up += c.envelope->size();
    ++trained;
    loss_sum += p.loss * static_cast<double>(p.setup.rows.size());
    loss_examples += p.setup.rows.size();
    auto answer = ask<Done>([&](auto done) {
        p.seat->connector.deliver(c.asset, c.version, contract::make_source(c.envelope), {}, std::move(done));
    });
    if (answer.ok()) {
        p.sealed = std::move(c.opened);
        changed.push_back(index.at(p.setup.id));
        send(p, participant::Delivered{});
    } else {
        send(p, participant::Failed{answer.error(), now_ms});
    }
}

void Federation::Impl::on(Partner& p, participant::Finish& c) {
    if (!c.outcome.ok()) p.outcome = c.outcome;
}

void Federation::Impl::on(Partner&, participant::Notice&) {}

}  // namespace entente::memory
