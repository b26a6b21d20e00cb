#include "commands/score.hpp"

#include <algorithm>

#include "commands/data_check.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/codec/npz.hpp"

namespace entente::commands {
namespace {

constexpr std::uint64_t limit_bytes = std::uint64_t{1} << 30;
constexpr const char* other_model = "watch.other-model";

struct Loaded {
    plan::ModelFile model;
    task::Task task;  // for scoring
    task::Predictor predictor;
    std::string calibration_file;
};

Result<Loaded> load(const ScoreOptions& o, Environment& environment) {
    std::string path = o.model + "/" + model_name;
    auto bytes = environment.read_file(path, limit_bytes);
    if (!bytes.ok()) {
        path = o.model;
        ENTENTE_ASSIGN(bytes, environment.read_file(path, limit_bytes));
    }
    auto model = plan::read_model_file(*bytes);
    if (!model.ok()) return error_in(path, model.error());
    ENTENTE_ASSIGN(task::Predictor predictor, plan::predictor_of(*model));
    const std::size_t slash = path.rfind('/');
    const std::string folder = !o.state.empty() ? o.state : slash == std::string::npos ? std::string(".") : path.substr(0, slash);
    task::Task task = task::for_scoring(model->task);
    return Loaded{std::move(*model), std::move(task), std::move(predictor), folder + "/" + calibration_name};
}

Result<std::unique_ptr<task::ScoreTable>> read_table(const std::string& path, const Loaded& l, const task::Mapping& mapping, const task::Statistics* statistics,
                                                      const task::ScoreTable* past, Environment& environment) {
    ENTENTE_ASSIGN(task::Rows rows, read_rows_file(path, l.task, mapping, environment));
    auto table = task::ScoreTable::start(l.task, std::move(rows), past == nullptr ? nullptr : &past->rows, statistics);
    if (!table.ok()) return error_in(path, table.error());
    return table;
}

// Nothing where there is none yet.
Result<std::optional<task::Watch>> kept_watch(const Loaded& l, Environment& environment) {
    const auto bytes = environment.read_file(l.calibration_file, limit_bytes);
    if (!bytes.ok()) return bytes.error().code == Code::not_found ? Result<std::optional<task::Watch>>(std::optional<task::Watch>()) : bytes.error();
    auto watch = plan::read_watch(*bytes, l.model);
    if (!watch.ok()) {
        Error error = error_in(l.calibration_file, watch.error());
        error.message += error.reason == other_model ? "; --recalibrate sets it by the rows of this file, or take that file away and --past sets it again" : "; take that file away and --past sets it again";
        return error;
    }
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
    if (!before.ok() && before.error().reason != other_model) return before.error();
    const task::Statistics* statistics = before.ok() && *before ? &(*before)->statistics : shared(l);
    std::unique_ptr<task::ScoreTable> past;
    if (!o.past.empty()) {
        ENTENTE_ASSIGN(past, read_table(o.past, l, mapping, statistics, nullptr, environment));
        if (statistics == nullptr) statistics = &past->examples->statistics();
    }
    ENTENTE_ASSIGN(const auto table, read_table(o.data, l, mapping, statistics, past.get(), environment));
    auto watch = task::start_watch_from(l.task, l.predictor, *table->examples, table->rows, table->first);
    if (!watch.ok()) return error_in(o.data, watch.error());
    ENTENTE_TRY(keep_watch(l, *watch, environment));
    if (o.json) {
        environment.print(JsonObject().number("threshold", watch->alarm.threshold).whole("examples", watch->alarm.examples).whole("alerts", watch->alarm.alerts).text("file", l.calibration_file).str() + "\n");
        return done();
    }
    environment.print("  Alarm        " + task::sentence(l.task, watch->alarm) + "\n  Wrote        " + l.calibration_file + "; the model is as it was\n");
    return done();
}

Status explain_alerts(Loaded& l, const task::ScoreTable& table, const task::Past* past, task::Scored& scored, Environment& environment) {
    const std::size_t count = std::min(scored.alerts.size(), task::most_explained);
    for (std::size_t i = 0; i < count; ++i) {
        ENTENTE_TRY(task::explain_alert(l.task, l.predictor, table, scored, past, scored.alerts[i]));
        environment.progress(static_cast<double>(i) / static_cast<double>(count), "explaining " + grouped(count) + " alerts");
    }
    environment.progress(0, "");
    return done();
}

Status explain_row(const ScoreOptions& o, Loaded& l, const task::ScoreTable& table, const task::Past* past, const task::Watch& watch, Environment& environment) {
    const task::ScoreRows& examples = *table.examples;
    for (std::size_t e = 0; e < examples.size(); ++e) {
        if (examples.last_row(e) < table.first || table.row_number(examples.last_row(e)) != o.explain) continue;
        std::vector<float> example(examples.inputs());
        examples.put(e, example);
        ENTENTE_ASSIGN(const task::Explanation why, task::explain(l.task, l.predictor, example, watch.usual));
        print_explanation(l.task, table, watch, e, why, past == nullptr ? std::vector<task::Past::Case>() : task::similar_cases(table, *past, e), environment);
        return done();
    }
    return Error{Code::invalid_argument, "usage.explain", "--explain: expected a row from 1 to " + std::to_string(table.file_rows()) + " that is scored, found " + std::to_string(o.explain)};
}

Status write_inputs(const std::string& path, const task::ScoreTable& table, const task::Scored& out, Environment& environment) {
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
    std::optional<task::Past> past;
    std::unique_ptr<task::ScoreTable> own;
    if (!o.past.empty()) {
        ENTENTE_ASSIGN(own, read_table(o.past, l, mapping, watch ? &watch->statistics : shared(l), nullptr, environment));
        if (!watch) {
            ENTENTE_ASSIGN(watch, task::start_watch(l.task, l.predictor, *own->examples, own->rows));
            ENTENTE_TRY(keep_watch(l, *watch, environment));
        }
        past.emplace(*own->examples);
    }
    ENTENTE_ASSIGN(const auto table, read_table(o.data, l, mapping, watch ? &watch->statistics : shared(l), own.get(), environment));
    const bool by_itself = !watch.has_value();
    if (by_itself) {
        auto first = task::start_watch(l.task, l.predictor, *table->examples, table->rows);
        if (!first.ok()) return error_in(o.data, {first.error().code, first.error().reason, first.error().message + "; --past names the file with your rows to train on"});
        watch = std::move(*first);
        past.emplace(*table->examples);
    }
    const task::Past* similar = past ? &*past : nullptr;
    if (o.explain > 0) return explain_row(o, l, *table, similar, *watch, environment);
    ENTENTE_ASSIGN(task::Scored out, task::score_table(l.predictor, *table, std::move(*watch), by_itself));
    if (out.scores.empty()) return Error{Code::invalid_argument, "table.too-few", o.data + ": expected rows behind the split, to be scored, found none; --past names a file with the rows before it"};
    ENTENTE_TRY(explain_alerts(l, *table, similar, out, environment));
    if (!o.output.empty()) ENTENTE_TRY(environment.write_file(o.output, as_bytes(task::scored_csv(l.task, *table, out))));
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
