// Small tasks and tables for the tests of this room.
#pragma once

#include <string>
#include <string_view>

#include "entente/task/prepare.hpp"

namespace tables {

using namespace entente;

inline task::Column number(std::string name, std::string unit = {}, double least = -1e300, double most = 1e300) {
    task::Column c;
    c.name = std::move(name);
    c.unit = std::move(unit);
    c.least = least;
    c.most = most;
    return c;
}
inline task::Column column(std::string name, task::Role role, task::CellKind kind) {
    task::Column c;
    c.name = std::move(name);
    c.role = role;
    c.kind = kind;
    return c;
}

// Orders that are late or not, with everything that a task of rows can have.
inline task::Task orders() {
    using enum task::Role;
    constexpr auto category = task::CellKind::category, instant = task::CellKind::instant;
    task::Task t;
    t.name = "orders";
    t.min_rows = 1;
    t.columns = {column("line", id, category),          column("shipment", group, category),     column("due", time, instant),
                 column("delivered", label, instant),   column("ordered", feature, instant),     column("site", feature, category),
                 number("weight", "kg", 0, 1000),       column("freight", forbidden, category)};
    t.columns[1].optional = true;
    t.columns[4].optional = true;
    t.columns[4].missing = {"not captured", "See *"};
    t.columns[5].categories = {"A", "B"};
    t.columns[7].known_as = {"Freight Cost"};
    t.columns[7].why = "it is invoiced after the delivery";
    t.columns[3].known_as = {"Arrived on"};
    t.features = {{.kind = task::FeatureKind::value, .column = "weight"},
                  {.kind = task::FeatureKind::one_hot, .column = "site"},
                  {.kind = task::FeatureKind::days_between, .column = "ordered", .to = "due", .scale = 0.01},
                  {.kind = task::FeatureKind::history, .column = "site", .days = 100, .gap_days = 10, .prior_sum = 1, .prior_rows = 4}};
    t.label = {.kind = task::LabelKind::later, .column = "delivered"};
    t.split = {.kind = task::SplitKind::time, .at = table::parse_instant("2020-06-01", table::DateOrder::unknown).value(), .keep_whole = "shipment"};
    t.scaling.kind = task::ScalingKind::none;
    return t;
}

inline Result<task::Rows> read(const task::Task& t, std::string_view text, const task::Mapping& mapping = {}) {
    ENTENTE_ASSIGN(task::RowReader reader, task::RowReader::start(t, mapping));
    ENTENTE_TRY(reader.feed(as_bytes(text)));
    return reader.finish();
}

inline Result<task::Prepared> prepared(const task::Task& t, std::string_view text, const task::Mapping& mapping = {}) {
    ENTENTE_ASSIGN(const task::Rows rows, read(t, text, mapping));
    return task::prepare(t, rows);
}

}  // namespace tables
