#include "entente/policy/odrl.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "vocabulary.hpp"

namespace entente::policy {
namespace {

constexpr std::size_t deepest_and = 4;
constexpr std::array<std::string_view, 3> dataspace_prefixes{"dspace:", "https://w3id.org/dspace/2025/1/",
                                                             "https://w3id.org/dspace/v0.8/"};

// The structural word that a member's name stands for; any other name stays as it is.
std::string_view word_of(std::string_view name) {
    if (const std::string_view word = odrl_word(name); !word.empty()) return word;
    for (const std::string_view prefix : dataspace_prefixes) {
        if (name.starts_with(prefix)) return name.substr(prefix.size());
    }
    return name == "uid" || name == "id" ? "@id" : name == "type" ? "@type" : name;
}

// In JSON-LD neither says anything.
bool says_nothing(const Json& value) {
    return value.kind == Json::Kind::null || (value.kind == Json::Kind::array && value.items.empty());
}

// The one value, or the only one of an array.
const Json& single(const Json& value) {
    return value.kind == Json::Kind::array && value.items.size() == 1 ? value.items.front() : value;
}

std::optional<std::string> text_of(const Json& value) {
    const Json& one = single(value);
    if (one.kind == Json::Kind::string) return one.text;
    if (one.kind != Json::Kind::object) return std::nullopt;
    const Json* id = one.find("@id");
    if (id != nullptr && id->kind == Json::Kind::string && one.members.size() == 1) return id->text;
    const Json* literal = one.find("@value");
    if (literal == nullptr || (literal->kind != Json::Kind::string && literal->kind != Json::Kind::number)) return std::nullopt;
    const bool typed = one.members.size() == 2 && one.find("@type") != nullptr;
    if (one.members.size() != 1 && !typed) return std::nullopt;
    return literal->text;
}

// Items of an array, or the one value in its place.
std::vector<const Json*> each(const Json& value) {
    std::vector<const Json*> found;
    if (value.kind != Json::Kind::array) return {&value};
    for (const Json& item : value.items) found.push_back(&item);
    return found;
}

std::string numbered(const std::string& path, std::size_t index) { return path + "[" + std::to_string(index) + "]"; }

class Reader {
public:
    Result<Odrl> read(const Json& json) {
        if (json.kind != Json::Kind::object) return malformed("expected a policy as an object, found something else");
        odrl_.frame.type.clear();
        for (const JsonMember& member : json.members) {
            ENTENTE_TRY(once(member.name));
            if (!says_nothing(member.value)) read_member(member);
        }
        if (!ruled_) return malformed("expected a permission, prohibition or obligation, found none");
        return std::move(odrl_);
    }

private:
    static Error malformed(std::string what) { return Error{Code::invalid_argument, "odrl.malformed", "policy: " + std::move(what)}; }

    // Two spellings of one member would leave open which of them is meant.
    Status once(const std::string& name) {
        const std::string word(word_of(name));
        if (std::find(seen_.begin(), seen_.end(), word) != seen_.end()) {
            return malformed("expected " + word + " once, found it under two names");
        }
        seen_.push_back(word);
        return done();
    }

    void unread(std::string path) { odrl_.policy.unread.push_back(std::move(path)); }

    void read_text(const JsonMember& member, std::string& into) {
        if (const auto text = text_of(member.value)) {
            into = *text;
        } else {
            unread(member.name);
        }
    }

    void read_member(const JsonMember& member) {
        JsonFrame& frame = odrl_.frame;
        Policy& policy = odrl_.policy;
        const std::string_view word = word_of(member.name);
        if (word == "@context" || word == "callbackAddress" || describes(member.name)) return;
        if (word == "@id") return read_text(member, frame.id);
        if (word == "target") return read_text(member, frame.target);
        if (word == "assigner") return read_text(member, frame.assigner);
        if (word == "assignee") return read_text(member, frame.assignee);
        if (word == "timestamp") return read_text(member, frame.timestamp);
        if (word == "@type") {
            read_text(member, frame.type);
            frame.type = canonical_operator(frame.type);
            return;
        }
        if (word == "profile") return read_profiles(member.value);
        if (word == "permission") return read_rules(member.value, "permission", policy.permissions);
        if (word == "prohibition") return read_rules(member.value, "prohibition", policy.prohibitions);
        if (word == "obligation") return read_rules(member.value, "obligation", policy.obligations);
        unread(member.name);
    }

