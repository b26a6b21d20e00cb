#include "commands/simulate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "commands/digits.hpp"
#include "commands/export_model.hpp"
#include "commands/ledger_file.hpp"
#include "commands/plan_file.hpp"
#include "commands/run.hpp"
#include "commands/simulate_print.hpp"
#include "connectors/memory/federation.hpp"
#include "entente/base/philox.hpp"

namespace entente::commands {
namespace {

constexpr std::uint32_t slice_batches = 64;

Result<std::vector<memory::PartnerSetup>> deal_partners(const SimulateOptions& o, const plan::Plan& plan,
                                                        const data::Dataset& train) {
    ENTENTE_ASSIGN(auto shares, deal(train.labels, o.deal, plan.training.seed));
    std::vector<memory::PartnerSetup> partners;
    for (std::size_t i = 0; i < shares.size(); ++i) {
        partners.push_back({partner_id(i), partner_name(i), std::move(shares[i])});
    }
    return partners;
}

// m = max(C K, 1), McMahan et al. 2017, algorithm 1.
std::uint32_t sampled_partners(const SimulateOptions& o) {
    return std::max(1u, static_cast<std::uint32_t>(std::lround(o.sample * o.deal.partners)));
}

// The plan that is carried out: the file's, and what the options change in it.
Result<plan::Plan> settle_plan(const SimulateOptions& o, Environment& environment) {
    ENTENTE_ASSIGN(plan::Plan plan, read_plan_file(o.plan_file, environment));
    if (o.rounds) {
        plan.round.rounds = *o.rounds;
        plan.contract.max_rounds = std::max(plan.contract.max_rounds, *o.rounds);
    }
    if (o.seed) plan.training.seed = *o.seed;
    if (!(o.sample > 0.0 && o.sample <= 1.0)) {
        return Error{Code::invalid_argument, "usage.sample", "--sample: expected a share above 0 and at most 1"};
    }
    if (const std::uint32_t m = sampled_partners(o); m < o.deal.partners) plan.round.min_cohort = m;
    return plan;
}

Result<memory::Federation> prepare(const SimulateOptions& o, plan::Plan plan, Environment& environment) {
    if (o.data_folder.empty()) {
        return Error{Code::invalid_argument, "usage.data",
                     "--data: expected a folder with the four MNIST files (train-images-idx3-ubyte …), found nothing"};
    }
    ENTENTE_ASSIGN(DigitsFolder digits, read_digits_folder(o.data_folder, environment));
    if (!digits.test) {
        return Error{Code::not_found, "file.missing",
                     o.data_folder + ": expected t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte for the evaluation"};
    }
    memory::FederationOptions options;
    ENTENTE_ASSIGN(options.partners, deal_partners(o, plan, *digits.train));
    options.plan = std::move(plan);
    options.train = digits.train;
    options.evaluation = digits.test;
    options.alone = o.alone;
    options.shuffle_arrivals = o.shuffle_arrivals;
    options.sample = sampled_partners(o);
    options.evaluate_every = o.evaluate_every;
    options.partner_by_partner = true;
    options.executor = &environment.executor(o.threads);
    return memory::Federation::create(std::move(options));
}

Status save(const memory::Federation& federation, const SimulateOptions& o, const plan::Plan& plan,
            Environment& environment) {
    if (!o.save_model.empty()) {
        ENTENTE_ASSIGN(const Bytes file, model_as_safetensors(plan, federation.parameters(), federation.model_digest()));
        ENTENTE_TRY(environment.write_file(o.save_model, file));
    }
    if (!o.save_ledger.empty()) {
        ENTENTE_TRY(environment.write_file(o.save_ledger, write_ledger_file(federation.ledger())));
    }
    return done();
}

}  // namespace

int simulate(const SimulateOptions& o, Environment& environment) {
    auto plan = settle_plan(o, environment);
    if (!plan.ok()) return report(plan.error(), environment);
    auto prepared = prepare(o, *plan, environment);
    if (!prepared.ok()) return report(prepared.error(), environment);
    memory::Federation federation = std::move(prepared).value();

    const std::int64_t started_ms = environment.now_ms();
    const auto since = [&environment](std::int64_t then_ms) {
        return static_cast<double>(environment.now_ms() - then_ms) / 1000.0;
    };
    std::int64_t round_started_ms = started_ms;
    std::size_t shown = 0;
    for (;;) {
        auto more = federation.advance(slice_batches);
        if (!more.ok()) return report(more.error(), environment);
        const memory::Progress progress = federation.progress();
        for (; shown < federation.rounds().size(); ++shown) {
            const memory::RoundResult& round = federation.rounds()[shown];
            if (!o.quiet && !o.json) print_round(round, progress.rounds, since(round_started_ms), environment);
            if (!o.quiet && o.json) environment.print(round_json(round, since(round_started_ms)) + "\n");
            round_started_ms = environment.now_ms();
        }
        if (!*more) break;
        if (o.quiet || o.json) continue;
        const double fraction = progress_fraction(progress);
        const double left = fraction > 0.0 ? since(started_ms) * (1.0 - fraction) / fraction
                                           : std::numeric_limits<double>::infinity();
        environment.progress(fraction, progress_text(progress, left));
    }
    environment.progress(0, "");
    const double seconds = since(started_ms);
    if (!federation.view().finished) {
        return report(Error{Code::internal, "simulate.stuck", federation.view().sentence}, environment);
    }
    if (auto saved = save(federation, o, *plan, environment); !saved.ok()) return report(saved.error(), environment);
    if (!o.quiet && !o.json) print_partners(federation, environment);
    if (o.json) environment.print(end_json(federation, seconds) + "\n");
    return exit_done;
}

}  // namespace entente::commands
