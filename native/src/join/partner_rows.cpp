#include "join/partner_rows.hpp"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "base/files.hpp"
#include "commands/data_check.hpp"
#include "commands/digits.hpp"
#include "commands/rows_digest.hpp"
#include "commands/score.hpp"
#include "commands/text.hpp"
#include "entente/policy/evaluate.hpp"

namespace entente::native {
namespace {

constexpr std::uint32_t held_out_part = 10;  // one row in ten scores when there are no test files

using commands::decimal;
using commands::grouped;
using commands::pad;

Error wrong_data(const PartnerConfig& config, const std::string& expected) {
    return Error{Code::invalid_argument, "config.data", config.data_folder + ": expected " + expected};
}

bool is_file(const PartnerConfig& config) { return std::filesystem::is_regular_file(config.data_folder); }

// The names of the numbers that are scaled, in their order.
std::vector<std::string> scaled_names(const task::Task& task) {
    const std::vector<std::string> all = task::row_names(task);
    std::vector<std::string> names;
    std::size_t at = 0;
    for (const task::Feature& f : task.features) {
        const std::size_t width = task::width_of(task, f);
        if (f.kind != task::FeatureKind::one_hot) names.insert(names.end(), all.begin() + static_cast<std::ptrdiff_t>(at), all.begin() + static_cast<std::ptrdiff_t>(at + width));
        at += width;
    }
    return names;
}

}  // namespace

Status PartnerRows::look(const PartnerConfig& config, commands::Environment& environment) {
    if (config.data_folder.empty()) {
        return Error{Code::invalid_argument, "config.no-data", "expected your data, a folder with IDX files or a table: --data PATH, or data in partner.toml"};
    }
    if (is_file(config)) return done();
    PartnerRows rows;
    return rows.load_digits(config, environment);
}

Result<PartnerRows> PartnerRows::load(const PartnerConfig& config, const plan::Plan& plan, commands::Environment& environment) {
    PartnerRows rows;
    rows.file_ = config.data_folder;
    if (plan.task.table) {
        if (!is_file(config)) return wrong_data(config, "a table for the task " + plan.task.table->name + ", found no file");
        ENTENTE_TRY(rows.load_table(config, plan, environment));
    } else {
        if (is_file(config)) return wrong_data(config, "a folder with IDX files, which this federation's plan asks for, found a file");
        ENTENTE_TRY(rows.load_digits(config, environment));
    }
    return rows;
}

Status PartnerRows::load_digits(const PartnerConfig& config, commands::Environment& environment) {
    ENTENTE_ASSIGN(commands::DigitsFolder digits, commands::read_digits_folder(config.data_folder, environment));
    train_ = digits.train;
    test_ = digits.test;
    if (test_) return done();
    const auto rows = static_cast<std::uint32_t>(train_->size());
    const std::uint32_t kept = rows - rows / held_out_part;
    train_rows_.resize(kept);
    std::iota(train_rows_.begin(), train_rows_.end(), 0u);
    test_rows_.resize(rows - kept);
    std::iota(test_rows_.begin(), test_rows_.end(), kept);
    test_ = train_;
    return done();
}

Status PartnerRows::load_table(const PartnerConfig& config, const plan::Plan& plan, commands::Environment& environment) {
    task_ = plan::task_of(plan);
    ENTENTE_ASSIGN(const task::Mapping mapping, commands::read_mapping_file(config.mapping_file, *task_, environment));
    ENTENTE_ASSIGN(rows_, commands::read_rows_file(config.data_folder, *task_, mapping, environment));
    auto prepared = task::prepare(*task_, rows_);
    if (!prepared.ok()) return Error{prepared.error().code, prepared.error().reason, config.data_folder + ": " + prepared.error().message};
    take(std::move(prepared).value());
    if (!task::shares_statistics(*task_)) return done();
    ENTENTE_ASSIGN(sums_, task::sums_of(*task_, rows_));
    return done();
}

void PartnerRows::take(task::Prepared prepared) {
    prepared_ = std::make_shared<const task::Prepared>(std::move(prepared));
    train_ = {prepared_, &prepared_->train.dataset};
    test_ = {prepared_, &prepared_->test.dataset};
}

Result<bool> PartnerRows::scale(const task::Shared& shared) {
    if (!task_ || prepared_->statistics == shared.statistics) return false;
    ENTENTE_ASSIGN(task::Prepared prepared, task::prepare(*task_, rows_, &shared.statistics));
    take(std::move(prepared));
    return true;
}

void PartnerRows::show(commands::Environment& environment) const {
    if (!task_) return;
    commands::print_table(*task_, rows_.report, file_, environment);
    commands::print_prepared(*prepared_, environment);
    if (sums_.empty()) return;
    // What is given is what these digits say, no more.
    const std::vector<float> digits(sums_.begin(), sums_.end());
    const auto own = task::read_sums(*task_, digits);
    if (!own.ok()) return;
    const task::RegimeStatistics& all = own->statistics.all;
    const std::vector<std::string> names = scaled_names(*task_);
    std::size_t width = 6;
    for (const std::string& name : names) width = std::max(width, name.size());
    environment.print("\n  Given once, before training, so that all scale alike: sums over the " + grouped(own->rows) + " rows to train on" +
                      (own->positive > 0 ? ", " + grouped(own->positive) + " of them with label 1" : "") +
                      (all.rows.size() > 0 && !task_->scaling.regime.empty() ? "; the same of each regime" : "") + "\n  " + pad("number", width) + "  " +
                      pad("rows", 9) + "  " + pad("mean", 12) + "  deviation\n");
    for (std::size_t i = 0; i < all.rows.size() && i < names.size(); ++i) {
        environment.print("  " + pad(commands::printable(names[i]), width) + "  " + pad(grouped(all.rows[i]), 9) + "  " + pad(decimal(all.mean[i], 4), 12) + "  " + decimal(all.deviation[i], 4) + "\n");
    }
}

std::string PartnerRows::data_json() const {
    return commands::JsonObject().text("digest", to_hex(commands::digest_of_rows(*task_, rows_))).whole("train", prepared_->train.last_rows.size())
        .whole("test", prepared_->test.last_rows.size()).str();
}

Result<std::vector<std::optional<double>>> PartnerRows::metrics(std::span<const float> parameters) const {
    ENTENTE_ASSIGN(const task::Predictions said, task::predict_examples(*task_, *prepared_, parameters));
    return task::metrics_of(*task_, said);
}

Result<std::string> PartnerRows::keep(const plan::Plan& plan, std::span<const float> parameters, const std::string& folder) const {
    ENTENTE_TRY(policy::permits(plan::model_policy(plan), policy::operation::export_model).status());
    plan::ModelFile model{*task_, {parameters.begin(), parameters.end()}, {}, {}, plan::digest_of(plan)};
    if (task::shares_statistics(*task_)) model.statistics = prepared_->statistics;
    const std::string path = folder + "/" + commands::model_name;
    ENTENTE_TRY(write_file(path, plan::write_model_file(model), 0600));
    const auto alarm = calibrate(model, folder);
    return path + "; " + (alarm.ok() ? *alarm : "no alarm yet: " + alarm.error().message);
}

Result<std::string> PartnerRows::calibrate(const plan::ModelFile& model, const std::string& folder) const {
    ENTENTE_ASSIGN(task::Predictor predictor, plan::predictor_of(model));
    ENTENTE_ASSIGN(const task::ScoreRows examples, task::ScoreRows::start(*task_, rows_, &prepared_->statistics));
    ENTENTE_ASSIGN(const task::Watch watch, task::start_watch(*task_, predictor, examples, rows_));
    ENTENTE_TRY(write_file(folder + "/" + commands::calibration_name, plan::write_watch(watch, plan::digest_of(model)), 0600));
    return task::sentence(*task_, watch.alarm);
}

std::string metrics_text(const task::Task& task, const std::vector<std::optional<double>>& values) {
    std::string text;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!values[i]) continue;
        text += (text.empty() ? "" : ", ") + std::string(task::metric_names()[static_cast<std::size_t>(task.metrics[i]) - 1]) + " " + decimal(*values[i], 4);
    }
    return text.empty() ? "no row to score" : text;
}

std::string metrics_json(const task::Task& task, const std::vector<std::optional<double>>& values) {
    commands::JsonObject json;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::string_view name = task::metric_names()[static_cast<std::size_t>(task.metrics[i]) - 1];
        values[i] ? json.number(name, *values[i]) : json.raw(name, "null");
    }
    return json.str();
}

}  // namespace entente::native
