#include "join/join.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>

#include "base/files.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/policy/evaluate.hpp"
#include "join/link.hpp"
#include "join/partner_rows.hpp"
#include "join/trainer.hpp"
#include "server/evaluator.hpp"
#include "store/folder_lock.hpp"

namespace entente::native {

using namespace round::participant;
using commands::decimal;
using commands::human_bytes;
using commands::JsonObject;
using contract::CallOptions;

namespace {

constexpr std::int64_t heartbeat_ms = 1'000;
constexpr std::int64_t watch_margin_ms = 10'000;

// Ctrl-C once: the step at hand is finished; twice: stop.
std::atomic<int> interrupts{0};
contract::CancelToken* idle_stop = nullptr;  // of a poll, in which nothing is under way
contract::CancelToken* hard_stop = nullptr;
extern "C" void on_interrupt(int) {
    if (++interrupts >= 1 && idle_stop != nullptr) idle_stop->cancel();
    if (interrupts >= 2 && hard_stop != nullptr) hard_stop->cancel();
    if (interrupts >= 3) std::_Exit(130);
}

class SharedSource final : public contract::ByteSource {
public:
    explicit SharedSource(std::shared_ptr<const Bytes> bytes) : bytes_(std::move(bytes)) {}
    Result<std::size_t> read(std::span<std::byte> buffer) override {
        const std::size_t n = std::min(buffer.size(), bytes_->size() - at_);
        std::copy_n(bytes_->begin() + static_cast<std::ptrdiff_t>(at_), n, buffer.begin());
        at_ += n;
        return n;
    }

private:
    std::shared_ptr<const Bytes> bytes_;
    std::size_t at_ = 0;
};

// At joining, as later in a round (core/src/round/participant.cpp): it passes, and nothing is wrong with what was asked.
bool is_temporary(Code code) {
    return code == Code::unavailable || code == Code::deadline_exceeded || code == Code::no_space || code == Code::resource_exhausted ||
           code == Code::internal;
}

class Partner {
public:
    Partner(const PartnerConfig& config, NativeEnvironment& environment) : c_(config), environment_(environment) {}

