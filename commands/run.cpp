#include "commands/run.hpp"

#include <array>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "commands/data_check.hpp"
#include "commands/data_label.hpp"
#include "commands/data_make.hpp"
#include "commands/export_model.hpp"
#include "commands/inspect.hpp"
#include "commands/nearest.hpp"
#include "commands/plan_file.hpp"
#include "commands/plan_toml.hpp"
#include "commands/policy_explain.hpp"
#include "commands/score.hpp"
#include "commands/simulate.hpp"
#include "commands/simulate_tables.hpp"
#include "commands/split.hpp"
#include "commands/text.hpp"
#include "commands/usage.hpp"
#include "entente/base/json_text.hpp"

namespace entente::commands {
namespace {

constexpr std::array<std::string_view, 7> names{"simulate", "plan", "policy", "inspect", "export", "data", "score"};

int plan_check(const std::string& file, bool json, Environment& environment) {
    auto plan = read_plan_file(file, environment);
    if (!plan.ok()) {
        report(plan.error(), environment);
        return exit_configuration;
    }
    const std::string digest = to_hex(plan::digest_of(*plan));
    if (json) {
        environment.print(JsonObject()
                              .boolean("ok", true)
                              .text("federation", plan->federation.id)
                              .text("plan_digest", digest)
                              .whole("parameters", plan::parameter_count(*plan))
                              .whole("rounds", plan->round.rounds)
                              .str() + "\n");
        return exit_done;
    }
    environment.print("  The plan is good: federation " + plan->federation.id + ", " + (plan->task.table ? "task " + printable(plan->task.table->name) + ", " : "") +
                      grouped(plan::parameter_count(*plan)) + " parameters, " + std::to_string(plan->round.rounds) +
                      " rounds.\n  Digest " + digest + "\n");
    return exit_done;
}

int plan_show(const std::string& file, bool json, Environment& environment) {
    auto plan = read_plan_file(file, environment);
    if (!plan.ok()) {
        report(plan.error(), environment);
        return exit_configuration;
    }
    const std::string toml = write_plan_toml(*plan);
    if (json) {
        environment.print(JsonObject().text("plan_digest", to_hex(plan::digest_of(*plan))).text("toml", toml).str() + "\n");
        return exit_done;
    }
    environment.print("# plan digest " + to_hex(plan::digest_of(*plan)) + "\n" + toml + "\n# The terms, in plain words:\n");
    for (const policy::Policy& terms : {plan::update_policy(*plan), plan::model_policy(*plan)}) {
        for (const policy::Term& term : policy::explain(terms)) {
            environment.print("#   " + term.sentence + (term.enforced ? "" : " (not enforced by this software)") + "\n");
        }
        environment.print("#\n");
    }
    return exit_done;
}

struct Line {
    CLI::App app{"Entente: federated learning under contract", "entente"};
    SimulateOptions simulate;
    ExportOptions export_options;
    SplitOptions split;
    DataCheckOptions data_check;
    DataLabelOptions data_label;
    DataMakeOptions data_make;
    ScoreOptions score;
    std::string file;
    bool json = false;
};

void declare(Line& line) {
    line.app.require_subcommand(1);
    CLI::App* simulate = line.app.add_subcommand(
        "simulate", "A whole federation in this process.\n\n"
                    "  entente simulate --data mnist --partners 3 --rounds 10\n"
                    "  entente simulate plan.toml --data mnist --partners 100 --sample 0.1 --partition shards:2 --json\n");
    SimulateOptions& s = line.simulate;
    simulate->add_option("plan", s.plan_file, "Plan (TOML); without it the default digits plan");
    simulate->add_option("--data", s.data_folder, "Folder with the four MNIST files, gzipped or not");
    simulate->add_option("--task", s.tables.task_file, "A task on tables (TOML) instead of digits; with --alone beside each partner alone and all pooled");
    simulate->add_option("--model", s.tables.model_file, "A [model] (TOML) in place of the task's own");
    simulate->add_option("--table", s.tables.files, "A partner's CSV; several: a partner each");
    simulate->add_option("--mapping", s.tables.mapping_file, "The mapping of all tables (TOML)");
    simulate->add_option("--by", s.tables.by, "Deals one table by this column of the task: its most frequent values a partner each, the rest one more");
    simulate->add_option("--partners", s.deal.partners, "Number of partners (3)");
    simulate->add_option("--rounds", s.rounds, "Rounds, instead of the plan's");
    simulate->add_option("--seed", s.seeds, "Seed, instead of the plan's; several with commas: a run for each")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(CLI::NonNegativeNumber);
    simulate->add_option("--seeds", s.seed_count, "So many seeds, from the first on")->check(CLI::Range(1, 100));
    simulate->add_option("--sweep", s.sweep, "Runs over keys of the plan: strategy=fedavg,fedprox local.epochs=1,5");
    simulate->add_option("--sample", s.sample, "Share of the partners that each round asks: the plan's round.fraction (1)");
    simulate->add_option("--partition", s.deal.partition, "How the data is dealt: iid, shards:2, dirichlet:0.3 or quantity:0.5 (iid)");
    simulate->add_option("--alpha", s.deal.alpha, "Concentration of dirichlet and quantity without a number (0.5)");
    simulate->add_option("--examples", s.deal.examples, "Use only the first N training examples");
    simulate->add_option("--evaluate-every", s.evaluate_every, "Rounds from one evaluation to the next (1)")->check(CLI::PositiveNumber);
    simulate->add_option("--threads", s.threads, "Threads (all there are); never changes the result");
    simulate->add_option("--shuffle-arrivals", s.shuffle_arrivals, "Deliver updates in an order drawn from this seed")
        ->check(CLI::NonNegativeNumber);
    simulate->add_flag("--alone", s.alone, "Also train each partner alone, with the same budget");
    simulate->add_option("--fine-tune", s.fine_tune, "With --task: each partner goes on for so many epochs with its own rows alone, and that is scored, too")->check(CLI::Range(0, 1000));
    simulate->add_flag("--check-everything", s.check_everything, "Open each update from its envelope, as a coordinator elsewhere must");
    simulate->add_option("--out", s.out, "Folder for metrics (CSV), models (safetensors, npz, ONNX), card, ledger, report.html");
    simulate->add_flag("--resume", s.resume, "Go on from the checkpoint that the same command has left");
    simulate->add_option("--checkpoint-every", s.checkpoint_every_s, "Seconds from one checkpoint to the next (60); 0: after each round");
    simulate->add_option("--save", s.save_model, "Write the final model as safetensors");
    simulate->add_option("--ledger", s.save_ledger, "Write the ledger");
    simulate->add_flag("--json", s.json, "One JSON object a line: for each round, and at the end");
    simulate->add_flag("--quiet", s.quiet, "Nothing but the result");

    CLI::App* plan = line.app.add_subcommand("plan", "Plans.\n\n  entente plan check plan.toml\n  entente plan show plan.toml\n");
    plan->require_subcommand(1);
    for (const char* name : {"check", "show"}) {
        const std::string does = std::string(name) == "check" ? "Is it good? Says its digest."
                                                              : "All of it, with every default, and the terms.";
        CLI::App* sub = plan->add_subcommand(name, does + "\n\n  entente plan " + name + " plan.toml\n");
        sub->add_option("file", line.file, "Plan (TOML or signed envelope); without it the default plan");
        sub->add_flag("--json", line.json, "One JSON object");
    }
    CLI::App* policy = line.app.add_subcommand("policy", "Contracts.\n\n  entente policy explain offer.json\n");
    policy->require_subcommand(1);
    CLI::App* explain = policy->add_subcommand("explain", "A contract as sentences: which terms are enforced here, which refused, and why.\n\n"
                                                          "  entente policy explain offer.json\n"
                                                          "  entente policy explain plan.toml\n"
                                                          "  entente policy explain https://plant-a.example/dsp/2025-1/catalog/datasets/urn:fl:demo:global\n");
    explain->add_option("source", line.file, "A plan; or ODRL as JSON: offer, agreement, dataset, catalogue; or its URL")->required();
    explain->add_flag("--json", line.json, "One JSON object");
    CLI::App* inspect = line.app.add_subcommand("inspect", "What an envelope, ledger or safetensors file says.\n\n"
                                                           "  entente inspect model.entf\n");
    inspect->add_option("file", line.file, "The file")->required();
    inspect->add_flag("--json", line.json, "One JSON object");
    CLI::App* exporting = line.app.add_subcommand("export", "A model for other tools.\n\n"
                                                            "  entente export model.entf -o model.safetensors\n");
    exporting->add_option("file", line.export_options.file, "Model envelope, model.entente, safetensors or npz")->required();
    exporting->add_option("-o,--output", line.export_options.output, "File to write")->required();
    exporting->add_option("--format", line.export_options.format, "safetensors, npz, onnx, or entente to score tables with (as the output's name ends)");
    exporting->add_option("--plan", line.export_options.plan, "The plan it was made under; entente needs it, and onnx but of model.entente");
    exporting->add_option("--ledger", line.export_options.ledger, "The federation's ledger, for the card");
    exporting->add_option("--partners", line.export_options.given, "For the card of a task on tables: a line of each partner, the last of its join --json");
    exporting->add_flag("--json", line.export_options.json, "One JSON object");
    CLI::App* data = line.app.add_subcommand(
        "data", "A partner's data.\n\n  entente data check --task task.toml orders.csv\n  entente data make late-deliveries -o made\n  entente data split --from mnist --to shares --partners 3\n");
    data->require_subcommand(1);
    CLI::App* check = data->add_subcommand("check", "What a task makes of your file: columns, ranges, what is missing, what will be used.\n\n"
                                                     "  entente data check --task task.toml --mapping mine.toml orders.csv\n");
    check->add_option("--task", line.data_check.task_file, "The task (TOML)")->required();
    check->add_option("--mapping", line.data_check.mapping_file, "Which of your columns is which, and in which unit (TOML); without it headers are found by their names");
    check->add_option("file", line.data_check.data_file, "Your data: CSV, gzipped or not")->required();
    check->add_flag("--json", line.data_check.json, "One JSON object");
    CLI::App* label = data->add_subcommand("label", "Labels that arrive later, into a copy of your file: by the id of a row.\n\n"
                                                     "  entente data label --task task.toml orders.csv delivered.csv -o orders-labelled.csv\n");
    DataLabelOptions& b = line.data_label;
    label->add_option("file", b.data_file, "Your data: CSV, gzipped or not; it stays as it is")->required();
    label->add_option("labels", b.labels_file, "CSV with a header and two columns: the id, and what the task's label is made of")->required();
    label->add_option("-o,--output", b.output, "The copy to write")->required();
    label->add_option("--task", b.task_file, "The task (TOML)")->required();
    label->add_option("--mapping", b.mapping_file, "Which of your columns is which (TOML)");
    label->add_flag("--json", b.json, "One JSON object");
    CLI::App* make = data->add_subcommand("make", "Tables to try things with, made by this program: a file for each partner.\n\n"
                                                   "  entente data make late-deliveries --partners 5 --seed 1 -o made\n");
    DataMakeOptions& m = line.data_make;
    make->add_option("story", m.story, "late-deliveries, sensor-anomalies or engine-health")->required();
    make->add_option("--partners", m.partners, "Number of partners (5)");
    make->add_option("--seed", m.seed, "Seed (1)")->check(CLI::NonNegativeNumber);
    make->add_option("--size", m.size, "Of each: order lines (1,500), rows (1,200) or engines (12)");
    make->add_option("-o,--to", m.to, "Folder in which the partners' folders are made")->required();
    make->add_flag("--json", m.json, "One JSON object");
    CLI::App* split = data->add_subcommand("split", "Deals a digits folder into one folder for each partner.\n\n"
                                                     "  entente data split --from mnist --to shares --partners 3\n");
    SplitOptions& d = line.split;
    split->add_option("--from", d.from, "Folder with the four MNIST files, gzipped or not")->required();
    split->add_option("--to", d.to, "Folder in which the partners' folders are made")->required();
    split->add_option("--partners", d.deal.partners, "Number of partners (3)");
    split->add_option("--partition", d.deal.partition, "iid, shards:2, dirichlet:0.3 or quantity:0.5 (iid)");
    split->add_option("--alpha", d.deal.alpha, "Concentration of dirichlet and quantity without a number (0.5)");
    split->add_option("--examples", d.deal.examples, "Use only the first N training examples");
    split->add_option("--seed", d.seed, "Seed (1): the plan's, to hold what simulate deals")->check(CLI::NonNegativeNumber);
    split->add_flag("--json", d.json, "One JSON object");
    CLI::App* scoring = line.app.add_subcommand("score", "A trained model on your own file: which rows are alerts, why, and whether that is as usual.\n\n"
                                                        "  entente score plant-a orders.csv --past history.csv -o scores.csv\n"
                                                        "  entente score model.entente orders.csv --explain 17\n"
                                                        "  entente score plant-a newer.csv --recalibrate\n");
    ScoreOptions& a = line.score;
    scoring->add_option("model", a.model, "model.entente, or the folder with it: a partner's state, or what simulate --out has left")->required();
    scoring->add_option("data", a.data, "Your data: CSV, gzipped or not; it needs no labels")->required();
    scoring->add_option("-o,--output", a.output, "Scores, reasons and similar rows, as CSV");
    scoring->add_option("--mapping", a.mapping, "Which of your columns is which, and in which unit (TOML)");
    scoring->add_option("--past", a.past, "Your rows that the model was trained on: the alarm is calibrated with them once, and similar cases are looked up there");
    scoring->add_option("--state", a.state, "Folder that keeps the calibration (the model's)");
    scoring->add_option("--explain", a.explain, "One row of the file, from 1, in words")->check(CLI::PositiveNumber);
    scoring->add_flag("--recalibrate", a.recalibrate, "Calibrate the alarm anew with all rows of this file; nothing is trained");
    scoring->add_option("--inputs", a.inputs, "Also write what the model takes of each row (npz), for its ONNX form");
    scoring->add_flag("--json", a.json, "One JSON object");
}

int execute(Line& line, Environment& environment) {
    if (line.app.got_subcommand("simulate")) {
        return line.simulate.tables.task_file.empty() ? simulate(line.simulate, environment) : simulate_tables(line.simulate, environment);
    }
    if (line.app.got_subcommand("inspect")) return inspect(line.file, line.json, environment);
    if (line.app.got_subcommand("score")) return score(line.score, environment);
    if (line.app.got_subcommand("export")) return export_model(line.export_options, environment);
    if (CLI::App* data = line.app.get_subcommand("data"); data->parsed()) {
        if (data->got_subcommand("make")) return make_data(line.data_make, environment);
        if (data->got_subcommand("label")) return label_data(line.data_label, environment);
        return data->got_subcommand("check") ? check_data(line.data_check, environment) : split_data(line.split, environment);
    }
    if (line.app.got_subcommand("policy")) return explain_policy(line.file, line.json, environment);
    CLI::App* plan = line.app.get_subcommand("plan");
    if (plan->got_subcommand("check")) return plan_check(line.file, line.json, environment);
    return plan_show(line.file, line.json, environment);
}

}  // namespace

int exit_code(const Error& error) noexcept {
    const std::string_view reason = error.reason;
    if (reason.starts_with("usage.")) return exit_usage;
    if (reason.starts_with("plan.") || reason.starts_with("partner.") || reason.starts_with("config.") || reason.starts_with("task.") ||
        reason.starts_with("mapping.")) {
        return exit_configuration;
    }
    if (reason.starts_with("policy.") || reason.starts_with("contract.")) return exit_policy;
    switch (error.code) {
        case Code::unavailable:
        case Code::deadline_exceeded: return exit_unreachable;
        case Code::permission_denied: return reason.starts_with("file.") ? exit_failed : exit_policy;
        case Code::data_loss: return exit_bad_data;
        case Code::invalid_argument:
        case Code::too_large: return exit_bad_data;
        default: return exit_failed;
    }
}

bool knows(const std::string& command) {
    for (const std::string_view name : names) {
        if (command == name) return true;
    }
    return false;
}

int report(const Error& error, Environment& environment) {
    environment.print_error("entente: " + printable(error.message) + " (code " + error.reason + ")\n");
    return exit_code(error);
}

int run(const std::vector<std::string>& args, Environment& environment) {
    if (args.empty() || (!knows(args[0]) && !args[0].starts_with("-"))) {
        const std::string near = args.empty() ? "" : nearest(args[0], names);
        environment.print_error("entente: expected simulate, plan, policy, inspect, export, data or score" +
                                (args.empty() ? std::string() : ", found \"" + printable(args[0]) + "\"") +
                                (near.empty() ? "" : "; did you mean \"" + near + "\"?") + "\n");
        return exit_usage;
    }
    Line line;
    declare(line);
    try {
        line.app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
    } catch (const CLI::CallForHelp&) {
        const CLI::App* shown = &line.app;
        while (!shown->get_subcommands().empty()) shown = shown->get_subcommands().front();
        environment.print(shown->help());
        return exit_done;
    } catch (const CLI::ParseError& error) {
        environment.print_error(usage_error(line.app, args, error.what()));
        return exit_usage;
    }
    return execute(line, environment);
}

}  // namespace entente::commands
