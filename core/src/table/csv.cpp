#include "entente/table/csv.hpp"

#include <algorithm>
#include <array>

#include "base/utf8.hpp"

namespace entente::table {
namespace {

// Windows-1252 from 0x80 to 0x9f (WHATWG Encoding, index windows-1252).
constexpr std::array<std::uint16_t, 32> windows_1252{
    0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
    0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178};

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace

CsvReader::CsvReader(CsvDialect dialect, CsvLimits limits, OnRow on_row)
    : dialect_(dialect), limits_(limits), on_row_(std::move(on_row)), titles_left_(dialect.title_lines) {
    for (const char c : {dialect.delimiter, '"', '\n', '\r', '\0', dialect.delimiter == ' ' ? '\t' : '\0'}) special_[utf8_byte(c)] = true;
}

Error CsvReader::refuse(Code code, const char* reason, const std::string& sentence) const {
    std::string where = width_ == 0 ? "the header" : "row " + std::to_string(rows_ + 1);
    where += " (line " + std::to_string(row_line_) + "), column " + std::to_string(ends_.size() + 1);
    if (ends_.size() < names_.size()) where += " (" + names_[ends_.size()] + ")";
    return Error{code, reason, where + ": " + sentence};
}

Status CsvReader::accept(char c) {
    if (bom_seen_ >= byte_order_mark.size()) return take(c);
    if (c == byte_order_mark[bom_seen_]) {
        any_utf8_ = ++bom_seen_ == byte_order_mark.size();
        return done();
    }
    ENTENTE_TRY(no_mark());
    return take(c);
}

// What looked like a mark at first belongs to the first cell.
Status CsvReader::no_mark() {
    if (bom_seen_ >= byte_order_mark.size()) return done();
    const std::string_view held = byte_order_mark.substr(0, bom_seen_);
    bom_seen_ = static_cast<std::uint32_t>(byte_order_mark.size());
    for (const char h : held) ENTENTE_TRY(take(h));
    return done();
}

Status CsvReader::feed(ByteView bytes) {
    if (error_) return *error_;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::size_t at = 0;
    while (at < text.size()) {
        std::size_t end = at;
        // A run without any character that means something is taken at once.
        if (bom_seen_ >= byte_order_mark.size() && at_ != At::quote_in_quoted) {
            while (end < text.size() && !special_[utf8_byte(text[end])]) ++end;
        }
        Status taken = done();
        if (end > at) {
            taken = append(text.substr(at, end - at));
            if (at_ == At::cell_start) at_ = At::plain;
            after_cr_ = false;
            at = end;
        } else {
            taken = accept(text[at++]);
        }
        if (!taken.ok()) {
            error_ = taken.error();
            return taken;
        }
    }
    return done();
}

Status CsvReader::finish() {
    if (error_) return *error_;
    Status ended = no_mark();
    if (!ended.ok()) {
        // As below.
    } else if (at_ == At::quoted) {
        ended = refuse(Code::invalid_argument, "csv.unclosed-quote",
                       "expected the end of the quoted cell that begins in line " + std::to_string(quote_line_) + ", found the end of the file");
    } else {
        ended = end_row();
        if (ended.ok() && width_ == 0) {
            ended = Error{Code::invalid_argument, "csv.empty", "expected a header and rows, found an empty file"};
        }
    }
    if (!ended.ok()) error_ = ended.error();
    return ended;
}

Status CsvReader::append(std::string_view run) {
    const std::size_t begin = ends_.empty() ? 0 : ends_.back();
    if (run.size() > limits_.cell_bytes - (row_.size() - begin)) {
        return refuse(Code::too_large, "csv.cell",
                      "expected a cell of at most " + std::to_string(limits_.cell_bytes) + " bytes, found more" +
                          (at_ == At::quoted ? "; the quote that opens in line " + std::to_string(quote_line_) + " may not be closed" : ""));
    }
    if (run.size() > limits_.row_bytes - std::min(row_.size(), limits_.row_bytes)) {
        return refuse(Code::too_large, "csv.row", "expected a row of at most " + std::to_string(limits_.row_bytes) + " bytes, found more");
    }
    for (const char c : run) high_ = high_ || utf8_byte(c) >= 0x80;
    row_.append(run);
    return done();
}

Status CsvReader::take(char c) {
    if (c == '\0') {
        return refuse(Code::invalid_argument, "csv.nul", "expected text, found a NUL byte; is this a spreadsheet file? Save it as CSV, UTF-8");
    }
    const bool line_end = c == '\n' || c == '\r';
    const bool second_of_two = c == '\n' && after_cr_;
    after_cr_ = c == '\r';
    if (line_end && !second_of_two) ++line_;
    if (at_ == At::quoted) {
        if (c != '"') return append({&c, 1});
        at_ = At::quote_in_quoted;
        return done();
    }
    if (at_ == At::quote_in_quoted && c == '"') {
        at_ = At::quoted;
        return append({&c, 1});
    }
    if (line_end) return second_of_two ? done() : end_row();
    const bool blank = c == ' ' || c == '\t';
    if (dialect_.delimiter == ' ' ? blank : c == dialect_.delimiter) {
        if (dialect_.delimiter == ' ' && at_ == At::cell_start) return done();
        at_ = At::cell_start;
        return end_cell();
    }
    if (at_ == At::quote_in_quoted) {
        // Blanks between a closing quote and the delimiter are common and harmless.
        if (blank) return done();
        return refuse(Code::invalid_argument, "csv.quote", std::string("expected the delimiter behind a closing quote, found \"") +
                                                               (utf8_byte(c) < 0x20 || utf8_byte(c) >= 0x7f ? '?' : c) + "\"");
    }
    if (at_ == At::cell_start && c == '"') {
        at_ = At::quoted;
        quoted_ = true;
        quote_line_ = line_;
        return done();
    }
    at_ = At::plain;
    return append({&c, 1});
}

Status CsvReader::to_utf8() {
    const std::size_t begin = ends_.empty() ? 0 : ends_.back();
    const std::string_view cell = std::string_view(row_).substr(begin);
    if (!latin1_ && is_utf8(cell)) {
        any_utf8_ = true;
        return done();
    }
    if (any_utf8_) {
        return refuse(Code::invalid_argument, "csv.encoding", "expected UTF-8, as the rows before, found other bytes; save the file in one encoding");
    }
    latin1_ = true;
    std::string text;
    for (const char c : cell) {
        const std::uint8_t byte = utf8_byte(c);
        append_utf8(text, byte >= 0x80 && byte < 0xa0 ? windows_1252[byte - 0x80u] : byte);
    }
    row_.replace(begin, std::string::npos, text);
    return done();
}

Status CsvReader::end_cell() {
    if (high_) ENTENTE_TRY(to_utf8());
    high_ = false;
    if (ends_.size() >= limits_.columns) {
        return refuse(Code::too_large, "csv.columns", "expected at most " + std::to_string(limits_.columns) + " columns, found more");
    }
    ends_.push_back(row_.size());
    return done();
}

Status CsvReader::end_row() {
    const bool trailing_blank = dialect_.delimiter == ' ' && at_ == At::cell_start && !ends_.empty();
    if (!trailing_blank) ENTENTE_TRY(end_cell());
    at_ = At::cell_start;
    const bool empty_line = ends_.size() == 1 && row_.empty() && !quoted_;
    if (titles_left_ > 0) {
        --titles_left_;
    } else if (!empty_line) {
        ENTENTE_TRY(deliver());
    }
    row_.clear();
    ends_.clear();
    quoted_ = false;
    row_line_ = line_;
    return done();
}

Status CsvReader::deliver() {
    cells_.clear();
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
        cells_.push_back(std::string_view(row_).substr(begin, end - begin));
        begin = end;
    }
    if (width_ == 0) {
        width_ = cells_.size();
        for (std::size_t i = 0; i < width_; ++i) names_.push_back(dialect_.header ? std::string(cells_[i]) : std::to_string(i + 1));
        const std::vector<std::string_view> header(names_.begin(), names_.end());
        ENTENTE_TRY(on_row_({0, row_line_, header}));
        if (dialect_.header) return done();
    }
    if (cells_.size() != width_) {
        return Error{Code::invalid_argument, "csv.ragged",
                     "row " + std::to_string(rows_ + 1) + " (line " + std::to_string(row_line_) + "): expected " + std::to_string(width_) +
                         " cells, as in the first row, found " + std::to_string(cells_.size())};
    }
    if (rows_ >= limits_.rows) {
        return Error{Code::too_large, "csv.rows", "expected at most " + std::to_string(limits_.rows) + " rows, found more"};
    }
    ++rows_;
    return on_row_({rows_, row_line_, cells_});
}

}  // namespace entente::table