    Status run() {
        ENTENTE_TRY(make_directory(c_.state_folder));
        ENTENTE_ASSIGN(const FolderLock own_folder, FolderLock::take(c_.state_folder));
        ENTENTE_TRY(drop_temporaries(c_.state_folder, {"blobs", "spool"}));
        ENTENTE_TRY(PartnerRows::look(c_, environment_));
        ENTENTE_ASSIGN(link_, make_link(c_, [] { return interrupts > 0; },
                                        [this](std::string_view what, const std::string& text) { say(what, text); }));
        ENTENTE_ASSIGN(Membership member, enter());
        plan_ = member.plan;
        id_ = member.participant;
        ENTENTE_ASSIGN(rows_, PartnerRows::load(c_, plan_, environment_));
        greet();
        ENTENTE_ASSIGN(Bytes kept, kept_state());
        Options options{member.plan, id_, std::move(member.key), member.coordinator_key,
                        c_.accepted_by.empty() ? member.name : c_.accepted_by, std::move(kept)};
        ENTENTE_ASSIGN(auto machine, round::Participant::create(std::move(options)));
        equip();
        ENTENTE_TRY(drive(machine));
        return finish(machine);
    }

private:
    // A coordinator that is not up yet, or whose disk is full, is waited for; anything else ends here.
    Result<Membership> enter() {
        std::int64_t pause_ms = 250;
        const std::int64_t started_ms = monotonic_ms();
        for (;;) {
            auto member = link_->enter();
            const bool wait = !member.ok() && is_temporary(member.error().code);
            if (!wait || interrupts > 0) return member;
            if (c_.give_up_s > 0 && monotonic_ms() - started_ms > std::int64_t{1000} * c_.give_up_s) return member;
            say("Waiting", member.error().message + "; trying again");
            pause(pause_ms);
            pause_ms = std::min<std::int64_t>(2 * pause_ms, 5'000);
        }
    }

    void say(std::string_view what, const std::string& text) {
        if (c_.quiet) return;
        const std::string line = "  " + commands::pad(what, 13) + commands::printable(text) + "\n";
        c_.json ? environment_.print_error(line) : environment_.print(line);
    }

    void equip() {
        trainer_ = std::make_unique<Trainer>(rows_.train(), rows_.train_rows(), c_.threads > 0 ? c_.threads : WorkerPool::hardware());
        evaluator_ = std::make_unique<Evaluator>(plan_.task, rows_.test(), rows_.test_rows(), true, [this](const Digest& model, const task::Score& score) {
            const std::lock_guard lock(score_mutex_);
            scored_ = std::make_pair(model, score);
        });
    }

    Status scale(const std::shared_ptr<const task::Shared>& shared) {
        if (!shared) return done();
        ENTENTE_ASSIGN(const bool anew, rows_.scale(*shared));
        if (!anew) return done();
        say("Scaling", "by " + commands::grouped(shared->rows) + " rows of all partners" +
                           (shared->positive > 0 ? ", " + decimal(100.0 * static_cast<double>(shared->positive) / static_cast<double>(shared->rows), 1) + " % of them with label 1" : ""));
        equip();
        return done();
    }

    void greet() {
        say("Federation", plan_.federation.id + "   (operator " + plan_.federation.operator_name + ")");
        if (!plan_.federation.purpose.empty()) say("Purpose", plan_.federation.purpose);
        say("Partner", id_);
        say("Data", c_.data_folder + "   " + commands::grouped(rows_.examples()) + (rows_.task() ? " examples" : " rows") + "   stays here");
        if (!c_.quiet && !c_.json) rows_.show(environment_);
        for (const policy::Term& term : policy::explain(plan::update_policy(plan_))) say("Term", term.sentence);
    }

    static void pause(std::int64_t ms) {
        const std::int64_t end = monotonic_ms() + ms;
        while (monotonic_ms() < end && interrupts == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }

    CallOptions options(std::int64_t timeout_ms = 60'000) const {
        CallOptions o;
        o.timeout_ms = timeout_ms;
        o.cancel = cancel_;
        return o;
    }

    Status drive(round::Participant& machine) {
        hard_stop = &cancel_;
        idle_stop = &idle_;
        Commands commands = machine.handle(Started{now_ms()});
        for (;;) {
            std::optional<Event> answer;
            for (Command& command : commands) {
                if (auto* end = std::get_if<Finish>(&command)) {
                    final_ = end->parameters;
                    ENTENTE_TRY(scale(end->shared));
                    return end->outcome;
                }
                auto event = execute(command, machine);
                if (fork_) return *fork_;
                if (event) answer = std::move(event);
            }
            if (interrupts > 0 && !between_steps_.empty()) {
                stopped_ = true;
                return done();
            }
            if (!answer) return Error{Code::internal, "join.no-command", "the participant asked for nothing"};
            commands = machine.handle(std::move(*answer));
        }
    }

    std::optional<Event> failed(const Error& error) { return Event(Failed{error, now_ms()}); }

    std::optional<Event> execute(Command& command, round::Participant& machine) {
        between_steps_.clear();
        if (auto* notice = std::get_if<Notice>(&command)) return tell(*notice, machine);
        if (auto* offer = std::get_if<OfferUpdates>(&command)) {
            Result<Done> result = done();
            link_->connector().publish(offer->asset, offer->offer, options(), [&result](Result<Done> r) { result = std::move(r); });
            return result.ok() ? std::optional<Event>(Offered{}) : failed(result.error());
        }
        if (auto* watch = std::get_if<Watch>(&command)) return on_watch(*watch);
        if (auto* wait = std::get_if<Wait>(&command)) {
            between_steps_ = "wait";
            if (gave_up()) return failed(Error{Code::cancelled, "connector.gave-up", "the coordinator could not be reached"});
            pause(wait->ms);
            return Event(Waited{now_ms()});
        }
        if (auto* negotiate = std::get_if<Negotiate>(&command)) {
            return on_negotiate(*negotiate);
        }
        if (auto* fetch = std::get_if<Fetch>(&command)) return on_fetch(*fetch);
        if (auto* conclude = std::get_if<Conclude>(&command)) {
            link_->connector().conclude(conclude->transfer, conclude->outcome, options(), [](const Result<Done>&) {});
            return std::nullopt;
        }
        if (auto* train = std::get_if<Train>(&command)) return on_train(*train);
        if (auto* keep = std::get_if<KeepState>(&command)) return on_keep(*keep);
        if (auto* deliver = std::get_if<Deliver>(&command)) return on_deliver(*deliver);
        return std::nullopt;
    }

    bool gave_up() {
        if (reached_ms_ == 0) reached_ms_ = monotonic_ms();
        return c_.give_up_s > 0 && monotonic_ms() - reached_ms_ > std::int64_t{1000} * c_.give_up_s;
    }

    std::optional<Event> on_watch(const Watch& watch) {
        between_steps_ = "watch";
        // While a score waits to be told the poll is short.
        report_score();
        CallOptions poll = options(watch.wait_ms + watch_margin_ms);
        poll.cancel = idle_;
        auto view = link_->watch(watch.cursor, interrupts > 0 ? 0 : watch.wait_ms, poll);
        if (!view.ok()) return failed(view.error());
        reached_ms_ = monotonic_ms();
        if (Status same = link_->check_log(); !same.ok() && same.error().reason == "log.fork") {
            fork_ = same.error();
            return std::nullopt;
        }
        return Event(Watched{std::move(view->catalog), view->own_version, std::move(view->own_agreements),
                             std::move(view->own_transfers), now_ms()});
    }

    // The provider of a folder may take its time to answer.
    std::optional<Event> on_negotiate(const Negotiate& negotiate) {
        between_steps_ = "negotiate";
        auto result = std::make_shared<std::optional<Result<contract::Agreement>>>();
        link_->connector().negotiate(negotiate.proposal, options(), [result](auto r) { result->emplace(std::move(r)); });
        while (!*result) {
            if (interrupts > 0) cancel_.cancel();
            link_->idle();
        }
        return (*result)->ok() ? std::optional<Event>(Agreed{std::move(***result)}) : failed((*result)->error());
    }

    std::optional<Event> on_fetch(const Fetch& fetch) {
        contract::BoundedSink sink(fetch.limit_bytes);
        Result<contract::Transfer> result = Error{};
        link_->connector().transfer(fetch.request, sink, options(), [&result](auto r) { result = std::move(r); });
        if (!result.ok()) return failed(result.error());
        received_ += sink.bytes().size();
        model_ = fetch.request.version.content;
        return Event(Fetched{std::move(*result), sink.take()});
    }

    std::optional<Event> on_train(const Train& train) {
        if (train.measure) {
            say("Statistics", "the sums of the own rows, as shown above, are given");
            Trained given;
            given.sums = rows_.sums();
            return Event(std::move(given));
        }
        if (const Status scaled = scale(train.shared); !scaled.ok()) return failed(scaled.error());
        trainer_->start(plan_, id_, train);
        if (rows_.task()) worth_ = rows_.metrics(*train.parameters);
        if (train.round > 1) evaluator_->submit(model_, *train.parameters);
        std::int64_t said_ms = monotonic_ms();
        while (!trainer_->wait_for(100)) {
            const Trainer::Progress p = trainer_->progress();
            const std::string round = std::to_string(train.round) + "/" + std::to_string(plan_.round.rounds);
            if (!c_.quiet && !c_.json) {
                environment_.progress(p.fraction, "Round " + round + "  training " + decimal(100 * p.fraction, 0) + " %  " +
                                                      commands::grouped(static_cast<std::uint64_t>(p.examples_per_second)) +
                                                      " ex/s  about " + decimal(p.seconds_left, 0) + " s left");
            }
            if (monotonic_ms() - said_ms < heartbeat_ms) continue;
            said_ms = monotonic_ms();
            heartbeat("training", p);
        }
        environment_.progress(0, "");
        auto trained = trainer_->take();
        if (!trained.ok()) return failed(trained.error());
        if (rows_.task() && worth_.ok() && !worth_->empty()) trained->global_metric = worth_->front();
        examples_ = trained->examples;
        loss_ = trained->mean_loss;
        train_ms_ = trained->train_ms;
        return Event(std::move(*trained));
    }

    [[nodiscard]] std::filesystem::path state_path() const {
        return std::filesystem::path(c_.state_folder) / (plan_.federation.id + "." + id_ + ".state");
    }

    // Absent, damaged or another plan's: the machine begins afresh. One that cannot be read just now is waited for by whoever starts
    // this again: without it the next update would be another.
    [[nodiscard]] Result<Bytes> kept_state() const {
        const std::uint64_t limit = state_limit(plan_);
        if (limit == 0) return Bytes{};
        auto bytes = read_file(state_path(), limit);
        const bool absent = !bytes.ok() && (bytes.error().code == Code::not_found || bytes.error().code == Code::too_large);
        return absent ? Result<Bytes>(Bytes{}) : std::move(bytes);
    }

    std::optional<Event> on_keep(const KeepState& keep) {
        const Status kept = write_file(state_path(), *keep.state, 0600);
        return kept.ok() ? std::optional<Event>(Kept{}) : failed(kept.error());
    }

    std::optional<Event> on_deliver(const Deliver& deliver) {
        Result<Done> result = done();
        link_->connector().deliver(deliver.asset, deliver.version, std::make_shared<SharedSource>(deliver.envelope), options(120'000),
                            [&result](Result<Done> r) { result = std::move(r); });
        if (!result.ok()) return failed(result.error());
        sent_ += deliver.version.size_bytes;
        return Event(Delivered{});
    }

    void heartbeat(const std::string& activity, const Trainer::Progress& p) {
        JsonObject body;
        body.text("activity", activity).number("progress", p.fraction).number("examples_per_second", p.examples_per_second);
        body.number("loss", p.loss);
        // What is right is a matter of classes.
        if (auto score = take_score(); score && score->second.classes > 0) {
            body.raw("evaluation", JsonObject()
                                       .text("model", to_hex(score->first))
                                       .whole("correct", score->second.correct)
                                       .whole("examples", score->second.examples)
                                       .number("loss_sum", score->second.loss_sum)
                                       .str());
        }
        link_->heartbeat(body.str());
    }

    std::optional<std::pair<Digest, task::Score>> take_score() {
        const std::lock_guard lock(score_mutex_);
        auto score = std::move(scored_);
        scored_.reset();
        if (score) together_ = score->second;
        return score;
    }

    void report_score() {
        bool there = false;
        {
            const std::lock_guard lock(score_mutex_);
            there = scored_.has_value();
        }
        if (there) heartbeat("waiting", {});
    }

    std::optional<Event> tell(const Notice& notice, const round::Participant& machine) {
        const std::string round = "Round " + std::to_string(notice.round) + "/" + std::to_string(plan_.round.rounds);
        switch (notice.kind) {
            case Notice::Kind::agreed: say("Agreement", notice.sentence); break;
            case Notice::Kind::delivered:
                if (examples_ == 0) break;  // statistics alone
                say(round, "trained " + commands::grouped(examples_) + " examples in " +
                               decimal(static_cast<double>(train_ms_) / 1000.0, 1) + " s   loss " + decimal(loss_, 4) +
                               (rows_.task() ? (worth_.ok() ? "   together " + metrics_text(*rows_.task(), *worth_) : "")
                                : together_.examples > 0 ? "   together " + decimal(together_.accuracy(), 4) : "") + "   sent " +
                               human_bytes(sent_) + " in all");
                break;
            case Notice::Kind::refused: say("Refused", notice.sentence + " (code " + notice.code + ")"); break;
            case Notice::Kind::abandoned: say("Round", notice.sentence); break;
            case Notice::Kind::retrying: say("Waiting", notice.sentence + "; nothing is lost, trying again"); break;
            case Notice::Kind::model_received:
            case Notice::Kind::trained:
            case Notice::Kind::accepted: break;
        }
        static_cast<void>(machine);
        return std::nullopt;
    }

    // For people and for programs: the share that is right, or the task's metrics.
    struct Worth {
        std::string text, json;
    };
    Result<Worth> worth_of(std::span<const float> parameters) {
        if (rows_.task()) {
            ENTENTE_ASSIGN(const auto values, rows_.metrics(parameters));
            return Worth{metrics_text(*rows_.task(), values), metrics_json(*rows_.task(), values)};
        }
        ENTENTE_ASSIGN(const task::Score score, task::evaluate(plan_.task.model, parameters, *rows_.test(), rows_.test_rows(), plan_.task.loss));
        return Worth{decimal(score.accuracy(), 6), decimal(score.accuracy(), 6)};
    }

    // The same budget without the others: what joining was worth.
    Result<Worth> train_alone() {
        std::vector<float> parameters = plan::initial_parameters(plan_);
        const std::uint64_t measured = plan::sums_length(plan_) > 0 ? 1 : 0;  // a round without training
        for (std::uint64_t round = 1 + measured; round <= plan_.round.rounds; ++round) {
            trainer_->start(plan_, id_, {round, std::make_shared<const std::vector<float>>(std::move(parameters)), nullptr});
            while (!trainer_->wait_for(100)) {
                environment_.progress((static_cast<double>(round - 1) + trainer_->progress().fraction) / plan_.round.rounds,
                                      "alone, for comparison");
            }
            auto trained = trainer_->take();
            if (!trained.ok()) return trained.error();
            parameters = std::move(trained->parameters);
        }
        environment_.progress(0, "");
        return worth_of(parameters);
    }

    Status finish(const round::Participant& machine) {
        const View view = machine.view();
        if (stopped_) {
            say("Stopped", "after " + std::to_string(view.contributions) + " rounds; start it again to go on");
            return done();
        }
        Worth federated{"null", "null"}, alone = federated;
        if (final_) {
            ENTENTE_ASSIGN(federated, worth_of(*final_));
        }
        if (rows_.task() && final_) {
            const auto kept = rows_.keep(plan_, *final_, c_.state_folder);
            say("Kept", kept.ok() ? *kept : "no model: " + kept.error().message);
        }
        if (c_.alone) {
            ENTENTE_ASSIGN(alone, train_alone());
        }
        say("Quality", (c_.alone ? "alone " + alone.text + "   " : "") + "together " + federated.text + "   sent " + human_bytes(sent_) +
                           ", received " + human_bytes(received_) + " in all");
        say("Model", to_hex(model_));
        if (!c_.json) return done();
        const std::size_t agreements = (view.model_agreement.empty() ? 0u : 1u) + (view.update_agreement.empty() ? 0u : 1u);
        JsonObject json;
        json.text("participant", id_).whole("rounds", view.contributions).raw(rows_.task() ? "metrics_alone" : "accuracy_alone", alone.json);
        json.raw(rows_.task() ? "metrics_federated" : "accuracy_federated", federated.json).whole("bytes_up", sent_).whole("bytes_down", received_);
        json.whole("agreements", agreements).text("model_digest", to_hex(model_));
        json.whole("examples", rows_.examples());
        if (rows_.task()) json.raw("data", rows_.data_json());
        environment_.print(json.str() + "\n");
        return done();
    }

    const PartnerConfig& c_;
    NativeEnvironment& environment_;
    PartnerRows rows_;
    plan::Plan plan_;
    std::string id_;
    std::unique_ptr<Link> link_;
    contract::CancelToken cancel_;
    contract::CancelToken idle_;
    std::mutex score_mutex_;
    std::optional<std::pair<Digest, task::Score>> scored_;
    std::unique_ptr<Trainer> trainer_;
    std::unique_ptr<Evaluator> evaluator_;  // tells scored_ from a thread of its own
    Result<std::vector<std::optional<double>>> worth_ = std::vector<std::optional<double>>{};  // of the fetched model
    task::Score together_;
    std::shared_ptr<const std::vector<float>> final_;
    Digest model_;
    std::string between_steps_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t examples_ = 0;
    double loss_ = 0;
    std::int64_t train_ms_ = 0;
    std::int64_t reached_ms_ = 0;
    bool stopped_ = false;
    std::optional<Error> fork_;  // the coordinator has contradicted itself
};

}  // namespace

int join(const PartnerConfig& config, NativeEnvironment& environment) {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGINT, on_interrupt);
    std::signal(SIGTERM, on_interrupt);
    Partner partner(config, environment);
    const Status ended = partner.run();
    idle_stop = hard_stop = nullptr;
    return ended.ok() ? commands::exit_done : commands::report(ended.error(), environment);
}

}  // namespace entente::native
