// A federation for tests: real machines, real books, a journal and blobs that survive a crash, and training
// replaced by arithmetic. A crash can be asked for after any record; the coordinator then starts again from what
// was durable at that moment, as a killed process would.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "entente/codec/sha256.hpp"
#include "entente/contract/exchange.hpp"
#include "entente/round/coordinator.hpp"
#include "entente/round/participant.hpp"

namespace harness {

using namespace entente;
namespace co = round::coordinator;
namespace pa = round::participant;

inline codec::SigningKey key_of(const std::string& id) {
    const Digest seed = codec::sha256(as_bytes("test key " + id));
    return codec::SigningKey(std::span<const std::byte, 32>(seed.bytes));
}

inline plan::Plan tiny_plan(std::uint32_t rounds = 3) {
    plan::Plan plan = plan::default_digits_plan();
    plan.federation.id = "tiny";
    plan.task.classes = 3;
    plan.task.model = {{4}, {nn::dense("out", 3)}};
    plan.round.rounds = rounds;
    return plan;
}

// Rows of one number x and a flag, scaled by everybody's.
inline plan::Plan table_plan(std::uint32_t rounds = 3) {
    plan::Plan plan = tiny_plan(rounds);
    task::Task t;
    t.name = "tiny";
    t.min_rows = 1;
    t.columns.resize(2);
    t.columns[0].name = "x";
    t.columns[1].name = "bad";
    t.columns[1].role = task::Role::label;
    t.features = {{.kind = task::FeatureKind::value, .column = "x"}};
    t.label = {.kind = task::LabelKind::flag, .column = "bad"};
    t.scaling.kind = task::ScalingKind::federated;
    t.model = {{1}, {nn::dense("out", 1)}};
    t.loss.kind = nn::LossKind::binary_cross_entropy;
    plan::use_task(plan, std::move(t));
    return plan;
}

// What a partner with these x, the last of which is bad, gives.
inline std::vector<std::int32_t> sums_of(const plan::Plan& plan, const std::vector<int>& xs) {
    std::string text = "x,bad\n";
    for (std::size_t i = 0; i < xs.size(); ++i) text += std::to_string(xs[i]) + (i + 1 == xs.size() ? ",1\n" : ",0\n");
    task::RowReader reader = task::RowReader::start(*plan.task.table, {}).value();
    REQUIRE(reader.feed(as_bytes(std::string_view(text))).ok());
    return task::sums_of(*plan.task.table, reader.finish().value()).value();
}

// A deterministic stand-in for training: depends on who, when and on the model that it began with.
inline std::vector<float> trained(const std::vector<float>& from, const std::string& id, std::uint64_t round) {
    std::vector<float> y = from;
    Philox random(derive_key(7, round, id, Purpose::test));
    for (float& v : y) v = v * 0.75f + 0.25f * (random.uniform() - 0.5f);
    return y;
}

struct Crash {};

// A disk that fails.
struct Unreadable final : contract::ByteSource {
    Result<std::size_t> read(std::span<std::byte>) override { return Error{Code::internal, "file.failed", "Input/output error"}; }
};

class World {
public:
    explicit World(plan::Plan plan_in, std::vector<std::string> ids_in) : plan(std::move(plan_in)), ids(std::move(ids_in)) {
        const auto key = key_of(plan.federation.coordinator);
        REQUIRE(exchange.admit(plan.federation.coordinator, key.public_key()).ok());
        for (const std::string& id : ids) REQUIRE(exchange.admit(id, key_of(id).public_key()).ok());
        start_coordinator();
        for (const std::string& id : ids) {
            send(co::Joined{id, "Partner " + id, key_of(id).public_key(), now});
        }
        for (const std::string& id : ids) start_participant(id);
    }

    void start_coordinator() {
        seen = 0;
        staged.clear();
        machine = std::make_unique<round::Coordinator>(
            round::Coordinator::create(plan, key_of(plan.federation.coordinator)).value());
        std::vector<round::Record> records;
        for (const auto& entry : journal) records.push_back(entry.record);
        const auto loads = machine->restore(records);
        REQUIRE(loads.ok());
        for (const auto& command : *loads) {
            const Digest blob = std::get<co::LoadBlob>(command).blob;
            const auto it = blobs.find(blob);
            const auto source = it == blobs.end() ? nullptr : contract::make_source(*it->second);
            machine->handle(co::BlobLoaded{blob, it == blobs.end() ? Result<Done>(Error{}) : Result<Done>(Done{}), source.get()});
        }
        repair();
        if (!machine->failure()) send(co::Started{now});
    }

