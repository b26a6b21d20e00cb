// Small JSON bodies, read with limits.
#pragma once

#include <map>
#include <string>
#include <variant>

#include "entente/base/result.hpp"

namespace entente::native {

// One flat object of strings, numbers and booleans; nested objects of the same kind appear as "a.b".
class JsonBody {
public:
    // invalid_argument "http.json".
    static Result<JsonBody> parse(const std::string& text);
    [[nodiscard]] std::string text(const std::string& key) const;               // "" when absent
    [[nodiscard]] double number(const std::string& key, double otherwise) const;
    [[nodiscard]] bool has(const std::string& key) const { return values_.count(key) > 0; }

private:
    std::map<std::string, std::variant<std::string, double>> values_;
};

}  // namespace entente::native
