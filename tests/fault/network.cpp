#include "fault/network.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>

#include "entente/codec/sha256.hpp"
#include "entente/contract/exchange.hpp"
#include "entente/round/audit.hpp"
#include "entente/round/coordinator.hpp"
#include "entente/round/participant.hpp"

namespace fault {
namespace {

using namespace entente;
namespace co = round::coordinator;
namespace pa = round::participant;

constexpr std::int64_t begin_ms = 1'800'000'000'000;
constexpr std::int64_t call_timeout_ms = 20'000;

codec::SigningKey key_of(const std::string& id) {
    const Digest seed = codec::sha256(as_bytes("test key " + id));
    return codec::SigningKey(std::span<const std::byte, 32>(seed.bytes));
}

plan::Plan plan_for(std::uint32_t rounds, std::uint32_t cohort) {
    plan::Plan plan = plan::default_digits_plan();
    plan.federation.id = "tiny";
    plan.task.classes = 3;
    plan.task.model = {{4}, {nn::dense("out", 3)}};
    plan.round.rounds = rounds;
    plan.round.min_cohort = cohort;
    plan.contract.min_cohort_size = std::min(cohort, 2u);
    plan.round.deadline_s = 120;
    plan.round.presence_s = 60;
    plan.contract.delete_after_days = 30;  // kept, so that each round can be folded again
    return plan;
}

// A stand-in for training; who was killed meanwhile may have other data afterwards, and comes to another update.
std::vector<float> trained(const std::vector<float>& from, const std::string& id, std::uint64_t round, std::uint64_t data) {
    std::vector<float> y = from;
    Philox random(derive_key(7 + data, round, id, Purpose::test));
    for (float& v : y) v = v * 0.75f + 0.25f * (random.uniform() - 0.5f);
    return y;
}

struct Killed {};

class Simulation {
public:
    Simulation(std::uint64_t seed, bool trace) : random_(seed), trace_(trace) {
        const std::uint32_t partners = 2 + below(3);
        plan_ = plan_for(1 + below(4), 2 + below(partners - 1));
        for (std::uint32_t i = 0; i < partners; ++i) ids_.push_back("p" + std::to_string(i));
        drop_ = 0.30 * unit();
        double_ = 0.20 * unit();
        longest_delay_ms_ = 1 + static_cast<std::int64_t>(below(chance(0.2) ? 60'000 : 2'000));
        kills_ = chance(0.7) ? 0.02 * unit() : 0;
        damage_ = chance(0.2) ? 0.05 : 0;
        others_ = chance(0.5);
        processes_ = ids_;
        if (chance(0.15)) processes_.push_back(ids_[0] + "'");
        calm_ms_ = begin_ms + 60'000 + static_cast<std::int64_t>(below(600'000));
        // Drawn apart, so that a seed without witnesses runs as it always has.
        std::mt19937_64 more(seed ^ 0x7769746e657373ULL);
        if (more() % 4 == 0) plan_.round.witnesses = 1 + static_cast<std::uint32_t>(more() % partners);
    }

    Verdict run() {
        const std::string coordinator = plan_.federation.coordinator;
        must(exchange_.admit(coordinator, key_of(coordinator).public_key()), "admitting the coordinator");
        for (const std::string& id : ids_) must(exchange_.admit(id, key_of(id).public_key()), "admitting " + id);
        start_coordinator();
        for (const std::string& id : ids_) admit(id);
        at(now_, [this] { disturb(); });
        // Long enough for every round to fail once more and succeed after that.
        const std::int64_t end = calm_ms_ + (plan_.round.rounds + 4) * 4 * 1000LL * plan_.round.deadline_s;
        while (!queue_.empty() && !done() && verdict_.violations.size() < 20) {
            const Happening next = queue_.top();
            queue_.pop();
            now_ = std::max(now_, next.at_ms);
            if (now_ > end) {
                violation("I9: the rounds did not end, " + std::to_string((now_ - calm_ms_) / 1000) + " s after the last fault; phase " +
                          std::string(co::to_string(machine_ ? machine_->view().phase : co::Phase::restoring)) + ", round " +
                          std::to_string(machine_ ? machine_->view().round : 0));
                break;
            }
            next.what();
        }
        if (queue_.empty() && !done()) violation("I9: nothing happens any more, and the rounds have not ended");
        audit();
        verdict_.virtual_ms = now_ - begin_ms;
        return verdict_;
    }

private:
    struct Happening {
        std::int64_t at_ms;
        std::uint64_t order;
        std::function<void()> what;
        bool operator<(const Happening& other) const { return std::tie(at_ms, order) > std::tie(other.at_ms, other.order); }
    };
    struct Partner {
        std::unique_ptr<round::Participant> machine;  // null: it is down
        std::uint64_t life = 0;                       // answers to an earlier one are for nobody
        std::uint64_t call = 0;
        std::int64_t cut_until_ms = 0;                // from the network
        Bytes state;                                  // what it keeps
        std::optional<std::string> finished;          // why; empty: well
    };
    struct Poll {
        std::string id;
        std::uint64_t cursor;
        std::int64_t until_ms;
        std::function<void(pa::Event)> answer;
    };