    // What a driver owes after a restart: judgements on record that may not have been told.
    void repair() {
        for (const auto& entry : journal) {
            if (const auto* in = std::get_if<round::UpdateAccepted>(&entry.record.body)) {
                static_cast<void>(exchange.conclude(plan.federation.coordinator, in->transfer, {true, "update.accepted", {}}));
            } else if (const auto* out = std::get_if<round::UpdateRefused>(&entry.record.body)) {
                static_cast<void>(
                    exchange.conclude(plan.federation.coordinator, out->transfer, {false, out->code, out->sentence}));
            }
        }
    }

    void start_participant(const std::string& id) {
        auto p = round::Participant::create(
            {plan, id, key_of(id), key_of(plan.federation.coordinator).public_key(), id, states[id]});
        participants[id] = std::make_unique<round::Participant>(std::move(p).value());
        waiting.erase(id);
        send(id, pa::Started{now});
    }

    // Everybody acts until nothing more happens. True when the plan's rounds are done.
    // The same with a coordinator that dies behind record `at` of the ledger and is started again.
    bool run_through_crash(std::size_t at) {
        crash_after = at;
        try {
            return run();
        } catch (const Crash&) {
            crash_after.reset();
            start_coordinator();
            return run();
        }
    }

    bool run(int steps = 10'000) {
        while (steps-- > 0) {
            if (machine->failure()) return false;
            bool moved = false;
            for (const std::string& id : ids) {
                if (absent.count(id) == 0) send(co::Seen{id, now});
            }
            if (seen != exchange.cursor()) {
                seen = exchange.cursor();
                watch();
                moved = true;
            }
            for (const std::string& id : ids) {
                if (absent.count(id) > 0 || waiting.count(id) == 0 || waiting[id] == exchange.cursor()) continue;
                waiting.erase(id);
                look(id);
                moved = true;
            }
            if (moved || witness()) continue;
            if (machine->view().phase == co::Phase::finished) return true;
            const auto tick = machine->next_tick_ms(now);
            if (!tick) return false;
            now += *tick;
            send(co::Tick{now});
        }
        return false;
    }

    // Who looks at the log cosigns it, with the last receipt in it.
    bool witness() {
        const std::uint64_t round = machine->summary().unwitnessed;
        if (round == 0) return false;
        for (const std::string& id : ids) {
            if (absent.count(id) == 0 && silent.count(id) == 0) send(co::Cosigned{id, round, now});
        }
        return machine->summary().unwitnessed != round;
    }

    void watch() {
        auto catalog = exchange.catalog(plan.federation.coordinator, {});
        auto agreements = exchange.agreements(plan.federation.coordinator, contract::global_model_asset("tiny")).value();
        send(co::Watched{std::move(catalog), std::move(agreements), now});
    }

    void look(const std::string& id) {
        const std::string own = contract::update_stream_asset("tiny", id);
        auto catalog = exchange.catalog(id, {});
        for (auto& entry : catalog.entries) {
            if (forget_lots && entry.version) entry.version->lots = 0xffff'ffff;
        }
        send(id, pa::Watched{std::move(catalog), exchange.current(own), exchange.agreements(id, own).value(),
                             exchange.transfers(id, own).value(), now});
    }

    void send(co::Event event) {
        std::deque<co::Command> queue;
        for (auto& c : machine->handle(std::move(event))) queue.push_back(std::move(c));
        while (!queue.empty()) {
            co::Command c = std::move(queue.front());
            queue.pop_front();
            std::visit([this](auto& command) { on(command); }, c);
        }
    }

    void send(const std::string& id, pa::Event event) {
        for (auto& c : participants.at(id)->handle(std::move(event))) {
            std::visit([this, &id](auto& command) { on(id, command); }, c);
        }
    }

