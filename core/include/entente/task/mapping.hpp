// How a partner's file becomes a task's columns: which header is which, in which unit, how it is written.
//
//   task::Mapping mine;                                          // empty: headers that are known are found by themselves
//   mine.columns.push_back({.column = "quantity", .from = "Menge", .unit = "g"});
//   ENTENTE_ASSIGN(const task::Bindings bound, task::bind_columns(late, mine, header));
//
// A header is found without a mapping when it is the column's name or one of its known_as, letters and digits compared
// alone; a unit behind it in brackets, "Torque [Nm]", is taken if it is known. Plain values, pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "entente/table/csv.hpp"
#include "entente/table/instant.hpp"
#include "entente/table/unit.hpp"
#include "entente/task/task.hpp"

namespace entente::task {

struct ColumnMapping {
    std::string column;             // of the task
    std::string from;               // the partner's header; without a header "1", "2", ...
    std::optional<std::string> unit;  // of the partner's numbers; none: in brackets in the header, or the task's
    std::vector<std::string> missing; // beside the task's
    std::vector<std::pair<std::string, std::string>> rename;  // the partner's category, the task's
    bool optional = false;          // a file may lack the header: that of a label which is not known yet

    friend bool operator==(const ColumnMapping&, const ColumnMapping&) = default;
};

struct Mapping {
    std::vector<ColumnMapping> columns;
    // Of the file; what is not given is guessed.
    std::optional<char> delimiter;
    std::optional<char> decimal;
    std::optional<bool> header;
    std::optional<std::uint32_t> title_lines;
    table::DateOrder dates = table::DateOrder::unknown;

    friend bool operator==(const Mapping&, const Mapping&) = default;
};

struct Binding {
    std::optional<std::size_t> cell;  // of a row; none: the file has no such column
    std::string header;
    bool guessed = false;             // no mapping named it
    table::Conversion conversion;     // numbers: from the partner's unit to the task's
    const ColumnMapping* mapping = nullptr;  // within the mapping that was bound
};

using Bindings = std::vector<Binding>;  // as task.columns

// REQUIRES: check(task) is ok. invalid_argument "mapping.column" (no such column, or mapped twice), "mapping.header" (no such header, or
// twice in the file), "mapping.missing-column" (the task needs it), "mapping.unit", "mapping.forbidden", "mapping.leak" (a header that is known
// to be a label, or forbidden, under another name; or one that two columns take).
Result<Bindings> bind_columns(const Task& task, const Mapping& mapping, std::span<const std::string_view> header);
// The forbidden column that such a header is known as; null: none.
const Column* forbidden_as(const Task& task, std::string_view header);

}  // namespace entente::task
