// "Score a file": the final model on rows of a file that is dropped, which of them are alerts, why, and what like them there was among
// the partner's own. `entente score` says the same natively.
#include <algorithm>

#include "entente/task/scored.hpp"
#include "json.hpp"
#include "participant_object.hpp"

namespace entente::wasm {
namespace {

constexpr std::size_t most_shown = 50;  // groups, the strongest

std::string event_json(task::Event event) { return event == task::Event::unknown ? "null" : event == task::Event::yes ? "true" : "false"; }

class Scoring final : public Object {
public:
    Scoring(task::Task task, task::RowReader reader, task::Predictor model, std::shared_ptr<TableRows> own)
        : task_(std::move(task)), reader_(std::move(reader)), model_(std::move(model)), own_(std::move(own)) {}

    Status feed(ByteView bytes) { return reader_.feed(bytes); }

    Result<std::string> finish() {
        ENTENTE_ASSIGN(task::Rows rows, reader_.finish());
        ENTENTE_ASSIGN(const task::ScoreRows own, task::ScoreRows::start(task_, own_->rows(), &own_->statistics()));
        ENTENTE_ASSIGN(task::Watch watch, task::start_watch(task_, model_, own, own_->rows()));
        ENTENTE_ASSIGN(table_, task::ScoreTable::start(task_, std::move(rows), &own_->rows(), &watch.statistics));
        ENTENTE_ASSIGN(scored_, task::score_table(model_, *table_, std::move(watch), false));
        const task::Past past(own);
        for (std::size_t i = 0; i < std::min(scored_.alerts.size(), task::most_explained); ++i) {
            ENTENTE_TRY(task::explain_alert(task_, model_, *table_, scored_, &past, scored_.alerts[i]));
        }
        const std::vector<task::AlertGroup> groups = task::alert_groups(task_, *table_, scored_);
        std::vector<std::string> shown;
        for (std::size_t i = 0; i < std::min(groups.size(), most_shown); ++i) {
            task::Alert strongest = scored_.alerts[groups[i].strongest];
            if (groups[i].strongest >= task::most_explained) ENTENTE_TRY(task::explain_alert(task_, model_, *table_, scored_, &past, strongest));
            shown.push_back(group_json(groups[i], strongest));
        }
        return json(groups.size(), shown);
    }

    [[nodiscard]] std::string csv() const { return task::scored_csv(task_, *table_, scored_); }

private:
    [[nodiscard]] std::string json(std::size_t groups, const std::vector<std::string>& shown) const {
        std::vector<std::uint32_t> rows;
        for (const std::uint32_t e : scored_.examples) rows.push_back(table_->examples->last_row(e));
        std::vector<std::string> moved;
        for (const task::Drift& d : task::drift_of(task_, scored_.watch.inputs, table_->rows, rows)) {
            if (d.moved) moved.push_back(d.sentence);
        }
        const task::RateCheck rate = task::check_rate(task_, scored_.watch.alarm, scored_.scores.size(), scored_.alerts.size());
        return Json().number("scored", scored_.scores.size()).number("alerts", scored_.alerts.size()).number("groups", groups).number("threshold", scored_.watch.alarm.threshold)
            .flag("below", scored_.watch.alarm.below).text("alarm", task::sentence(task_, scored_.watch.alarm)).text("rate", rate.sentence)
            .raw("moved", json_list(moved, [](const std::string& s) { return json_text(s); }))
            .raw("shown", json_list(shown, [](const std::string& s) { return s; })).done();
    }

    [[nodiscard]] std::string group_json(const task::AlertGroup& g, const task::Alert& a) const {
        const std::uint32_t example = scored_.example_of(a), row = table_->examples->last_row(example);
        return Json().number("row", table_->row_number(row)).number("first", g.first_row).number("last", g.last_row).number("alerts", g.alerts)
            .number("score", scored_.score_of(a)).raw("event", event_json(table_->examples->event(example)))
            .raw("names", json_list(task::naming_columns(task_, table_->rows), [&](std::size_t c) {
                     return Json().text("column", task_.columns[c].name).text("value", task::cell_of(task_, table_->rows, c, row)).done();
                 }))
            .raw("reasons", json_list(a.reasons, [](const task::Reason& r) { return Json().text("text", r.text).number("amount", r.amount).done(); }))
            .raw("similar", json_list(a.similar, [](const task::Past::Case& c) {
                     return Json().number("row", std::uint64_t{c.row} + 1).raw("event", event_json(c.event)).done();
                 }))
            .done();
    }

    task::Task task_;  // for scoring: examples refer to it
    task::RowReader reader_;
    task::Predictor model_;
    std::shared_ptr<TableRows> own_;
    std::unique_ptr<task::ScoreTable> table_;
    task::Scored scored_;
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
