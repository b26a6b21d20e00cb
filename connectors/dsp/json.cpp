#include "connectors/dsp/json.hpp"

#include <algorithm>

namespace entente::dsp::json {

Result<Json> parse(std::string_view text) {
    ENTENTE_ASSIGN(Json value, read_json(text, {.bytes = 1024 * 1024, .depth = 32}));
    if (value.kind == Json::Kind::object) return value;
    return Error{Code::invalid_argument, "json.malformed", "JSON: expected an object, found another value"};
}

std::string_view last_segment(std::string_view name) noexcept {
    const std::size_t at = name.find_last_of("/#:");
    return at == std::string_view::npos ? name : name.substr(at + 1);
}

const Json* find(const Json& in, std::string_view name) {
    const Json* found = in.find(name);
    for (const JsonMember& member : in.members) {
        if (found != nullptr) break;
        if (last_segment(member.name) == name) found = &member.value;
    }
    return found == nullptr || found->kind == Json::Kind::null ? nullptr : found;
}

std::optional<std::string> text(const Json& of) {
    if (of.kind == Json::Kind::string) return of.text;
    if (of.kind == Json::Kind::array && of.items.size() == 1) return text(of.items.front());
    for (const char* name : {"@id", "@value"}) {
        const Json* inner = of.find(name);
        if (inner != nullptr && inner->kind == Json::Kind::string) return inner->text;
    }
    return std::nullopt;
}

std::optional<std::string> text(const Json* of) { return of == nullptr ? std::nullopt : text(*of); }

std::vector<const Json*> items(const Json& of) {
    if (of.kind != Json::Kind::array) return {&of};
    std::vector<const Json*> list;
    for (const Json& item : of.items) list.push_back(&item);
    return list;
}

Json string(std::string_view text) {
    Json value;
    value.kind = Json::Kind::string;
    value.text = text;
    return value;
}

Json array(std::vector<Json> items) {
    Json value;
    value.kind = Json::Kind::array;
    value.items = std::move(items);
    return value;
}

Json strings(const std::vector<std::string>& texts) {
    std::vector<Json> list;
    for (const std::string& text : texts) list.push_back(string(text));
    return array(std::move(list));
}

Json object(std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
    Json value;
    value.kind = Json::Kind::object;
    for (const auto& [name, text] : members) put(value, name, string(text));
    return value;
}

void put(Json& object, std::string_view name, Json value) {
    for (JsonMember& member : object.members) {
        if (member.name != name) continue;
        member.value = std::move(value);
        return;
    }
    object.members.push_back({std::string(name), std::move(value)});
}

void put(Json& object, std::string_view name, const std::string& text) {
    if (!text.empty()) put(object, name, string(text));
}

void erase(Json& object, std::string_view name) {
    std::erase_if(object.members, [name](const JsonMember& member) { return member.name == name; });
}

}  // namespace entente::dsp::json
