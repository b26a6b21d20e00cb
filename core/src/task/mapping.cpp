#include "entente/task/mapping.hpp"

#include <algorithm>

#include "entente/base/nearest.hpp"

namespace entente::task {
namespace {

Error refuse(const char* reason, std::string message) { return Error{Code::invalid_argument, reason, std::move(message)}; }

// Letters and digits, small; what is no ASCII stays. Without a unit in brackets at the end.
std::string folded(std::string_view text) {
    const std::size_t open = text.find_last_of("[(");
    if (open != std::string_view::npos && open > 0 && (text.ends_with(']') || text.ends_with(')'))) text = text.substr(0, open);
    std::string out;
    for (const char c : text) {
        if (c >= 'A' && c <= 'Z') {
            out += static_cast<char>(c - 'A' + 'a');
        } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80) {
            out += c;
        }
    }
    return out;
}

std::optional<std::string_view> unit_in_brackets(std::string_view header) {
    const std::size_t open = header.find_last_of("[(");
    if (open == std::string_view::npos || header.size() < open + 2 || !(header.ends_with(']') || header.ends_with(')'))) return std::nullopt;
    const std::string_view unit = header.substr(open + 1, header.size() - open - 2);
    if (!table::find_unit(unit).ok()) return std::nullopt;
    return unit;
}

bool is_known_as(const Column& column, std::string_view header) {
    const std::string plain = folded(header);
    if (plain.empty()) return header == column.name;
    if (folded(column.name) == plain) return true;
    return std::any_of(column.known_as.begin(), column.known_as.end(), [&plain](const std::string& name) { return folded(name) == plain; });
}

Result<std::size_t> find_header(const ColumnMapping& m, std::span<const std::string_view> header) {
    const auto found = std::find(header.begin(), header.end(), m.from);
    const std::string where = "columns." + m.column + ": ";
    if (found == header.end()) {
        const std::string near = nearest(m.from, header);
        return refuse("mapping.header", where + "expected a header of the file, found \"" + m.from + "\"" + (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
    }
    if (std::find(found + 1, header.end(), m.from) != header.end()) return refuse("mapping.header", where + "the file has two columns \"" + m.from + "\"");
    return static_cast<std::size_t>(found - header.begin());
}

Status check_mapped_columns(const Task& task, const Mapping& mapping) {
    for (std::size_t i = 0; i < mapping.columns.size(); ++i) {
        const std::string& name = mapping.columns[i].column;
        const auto index = find_column(task, name);
        if (!index) {
            std::vector<std::string_view> names;
            for (const Column& c : task.columns) names.push_back(c.name);
            const std::string near = nearest(name, names);
            return refuse("mapping.column", "columns." + name + ": the task " + task.name + " has no such column" + (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
        }
        const Column& c = task.columns[*index];
        if (c.role == Role::forbidden) return refuse("mapping.forbidden", "columns." + name + ": this column must not be used: " + c.why);
        for (std::size_t j = 0; j < i; ++j) {
            if (mapping.columns[j].column == name) return refuse("mapping.column", "columns." + name + ": expected each column once");
        }
    }
    return done();
}

// A header that is known as something which may not be an input is no input under another name either.
Status check_leak(const Task& task, const Column& column, const std::string& header) {
    for (const Column& other : task.columns) {
        if (&other == &column || !is_known_as(other, header) || is_known_as(column, header)) continue;
        if (other.role == Role::forbidden) {
            return refuse("mapping.forbidden", "columns." + column.name + ": \"" + header + "\" must not be used: " + other.why);
        }
        if (other.role == Role::label && column.role != Role::label) {
            return refuse("mapping.leak", "columns." + column.name + ": \"" + header + "\" is what the label is made of (" + other.name + ") and may not be an input");
        }
    }
    return done();
}

Status set_unit(const Column& column, Binding& b) {
    if (column.kind != CellKind::number) {
        if (b.mapping != nullptr && b.mapping->unit) return refuse("mapping.unit", "columns." + column.name + ": expected no unit, " + column.name + " is no number");
        return done();
    }
    std::string unit = column.unit;
    if (b.mapping != nullptr && b.mapping->unit) {
        unit = *b.mapping->unit;
    } else if (const auto said = unit_in_brackets(b.header)) {
        unit = std::string(*said);
    }
    auto conversion = table::conversion(unit, column.unit);
    if (!conversion.ok()) return refuse("mapping.unit", "columns." + column.name + " (\"" + b.header + "\"): " + conversion.error().message);
    b.conversion = *conversion;
    return done();
}

}  // namespace

const Column* forbidden_as(const Task& task, std::string_view header) {
    for (const Column& c : task.columns) {
        if (c.role == Role::forbidden && is_known_as(c, header)) return &c;
    }
    return nullptr;
}

Result<Bindings> bind_columns(const Task& task, const Mapping& mapping, std::span<const std::string_view> header) {
    ENTENTE_TRY(check_mapped_columns(task, mapping));
    Bindings bound(task.columns.size());
    std::vector<std::string> taken_by(header.size());
    for (const ColumnMapping& m : mapping.columns) {
        const std::size_t index = *find_column(task, m.column);
        if (m.optional && std::find(header.begin(), header.end(), m.from) == header.end()) continue;
        ENTENTE_ASSIGN(const std::size_t cell, find_header(m, header));
        if (!taken_by[cell].empty()) {
            return refuse("mapping.leak", "columns." + m.column + ": \"" + m.from + "\" is " + taken_by[cell] + " already; expected each header once");
        }
        taken_by[cell] = m.column;
        bound[index] = {cell, m.from, false, {}, &m};
    }
    for (std::size_t i = 0; i < task.columns.size(); ++i) {
        const Column& column = task.columns[i];
        for (std::size_t cell = 0; cell < header.size() && !bound[i].cell && column.role != Role::forbidden; ++cell) {
            if (!taken_by[cell].empty() || !is_known_as(column, header[cell])) continue;
            taken_by[cell] = column.name;
            bound[i] = {cell, std::string(header[cell]), true, {}, nullptr};
        }
    }
    for (std::size_t i = 0; i < task.columns.size(); ++i) {
        const Column& column = task.columns[i];
        if (!bound[i].cell) {
            if (column.optional || column.role == Role::forbidden) continue;
            return refuse("mapping.missing-column", "columns." + column.name + ": the task " + task.name +
                                                        " needs this column; expected a mapping such as columns." + column.name + " = \"" +
                                                        (header.empty() ? std::string("your header") : std::string(header.front())) + "\"");
        }
        ENTENTE_TRY(check_leak(task, column, bound[i].header));
        ENTENTE_TRY(set_unit(column, bound[i]));
    }
    return bound;
}

}  // namespace entente::task