    // Dublin Core's description of the document.
    static bool describes(std::string_view name) {
        return name.starts_with("dct:") || name.starts_with("dcterms:") || name.starts_with("http://purl.org/dc/terms/");
    }

    void read_profiles(const Json& value) {
        for (const Json* item : each(value)) {
            if (const auto text = text_of(*item)) {
                odrl_.policy.profiles.push_back(*text);
            } else {
                unread("profile");
            }
        }
    }

    void read_rules(const Json& value, const std::string& name, std::vector<Rule>& into) {
        ruled_ = true;
        const std::vector<const Json*> items = each(value);
        for (std::size_t i = 0; i < items.size(); ++i) {
            const std::string path = numbered(name, i);
            if (items[i]->kind != Json::Kind::object) {
                unread(path);
                continue;
            }
            into.push_back(read_rule(*items[i], path));
        }
    }

    Rule read_rule(const Json& json, const std::string& path) {
        Rule rule;
        bool acts = false;
        bool bound = false;
        for (const JsonMember& member : json.members) {
            const std::string_view word = word_of(member.name);
            if (word == "@id" || word == "@type" || says_nothing(member.value)) continue;
            if (word == "action" && !acts) {
                const auto text = text_of(member.value);
                if (text) rule.action = canonical_action(*text);
                acts = text.has_value();
                if (acts) continue;
            }
            if (word == "constraint" && !bound) {
                bound = true;
                read_constraints(member.value, path + ".constraint", 0, rule.constraints);
                continue;
            }
            unread(path + "." + member.name);
        }
        return rule;
    }

    void read_constraints(const Json& value, const std::string& path, std::size_t depth, std::vector<Constraint>& into) {
        const std::vector<const Json*> items = each(value);
        for (std::size_t i = 0; i < items.size(); ++i) read_constraint(*items[i], numbered(path, i), depth, into);
    }

    void read_constraint(const Json& json, const std::string& path, std::size_t depth, std::vector<Constraint>& into) {
        if (json.kind != Json::Kind::object) return unread(path);
        std::vector<const JsonMember*> members;
        for (const JsonMember& member : json.members) {
            const std::string_view word = word_of(member.name);
            if (word != "@id" && word != "@type") members.push_back(&member);
        }
        if (members.size() == 1 && word_of(members.front()->name) == "and") {
            const Json& all = members.front()->value;
            // EDC and JSON-LD may wrap an ordered list.
            const Json* list = all.kind == Json::Kind::object && all.members.size() == 1 ? all.find("@list") : nullptr;
            const Json& inside = list != nullptr ? *list : all;
            if (depth == deepest_and || says_nothing(inside)) return unread(path + ".and");
            return read_constraints(inside, path + ".and", depth + 1, into);
        }
        read_atom(members, path, into);
    }

    void read_atom(const std::vector<const JsonMember*>& members, const std::string& path, std::vector<Constraint>& into) {
        Constraint constraint;
        std::array<bool, 3> found{};
        const auto first = [&found](std::size_t which) { return !std::exchange(found[which], true); };
        for (const JsonMember* member : members) {
            const std::string_view word = word_of(member->name);
            const auto text = text_of(member->value);
            if (word == "leftOperand" && text && first(0)) {
                constraint.left_operand = canonical_operand(*text);
            } else if (word == "operator" && text && first(1)) {
                constraint.op = canonical_operator(*text);
            } else if (word == "rightOperand" && first(2)) {
                read_right(member->value, path + "." + member->name, constraint.right_operand);
            } else {
                unread(path + "." + member->name);
            }
        }
        if (found == std::array<bool, 3>{true, true, true}) {
            into.push_back(std::move(constraint));
        } else {
            unread(path);
        }
    }

