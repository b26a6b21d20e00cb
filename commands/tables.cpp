#include "commands/tables.hpp"

#include <algorithm>

#include "commands/deal.hpp"
#include "commands/rows_digest.hpp"
#include "commands/task_files.hpp"
#include "commands/text.hpp"
#include "entente/task/control_chart.hpp"
#include "entente/task/predictions.hpp"
#include "entente/task/sums.hpp"

namespace entente::commands {
namespace {

struct Share {
    std::string name;
    task::Rows rows;
};

// The most frequent values a partner each, in that order, and whatever is left one more.
Result<std::vector<Share>> deal_by(const TablesOptions& o, const task::Task& task, const task::Rows& rows) {
    const auto column = task::find_column(task, o.by);
    if (!column || task.columns[*column].kind != task::CellKind::category || !rows.columns[*column].present()) {
        return Error{Code::invalid_argument, "usage.tables", "--by: expected a column of kind \"category\" that the file has, found \"" + o.by + "\""};
    }
    const task::Values& v = rows.columns[*column];
    std::vector<std::vector<std::uint32_t>> of_word(v.words.size());
    for (std::size_t r = 0; r < v.codes.size(); ++r) {
        if (v.codes[r] != task::no_word) of_word[v.codes[r]].push_back(static_cast<std::uint32_t>(r));
    }
    std::vector<std::uint32_t> order(of_word.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
    std::sort(order.begin(), order.end(), [&of_word](std::uint32_t a, std::uint32_t b) {
        return of_word[a].size() != of_word[b].size() ? of_word[a].size() > of_word[b].size() : a < b;
    });
    const std::size_t partners = o.partners == 0 ? order.size() : std::min<std::size_t>(o.partners, order.size());
    if (partners == 0) return Error{Code::invalid_argument, "usage.tables", "--by: expected values of " + o.by + ", found none"};
    std::vector<Share> shares;
    std::vector<std::uint32_t> rest;
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (i + 1 < partners || order.size() == partners) {
            shares.push_back({v.words[order[i]], task::select(rows, of_word[order[i]])});
        } else {
            rest.insert(rest.end(), of_word[order[i]].begin(), of_word[order[i]].end());
        }
    }
    std::sort(rest.begin(), rest.end());
    if (!rest.empty()) shares.push_back({"the rest", task::select(rows, rest)});
    return shares;
}

Result<std::vector<Share>> read_shares(const TablesOptions& o, const task::Task& task, const task::Mapping& mapping, Environment& environment) {
    if (o.files.empty()) return Error{Code::invalid_argument, "usage.tables", "--table: expected a CSV file for each partner, found none"};
    if (!o.by.empty()) {
        if (o.files.size() != 1) return Error{Code::invalid_argument, "usage.tables", "--by: expected one --table, found " + std::to_string(o.files.size())};
        ENTENTE_ASSIGN(const task::Rows rows, read_rows_file(o.files.front(), task, mapping, environment));
        return deal_by(o, task, rows);
    }
    std::vector<Share> shares;
    for (const std::string& file : o.files) {
        ENTENTE_ASSIGN(task::Rows rows, read_rows_file(file, task, mapping, environment));
        shares.push_back({partner_name(shares.size()), std::move(rows)});
    }
    return shares;
}

// What a served federation's statistics round comes to.
Result<task::Shared> share_statistics(const task::Task& task, const std::vector<Share>& shares) {
    ENTENTE_TRY(task::check_sums(task));
    std::vector<std::int64_t> added(task::sum_count(task) * task::sum_digits);
    for (const Share& share : shares) {
        ENTENTE_ASSIGN(const std::vector<std::int32_t> sums, task::sums_of(task, share.rows));
        for (std::size_t i = 0; i < sums.size(); ++i) added[i] += sums[i];
    }
    return task::read_sums(task, task::carried(added));
}

void append(data::Dataset& all, const data::Dataset& one) {
    all.example_shape = one.example_shape;
    all.classes = one.classes;
    all.outputs = one.outputs;
    all.features.insert(all.features.end(), one.features.begin(), one.features.end());
    all.labels.insert(all.labels.end(), one.labels.begin(), one.labels.end());
    all.targets.insert(all.targets.end(), one.targets.begin(), one.targets.end());
}

constexpr std::size_t most_charted = 64;  // numbers of a row

TableScore score_of(const task::Task& task, const std::string& who, const task::Predictions& p) { return {who, p.scores.size(), task::metrics_of(task, p)}; }

}  // namespace

Result<Tables> read_tables(const TablesOptions& o, Environment& environment) {
    Tables t;
    ENTENTE_ASSIGN(t.task, read_task_file(o.task_file, o.model_file, environment));
    if (t.task.model.layers.empty() && !t.task.trees) return Error{Code::invalid_argument, "task.model", o.task_file + ": model: expected the layers of a model to train, or trees"};
    ENTENTE_ASSIGN(const task::Mapping mapping, read_mapping_file(o.mapping_file, t.task, environment));
    ENTENTE_ASSIGN(const std::vector<Share> shares, read_shares(o, t.task, mapping, environment));
    for (const Share& share : shares) {
        auto prepared = task::prepare(t.task, share.rows);
        if (!prepared.ok()) return error_in(share.name, prepared.error());
        t.names.push_back(share.name);
        t.digests.push_back(digest_of_rows(t.task, share.rows));
        t.partners.push_back(std::move(*prepared));
    }
    if (task::shares_statistics(t.task)) {
        ENTENTE_ASSIGN(const task::Shared all, share_statistics(t.task, shares));
        for (std::size_t i = 0; i < shares.size(); ++i) {
            ENTENTE_ASSIGN(t.partners[i], task::prepare(t.task, shares[i].rows, &all.statistics));
        }
    }
    if (t.task.label.kind == task::LabelKind::none && task::row_names(t.task).size() <= most_charted) {
        task::Task rows = t.task;
        rows.window = {};
        rows.model = {};
        rows.scaling.kind = task::ScalingKind::local;
        rows.scaling.clip = 0.0;
        for (const Share& share : shares) {
            ENTENTE_ASSIGN(t.by_row.emplace_back(), task::prepare(rows, share.rows));
        }
    }
    auto train = std::make_shared<data::Dataset>(), test = std::make_shared<data::Dataset>();
    for (const task::Prepared& p : t.partners) {
        std::vector<std::uint32_t>& rows = t.shares.emplace_back();
        const std::size_t before = train->size();
        append(*train, p.train.dataset);
        append(*test, p.test.dataset);
        for (std::size_t r = before; r < train->size(); ++r) rows.push_back(static_cast<std::uint32_t>(r));
    }
    if (test->size() == 0) return Error{Code::invalid_argument, "table.too-few", "expected rows behind the split, to be scored, found none"};
    t.train = data::Examples(std::move(train));
    t.test = data::Examples(std::move(test));
    return t;
}

Result<std::vector<task::Predictions>> predict_tables(const Tables& tables, std::span<const TableModel> models) {
    std::vector<task::Predictions> all;
    for (std::size_t i = 0; i < tables.partners.size(); ++i) {
        const TableModel& model = models[models.size() == 1 ? 0 : i];
        if (model.forest) {
            all.push_back(task::predict_examples(tables.task, tables.partners[i], *model.forest));
        } else {
            ENTENTE_ASSIGN(all.emplace_back(), task::predict_examples(tables.task, tables.partners[i], model.parameters));
        }
    }
    return all;
}

std::vector<task::Predictions> predict_constant(const Tables& tables) {
    std::vector<task::Predictions> all;
    const float constant = task::constant_prediction(tables.task, tables.partners);
    for (const task::Prepared& p : tables.partners) {
        all.push_back(task::truth_of(tables.task, p));
        all.back().scores.assign(p.test.last_rows.size(), constant);
    }
    return all;
}

Result<std::vector<task::Predictions>> predict_control(const Tables& tables, bool with_q) {
    std::vector<task::Predictions> all;
    for (const task::Prepared& p : tables.by_row) {
        ENTENTE_ASSIGN(const task::ControlChart chart, task::fit_control_chart(p.train.dataset.features, p.train.dataset.example_size()));
        const std::vector<double> ratios = with_q ? chart.t2_q_ratios(p.test.dataset.features) : chart.t2_ratios(p.test.dataset.features);
        all.push_back(task::truth_of(tables.task, p));
        for (const double ratio : ratios) all.back().scores.push_back(static_cast<float>(with_q ? ratio : ratio / 2.0));
    }
    return all;
}

std::vector<TableScore> score_tables(const Tables& tables, const std::vector<task::Predictions>& predictions) {
    std::vector<TableScore> scores;
    task::Predictions all;
    for (std::size_t i = 0; i < predictions.size(); ++i) {
        const task::Predictions& one = predictions[i];
        if (one.scores.empty()) continue;
        scores.push_back(score_of(tables.task, tables.names[i], one));
        all.scores.insert(all.scores.end(), one.scores.begin(), one.scores.end());
        all.labels.insert(all.labels.end(), one.labels.begin(), one.labels.end());
        all.truth.insert(all.truth.end(), one.truth.begin(), one.truth.end());
        all.threshold = one.threshold;
    }
    scores.push_back(score_of(tables.task, "all", all));
    return scores;
}

}  // namespace entente::commands
