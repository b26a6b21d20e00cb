#include "connectors/dsp/schema.hpp"

#include <algorithm>

#include "connectors/dsp/words.hpp"

namespace entente::dsp {
namespace {

constexpr std::size_t max_nesting = 16;

Error wrong(const std::string& where, const std::string& sentence) {
    return {Code::invalid_argument, "dsp.schema", where + ": " + sentence};
}

std::string kind_of(const Json& v) {
    switch (v.kind) {
        case Json::Kind::null: return "null";
        case Json::Kind::boolean: return "a boolean";
        case Json::Kind::number: return "a number";
        case Json::Kind::string: return "a string";
        case Json::Kind::array: return v.items.empty() ? "an empty array" : "an array";
        case Json::Kind::object: return "an object";
    }
    return "something else";
}

bool is_object(const Json& v) { return v.kind == Json::Kind::object; }

// rightOperand is a string, an object or an array of those: a number or boolean fails the schema.
bool operand_ok(const Json& v, std::size_t depth = 0) {
    if (v.kind == Json::Kind::array && depth < 2) {
        return std::all_of(v.items.begin(), v.items.end(), [depth](const Json& item) { return operand_ok(item, depth + 1); });
    }
    return v.kind == Json::Kind::string || is_object(v);
}

Status check_constraint(const Json& v, const std::string& where, std::size_t depth) {
    if (!is_object(v)) return wrong(where, "expected an object, found " + kind_of(v));
    if (depth > max_nesting) return wrong(where, "expected at most 16 levels of constraints");
    const bool atomic = json::find(v, "leftOperand") || json::find(v, "operator") || json::find(v, "rightOperand");
    int joins = 0;
    for (const char* join : {"and", "or", "xone", "andSequence"}) {
        const Json* list = json::find(v, join);
        if (list == nullptr) continue;
        ++joins;
        for (const Json* item : json::items(*list)) ENTENTE_TRY(check_constraint(*item, where + "." + join, depth + 1));
    }
    if (joins > 1 || (joins == 1 && atomic)) {
        return wrong(where, "expected either one comparison or one of and, or, xone, andSequence, found several");
    }
    if (joins == 1) return done();
    for (const char* name : {"leftOperand", "operator"}) {
        const Json* member = json::find(v, name);
        if (member == nullptr || !json::text(*member)) return wrong(where, std::string("expected a string as ") + name);
    }
    const Json* right = json::find(v, "rightOperand");
    if (right == nullptr) return wrong(where, "expected a rightOperand, found none");
    if (!operand_ok(*right)) {
        return wrong(where, "expected a string as rightOperand (a number too is written \"5\"), found " + kind_of(*right));
    }
    return done();
}

Status check_rules(const Json& policy, const char* name, bool& any) {
    const Json* rules = json::find(policy, name);
    if (rules == nullptr) return done();
    const auto list = json::items(*rules);
    if (list.empty()) return wrong(name, "expected at least one rule, or no member of this name, found an empty array");
    any = true;
    for (const Json* rule : list) {
        if (!is_object(*rule)) return wrong(name, "expected objects, found " + kind_of(*rule));
        const Json* action = json::find(*rule, "action");
        if (action == nullptr || !json::text(*action)) return wrong(name, "expected a string as action");
        if (json::find(*rule, "target") != nullptr) return wrong(name, "expected no target inside a rule, found one");
        const Json* constraints = json::find(*rule, "constraint");
        if (constraints == nullptr) continue;
        for (const Json* c : json::items(*constraints)) {
            ENTENTE_TRY(check_constraint(*c, std::string(name) + ".constraint", 0));
        }
    }
    return done();
}

}  // namespace

void Members::fail(const std::string& sentence) {
    if (status_.ok()) status_ = wrong(what_, sentence);
}

std::string Members::required(std::string_view name, std::size_t limit) {
    if (find(name) != nullptr) return optional(name, limit);
    fail("expected " + std::string(name) + ", found none");
    return {};
}

std::string Members::optional(std::string_view name, std::size_t limit) {
    const Json* member = find(name);
    if (member == nullptr) return {};
    const auto text = json::text(*member);
    if (!text || text->empty()) {
        fail("expected a string as " + std::string(name) + ", found " + (text ? "an empty one" : kind_of(*member)));
        return {};
    }
    if (text->size() > limit) {
        fail("expected at most " + std::to_string(limit) + " characters as " + std::string(name) + ", found " +
             std::to_string(text->size()));
        return {};
    }
    return *text;
}

std::vector<const Json*> Members::list(std::string_view name) {
    const Json* member = find(name);
    if (member == nullptr) return {};
    auto found = json::items(*member);
    if (found.empty()) fail("expected at least one " + std::string(name) + ", or no member of this name, found an empty array");
    return found;
}

void Members::context() {
    if (const Json* contexts = object_.find("@context")) {
        for (const Json* item : json::items(*contexts)) {
            if (item->kind == Json::Kind::string && item->text == dsp::context) return;
        }
    }
    fail("expected the @context " + std::string(dsp::context) + ", found none or others");
}

std::string Members::type(std::initializer_list<std::string_view> expected) {
    const auto text = json::text(object_.find("@type"));
    const std::string found(text ? json::last_segment(*text) : std::string_view());
    std::string all;
    for (const std::string_view one : expected) {
        if (found == one) return found;
        all += (all.empty() ? "" : " or ") + std::string(one);
    }
    fail("expected the @type " + all + ", found " + (found.empty() ? "none" : "\"" + found.substr(0, 80) + "\""));
    return {};
}

Status check_policy_schema(const Json& policy, std::string_view type) {
    Members m(std::string(type), policy);
    m.required("@id");
    m.type({type});
    m.required("target");
    if (type == "Agreement") {
        m.required("assigner");
        m.required("assignee");
    }
    ENTENTE_TRY(m.status());
    bool any = false;
    ENTENTE_TRY(check_rules(policy, "permission", any));
    ENTENTE_TRY(check_rules(policy, "prohibition", any));
    bool ignored = false;
    ENTENTE_TRY(check_rules(policy, "obligation", ignored));
    if (any) return done();
    return wrong(std::string(type), "expected a permission or a prohibition, found neither");
}

}  // namespace entente::dsp
