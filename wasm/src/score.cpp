// "Score a file": the final model on rows of a file that is dropped, which of them are alerts, why, and what like them there was among
// the partner's own. `entente score` says the same natively.
#include <algorithm>

#include "entente/base/decimal.hpp"
#include "entente/task/watch.hpp"
#include "json.hpp"
#include "participant_object.hpp"

namespace entente::wasm {
namespace {

constexpr std::size_t block_examples = 256;
constexpr std::size_t reasons_shown = 3;
constexpr std::size_t similar_shown = 3;
constexpr std::size_t most_shown = 50;          // groups, the strongest
constexpr std::size_t most_explained = 10'000;  // alerts, of more those that are not shown have no reasons

struct Scored {
    std::size_t example = 0;
    float score = 0.0f;
};

struct Alert {
    std::size_t at = 0;  // in what is scored
    std::vector<task::Reason> reasons;
    std::vector<task::Past::Case> similar;
};

// Alerts one behind the other that tell of the same: of windows that overlap, or of rows of one shipment.
struct AlertGroup {
    std::size_t strongest = 0;  // in alerts
    std::size_t first = 0, last = 0;
};

std::string cell_of(const task::Task& task, const task::Rows& rows, std::size_t column, std::uint32_t row) {
    const task::Values& v = rows.columns[column];
    switch (task.columns[column].kind) {
        case task::CellKind::number: return std::isnan(v.numbers[row]) ? "" : entente::decimal(v.numbers[row]);
        case task::CellKind::instant: return v.instants[row] == task::no_instant ? "" : table::format_instant(v.instants[row]);
        case task::CellKind::category: break;
    }
    return v.codes[row] == task::no_word ? "" : v.words[v.codes[row]];
}

std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n;") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + "\"";
}

std::string event_json(task::Event event) { return event == task::Event::unknown ? "null" : event == task::Event::yes ? "true" : "false"; }
std::string label_of(task::Event event) { return event == task::Event::unknown ? "" : event == task::Event::yes ? "1" : "0"; }

class Scoring final : public Object {
public:
    Scoring(task::Task task, task::RowReader reader, task::Predictor model, std::shared_ptr<TableRows> own)
        : task_(std::move(task)), reader_(std::move(reader)), model_(std::move(model)), own_(std::move(own)) {}

    Status feed(ByteView bytes) { return reader_.feed(bytes); }

    Result<std::string> finish() {
        ENTENTE_ASSIGN(rows_, reader_.finish());
        if (task::looks_back(task_)) {
            const std::uint64_t count = rows_.size;
            rows_ = task::joined(task_, own_->rows(), rows_);
            first_ = static_cast<std::uint32_t>(rows_.size - count);
        }
        ENTENTE_ASSIGN(const task::ScoreRows own, task::ScoreRows::start(task_, own_->rows(), &own_->statistics()));
        ENTENTE_ASSIGN(watch_, task::start_watch(task_, model_, own, own_->rows(), false));
        ENTENTE_ASSIGN(task::ScoreRows examples, task::ScoreRows::start(task_, rows_, &watch_.statistics));
        examples_.emplace(std::move(examples));
        ENTENTE_TRY(score());
        const task::Past past(own);
        for (std::size_t i = 0; i < std::min(alerts_.size(), most_explained); ++i) ENTENTE_TRY(explain(past, alerts_[i]));
        const std::vector<AlertGroup> groups = strongest_first();
        const std::span<const AlertGroup> shown(groups.data(), std::min(groups.size(), most_shown));
        for (const AlertGroup& s : shown) ENTENTE_TRY(explain(past, alerts_[s.strongest]));
        return json(groups.size(), shown);
    }

