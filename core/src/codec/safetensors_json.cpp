#include "codec/safetensors_json.hpp"

#include <limits>
#include <set>

#include "base/utf8.hpp"

namespace entente::codec {

namespace {

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    Result<std::vector<SafetensorsEntry>> read() {
        std::vector<SafetensorsEntry> entries;
        std::set<std::string, std::less<>> names;
        ENTENTE_TRY(expect('{'));
        if (!take('}')) {
            do {
                SafetensorsEntry entry;
                ENTENTE_ASSIGN(entry.name, read_string());
                if (!names.insert(entry.name).second) return fail("each name once");
                ENTENTE_TRY(expect(':'));
                ENTENTE_TRY(read_members(entry));
                entries.push_back(std::move(entry));
            } while (take(','));
            ENTENTE_TRY(expect('}'));
        }
        skip_blanks();
        if (at_ != text_.size()) return fail("the end");
        return entries;
    }

private:
    Error fail(const char* expected) const {
        return Error{
            Code::invalid_argument, "safetensors.malformed",
            std::string("expected ") + expected + " at byte " + std::to_string(at_) + " of the header"};
    }

    void skip_blanks() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
            ++at_;
        }
    }

    bool take(char wanted) {
        skip_blanks();
        if (at_ == text_.size() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }

    Status expect(char wanted) {
        if (take(wanted)) return done();
        const char text[] = {'\'', wanted, '\'', '\0'};
        return fail(text);
    }

    Status read_members(SafetensorsEntry& entry) {
        ENTENTE_TRY(expect('{'));
        if (take('}')) return done();
        do {
            ENTENTE_ASSIGN(std::string key, read_string());
            if (entry.strings.contains(key) || entry.arrays.contains(key)) return fail("each member once");
            ENTENTE_TRY(expect(':'));
            if (take('[')) {
                ENTENTE_ASSIGN(entry.arrays[std::move(key)], read_numbers());
            } else {
                ENTENTE_ASSIGN(entry.strings[std::move(key)], read_string());
            }
        } while (take(','));
        return expect('}');
    }

    Result<std::vector<std::uint64_t>> read_numbers() {
        std::vector<std::uint64_t> numbers;
        if (take(']')) return numbers;
        do {
            ENTENTE_ASSIGN(const std::uint64_t number, read_number());
            numbers.push_back(number);
        } while (take(','));
        ENTENTE_TRY(expect(']'));
        return numbers;
    }

    Result<std::uint64_t> read_number() {
        skip_blanks();
        const std::size_t begin = at_;
        std::uint64_t number = 0;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            const auto digit = static_cast<std::uint64_t>(text_[at_] - '0');
            if (number > (std::numeric_limits<std::uint64_t>::max() - digit) / 10)
                return fail("a smaller number");
            number = 10 * number + digit;
        }
        const bool leading_zero = at_ - begin > 1 && text_[begin] == '0';
        if (at_ == begin || leading_zero) return fail("a non-negative integer");
        return number;
    }

    Result<std::string> read_string() {
        ENTENTE_TRY(expect('"'));
        std::string out;
        for (;;) {
            if (at_ == text_.size()) return fail("the end of a string");
            const char c = text_[at_++];
            if (c == '"') return out;
            if (static_cast<unsigned char>(c) < 0x20) return fail("no control character in a string");
            if (c != '\\') {
                out += c;
                continue;
            }
            if (at_ == text_.size()) return fail("an escape");
            ENTENTE_TRY(read_escape(out));
        }
    }

    Status read_escape(std::string& out) {
        constexpr std::string_view letters = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        const char c = text_[at_++];
        if (const std::size_t index = letters.find(c); index != std::string_view::npos) {
            out += meanings[index];
            return done();
        }
        if (c != 'u') return fail("a known escape");
        ENTENTE_ASSIGN(std::uint32_t code, read_hex4());
        if (code >= 0xdc00 && code < 0xe000) return fail("a high surrogate first");
        if (code >= 0xd800 && code < 0xdc00) {
            if (text_.substr(at_, 2) != "\\u") return fail("a low surrogate");
            at_ += 2;
            ENTENTE_ASSIGN(const std::uint32_t low, read_hex4());
            if (low < 0xdc00 || low >= 0xe000) return fail("a low surrogate");
            code = 0x10000u + ((code - 0xd800u) << 10u) + (low - 0xdc00u);
        }
        append_utf8(out, code);
        return done();
    }

    Result<std::uint32_t> read_hex4() {
        std::uint32_t code = 0;
        for (int i = 0; i < 4; ++i, ++at_) {
            const char c = at_ < text_.size() ? text_[at_] : '\0';
            std::uint32_t digit = 0;
            if (c >= '0' && c <= '9') {
                digit = static_cast<std::uint32_t>(c - '0');
            } else if (c >= 'a' && c <= 'f') {
                digit = static_cast<std::uint32_t>(c - 'a') + 10;
            } else if (c >= 'A' && c <= 'F') {
                digit = static_cast<std::uint32_t>(c - 'A') + 10;
            } else {
                return fail("four hexadecimal digits");
            }
            code = 16 * code + digit;
        }
        return code;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<SafetensorsEntry>> parse_safetensors_header(std::string_view json) {
    return Reader(json).read();
}

}  // namespace entente::codec
