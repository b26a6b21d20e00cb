#include "entente/base/json.hpp"

#include <algorithm>
#include <cstdint>

#include "base/utf8.hpp"
#include "entente/base/json_text.hpp"

namespace entente {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Reader {
public:
    Reader(std::string_view text, std::size_t depth) : text_(text), most_(depth) {}

    Result<Json> read() {
        ENTENTE_ASSIGN(Json value, read_value(0));
        skip_blanks();
        if (at_ != text_.size()) return fail("the end");
        return value;
    }

private:
    Error fail(const char* expected) const {
        return Error{Code::invalid_argument, "json.malformed",
                     std::string("JSON: expected ") + expected + " at byte " + std::to_string(at_)};
    }

    void skip_blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
    }

    bool take(char wanted) {
        skip_blanks();
        if (at_ == text_.size() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }

    Result<Json> read_value(std::size_t depth) {
        skip_blanks();
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        if (c == '{' || c == '[') {
            if (depth == most_) {
                return Error{Code::too_large, "json.too-deep",
                             "JSON: expected at most " + std::to_string(most_) + " levels, found more"};
            }
            return c == '{' ? read_object(depth + 1) : read_array(depth + 1);
        }
        Json value;
        if (c == '"') {
            value.kind = Json::Kind::string;
            ENTENTE_ASSIGN(value.text, read_string());
            return value;
        }
        for (const std::string_view word : {"null", "true", "false"}) {
            if (text_.substr(at_, word.size()) != word) continue;
            value.kind = word == "null" ? Json::Kind::null : Json::Kind::boolean;
            if (word != "null") value.text = word;
            at_ += word.size();
            return value;
        }
        value.kind = Json::Kind::number;
        ENTENTE_ASSIGN(value.text, read_number());
        return value;
    }

    Result<Json> read_array(std::size_t depth) {
        Json array;
        array.kind = Json::Kind::array;
        take('[');
        if (take(']')) return array;
        do {
            ENTENTE_ASSIGN(Json item, read_value(depth));
            array.items.push_back(std::move(item));
        } while (take(','));
        if (!take(']')) return fail("',' or ']'");
        return array;
    }

    Result<Json> read_object(std::size_t depth) {
        Json object;
        object.kind = Json::Kind::object;
        take('{');
        if (take('}')) return object;
        do {
            JsonMember member;
            skip_blanks();
            ENTENTE_ASSIGN(member.name, read_string());
            if (!take(':')) return fail("':'");
            ENTENTE_ASSIGN(member.value, read_value(depth));
            object.members.push_back(std::move(member));
        } while (take(','));
        if (!take('}')) return fail("',' or '}'");
        std::vector<std::string_view> names;
        for (const JsonMember& member : object.members) names.emplace_back(member.name);
        std::sort(names.begin(), names.end());
        if (std::adjacent_find(names.begin(), names.end()) != names.end()) return fail("each name once before the end of an object");
        return object;
    }

    Result<std::string> read_number() {
        const std::size_t begin = at_;
        const auto digits = [this] {
            const std::size_t first = at_;
            while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
            return at_ - first;
        };
        const auto next = [this](char c) { return at_ < text_.size() && text_[at_] == c; };
        if (next('-')) ++at_;
        const bool zero = next('0');
        const std::size_t whole = digits();
        if (whole == 0) return fail("a value");
        if (zero && whole > 1) return fail("a number without leading zeros");
        if (next('.')) {
            ++at_;
            if (digits() == 0) return fail("a digit");
        }
        if (next('e') || next('E')) {
            ++at_;
            if (next('+') || next('-')) ++at_;
            if (digits() == 0) return fail("a digit");
        }
        return std::string(text_.substr(begin, at_ - begin));
    }

    Result<std::string> read_string() {
        if (at_ == text_.size() || text_[at_] != '"') return fail("'\"'");
        ++at_;
        std::string out;
        for (;;) {
            if (at_ == text_.size()) return fail("the end of a string");
            const char c = text_[at_];
            if (utf8_byte(c) < 0x20) return fail("no control character in a string");
            if (c == '\\' || c == '"') {
                ++at_;
                if (c == '"') return out;
                ENTENTE_TRY(read_escape(out));
                continue;
            }
            const std::size_t length = utf8_length(text_.substr(at_));
            if (length == 0) return fail("UTF-8");
            out += text_.substr(at_, length);
            at_ += length;
        }
    }

    Status read_escape(std::string& out) {
        constexpr std::string_view letters = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        if (c != 'u') {
            const std::size_t index = c == '\0' ? std::string_view::npos : letters.find(c);
            if (index == std::string_view::npos) return fail("a known escape");
            out += meanings[index];
            ++at_;
            return done();
        }
        ++at_;
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
        constexpr std::string_view digits = "0123456789abcdef";
        std::uint32_t code = 0;
        for (int i = 0; i < 4; ++i, ++at_) {
            const char c = at_ < text_.size() ? text_[at_] : '\0';
            const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
            const std::size_t digit = lower == '\0' ? std::string_view::npos : digits.find(lower);
            if (digit == std::string_view::npos) return fail("four hexadecimal digits");
            code = 16 * code + static_cast<std::uint32_t>(digit);
        }
        return code;
    }

    std::string_view text_;
    std::size_t most_;
    std::size_t at_ = 0;
};

}  // namespace

const Json* Json::find(std::string_view name) const noexcept {
    const auto it = std::find_if(members.begin(), members.end(), [name](const JsonMember& m) { return m.name == name; });
    return it == members.end() ? nullptr : &it->value;
}

Result<Json> read_json(std::string_view text, const JsonLimits& limits) {
    if (text.size() > limits.bytes) {
        return Error{Code::too_large, "json.too-large", "JSON: expected at most " + std::to_string(limits.bytes) +
                                                            " bytes, found " + std::to_string(text.size())};
    }
    return Reader(text, limits.depth).read();
}

std::string write_json(const Json& value) {
    std::string out;
    switch (value.kind) {
        case Json::Kind::null: return "null";
        case Json::Kind::boolean:
        case Json::Kind::number: return value.text;
        case Json::Kind::string: return json_text(value.text);
        case Json::Kind::array:
            for (const Json& item : value.items) out += (out.empty() ? "" : ",") + write_json(item);
            return "[" + out + "]";
        case Json::Kind::object:
            for (const JsonMember& m : value.members) {
                out += (out.empty() ? "" : ",") + json_text(m.name) + ":" + write_json(m.value);
            }
            return "{" + out + "}";
    }
    return out;
}

}  // namespace entente
