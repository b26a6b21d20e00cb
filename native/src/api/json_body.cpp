#include "api/json_body.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cmath>

namespace entente::native {
namespace {

using Values = std::map<std::string, std::variant<std::string, double>>;

// False when a number has no finite value.
bool collect(const boost::json::object& object, const std::string& prefix, int depth, Values& values) {
    for (const auto& member : object) {
        const std::string key = prefix + std::string(member.key());
        const boost::json::value& value = member.value();
        if (value.is_string()) {
            values[key] = std::string(value.get_string());
        } else if (value.is_number()) {
            boost::system::error_code ec;
            const double number = value.to_number<double>(ec);
            if (ec || !std::isfinite(number)) return false;
            values[key] = number;
        } else if (value.is_bool()) {
            values[key] = value.get_bool() ? 1.0 : 0.0;
        } else if (value.is_object() && depth < 3) {
            if (!collect(value.get_object(), key + ".", depth + 1, values)) return false;
        }
    }
    return true;
}

}  // namespace

Result<JsonBody> JsonBody::parse(const std::string& text) {
    boost::system::error_code ec;
    boost::json::parse_options options;
    options.max_depth = 8;
    const boost::json::value value = boost::json::parse(text, ec, {}, options);
    if (ec || !value.is_object()) return Error{Code::invalid_argument, "http.json", "expected a JSON object"};
    JsonBody body;
    if (!collect(value.get_object(), {}, 0, body.values_)) {
        return Error{Code::invalid_argument, "http.json", "expected finite numbers, found one that is not"};
    }
    return body;
}

std::string JsonBody::text(const std::string& key) const {
    const auto it = values_.find(key);
    if (it == values_.end() || !std::holds_alternative<std::string>(it->second)) return {};
    return std::get<std::string>(it->second);
}

double JsonBody::number(const std::string& key, double otherwise) const {
    const auto it = values_.find(key);
    if (it == values_.end() || !std::holds_alternative<double>(it->second)) return otherwise;
    return std::get<double>(it->second);
}

}  // namespace entente::native
