#include "commands/simulate_run.hpp"

#include <algorithm>
#include <limits>

#include "commands/simulate_print.hpp"

namespace entente::commands {
namespace {

constexpr std::uint32_t slice_batches = 64;
constexpr std::uint64_t checkpoint_limit_bytes = std::uint64_t{1} << 31;

Result<memory::Federation> prepare(const SimulateOptions& o, const RunSetting& setting, const DigitsExamples& digits,
                                   Environment& environment) {
    memory::FederationOptions options;
    options.partners = setting.partners;
    if (options.partners.empty()) {
        ENTENTE_ASSIGN(auto shares, deal(digits.train.labels(), o.deal, setting.plan.training.seed));
        for (std::size_t i = 0; i < shares.size(); ++i) {
            options.partners.push_back({partner_id(i), partner_name(i), std::move(shares[i])});
        }
    }
    options.plan = setting.plan;
    options.train = digits.train;
    options.evaluation = digits.test;
    options.alone = o.alone;
    options.check_everything = o.check_everything;
    options.shuffle_arrivals = o.shuffle_arrivals;
    options.evaluate_every = o.evaluate_every;
    options.partner_by_partner = true;
    options.executor = &environment.executor(o.threads);
    if (!o.resume) return memory::Federation::create(std::move(options));
    const auto checkpoint = environment.read_file(setting.checkpoint, checkpoint_limit_bytes);
    if (checkpoint.ok()) return memory::Federation::resume(std::move(options), *checkpoint);
    if (setting.title.empty() || checkpoint.error().reason != "file.missing") return checkpoint.error();
    return memory::Federation::create(std::move(options));
}

// Rounds as they end, a bar between them.
class Watcher {
public:
    Watcher(const SimulateOptions& o, const std::string& title, const RunResult& run, Environment& environment)
        : o_(o), title_(title), environment_(environment), shown_(run.federation.rounds().size()),
          from_(progress_fraction(run.federation.progress())), started_ms_(environment.now_ms()), round_ms_(started_ms_) {}

    // How many rounds have ended since.
    std::size_t look(RunResult& run) {
        const std::size_t before = shown_;
        const memory::Progress progress = run.federation.progress();
        for (; shown_ < run.federation.rounds().size(); ++shown_) {
            const memory::RoundResult& round = run.federation.rounds()[shown_];
            const double seconds = since(round_ms_);
            run.round_seconds.push_back(seconds);
            if (!o_.quiet && !o_.json) print_round(round, progress.rounds, seconds, environment_);
            if (!o_.quiet && o_.json) environment_.print(round_json(title_, round, seconds) + "\n");
            round_ms_ = environment_.now_ms();
        }
        if (o_.quiet || o_.json) return shown_ - before;
        const double fraction = progress_fraction(progress);
        const double left = fraction > from_ ? since(started_ms_) * (1.0 - fraction) / (fraction - from_)
                                             : std::numeric_limits<double>::infinity();
        environment_.progress(fraction, progress_text(progress, left));
        return shown_ - before;
    }
    [[nodiscard]] double seconds() const { return since(started_ms_); }

private:
    [[nodiscard]] double since(std::int64_t then_ms) const {
        return static_cast<double>(environment_.now_ms() - then_ms) / 1000.0;
    }

    const SimulateOptions& o_;
    const std::string& title_;
    Environment& environment_;
    std::size_t shown_;
    double from_;
    std::int64_t started_ms_;
    std::int64_t round_ms_;
};

}  // namespace

Result<RunResult> run_simulation(const SimulateOptions& o, const RunSetting& setting, const DigitsExamples& digits,
                                 Environment& environment) {
    if (!setting.title.empty() && !o.quiet && !o.json) environment.print("\n  " + setting.title + "\n");
    ENTENTE_ASSIGN(memory::Federation federation, prepare(o, setting, digits, environment));
    RunResult run{std::move(federation), {}, 0, false};
    Watcher watcher(o, setting.title, run, environment);
    const auto keep = [&] { return environment.write_file(setting.checkpoint, run.federation.checkpoint()); };
    std::int64_t kept_ms = environment.now_ms();
    bool kept = !setting.title.empty();  // one of several leaves its checkpoint at its end, too
    bool told = false;
    for (;;) {
        auto more = run.federation.advance(slice_batches);
        if (!more.ok()) {
            environment.progress(0, "");
            return more.error();
        }
        const std::size_t ended = watcher.look(run);
        if (ended > 0 && setting.on_round) ENTENTE_TRY(setting.on_round(run.federation));
        if (!*more) break;
        if (!environment.interrupted()) {
            const std::int64_t now_ms = environment.now_ms();
            if (run.federation.at_rest() && now_ms - kept_ms >= std::int64_t{1000} * o.checkpoint_every_s) {
                ENTENTE_TRY(keep());
                kept_ms = now_ms;
                kept = true;
            }
            continue;
        }
        if (run.federation.at_rest()) {
            run.interrupted = true;
            break;
        }
        if (!told) environment.print_error("entente: the round is brought to its end; once more Ctrl-C stops at once\n");
        told = true;
    }
    environment.progress(0, "");
    run.seconds = watcher.seconds();
    if (!run.interrupted && !run.federation.view().finished) {
        return Error{Code::internal, "simulate.stuck", run.federation.view().sentence};
    }
    if (run.interrupted || kept) ENTENTE_TRY(keep());
    return run;
}

}  // namespace entente::commands