    // --- chance
    std::uint32_t below(std::uint32_t n) { return n == 0 ? 0 : static_cast<std::uint32_t>(random_() % n); }
    double unit() { return static_cast<double>(random_() >> 11u) * 0x1p-53; }
    bool chance(double p) { return unit() < p; }
    bool stormy() const { return now_ < calm_ms_; }

    // --- time
    void at(std::int64_t when_ms, std::function<void()> what) { queue_.push({std::max(when_ms, now_), ++order_, std::move(what)}); }
    std::int64_t delay() { return stormy() ? static_cast<std::int64_t>(below(static_cast<std::uint32_t>(longest_delay_ms_))) : 5; }

    void note(const std::string& what) {
        for (const char c : what) verdict_.digest = (verdict_.digest ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        verdict_.digest = (verdict_.digest ^ static_cast<std::uint64_t>(now_)) * 0x100000001b3;
        if (trace_) std::printf("%10.3f  %s\n", static_cast<double>(now_ - begin_ms) / 1000, what.c_str());
    }
    void violation(std::string what) {
        note("VIOLATION " + what);
        verdict_.violations.push_back(std::move(what));
    }
    template <class T>
    void must(const Result<T>& status, const std::string& what) {
        if (!status.ok()) violation(what + ": " + status.error().message + " (" + status.error().reason + ")");
    }

    bool done() const {
        if (!machine_ || machine_->view().phase != co::Phase::finished) return false;
        return std::all_of(ids_.begin(), ids_.end(), [this](const std::string& id) {
            const auto it = partners_.find(id);
            return it != partners_.end() && it->second.finished;
        });
    }

    // --- faults
    void disturb() {
        if (!stormy()) {
            // What is still down comes back by its own event; nobody stays cut off.
            for (auto& [id, p] : partners_) p.cut_until_ms = 0;
            return;
        }
        if (chance(kills_)) kill_coordinator();
        for (const std::string& id : processes_) {
            if (chance(kills_)) kill(id);
            if (chance(0.01)) {
                Partner& p = partners_[id];
                p.cut_until_ms = now_ + static_cast<std::int64_t>(below(120'000));
                note(id + " is cut off");
            }
        }
        at(now_ + 1'000, [this] { disturb(); });
    }
    void kill(const std::string& id) {
        Partner& p = partners_[id];
        if (!p.machine || p.finished) return;
        p.machine.reset();
        ++p.life;
        ++verdict_.kills;
        note(id + " is killed");
        at(now_ + static_cast<std::int64_t>(below(90'000)), [this, id] { start(id); });
    }
    void kill_coordinator() {
        if (!machine_) return;
        machine_.reset();
        ++coordinator_life_;
        ++verdict_.kills;
        polls_.clear();  // their connections break
        note("the coordinator is killed");
        at(now_ + static_cast<std::int64_t>(below(30'000)), [this] { start_coordinator(); });
    }

    // --- participants
    // "p0'" is a second process of p0: somebody has started it twice.
    static std::string who(const std::string& process) { return process.substr(0, process.find('\'')); }
    // Who has joined is told to the coordinator until it knows.
    void admit(const std::string& id) {
        if (machine_) {
            guarded([&] { tell(co::Joined{id, id, key_of(id).public_key(), now_}); });
        }
        const auto participants = machine_ ? machine_->view().participants : std::vector<co::ParticipantView>{};
        const bool known = std::any_of(participants.begin(), participants.end(), [&id](const auto& p) { return p.id == id; });
        at(now_ + 1 + static_cast<std::int64_t>(below(5'000)), [this, id, known] {
            if (!known) return admit(id);
            for (const std::string& process : processes_) {
                if (who(process) == id) start(process);
            }
        });
    }
    void start(const std::string& id) {
        Partner& p = partners_[id];
        if (p.machine || p.finished) return;
        auto made = round::Participant::create({plan_, who(id), key_of(who(id)), key_of(plan_.federation.coordinator).public_key(), who(id), p.state});
        if (!made.ok()) return violation(id + " does not start again: " + made.error().message);
        p.machine = std::make_unique<round::Participant>(std::move(made).value());
        note(id + " starts");
        give(id, pa::Started{now_});
    }
    void give(const std::string& id, pa::Event event) {
        Partner& p = partners_[id];
        for (auto& command : p.machine->handle(std::move(event))) {
            std::visit([this, &id](auto& c) { on(id, c); }, command);
        }
    }
    // Later, if it is still the same life.
    void later(const std::string& id, std::int64_t ms, std::function<pa::Event()> event) {
        at(now_ + ms, [this, id, life = partners_[id].life, event = std::move(event)] {
            Partner& p = partners_[id];
            if (p.machine && p.life == life) give(id, event());
        });
    }

    // A request to the coordinator's hub, and its answer: each may be lost, late, and the request may come twice.
    using Serve = std::function<void(std::function<void(pa::Event)> answer)>;
    void call(const std::string& id, const std::string& what, Serve serve, bool needs_answer = true) {
        Partner& p = partners_[id];
        const std::uint64_t number = ++p.call;
        ++verdict_.calls;
        note(id + " asks: " + what);
        const auto arrive = [this, id, number, life = p.life](pa::Event event) {
            Partner& q = partners_[id];
            if (q.machine && q.life == life && answered_.insert({id, number}).second) give(id, std::move(event));
        };
        if (needs_answer) {
            at(now_ + call_timeout_ms, [this, arrive] { arrive(pa::Failed{{Code::unavailable, "connector.unreachable", "no answer"}, now_}); });
        }
        const auto answer = [this, id, arrive](pa::Event event) {
            if (!lost(id)) at(now_ + delay(), [arrive, event] { arrive(event); });
        };
        const int copies = stormy() && chance(double_) ? 2 : 1;
        if (copies == 2) ++verdict_.doubled;
        for (int copy = 0; copy < copies; ++copy) {
            if (lost(id)) continue;
            at(now_ + delay(), [this, id, serve, answer] {
                if (!machine_) return;
                guarded([&] {
                    tell(co::Seen{who(id), now_});
                    serve(answer);
                    look();
                });
            });
        }
    }
    bool lost(const std::string& id) {
        if (now_ >= partners_[id].cut_until_ms && !(stormy() && chance(drop_))) return false;
        ++verdict_.lost;
        return true;
    }

    void on(const std::string& id, pa::OfferUpdates& c) {
        call(id, "offer", [this, id, c](auto answer) {
            const Status offered = exchange_.publish(who(id), c.asset, c.offer);
            answer(offered.ok() ? pa::Event(pa::Offered{}) : pa::Event(pa::Failed{offered.error(), now_}));
        });
    }
    void on(const std::string& id, pa::Watch& c) {
        if (plan_.round.witnesses > 0) cosign(id);
        call(id, "watch", [this, id, c](auto answer) {
            const std::int64_t until = now_ + std::min<std::int64_t>(c.wait_ms, call_timeout_ms / 2);
            polls_.push_back({id, c.wait_ms == 0 ? 0 : c.cursor, until, answer});
            at(until, [this] { answer_polls(); });
            answer_polls();
        });
    }
    // At each poll the log is looked at, and what it goes on to is cosigned.
    void cosign(const std::string& id) {
        call(id, "cosign", [this, id](auto) {
            std::uint64_t round = 0;
            for (const auto& entry : journal_) {
                if (const auto* issued = std::get_if<round::ReceiptIssued>(&entry.record.body)) round = issued->receipt.round;
            }
            if (round > 0) cosigners_[round].insert(who(id));
            tell(co::Cosigned{who(id), round, now_});
        }, false);
    }
    void on(const std::string& id, pa::Wait& c) {
        later(id, c.ms, [this] { return pa::Waited{now_}; });
    }
    void on(const std::string& id, pa::Negotiate& c) {
        call(id, "negotiate", [this, id, c](auto answer) {
            const auto agreed = exchange_.negotiate(who(id), c.proposal, now_);
            answer(agreed.ok() ? pa::Event(pa::Agreed{*agreed}) : pa::Event(pa::Failed{agreed.error(), now_}));
        });
    }
    void on(const std::string& id, pa::Fetch& c) {
        call(id, "fetch", [this, id, c](auto answer) {
            const auto transfer = exchange_.open(who(id), c.request, now_);
            if (!transfer.ok()) return answer(pa::Failed{transfer.error(), now_});
            answer(pa::Fetched{*transfer, contents_.at(c.request.asset)});
        });
    }
    void on(const std::string& id, pa::Conclude& c) {
        call(id, "conclude", [this, id, c](auto) { static_cast<void>(exchange_.conclude(who(id), c.transfer, c.outcome)); }, false);
    }
    void on(const std::string& id, pa::Train& c) {
        const std::uint64_t data = (others_ ? partners_[id].life : 0) + (who(id) == id ? 0 : 1000);
        later(id, 50 + static_cast<std::int64_t>(below(chance(0.1) ? 200'000 : 5'000)), [id, c, data] {
            pa::Trained result;
            result.parameters = trained(*c.parameters, who(id), c.round, data);
            result.examples = 10 + id.size();
            result.steps = 1;
            return result;
        });
    }
    void on(const std::string& id, pa::KeepState& c) {
        partners_[id].state = *c.state;
        later(id, 1, [] { return pa::Kept{}; });
    }
    void on(const std::string& id, pa::Deliver& c) {
        Bytes envelope = *c.envelope;
        if (stormy() && chance(damage_)) envelope[below(static_cast<std::uint32_t>(envelope.size()))] ^= std::byte{1};
        call(id, "deliver round " + std::to_string(c.version.round), [this, id, c, envelope](auto answer) {
            const Status delivered = exchange_.deliver(who(id), c.asset, c.version);
            if (delivered.ok()) contents_[c.asset] = envelope;
            answer(delivered.ok() ? pa::Event(pa::Delivered{}) : pa::Event(pa::Failed{delivered.error(), now_}));
        });
    }
    void on(const std::string& id, pa::Finish& c) {
        partners_[id].finished = c.outcome.ok() ? std::string() : c.outcome.error().reason;
        note(id + " finishes " + *partners_[id].finished);
        if (!c.outcome.ok()) violation("I9: " + id + " gave up: " + c.outcome.error().message + " (" + c.outcome.error().reason + ")");
    }
    void on(const std::string&, pa::Notice&) {}

    // --- the coordinator and its hub
    void guarded(const std::function<void()>& what) {
        try {
            what();
        } catch (const Killed&) {
            kill_coordinator();
        }
    }
    void start_coordinator() {
        if (machine_) return;
        note("the coordinator starts");
        staged_.clear();
        seen_ = 0;
        auto made = round::Coordinator::create(plan_, key_of(plan_.federation.coordinator));
        machine_ = std::make_unique<round::Coordinator>(std::move(made).value());
        machine_->keep_updates(1'000);
        std::vector<round::Record> records;
        for (const auto& entry : journal_) records.push_back(entry.record);
        const auto loads = machine_->restore(records);
        if (!loads.ok()) return violation("the coordinator does not start again: " + loads.error().message);
        guarded([&] {
            for (const auto& command : *loads) {
                const Digest blob = std::get<co::LoadBlob>(command).blob;
                const auto it = blobs_.find(blob);
                const auto source = it == blobs_.end() ? nullptr : contract::make_source(*it->second);
                carry_out(machine_->handle(co::BlobLoaded{blob, it == blobs_.end() ? Result<Done>(Error{}) : Result<Done>(Done{}), source.get()}));
            }
            if (machine_->failure()) return violation("I2: the coordinator refuses to start: " + machine_->failure()->message);
            // Judgements on record that may not have been told.
            for (const auto& entry : journal_) {
                if (const auto* in = std::get_if<round::UpdateAccepted>(&entry.record.body)) {
                    static_cast<void>(exchange_.conclude(plan_.federation.coordinator, in->transfer, {true, "update.accepted", {}}));
                } else if (const auto* out = std::get_if<round::UpdateRefused>(&entry.record.body)) {
                    static_cast<void>(exchange_.conclude(plan_.federation.coordinator, out->transfer, {false, out->code, out->sentence}));
                }
            }
            tell(co::Started{now_});
            look();
        });
    }
    void tell(co::Event event) { carry_out(machine_->handle(std::move(event))); }
    void carry_out(co::Commands commands) {
        for (auto& command : commands) {
            const auto* keep = std::get_if<co::KeepStaged>(&command);
            if (keep != nullptr && stormy() && chance(0.02)) {
                // What was to follow has not happened; a second later it is looked at again.
                note("the disk is full");
                const std::uint64_t token = keep->token;
                staged_.erase(token);
                at(now_ + 1'000, [this] {
                    seen_ = 0;
                    if (machine_) guarded([this] { look(); });
                });
                tell(co::StorageFailed{token, {Code::no_space, "storage.full", "The disk is full."}, now_});
                break;
            }
            std::visit([this](auto& c) { on(c); }, command);
        }
        const auto tick = machine_->next_tick_ms(now_);
        if (!tick) return;
        at(now_ + *tick, [this, life = coordinator_life_] {
            if (!machine_ || life != coordinator_life_ || machine_->next_tick_ms(now_).value_or(1) > 0) return;
            guarded([&] {
                tell(co::Tick{now_});
                look();
            });
        });
    }
    // Whatever has changed in the books is seen, by the coordinator and by those who wait for it.
    void look() {
        for (int i = 0; i < 100 && seen_ != exchange_.cursor(); ++i) {
            seen_ = exchange_.cursor();
            auto catalog = exchange_.catalog(plan_.federation.coordinator, {});
            const auto agreements = exchange_.agreements(plan_.federation.coordinator, contract::global_model_asset(plan_.federation.id));
            tell(co::Watched{std::move(catalog), agreements.ok() ? *agreements : std::vector<contract::Agreement>{}, now_});
        }
        if (machine_->failure()) violation("the coordinator has failed: " + machine_->failure()->message);
        answer_polls();
    }
    void answer_polls() {
        std::vector<Poll> due;
        for (auto it = polls_.begin(); it != polls_.end();) {
            if (machine_ && (it->cursor != exchange_.cursor() || it->until_ms <= now_)) {
                due.push_back(std::move(*it));
                it = polls_.erase(it);
            } else {
                ++it;
            }
        }
        for (const Poll& poll : due) {
            const std::string id = who(poll.id);
            const std::string own = contract::update_stream_asset(plan_.federation.id, id);
            const auto agreements = exchange_.agreements(id, own);
            const auto transfers = exchange_.transfers(id, own);
            poll.answer(pa::Watched{exchange_.catalog(id, {}), exchange_.current(own), agreements.ok() ? *agreements : std::vector<contract::Agreement>{},
                                    transfers.ok() ? *transfers : std::vector<contract::Transfer>{}, now_});
        }
    }
    void perhaps_die() {
        if (stormy() && chance(kills_ / 4)) throw Killed{};
    }

    void on(co::Persist& c) {
        perhaps_die();
        const auto last = journal_.empty() ? std::nullopt : std::optional(journal_.back());
        journal_.push_back(round::chain(last, std::move(c.record)));
        check_witnesses();
        note("ledger: " + std::string(round::kind_of(journal_.back().record)) + " " + round::summary_of(journal_.back().record));
        perhaps_die();
    }
    // A round that has just opened.
    void check_witnesses() {
        if (!std::holds_alternative<round::RoundOpened>(journal_.back().record.body)) return;
        std::uint64_t receipt = 0;
        std::int64_t since_ms = 0;
        bool excused = false;
        for (const auto& entry : journal_) {
            if (const auto* issued = std::get_if<round::ReceiptIssued>(&entry.record.body)) {
                receipt = issued->receipt.round;
                since_ms = entry.record.at_ms;
            }
            const auto* missing = std::get_if<round::WitnessesMissing>(&entry.record.body);
            const bool of_this = missing != nullptr && missing->round == std::get<round::RoundOpened>(journal_.back().record.body).round;
            excused = excused || (of_this && entry.record.at_ms >= since_ms + 1000LL * plan_.round.deadline_s);
        }
        if (receipt > 0 && !excused && cosigners_[receipt].size() < plan_.round.witnesses) violation("I5: a round opens before its witnesses have cosigned, and nobody waited for them");
    }
    void on(co::KeepStaged& c) {
        blobs_[c.blob] = std::make_shared<Bytes>(staged_.at(c.token));
        kept_ = c.token;
        perhaps_die();
    }
    void on(co::DropStaged& c) { staged_.erase(c.token); }
    void on(co::DeleteUpdates& c) {
        for (const Digest& blob : c.blobs) blobs_.erase(blob);
        perhaps_die();
    }
    void on(co::EndAgreement& c) { exchange_.end_agreement(c.agreement, c.outcome); }
    void on(co::StoreBlob& c) {
        blobs_[c.blob] = std::make_shared<Bytes>(*c.bytes);
        perhaps_die();
    }
    void on(co::LoadBlob&) {}
    void on(co::OfferModel& c) { must(exchange_.publish(plan_.federation.coordinator, c.asset, c.offer), "offering the model"); }
    void on(co::PublishModel& c) {
        const auto [it, fresh] = published_.insert({c.version.round, c.version.content});
        if (!fresh && it->second != c.version.content) violation("I4: two models of round " + std::to_string(c.version.round));
        contents_[c.asset] = *blobs_.at(c.blob);
        must(exchange_.deliver(plan_.federation.coordinator, c.asset, c.version), "publishing the model");
    }
    void on(co::Negotiate& c) {
        tell(co::Negotiated{c.participant, exchange_.negotiate(plan_.federation.coordinator, c.proposal, now_), now_});
    }
    void on(co::Retrieve& c) {
        const auto transfer = exchange_.open(plan_.federation.coordinator, c.request, now_);
        const std::uint64_t token = ++tokens_;
        Bytes bytes = contents_[c.request.asset];
        staged_[token] = bytes;
        const auto source = contract::make_source(std::move(bytes));
        tell(co::Retrieved{c.participant, transfer, token, transfer.ok() ? source.get() : nullptr, now_});
        if (kept_ != token) return;
        staged_.erase(token);
        tell(co::Stored{token, now_});
    }
    void on(co::Conclude& c) {
        const auto [it, fresh] = outcomes_.insert({c.transfer, c.outcome.accepted});
        if (!fresh && it->second != c.outcome.accepted) violation("I3: two verdicts about " + c.transfer);
        const bool durable = std::any_of(journal_.rbegin(), journal_.rend(), [&c](const auto& entry) {
            const auto* in = std::get_if<round::UpdateAccepted>(&entry.record.body);
            return in != nullptr && in->transfer == c.transfer;
        });
        if (c.outcome.accepted && !durable) violation("I2: " + c.transfer + " is acknowledged before it is on the ledger");
        must(exchange_.conclude(plan_.federation.coordinator, c.transfer, c.outcome), "telling a verdict");
    }

    // --- what must hold
    void audit() {
        std::set<std::tuple<std::string, std::uint64_t>> counted;
        std::map<std::uint64_t, std::set<std::string>> accepted;
        for (const auto& entry : journal_) {
            if (const auto* in = std::get_if<round::UpdateAccepted>(&entry.record.body)) {
                if (!counted.insert({in->participant, in->round}).second) violation("I1: " + in->participant + " is counted twice in round " + std::to_string(in->round));
                accepted[in->round].insert(in->participant);
            } else if (const auto* closed = std::get_if<round::RoundClosed>(&entry.record.body)) {
                const std::set<std::string> in_it(closed->participants.begin(), closed->participants.end());
                if (in_it != accepted[closed->round]) violation("I2: round " + std::to_string(closed->round) + " closed with others than it had accepted");
                if (in_it.size() < plan_.round.min_cohort) violation("I8: round " + std::to_string(closed->round) + " closed with too few");
                ++verdict_.rounds;
            } else if (std::holds_alternative<round::RoundAbandoned>(entry.record.body)) {
                ++verdict_.abandoned;
            } else if (std::holds_alternative<round::UpdateRefused>(entry.record.body)) {
                ++verdict_.refused;
            }
        }
        for (const std::string& id : ids_) {
            const auto transfers = exchange_.transfers(id, contract::update_stream_asset(plan_.federation.id, id));
            for (const contract::Transfer& t : transfers.ok() ? *transfers : std::vector<contract::Transfer>{}) {
                const bool judged = std::any_of(journal_.begin(), journal_.end(), [&t](const auto& entry) {
                    const auto* in = std::get_if<round::UpdateAccepted>(&entry.record.body);
                    const auto* out = std::get_if<round::UpdateRefused>(&entry.record.body);
                    return (in != nullptr && in->transfer == t.id) || (out != nullptr && out->transfer == t.id);
                });
                const bool other = std::any_of(journal_.begin(), journal_.end(), [&t](const auto& entry) {
                    const auto* in = std::get_if<round::UpdateAccepted>(&entry.record.body);
                    return in != nullptr && in->transfer == t.id && in->content != t.version.content;
                });
                if (other) violation("I3: " + id + " was counted with other content than it had announced");
                if (judged && t.state == contract::TransferState::started) violation("I3: " + id + " was never told what became of " + t.id);
            }
        }
        if (verdict_.rounds > plan_.round.rounds) violation("I8: more rounds than the plan has");
        round::AuditOptions options;
        options.plan = plan_;
        options.coordinator = key_of(plan_.federation.coordinator).public_key();
        options.blobs = [this](const Digest& blob) -> Result<std::shared_ptr<contract::ByteSource>> {
            const auto it = blobs_.find(blob);
            if (it == blobs_.end()) return Error{Code::not_found, "blob.missing", "not there"};
            return std::shared_ptr<contract::ByteSource>(contract::make_source(*it->second));
        };
        options.on_problem = [this](const round::Problem& p) { violation("I4: " + p.subject + ": " + p.sentence + " (" + p.code + ")"); };
        options.on_round = [this](const round::RoundCheck& c) {
            if (c.outcome != round::Recomputed::same) violation("I4: round " + std::to_string(c.round) + " could not be folded again");
            if (!c.receipt) violation("I5: round " + std::to_string(c.round) + " has no good receipt");
        };
        const round::AuditResult result = round::audit(journal_, options);
        if (result.rounds != verdict_.rounds) violation("I4: the audit found " + std::to_string(result.rounds) + " rounds");
        for (const auto& [blob, bytes] : blobs_) {
            if (result.stored.count(blob) == 0) violation("I10: a blob is stored that the ledger does not name");
        }
    }

    std::mt19937_64 random_;
    bool trace_;
    plan::Plan plan_;
    std::vector<std::string> ids_;        // participants
    std::vector<std::string> processes_;  // theirs
    double drop_ = 0, double_ = 0, kills_ = 0, damage_ = 0;
    bool others_ = false;
    std::int64_t longest_delay_ms_ = 0, calm_ms_ = 0;
    std::int64_t now_ = begin_ms;
    std::uint64_t order_ = 0;
    std::priority_queue<Happening> queue_;
    Verdict verdict_;

    std::map<std::string, Partner> partners_;
    std::set<std::pair<std::string, std::uint64_t>> answered_;
    std::vector<Poll> polls_;

    contract::Exchange exchange_{"tiny"};
    std::unique_ptr<round::Coordinator> machine_;  // null: it is down
    std::uint64_t coordinator_life_ = 0;
    std::vector<round::Entry> journal_;
    std::map<Digest, std::shared_ptr<Bytes>> blobs_;
    std::map<std::string, Bytes> contents_;
    std::map<std::uint64_t, Bytes> staged_;
    std::map<std::uint64_t, Digest> published_;
    std::map<std::uint64_t, std::set<std::string>> cosigners_;  // by the round of the last receipt that they have cosigned
    std::map<std::string, bool> outcomes_;
    std::uint64_t seen_ = 0, tokens_ = 0, kept_ = 0;
};

}  // namespace

Verdict run(std::uint64_t seed, bool trace) { return Simulation(seed, trace).run(); }

}  // namespace fault