    void read_right(const Json& value, const std::string& path, std::vector<std::string>& into) {
        // EDC keeps a list as the text of its JSON-LD: "[{\"@value\":\"train\"},{\"@value\":\"evaluate\"}]".
        if (value.kind == Json::Kind::string && value.text.starts_with(R"([{"@value":)")) {
            const auto list = read_json(value.text, odrl_limits);
            return list.ok() ? read_right(*list, path, into) : unread(path);
        }
        for (const Json* item : each(value)) {
            if (const auto text = item->kind == Json::Kind::array ? std::nullopt : text_of(*item)) {
                into.push_back(*text);
            } else {
                unread(path);
            }
        }
    }

    Odrl odrl_;
    bool ruled_ = false;
    std::vector<std::string> seen_;
};

// Datasets and messages: where a policy may lie in them.
class Document {
public:
    Status read(const Json& json, const std::string& dataset) {
        bool container = false;
        for (const JsonMember& member : json.members) {
            const std::string_view word = last_segment(member.name);
            if (word == "hasPolicy") {
                container = true;
                const Json* id = json.find("@id");
                ENTENTE_TRY(read_each(member.value, id != nullptr && id->kind == Json::Kind::string ? id->text : ""));
            } else if (word == "dataset" || word == "catalog" || word == "offer" || word == "agreement" || word == "policy") {
                container = true;
                ENTENTE_TRY(read_each(member.value, {}));
            }
        }
        if (container) return done();
        ENTENTE_ASSIGN(Odrl odrl, read_odrl(json));
        if (odrl.frame.target.empty()) odrl.frame.target = dataset;
        found.push_back(std::move(odrl));
        return done();
    }

    Status read_each(const Json& value, const std::string& dataset) {
        for (const Json* item : each(value)) {
            if (item->kind == Json::Kind::object) ENTENTE_TRY(read(*item, dataset));
        }
        return done();
    }

    std::vector<Odrl> found;

private:
    static std::string_view last_segment(std::string_view name) {
        const std::size_t at = name.find_last_of(":/#");
        return at == std::string_view::npos ? name : name.substr(at + 1);
    }
};

struct Canonical {
    std::vector<std::string> profiles;
    std::array<std::vector<std::string>, 3> rules;

    friend bool operator==(const Canonical&, const Canonical&) = default;
};

void append_field(std::string& out, std::string_view text) {
    out += std::to_string(text.size()) + ":";
    out += text;
}

std::string canonical_rule(const Rule& rule) {
    std::vector<std::string> terms;
    for (const Constraint& c : rule.constraints) {
        std::string term;
        append_field(term, canonical_operand(c.left_operand));
        append_field(term, canonical_operator(c.op));
        std::vector<std::string> values = c.right_operand;
        std::sort(values.begin(), values.end());
        for (const std::string& value : values) append_field(term, value);
        terms.push_back(std::move(term));
    }
    std::sort(terms.begin(), terms.end());
    std::string out;
    append_field(out, canonical_action(rule.action));
    for (const std::string& term : terms) append_field(out, term);
    return out;
}

Canonical canonical(const Policy& policy) {
    Canonical out;
    out.profiles = policy.profiles;
    std::sort(out.profiles.begin(), out.profiles.end());
    const std::array<const std::vector<Rule>*, 3> kinds{&policy.permissions, &policy.prohibitions, &policy.obligations};
    for (std::size_t k = 0; k < kinds.size(); ++k) {
        for (const Rule& rule : *kinds[k]) out.rules[k].push_back(canonical_rule(rule));
        std::sort(out.rules[k].begin(), out.rules[k].end());
    }
    return out;
}

}  // namespace

Result<Odrl> read_odrl(const Json& json) { return Reader().read(json); }

Result<Odrl> read_odrl(std::string_view json) {
    ENTENTE_ASSIGN(const Json tree, read_json(json, odrl_limits));
    return read_odrl(tree);
}

Result<std::vector<Odrl>> read_odrl_document(std::string_view json, const JsonLimits& limits) {
    ENTENTE_ASSIGN(const Json tree, read_json(json, limits));
    Document document;
    ENTENTE_TRY(document.read_each(tree, {}));
    if (document.found.empty()) {
        return Error{Code::invalid_argument, "odrl.malformed", "policy: expected an offer, agreement, dataset or catalogue, found none"};
    }
    return std::move(document.found);
}

bool same_terms(const Policy& a, const Policy& b) {
    return a.unread.empty() && b.unread.empty() && canonical(a) == canonical(b);
}

}  // namespace entente::policy