    // --- coordinator
    void on(co::Persist& c) {
        const auto last = journal.empty() ? std::nullopt : std::optional(journal.back());
        journal.push_back(round::chain(last, std::move(c.record)));
        if (crash_after && journal.size() == *crash_after) throw Crash{};
    }
    void on(co::KeepStaged& c) {
        blobs[c.blob] = std::make_shared<Bytes>(staged.at(c.token));
        kept = c.token;
    }
    void on(co::DropStaged& c) { staged.erase(c.token); }
    void on(co::DeleteUpdates& c) {
        for (const Digest& blob : c.blobs) blobs.erase(blob);
    }
    void on(co::EndAgreement& c) { exchange.end_agreement(c.agreement, c.outcome); }
    void on(co::StoreBlob& c) { blobs[c.blob] = std::make_shared<Bytes>(*c.bytes); }
    void on(co::LoadBlob&) {}
    void on(co::OfferModel& c) { REQUIRE(exchange.publish(plan.federation.coordinator, c.asset, c.offer).ok()); }
    void on(co::PublishModel& c) {
        contents[c.asset] = *blobs.at(c.blob);
        models[c.version.round] = {machine->parameters().begin(), machine->parameters().end()};
        REQUIRE(exchange.deliver(plan.federation.coordinator, c.asset, c.version).ok());
    }
    void on(co::Negotiate& c) {
        send(co::Negotiated{c.participant, exchange.negotiate(plan.federation.coordinator, c.proposal, now), now});
    }
    void on(co::Retrieve& c) {
        auto transfer = exchange.open(plan.federation.coordinator, c.request, now);
        const std::uint64_t token = ++tokens;
        Bytes bytes = contents[c.request.asset];
        if (tamper) tamper(c.participant, bytes);
        staged[token] = bytes;
        const bool unreadable = fail_reads > 0 && fail_reads-- > 0;
        const std::shared_ptr<contract::ByteSource> source = unreadable ? std::make_shared<Unreadable>() : contract::make_source(std::move(bytes));
        send(co::Retrieved{c.participant, transfer, token, transfer.ok() ? source.get() : nullptr, now});
        if (kept != token) return;
        staged.erase(token);
        if (fail_storage > 0) {
            --fail_storage;
            send(co::StorageFailed{token, {Code::no_space, "storage.full", "The disk is full."}, now});
        } else {
            send(co::Stored{token, now});
        }
    }
    void on(co::Conclude& c) { REQUIRE(exchange.conclude(plan.federation.coordinator, c.transfer, c.outcome).ok()); }

    // --- participant
    void on(const std::string& id, pa::OfferUpdates& c) {
        REQUIRE(exchange.publish(id, c.asset, c.offer).ok());
        send(id, pa::Offered{});
    }
    void on(const std::string& id, pa::Watch& c) { waiting[id] = c.wait_ms == 0 ? 0 : c.cursor; }
    void on(const std::string& id, pa::Wait& c) {
        now += c.ms;
        send(id, pa::Waited{now});
    }
    void on(const std::string& id, pa::Negotiate& c) {
        auto agreement = exchange.negotiate(id, c.proposal, now);
        if (agreement.ok()) {
            send(id, pa::Agreed{std::move(agreement).value()});
        } else {
            send(id, pa::Failed{agreement.error(), now});
        }
    }
    void on(const std::string& id, pa::Fetch& c) {
        if (forget_lots) c.request.version = *exchange.current(c.request.asset);
        auto transfer = exchange.open(id, c.request, now);
        if (forget_transfers > 0) {
            --forget_transfers;
            send(id, pa::Failed{{Code::not_found, "transfer.unknown", "no transfer tr-2"}, now});
        } else if (transfer.ok()) {
            send(id, pa::Fetched{std::move(transfer).value(), contents.at(c.request.asset)});
        } else {
            send(id, pa::Failed{transfer.error(), now});
        }
    }
    void on(const std::string& id, pa::Conclude& c) { REQUIRE(exchange.conclude(id, c.transfer, c.outcome).ok()); }
    void on(const std::string& id, pa::Train& c) {
        held[id] = c;
        if (c.correction) corrections[{id, c.round}] = *c.correction;
        if (idle.count(id) > 0 || (hold && hold(id, c.round))) return;
        pa::Trained result;
        if (c.measure) {
            const int n = static_cast<int>(id.size());
            result.sums = sums_of(plan, {n, 2 * n, -3 * n});
            if (spoil) spoil(id, result);
            return send(id, std::move(result));
        }
        result.parameters = trained(*c.parameters, id, c.round);
        result.examples = 10 + id.size();
        result.steps = 1;
        if (c.correction) {
            for (std::size_t i = 0; i < result.parameters.size(); ++i) {
                result.parameters[i] -= plan.training.learning_rate * (*c.correction)[i];
            }
        }
        if (spoil) spoil(id, result);
        send(id, std::move(result));
    }
    void on(const std::string& id, pa::KeepState& c) {
        CHECK(c.state->size() <= pa::state_limit(plan));
        states[id] = *c.state;
        send(id, pa::Kept{});
    }
    void on(const std::string& id, pa::Deliver& c) {
        contents[c.asset] = *c.envelope;
        const auto ok = exchange.deliver(id, c.asset, c.version);
        if (ok.ok()) {
            send(id, pa::Delivered{});
        } else {
            send(id, pa::Failed{ok.error(), now});
        }
    }
    void on(const std::string& id, pa::Finish& c) { finished.insert_or_assign(id, c.outcome.ok() ? "" : c.outcome.error().reason); }
    void on(const std::string& id, pa::Notice& c) {
        if (c.kind == pa::Notice::Kind::refused) refused[id].push_back(c.code);
        if (c.kind == pa::Notice::Kind::abandoned) abandoned[id].push_back(c.round);
    }

