// Writing JSON: Json().text("id", id).number("round", 7).raw("terms", terms_json).done() == {"id":"…","round":7,…}
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "entente/base/decimal.hpp"
#include "entente/base/json_text.hpp"

namespace entente::wasm {

inline std::string json_number(double value) { return std::isfinite(value) ? decimal(value) : "null"; }

class Json {
public:
    Json& text(std::string_view key, std::string_view value) { return raw(key, json_text(value)); }
    template <class T>
    Json& number(std::string_view key, T value) {
        return raw(key, json_number(static_cast<double>(value)));
    }
    Json& flag(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
    Json& raw(std::string_view key, std::string_view value) {
        body_ += body_.empty() ? "" : ",";
        body_ += json_text(key);
        body_ += ':';
        body_ += value;
        return *this;
    }
    [[nodiscard]] std::string done() const { return "{" + body_ + "}"; }

private:
    std::string body_;
};

template <class Range, class Write>
std::string json_list(const Range& range, Write&& write) {
    std::string out = "[";
    for (const auto& item : range) {
        if (out.size() > 1) out += ',';
        out += write(item);
    }
    return out + "]";
}

}  // namespace entente::wasm
