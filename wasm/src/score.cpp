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
constexpr std::size_t most_shown = 50;         // alerts, the strongest
constexpr std::size_t most_explained = 2'000;  // alerts, in the file

struct Alert {
    std::size_t example = 0;
    std::vector<task::Reason> reasons;
    std::vector<task::Past::Case> similar;
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
        ENTENTE_ASSIGN(const task::ScoreRows own, task::ScoreRows::start(task_, own_->rows(), &own_->statistics()));
        ENTENTE_ASSIGN(watch_, task::start_watch(task_, model_, own, own_->rows(), false));
        ENTENTE_ASSIGN(task::ScoreRows examples, task::ScoreRows::start(task_, rows_, &watch_.statistics));
        examples_.emplace(std::move(examples));
        ENTENTE_TRY(score());
        ENTENTE_TRY(explain(task::Past(own)));
        return json();
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
        for (std::size_t e = 0; e < scores_.size(); ++e) {
            const std::uint32_t row = examples_->last_row(e);
            text += std::to_string(std::uint64_t{row} + 1);
            for (const std::size_t c : names) text += "," + quoted(cell_of(task_, rows_, c, row));
            const bool is_alert = alert != alerts_.end() && alert->example == e;
            text += "," + entente::decimal(scores_[e]) + (is_alert ? ",1" : ",0");
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
            for (const float one : some) {
                if (task::is_alert(watch_.alarm, one)) alerts_.push_back({scores_.size(), {}, {}});
                scores_.push_back(one);
            }
        }
        return done();
    }

    Status explain(const task::Past& past) {
        std::vector<float> example(examples_->inputs());
        for (std::size_t i = 0; i < std::min(alerts_.size(), most_explained); ++i) {
            Alert& alert = alerts_[i];
            examples_->put(alert.example, example);
            ENTENTE_ASSIGN(const task::Explanation why, task::explain(task_, model_, example, watch_.usual));
            alert.reasons = task::reasons(task_, why, watch_.inputs, rows_, examples_->last_row(alert.example), reasons_shown);
            alert.similar = past.nearest(example, similar_shown);
        }
        return done();
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

    [[nodiscard]] std::string json() const {
        std::vector<const Alert*> strongest;
        for (const Alert& a : alerts_) strongest.push_back(&a);
        std::stable_sort(strongest.begin(), strongest.end(), [this](const Alert* a, const Alert* b) {
            return watch_.alarm.below ? scores_[a->example] < scores_[b->example] : scores_[a->example] > scores_[b->example];
        });
        strongest.resize(std::min(strongest.size(), most_shown));
        std::vector<std::uint32_t> scored;
        for (std::size_t e = 0; e < scores_.size(); ++e) scored.push_back(examples_->last_row(e));
        std::vector<std::string> moved;
        for (const task::Drift& d : task::drift_of(task_, watch_.inputs, rows_, scored)) {
            if (d.moved) moved.push_back(d.sentence);
        }
        const task::RateCheck rate = task::check_rate(task_, watch_.alarm, scores_.size(), alerts_.size());
        return Json().number("rows", rows_.size).number("scored", scores_.size()).number("alerts", alerts_.size()).number("threshold", watch_.alarm.threshold)
            .flag("below", watch_.alarm.below).text("alarm", task::sentence(task_, watch_.alarm)).text("rate", rate.sentence)
            .raw("moved", json_list(moved, [](const std::string& s) { return json_text(s); }))
            .raw("shown", json_list(strongest, [this](const Alert* a) { return alert_json(*a); })).done();
    }

    [[nodiscard]] std::string alert_json(const Alert& a) const {
        const std::uint32_t row = examples_->last_row(a.example);
        return Json().number("row", std::uint64_t{row} + 1).number("score", scores_[a.example]).raw("event", event_json(examples_->event(a.example)))
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
    task::Rows rows_;
    task::Watch watch_;
    std::optional<task::ScoreRows> examples_;
    std::vector<float> scores_;
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
        ENTENTE_ASSIGN(task::RowReader reader, task::RowReader::start(task, object->table()->mapping()));
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
