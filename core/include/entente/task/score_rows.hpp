// A file's rows as a model takes them, whether or not their labels are known yet.
//
//   const task::Task reading = task::for_scoring(late);                   // a file without the label's column will do
//   ENTENTE_ASSIGN(const task::Rows rows, read(reading, "open-orders.csv"));
//   ENTENTE_ASSIGN(const task::ScoreRows open, task::ScoreRows::start(reading, rows, statistics));
//   std::vector<float> batch(256 * open.inputs());
//   open.put(0, batch);                                                   // examples 0 to 255; model.scores(batch)
//   rows.columns[0].words[rows.columns[0].codes[open.last_row(7)]];       // example 7 is the score of this row
//
// Every row of the file is taken, those before the split, too: windows run across it. Examples are made when they are asked
// for, so that a file's are never all in memory. Refers to task and rows, which outlive it. Thread-safety: reading is pure.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "entente/task/prepare.hpp"

namespace entente::task {

// The same task, without a need for labels in the file. Not to be trained with.
Task for_scoring(const Task& task);
// A partner's mapping, which may name a label's header that a new file does not have.
Mapping for_scoring(const Task& task, Mapping mapping);

enum class Event : std::uint8_t { no, yes, unknown };

// A label "remaining" is an event from here on: this share of the cap, or less, is left.
inline constexpr double near_the_end = 0.25;

class ScoreRows {
public:
    // Without statistics those of the file's own rows before the split. Errors: "table.label", "table.statistics" as prepare(); "table.leak"
    // without statistics; "table.empty": not one example, the windows being longer than each group.
    static Result<ScoreRows> start(const Task& task, const Rows& rows, const Statistics* given = nullptr);

    ScoreRows(ScoreRows&&) noexcept;
    ScoreRows& operator=(ScoreRows&&) noexcept;
    ~ScoreRows();

    [[nodiscard]] std::size_t size() const noexcept;    // examples
    [[nodiscard]] std::size_t inputs() const noexcept;  // numbers of each
    // Of the file, from 0: the last row of the example's window.
    [[nodiscard]] std::uint32_t last_row(std::size_t example) const;
    // Is that row before the split, one to train on?
    [[nodiscard]] bool is_past(std::size_t example) const;
    // What its label says; unknown of numbers. Of "remaining" it is known before the split, where groups are there to their end, and in a file that
    // has the label's column.
    [[nodiscard]] Event event(std::size_t example) const;
    // Its time; no_instant where the task has none, or a number.
    [[nodiscard]] table::InstantMs time(std::size_t example) const;
    // The id of that row; empty where there is none. Lies in rows.
    [[nodiscard]] std::string_view id(std::size_t example) const;
    [[nodiscard]] const Statistics& statistics() const noexcept;

    // Examples from `first` on, as many as fit. REQUIRES: out.size() is a multiple of inputs(), and there are as many.
    void put(std::size_t first, std::span<float> out) const;

private:
    struct State;
    explicit ScoreRows(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace entente::task
