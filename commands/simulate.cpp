#include "commands/simulate.hpp"

#include <algorithm>
#include <numeric>

#include "commands/digits.hpp"
#include "commands/export_model.hpp"
#include "commands/ledger_file.hpp"
#include "commands/plan_file.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
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

// The plan that is carried out: the file's, and what the options change in it.
Result<plan::Plan> settle_plan(const SimulateOptions& o, Environment& environment) {
    ENTENTE_ASSIGN(plan::Plan plan, read_plan_file(o.plan_file, environment));
    if (o.rounds) {
        plan.round.rounds = *o.rounds;
        plan.contract.max_rounds = std::max(plan.contract.max_rounds, *o.rounds);
    }
    if (o.seed) plan.training.seed = *o.seed;
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
    options.executor = &environment.executor(std::max(1u, o.threads));
    return memory::Federation::create(std::move(options));
}

void print_round(const memory::RoundResult& r, std::uint64_t rounds, double seconds, Environment& environment) {
    std::string line = "  Round " + pad(std::to_string(r.round) + "/" + std::to_string(rounds), 8);
    line += "accuracy " + decimal(r.federated.accuracy(), 4) + "   loss " + decimal(r.federated.mean_loss(), 4);
    line += "   " + decimal(seconds, 1) + " s   up " + pad(human_bytes(r.bytes_up), 8) + "   down " +
            pad(human_bytes(r.bytes_down), 8) + "   " + std::to_string(r.contributors) + " partners\n";
    environment.print(line);
}

void print_table(const memory::Federation& federation, Environment& environment) {
    const auto view = federation.view();
    const auto& rounds = federation.rounds();
    environment.print("\n  " + pad("Partner", 14) + pad("Examples", 11) + pad("Alone", 9) + pad("Together", 11) +
                      pad("Sent", 10) + pad("Received", 11) + "Agreement\n");
    for (std::size_t i = 0; i < view.partners.size(); ++i) {
        const memory::PartnerState& p = view.partners[i];
        const bool alone = !rounds.empty() && i < rounds.back().alone.size();
        environment.print("  " + pad(p.name, 14) + pad(grouped(p.examples), 11) +
                          pad(alone ? decimal(rounds.back().alone[i].accuracy(), 4) : "-", 9) +
                          pad(rounds.empty() ? "-" : decimal(rounds.back().federated.accuracy(), 4), 11) +
                          pad(human_bytes(p.bytes_up), 10) + pad(human_bytes(p.bytes_down), 11) +
                          p.update_agreement.substr(0, 12) + "\n");
    }
    environment.print("\n  Model " + to_hex(federation.model_digest()) + "\n");
}

std::string json_line(const memory::Federation& federation, const SimulateOptions& o, double seconds) {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
    for (const memory::PartnerState& p : federation.view().partners) {
        up += p.bytes_up;
        down += p.bytes_down;
    }
    JsonObject json;
    const auto& rounds = federation.rounds();
    json.number("accuracy", rounds.empty() ? 0.0 : rounds.back().federated.accuracy());
    json.whole("rounds", rounds.size()).whole("partners", o.deal.partners).number("seconds", seconds);
    json.whole("bytes_up", up).whole("bytes_down", down).whole("agreements", federation.agreements());
    json.text("model_digest", to_hex(federation.model_digest()));
    return json.str();
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
    std::int64_t round_started_ms = started_ms;
    std::size_t shown = 0;
    for (;;) {
        auto more = federation.advance(slice_batches);
        if (!more.ok()) return report(more.error(), environment);
        const std::int64_t now_ms = environment.now_ms();
        const memory::FederationView view = federation.view();
        while (shown < federation.rounds().size()) {
            environment.progress(0, "");
            const double seconds = static_cast<double>(now_ms - round_started_ms) / 1000.0;
            if (!o.quiet) print_round(federation.rounds()[shown], view.coordinator.rounds, seconds, environment);
            round_started_ms = now_ms;
            ++shown;
        }
        if (!*more) break;
        double progress = 0;
        for (const memory::PartnerState& p : view.partners) progress += p.progress;
        if (!o.quiet && !view.partners.empty()) {
            environment.progress(progress / static_cast<double>(view.partners.size()), view.sentence);
        }
    }
    environment.progress(0, "");
    const double seconds = static_cast<double>(environment.now_ms() - started_ms) / 1000.0;
    if (!federation.view().finished) {
        return report(Error{Code::internal, "simulate.stuck", federation.view().sentence}, environment);
    }
    if (auto saved = save(federation, o, *plan, environment); !saved.ok()) return report(saved.error(), environment);
    if (!o.quiet) print_table(federation, environment);
    if (o.json) environment.print(json_line(federation, o, seconds) + "\n");
    return exit_done;
}

}  // namespace entente::commands