    // Column for column what `entente score` writes.
    [[nodiscard]] std::string csv() const {
        const std::vector<std::size_t> names = naming();
        std::string text = "row";
        for (const std::size_t c : names) text += "," + task_.columns[c].name;
        text += ",score,alert";
        for (std::size_t i = 1; i <= reasons_shown; ++i) text += ",reason_" + std::to_string(i) + ",share_" + std::to_string(i);
        text += ",similar_rows,similar_labels\n";
        auto alert = alerts_.begin();
        for (std::size_t i = 0; i < scored_.size(); ++i) {
            const std::uint32_t row = examples_->last_row(scored_[i].example);
            text += std::to_string(row_number(row));
            for (const std::size_t c : names) text += "," + quoted(cell_of(task_, rows_, c, row));
            const bool is_alert = alert != alerts_.end() && alert->at == i;
            text += "," + entente::decimal(scored_[i].score) + (is_alert ? ",1" : ",0");
            std::string similar, labels;
            for (std::size_t k = 0; k < reasons_shown; ++k) {
                const bool there = is_alert && k < alert->reasons.size();
                text += there ? "," + quoted(alert->reasons[k].text) + "," + entente::decimal(static_cast<float>(alert->reasons[k].amount)) : ",,";
            }
            if (is_alert) {
                for (const task::Past::Case& c : alert->similar) {
                    similar += (similar.empty() ? "" : " ") + std::to_string(std::uint64_t{c.row} + 1);
                    labels += label_of(c.event) + (&c == &alert->similar.back() ? "" : " ");
                }
                ++alert;
            }
            text += "," + similar + "," + (labels.find_first_not_of(' ') == std::string::npos ? "" : labels) + "\n";
        }
        return text;
    }

private:
    Status score() {
        std::vector<float> block;
        for (std::size_t first = 0; first < examples_->size(); first += block_examples) {
            block.resize(std::min(block_examples, examples_->size() - first) * examples_->inputs());
            examples_->put(first, block);
            ENTENTE_ASSIGN(const std::vector<float> some, model_.scores(block));
            for (std::size_t k = 0; k < some.size(); ++k) {
                if (examples_->last_row(first + k) < first_) continue;
                if (task::is_alert(watch_.alarm, some[k])) alerts_.push_back({scored_.size(), {}, {}});
                scored_.push_back({first + k, some[k]});
            }
        }
        return done();
    }

    Status explain(const task::Past& past, Alert& alert) {
        if (!alert.reasons.empty()) return done();
        std::vector<float> example(examples_->inputs());
        examples_->put(example_of(alert), example);
        ENTENTE_ASSIGN(const task::Explanation why, task::explain(task_, model_, example, watch_.usual));
        alert.reasons = task::reasons(task_, why, watch_.inputs, rows_, row_of(alert), reasons_shown);
        alert.similar = past.nearest(example, similar_shown);
        return done();
    }

    [[nodiscard]] std::size_t example_of(const Alert& alert) const { return scored_[alert.at].example; }
    [[nodiscard]] std::uint32_t row_of(const Alert& alert) const { return examples_->last_row(example_of(alert)); }
    // Of the file, from 1.
    [[nodiscard]] std::uint64_t row_number(std::uint32_t row) const { return std::uint64_t{row} - first_ + 1; }

    [[nodiscard]] bool is_stronger(std::size_t a, std::size_t b) const {
        const float one = scored_[alerts_[a].at].score, other = scored_[alerts_[b].at].score;
        return watch_.alarm.below ? one < other : one > other;
    }

    [[nodiscard]] bool goes_on(const Alert& before, const Alert& alert) const {
        const bool windows = task_.window.length > 1;
        if (windows && example_of(alert) - example_of(before) > task_.window.length) return false;
        const std::uint32_t one = row_of(before), other = row_of(alert);
        for (std::size_t c = 0; c < task_.columns.size(); ++c) {
            if (task_.columns[c].role != task::Role::group || !rows_.columns[c].present()) continue;
            const bool same = cell_of(task_, rows_, c, one) == cell_of(task_, rows_, c, other);
            if (same != windows) return same;
        }
        return windows;
    }

    [[nodiscard]] std::vector<AlertGroup> strongest_first() const {
        std::vector<AlertGroup> groups;
        for (std::size_t i = 0; i < alerts_.size(); ++i) {
            if (i == 0 || !goes_on(alerts_[i - 1], alerts_[i])) groups.push_back({i, i, i});
            AlertGroup& s = groups.back();
            s.last = i;
            if (is_stronger(i, s.strongest)) s.strongest = i;
        }
        std::stable_sort(groups.begin(), groups.end(), [this](const AlertGroup& a, const AlertGroup& b) { return is_stronger(a.strongest, b.strongest); });
        return groups;
    }

    // Of a row, what people know it by: id, groups, time, in the task's order.
    [[nodiscard]] std::vector<std::size_t> naming() const {
        std::vector<std::size_t> columns;
        for (std::size_t i = 0; i < task_.columns.size(); ++i) {
            const task::Role role = task_.columns[i].role;
            const bool names = role == task::Role::id || role == task::Role::group || role == task::Role::time;
            if (names && rows_.columns[i].present()) columns.push_back(i);
        }
        return columns;
    }

