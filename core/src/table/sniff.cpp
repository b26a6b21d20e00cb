#include <algorithm>
#include <array>

#include "entente/table/csv.hpp"
#include "entente/table/number.hpp"

namespace entente::table {
namespace {

constexpr std::size_t most_lines = 200;

// Lines as cells under one delimiter; a quoted line end is none. What is cut off at the end is left out.
std::vector<std::vector<std::string>> lines_of(std::string_view text, char delimiter) {
    std::vector<std::vector<std::string>> lines;
    std::vector<std::string> cells(1);
    bool quoted = false, any = false;
    const auto end_line = [&] {
        if (delimiter == ' ' && cells.size() > 1 && cells.back().empty()) cells.pop_back();
        if (any) lines.push_back(cells);
        cells.assign(1, {});
        any = false;
    };
    for (const char c : text) {
        if (lines.size() >= most_lines) return lines;
        if (c == '"') {
            quoted = !quoted;
            any = true;
        } else if (!quoted && (c == '\n' || c == '\r')) {
            end_line();
        } else if (!quoted && (c == delimiter || (delimiter == ' ' && c == '\t'))) {
            any = any || delimiter != ' ';
            if (delimiter != ' ' || !cells.back().empty()) cells.emplace_back();
        } else {
            any = true;
            cells.back() += c;
        }
    }
    if (text.size() < sniffed_bytes && !quoted) end_line();
    return lines;
}

struct Fit {
    std::size_t width = 1;
    std::size_t title_lines = 0;
    double agreeing = 0.0;  // the share of the lines from the header on with as many cells as it has
};

Fit fit_of(const std::vector<std::vector<std::string>>& lines) {
    Fit fit;
    std::size_t most = 0;
    for (const auto& line : lines) {
        const auto same = static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [&line](const auto& l) { return l.size() == line.size(); }));
        if (same > most) {
            most = same;
            fit.width = line.size();
        }
    }
    while (fit.title_lines < lines.size() && lines[fit.title_lines].size() != fit.width) ++fit.title_lines;
    if (lines.size() > fit.title_lines) fit.agreeing = static_cast<double>(most) / static_cast<double>(lines.size() - fit.title_lines);
    return fit;
}

// What a number's last mark says of how decimals are written: '.' or ',', or 0 when it may be either.
char mark_of(std::string_view cell) {
    const std::size_t at = cell.find_last_of(".,");
    if (at == std::string_view::npos || cell.find_first_not_of("+-0123456789.,eE ") != std::string_view::npos) return 0;
    const char mark = cell[at];
    const std::size_t behind = cell.size() - at - 1;
    if (cell.find(mark) != at) return mark == '.' ? ',' : '.';             // twice: it groups thousands
    if (cell.find_first_of(".,") != at) return mark;                        // behind another mark
    return behind == 3 && at > 0 && at <= 3 && cell[0] != '0' ? '\0' : mark;  // 1,234 may be either
}

char decimal_of(const std::vector<std::vector<std::string>>& lines) {
    std::size_t points = 0, commas = 0;
    for (const auto& line : lines) {
        for (const std::string& cell : line) {
            const char mark = mark_of(cell);
            points += mark == '.' ? 1u : 0u;
            commas += mark == ',' ? 1u : 0u;
        }
    }
    return commas > points ? ',' : '.';
}

}  // namespace

Result<CsvDialect> sniff(ByteView first) {
    std::string text;
    for (const std::byte byte : first.first(std::min(first.size(), sniffed_bytes))) text += static_cast<char>(byte);
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
        return Error{Code::invalid_argument, "csv.utf-16", "expected UTF-8 or latin-1, found UTF-16; save the file as CSV, UTF-8"};
    }
    if (text.find('\0') != std::string::npos) {
        return Error{Code::invalid_argument, "csv.nul", "expected text, found a NUL byte; is this a spreadsheet file? Save it as CSV, UTF-8"};
    }
    if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
    CsvDialect dialect;
    std::vector<std::vector<std::string>> chosen = lines_of(text, ',');
    if (chosen.empty()) return Error{Code::invalid_argument, "csv.empty", "expected a header and rows, found an empty file"};
    Fit best;
    // A delimiter earlier in the list wins where two fit as well: behind `;` a comma is a decimal mark.
    for (const char delimiter : {'\t', ';', ',', ' '}) {
        auto lines = lines_of(text, delimiter);
        const Fit fit = fit_of(lines);
        if (fit.width < 2 || (delimiter == ' ' && best.width > 1)) continue;
        const bool title_is_long = fit.title_lines * 2 > lines.size();
        if (title_is_long || (best.width > 1 && fit.agreeing <= best.agreeing)) continue;
        best = fit;
        dialect.delimiter = delimiter;
        chosen = std::move(lines);
    }
    if (best.width > 1) dialect.title_lines = static_cast<std::uint32_t>(best.title_lines);
    dialect.decimal = decimal_of(chosen);
    const auto& head = chosen[std::min<std::size_t>(dialect.title_lines, chosen.size() - 1)];
    dialect.header = !std::all_of(head.begin(), head.end(), [&dialect](const std::string& cell) {
        return parse_number(cell, dialect.decimal).has_value();
    });
    return dialect;
}

}  // namespace entente::table