    [[nodiscard]] Digest model() const { return machine->view().model; }
    [[nodiscard]] std::size_t count(std::string_view kind) const {
        return static_cast<std::size_t>(std::count_if(journal.begin(), journal.end(),
                                                      [kind](const auto& e) { return round::kind_of(e.record) == kind; }));
    }

    plan::Plan plan;
    std::vector<std::string> ids;
    std::int64_t now = 1'800'000'000'000;
    contract::Exchange exchange{"tiny"};
    std::unique_ptr<round::Coordinator> machine;
    std::map<std::string, std::unique_ptr<round::Participant>> participants;
    std::map<std::string, std::uint64_t> waiting;
    std::map<std::string, std::string> finished;
    std::map<std::string, std::vector<std::string>> refused;
    std::map<std::string, std::vector<std::uint64_t>> abandoned;  // rounds
    std::set<std::string> absent;  // gone: neither looks nor gives a sign of life
    std::set<std::string> silent;  // never cosigns the log
    std::set<std::string> idle;    // alive, but its training never ends
    std::function<bool(const std::string&, std::uint64_t)> hold;  // whose training does not end in which round
    std::map<std::string, pa::Train> held;  // the latest training that each was told to do
    std::map<std::pair<std::string, std::uint64_t>, std::vector<float>> corrections;  // by participant and round
    std::map<std::uint64_t, std::vector<float>> models;  // by the round that trains on them
    bool forget_lots = false;      // participants believe that everybody is asked
    std::vector<round::Entry> journal;
    std::map<Digest, std::shared_ptr<Bytes>> blobs;
    std::map<std::string, Bytes> contents;
    std::map<std::string, Bytes> states;  // what each participant keeps
    std::map<std::uint64_t, Bytes> staged;
    std::uint64_t seen = 0;  // the cursor at the coordinator's last look
    std::uint64_t tokens = 0;
    std::uint64_t kept = 0;
    int fail_storage = 0;
    int fail_reads = 0;
    int forget_transfers = 0;
    std::optional<std::size_t> crash_after;
    std::function<void(const std::string&, Bytes&)> tamper;
    std::function<void(const std::string&, pa::Trained&)> spoil;
};

// Killed after any record of the ledger, the coordinator of "a" and "b" comes to the undisturbed run's model.
inline void check_every_crash(const plan::Plan& plan) {
    World undisturbed(plan, {"a", "b"});
    REQUIRE(undisturbed.run());
    const std::size_t begin = World(plan, {"a", "b"}).journal.size() + 1;
    for (std::size_t at = begin; at <= undisturbed.journal.size(); ++at) {
        CAPTURE(at);
        World w(plan, {"a", "b"});
        CHECK(w.run_through_crash(at));
        CHECK(w.model() == undisturbed.model());
    }
}

}  // namespace harness