    [[nodiscard]] std::string json(std::size_t groups, std::span<const AlertGroup> shown) const {
        std::vector<std::uint32_t> rows;
        for (const Scored& s : scored_) rows.push_back(examples_->last_row(s.example));
        std::vector<std::string> moved;
        for (const task::Drift& d : task::drift_of(task_, watch_.inputs, rows_, rows)) {
            if (d.moved) moved.push_back(d.sentence);
        }
        const task::RateCheck rate = task::check_rate(task_, watch_.alarm, scored_.size(), alerts_.size());
        return Json().number("scored", scored_.size()).number("alerts", alerts_.size()).number("groups", groups).number("threshold", watch_.alarm.threshold)
            .flag("below", watch_.alarm.below).text("alarm", task::sentence(task_, watch_.alarm)).text("rate", rate.sentence)
            .raw("moved", json_list(moved, [](const std::string& s) { return json_text(s); }))
            .raw("shown", json_list(shown, [this](const AlertGroup& s) { return group_json(s); })).done();
    }

    [[nodiscard]] std::string group_json(const AlertGroup& s) const {
        const Alert& a = alerts_[s.strongest];
        const std::uint32_t row = row_of(a);
        return Json().number("row", row_number(row)).number("first", row_number(row_of(alerts_[s.first]))).number("last", row_number(row_of(alerts_[s.last]))).number("alerts", s.last - s.first + 1).number("score", scored_[a.at].score).raw("event", event_json(examples_->event(example_of(a))))
            .raw("names", json_list(naming(), [&](std::size_t c) {
                     return Json().text("column", task_.columns[c].name).text("value", cell_of(task_, rows_, c, row)).done();
                 }))
            .raw("reasons", json_list(a.reasons, [](const task::Reason& r) { return Json().text("text", r.text).number("amount", r.amount).done(); }))
            .raw("similar", json_list(a.similar, [](const task::Past::Case& c) {
                     return Json().number("row", std::uint64_t{c.row} + 1).raw("event", event_json(c.event)).done();
                 }))
            .done();
    }

    task::Task task_;  // for scoring: examples refer to it and to rows
    task::RowReader reader_;
    task::Predictor model_;
    std::shared_ptr<TableRows> own_;
    task::Rows rows_;          // of the file; in front of them the own ones, where features look back
    std::uint32_t first_ = 0;  // of rows_, the file's own first one
    task::Watch watch_;
    std::optional<task::ScoreRows> examples_;
    std::vector<Scored> scored_;
    std::vector<Alert> alerts_;
};

}  // namespace
}  // namespace entente::wasm

using namespace entente;
using namespace entente::wasm;

extern "C" {

// A file is read piece by piece, mapped as the participant's own table is, and scored with its model; its own rows say what is usual. _finish
// ends with the alerts as JSON, the strongest first; then all scores are there as CSV.
const Answer* ent_score_begin(Handle participant) {
    return guard([&]() -> Result<Handle> {
        ENTENTE_ASSIGN(const auto object, find<ParticipantObject>(participant));
        if (!object->table()) return Error{Code::invalid_argument, "score.no-table", "expected a partner with a table, found one with digits"};
        ENTENTE_ASSIGN(const auto parameters, object->parameters(0));
        task::Task task = task::for_scoring(object->table()->task());
        ENTENTE_ASSIGN(task::Predictor model, task::Predictor::of_network(task, parameters));
        ENTENTE_ASSIGN(task::RowReader reader, task::RowReader::start(task, task::for_scoring(task, object->table()->mapping())));
        return keep(std::make_shared<Scoring>(std::move(task), std::move(reader), std::move(model), object->table()));
    });
}

const Answer* ent_score_feed(Handle handle, const std::byte* bytes, std::uint32_t size) {
    return guard([&]() -> Result<Done> {
        ENTENTE_ASSIGN(const auto scoring, find<Scoring>(handle));
        ENTENTE_TRY(scoring->feed(view(bytes, size)));
        return Done{};
    });
}

const Answer* ent_score_finish(Handle handle) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto scoring, find<Scoring>(handle));
        return scoring->finish();
    });
}

const Answer* ent_score_csv(Handle handle) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto scoring, find<Scoring>(handle));
        return scoring->csv();
    });
}

}  // extern "C"
