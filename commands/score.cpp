#include "commands/score.hpp"

#include <algorithm>

#include "commands/data_check.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/codec/npz.hpp"

namespace entente::commands {
namespace {

constexpr std::uint64_t limit_bytes = std::uint64_t{1} << 30;
constexpr std::size_t block_examples = 256;
constexpr std::size_t reasons_shown = 3;
constexpr std::size_t similar_shown = 3;

struct Loaded {
    plan::ModelFile model;
    task::Task task;  // for scoring
    task::Predictor predictor;
    std::string calibration_file;
};

Error in_file(const std::string& file, const Error& error) { return {error.code, error.reason, file + ": " + error.message}; }

Result<Loaded> load(const ScoreOptions& o, Environment& environment) {
    std::string path = o.model + "/" + model_name;
    auto bytes = environment.read_file(path, limit_bytes);
    if (!bytes.ok()) {
        path = o.model;
        ENTENTE_ASSIGN(bytes, environment.read_file(path, limit_bytes));
    }
    auto model = plan::read_model_file(*bytes);
    if (!model.ok()) return in_file(path, model.error());
    ENTENTE_ASSIGN(task::Predictor predictor, plan::predictor_of(*model));
    const std::size_t slash = path.rfind('/');
    const std::string folder = !o.state.empty() ? o.state : slash == std::string::npos ? std::string(".") : path.substr(0, slash);
    task::Task task = task::for_scoring(model->task);
    return Loaded{std::move(*model), std::move(task), std::move(predictor), folder + "/" + calibration_name};
}

Result<std::unique_ptr<ScoredTable>> read_table(const std::string& path, const Loaded& l, const task::Mapping& mapping, const task::Statistics* statistics,
                                                const ScoredTable* past, Environment& environment) {
    auto table = std::make_unique<ScoredTable>();
    ENTENTE_ASSIGN(table->rows, read_rows_file(path, l.task, mapping, environment));
    if (past != nullptr && task::looks_back(l.task)) {
        const std::uint64_t own = table->rows.size;
        table->rows = task::joined(l.task, past->rows, table->rows);
        table->first = static_cast<std::uint32_t>(table->rows.size - own);
    }
    auto examples = task::ScoreRows::start(l.task, table->rows, statistics);
    if (!examples.ok()) return in_file(path, examples.error());
    table->examples.emplace(std::move(*examples));
    return table;
}

// Nothing where there is none yet.
Result<std::optional<task::Watch>> kept_watch(const Loaded& l, Environment& environment) {
    const auto bytes = environment.read_file(l.calibration_file, limit_bytes);
    if (!bytes.ok()) return bytes.error().code == Code::not_found ? Result<std::optional<task::Watch>>(std::optional<task::Watch>()) : bytes.error();
    auto watch = plan::read_watch(*bytes, l.model);
    if (!watch.ok()) return in_file(l.calibration_file, watch.error());
    return std::optional<task::Watch>(std::move(*watch));
}

Status keep_watch(const Loaded& l, const task::Watch& watch, Environment& environment) {
    return environment.write_file(l.calibration_file, plan::write_watch(watch, plan::digest_of(l.model)));
}

const task::Statistics* shared(const Loaded& l) { return l.model.statistics ? &*l.model.statistics : nullptr; }

// Threshold and what is usual, from newer rows; scaling and model stay.
Status recalibrate(const ScoreOptions& o, Loaded& l, const task::Mapping& mapping, Environment& environment) {
    const auto before = kept_watch(l, environment);
    // One for another model was scaled for that.
    if (!before.ok() && before.error().reason != "watch.other-model") return before.error();
    const task::Statistics* statistics = before.ok() && *before ? &(*before)->statistics : shared(l);
    std::unique_ptr<ScoredTable> past;
    if (!o.past.empty()) {
        ENTENTE_ASSIGN(past, read_table(o.past, l, mapping, statistics, nullptr, environment));
        if (statistics == nullptr) statistics = &past->examples->statistics();
    }
    ENTENTE_ASSIGN(const auto table, read_table(o.data, l, mapping, statistics, past.get(), environment));
    auto watch = task::start_watch_from(l.task, l.predictor, *table->examples, table->rows, table->first);
    if (!watch.ok()) return in_file(o.data, watch.error());
    ENTENTE_TRY(keep_watch(l, *watch, environment));
    if (o.json) {
        environment.print(JsonObject().number("threshold", watch->alarm.threshold).whole("examples", watch->alarm.examples).whole("alerts", watch->alarm.alerts).text("file", l.calibration_file).str() + "\n");
        return done();
    }
    environment.print("  Alarm        " + task::sentence(l.task, watch->alarm) + "\n  Wrote        " + l.calibration_file + "; the model is as it was\n");
    return done();
}

Status score_examples(Loaded& l, const ScoredTable& table, bool skip_past, ScoreOutcome& out) {
    const task::ScoreRows& examples = *table.examples;
    std::vector<float> block;
    for (std::size_t first = 0; first < examples.size(); first += block_examples) {
        const std::size_t n = std::min(block_examples, examples.size() - first);
        block.resize(n * examples.inputs());
        examples.put(first, block);
        ENTENTE_ASSIGN(const std::vector<float> scores, l.predictor.scores(block));
        for (std::size_t k = 0; k < n; ++k) {
            if (examples.last_row(first + k) < table.first) continue;
            if (skip_past && examples.is_past(first + k)) {
                ++out.before_split;
                continue;
            }
            if (task::is_alert(out.watch.alarm, scores[k])) out.alerts.push_back({out.scores.size(), {}, {}});
            out.examples.push_back(static_cast<std::uint32_t>(first + k));
            out.scores.push_back(scores[k]);
        }
    }
    return done();
}

// The past lies in another file, or before the split of this one.
struct OwnPast {
    std::optional<task::Past> cases;
    bool same_file = false;
};

std::vector<task::Past::Case> similar_to(const OwnPast& past, std::span<const float> example, std::uint32_t row) {
    return past.cases ? past.cases->nearest(example, similar_shown, past.same_file ? row : task::no_word) : std::vector<task::Past::Case>();
}

Status explain_alerts(Loaded& l, const ScoredTable& table, const OwnPast& past, ScoreOutcome& out, Environment& environment) {
    std::vector<float> example(table.examples->inputs());
    const std::size_t count = std::min(out.alerts.size(), most_explained);
    for (std::size_t i = 0; i < count; ++i) {
        Alert& alert = out.alerts[i];
        const std::uint32_t row = table.examples->last_row(out.examples[alert.at]);
        table.examples->put(out.examples[alert.at], example);
        ENTENTE_ASSIGN(const task::Explanation why, task::explain(l.task, l.predictor, example, out.watch.usual));
        alert.reasons = task::reasons(l.task, why, out.watch.inputs, table.rows, row, reasons_shown);
        alert.similar = similar_to(past, example, row);
        environment.progress(static_cast<double>(i) / static_cast<double>(count), "explaining " + grouped(count) + " alerts");
    }
    environment.progress(0, "");
    return done();
}

Status explain_row(const ScoreOptions& o, Loaded& l, const ScoredTable& table, const OwnPast& past, const task::Watch& watch, Environment& environment) {
    const task::ScoreRows& examples = *table.examples;
    for (std::size_t e = 0; e < examples.size(); ++e) {
        if (examples.last_row(e) < table.first || table.row_number(examples.last_row(e)) != o.explain) continue;
        std::vector<float> example(examples.inputs());
        examples.put(e, example);
        ENTENTE_ASSIGN(const task::Explanation why, task::explain(l.task, l.predictor, example, watch.usual));
        print_explanation(l.task, table, watch, e, why, similar_to(past, example, examples.last_row(e)), environment);
        return done();
    }
    return Error{Code::invalid_argument, "usage.explain", "--explain: expected a row from 1 to " + std::to_string(table.file_rows()) + " that is scored, found " + std::to_string(o.explain)};
}

Status write_inputs(const std::string& path, const ScoredTable& table, const ScoreOutcome& out, Environment& environment) {
    const std::size_t size = table.examples->inputs();
    std::vector<float> values(out.examples.size() * size);
    for (std::size_t i = 0; i < out.examples.size(); ++i) table.examples->put(out.examples[i], std::span(values).subspan(i * size, size));
    const std::vector<codec::TensorShape> shapes{{"input", {static_cast<std::uint32_t>(out.examples.size()), static_cast<std::uint32_t>(size)}}};
    ENTENTE_ASSIGN(const Bytes npz, codec::write_npz(shapes, values));
    return environment.write_file(path, npz);
}

Status carry_out(const ScoreOptions& o, Environment& environment) {
    ENTENTE_ASSIGN(Loaded l, load(o, environment));
    ENTENTE_ASSIGN(task::Mapping mapping, read_mapping_file(o.mapping, l.model.task, environment));
    mapping = task::for_scoring(l.model.task, std::move(mapping));
    if (o.recalibrate) return recalibrate(o, l, mapping, environment);
    ENTENTE_ASSIGN(std::optional<task::Watch> watch, kept_watch(l, environment));
    OwnPast past;
    std::unique_ptr<ScoredTable> own;
    if (!o.past.empty()) {
        ENTENTE_ASSIGN(own, read_table(o.past, l, mapping, watch ? &watch->statistics : shared(l), nullptr, environment));
        if (!watch) {
            ENTENTE_ASSIGN(watch, task::start_watch(l.task, l.predictor, *own->examples, own->rows, false));
            ENTENTE_TRY(keep_watch(l, *watch, environment));
        }
        past.cases.emplace(*own->examples);
    }
    ENTENTE_ASSIGN(const auto table, read_table(o.data, l, mapping, watch ? &watch->statistics : shared(l), own.get(), environment));
    const bool by_itself = !watch.has_value();
    ScoreOutcome out;
    if (by_itself) {
        auto first = task::start_watch(l.task, l.predictor, *table->examples, table->rows, false);
        if (!first.ok()) return in_file(o.data, {first.error().code, first.error().reason, first.error().message + "; --past names the file with your rows to train on"});
        out.watch = std::move(*first);
        past = {task::Past(*table->examples), true};
    } else {
        out.watch = std::move(*watch);
    }
    if (o.explain > 0) return explain_row(o, l, *table, past, out.watch, environment);
    ENTENTE_TRY(score_examples(l, *table, by_itself, out));
    if (out.scores.empty()) return Error{Code::invalid_argument, "table.too-few", o.data + ": expected rows behind the split, to be scored, found none; --past names a file with the rows before it"};
    ENTENTE_TRY(explain_alerts(l, *table, past, out, environment));
    if (!o.output.empty()) ENTENTE_TRY(environment.write_file(o.output, as_bytes(scored_csv(l.task, *table, out))));
    if (!o.inputs.empty()) ENTENTE_TRY(write_inputs(o.inputs, *table, out, environment));
    if (o.json) {
        environment.print(scored_json(l.task, *table, out) + "\n");
        return done();
    }
    environment.print("  " + printable(l.task.title.empty() ? l.task.name : l.task.name + ": " + l.task.title) + "\n  " + o.data + ": " + grouped(table->file_rows()) + " rows\n");
    print_remarks(l.task, table->rows.report, environment);
    if (!by_itself && own == nullptr && task::looks_back(l.task)) environment.print("  ! the task looks back at earlier rows: those of this file alone, where --past does not name others\n");
    print_outcome(l.task, *table, out, environment);
    if (!o.output.empty()) environment.print("\n  Wrote " + o.output + (o.inputs.empty() ? "" : " and " + o.inputs) + ". Nothing has left this machine.\n");
    return done();
}

}  // namespace

int score(const ScoreOptions& options, Environment& environment) {
    const Status result = carry_out(options, environment);
    return result.ok() ? exit_done : report(result.error(), environment);
}

}  // namespace entente::commands
