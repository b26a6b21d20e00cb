#include "commands/toml_table.hpp"

#include <optional>

#include "commands/nearest.hpp"

#define TOML_EXCEPTIONS 0
// Its assertions do not hold for every damaged text, while the code behind them refuses it.
#define TOML_ASSERT(expr) static_assert(true)
#include <toml++/toml.h>

namespace entente::commands {

struct TomlTable::Node {
    std::shared_ptr<const toml::table> document;  // keeps `table` alive
    const toml::table* table = nullptr;           // null: absent
    std::string path;                             // "training."
    std::string file;
    std::string prefix;
    std::vector<std::string> known;
    std::vector<std::shared_ptr<Node>> children;
    std::optional<Error> error;
};

namespace {

std::string place(const std::string& file, const toml::source_region& source) {
    return file + ":" + std::to_string(source.begin.line) + ":" + std::to_string(source.begin.column) + ": ";
}

std::string describe(const toml::node& node) {
    if (const auto* v = node.as_string()) return "\"" + v->get() + "\"";
    if (const auto* v = node.as_integer()) return std::to_string(v->get());
    if (const auto* v = node.as_floating_point()) return std::to_string(v->get());
    if (const auto* v = node.as_boolean()) return v->get() ? "true" : "false";
    if (node.is_table()) return "a table";
    if (node.is_array()) return "a list";
    return "a date or time";
}

Error make_error(const TomlTable::Node& at, const toml::node* node, std::string_view key, std::string_view reason,
                 const std::string& sentence) {
    const std::string where = node != nullptr ? place(at.file, node->source()) : at.file + ": ";
    return Error{Code::invalid_argument, at.prefix + "." + std::string(reason),
                 where + at.path + std::string(key) + ": " + sentence};
}

const toml::node* ask(TomlTable::Node& at, std::string_view key) {
    at.known.emplace_back(key);
    if (at.table == nullptr || at.error) return nullptr;
    return at.table->get(key);
}

void wrong_type(TomlTable::Node& at, const toml::node& node, std::string_view key, const std::string& expected) {
    at.error = make_error(at, &node, key, "wrong-type", "expected " + expected + ", found " + describe(node));
}

std::shared_ptr<TomlTable::Node> child(TomlTable::Node& at, const toml::table* table, const std::string& path) {
    auto node = std::make_shared<TomlTable::Node>();
    node->document = at.document;
    node->table = table;
    node->path = path;
    node->file = at.file;
    node->prefix = at.prefix;
    at.children.push_back(node);
    return node;
}

}  // namespace

void TomlTable::text(std::string_view key, std::string& target) {
    const toml::node* node = ask(*node_, key);
    if (node == nullptr) return;
    if (const auto* v = node->as_string()) {
        target = v->get();
    } else {
        wrong_type(*node_, *node, key, "text in quotes");
    }
}

void TomlTable::boolean(std::string_view key, bool& target) {
    const toml::node* node = ask(*node_, key);
    if (node == nullptr) return;
    if (const auto* v = node->as_boolean()) {
        target = v->get();
    } else {
        wrong_type(*node_, *node, key, "true or false");
    }
}

void TomlTable::unsigned_number(std::string_view key, std::uint64_t& target, std::uint64_t least, std::uint64_t most) {
    const toml::node* node = ask(*node_, key);
    if (node == nullptr) return;
    const auto* v = node->as_integer();
    if (v == nullptr) return wrong_type(*node_, *node, key, "a whole number");
    if (v->get() < 0 || static_cast<std::uint64_t>(v->get()) < least || static_cast<std::uint64_t>(v->get()) > most) {
        node_->error = make_error(*node_, node, key, "out-of-range",
                                  "expected " + std::to_string(least) + " to " + std::to_string(most) + ", found " +
                                      std::to_string(v->get()));
        return;
    }
    target = static_cast<std::uint64_t>(v->get());
}

void TomlTable::real(std::string_view key, float& target) {
    const toml::node* node = ask(*node_, key);
    if (node == nullptr) return;
    if (const auto* v = node->as_floating_point()) {
        target = static_cast<float>(v->get());
    } else if (const auto* whole = node->as_integer()) {
        target = static_cast<float>(whole->get());
    } else {
        wrong_type(*node_, *node, key, "a number");
    }
}

void TomlTable::numbers(std::string_view key, std::vector<std::uint32_t>& target) {
    const toml::node* node = ask(*node_, key);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr) return wrong_type(*node_, *node, key, "a list of whole numbers");
    std::vector<std::uint32_t> values;
    for (const toml::node& item : *list) {
        const auto* v = item.as_integer();
        if (v == nullptr || v->get() < 0 || v->get() > 0xffffffffLL) {
            return wrong_type(*node_, item, key, "whole numbers from 0 to 4294967295");
        }
        values.push_back(static_cast<std::uint32_t>(v->get()));
    }
    target = std::move(values);
}

void TomlTable::reals(std::string_view key, std::vector<float>& target) {
    const toml::node* node = ask(*node_, key);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr) return wrong_type(*node_, *node, key, "a list of numbers");
    std::vector<float> values;
    for (const toml::node& item : *list) {
        const auto v = item.value<double>();
        if (!v || !item.is_number()) return wrong_type(*node_, item, key, "numbers");
        values.push_back(static_cast<float>(*v));
    }
    target = std::move(values);
}

namespace {

// The word's index, or the error at the node.
std::optional<std::size_t> chosen(TomlTable::Node& at, const toml::node& node, std::string_view key,
                                  const std::vector<std::string_view>& words) {
    std::string list;
    for (const std::string_view word : words) list += (list.empty() ? "\"" : ", \"") + std::string(word) + "\"";
    const auto* v = node.as_string();
    if (v == nullptr) {
        wrong_type(at, node, key, "one of " + list);
        return std::nullopt;
    }
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == v->get()) return i;
    }
    const std::string near = nearest(v->get(), words);
    at.error = make_error(at, &node, key, "out-of-range",
                          "expected one of " + list + ", found \"" + v->get() + "\"" +
                              (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
    return std::nullopt;
}

}  // namespace

void TomlTable::choice(std::string_view key, const std::vector<std::string_view>& words,
                       const std::function<void(std::size_t)>& choose) {
    const toml::node* node = ask(*node_, key);
    if (node == nullptr) return;
    if (const auto index = chosen(*node_, *node, key, words)) choose(*index);
}

void TomlTable::choices(std::string_view key, const std::vector<std::string_view>& words,
                        const std::function<void(const std::vector<std::size_t>&)>& choose) {
    const toml::node* node = ask(*node_, key);
    if (node == nullptr) return;
    const toml::array* list = node->as_array();
    if (list == nullptr) return wrong_type(*node_, *node, key, "a list of words");
    std::vector<std::size_t> indices;
    for (const toml::node& item : *list) {
        const auto index = chosen(*node_, item, key, words);
        if (!index) return;
        indices.push_back(*index);
    }
    choose(indices);
}

void TomlTable::refuse(std::string_view key, std::string_view reason, const std::string& sentence) {
    if (const toml::node* node = ask(*node_, key)) node_->error = make_error(*node_, node, key, reason, sentence);
}

bool TomlTable::has(std::string_view key) const { return node_->table != nullptr && node_->table->contains(key); }

bool TomlTable::is_table(std::string_view key) const {
    return has(key) && node_->table->get(key)->is_table();
}

TomlTable TomlTable::table(std::string_view key) {
    const toml::node* node = ask(*node_, key);
    if (node != nullptr && !node->is_table()) wrong_type(*node_, *node, key, "a table, [" + std::string(key) + "]");
    const toml::table* table = node != nullptr ? node->as_table() : nullptr;
    return child(*node_, table, node_->path + std::string(key) + ".");
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) {
    std::vector<TomlTable> result;
    const toml::node* node = ask(*node_, key);
    if (node == nullptr) return result;
    const toml::array* list = node->as_array();
    if (list == nullptr) {
        wrong_type(*node_, *node, key, "a list of tables, [[" + std::string(key) + "]]");
        return result;
    }
    std::size_t index = 0;
    for (const toml::node& item : *list) {
        if (!item.is_table()) {
            wrong_type(*node_, item, key, "a table");
            return result;
        }
        result.emplace_back(child(*node_, item.as_table(),
                                  node_->path + std::string(key) + "[" + std::to_string(index++) + "]."));
    }
    return result;
}

Error TomlTable::error_at(std::string_view key, std::string_view reason, const std::string& sentence) const {
    const toml::node* node = node_->table != nullptr ? node_->table->get(key) : nullptr;
    if (node == nullptr) node = node_->table;
    return make_error(*node_, node, key, reason, sentence);
}

Status TomlTable::finish() const {
    if (node_->error) return *node_->error;
    if (node_->table != nullptr) {
        for (const auto& [key, value] : *node_->table) {
            const std::string_view name = key.str();
            bool known = false;
            for (const std::string& candidate : node_->known) known = known || candidate == name;
            if (known) continue;
            std::vector<std::string_view> names(node_->known.begin(), node_->known.end());
            const std::string near = nearest(name, names);
            std::string list;
            for (const std::string_view candidate : names) list += (list.empty() ? "" : ", ") + std::string(candidate);
            return Error{Code::invalid_argument, node_->prefix + ".unknown-key",
                         place(node_->file, key.source()) + node_->path + std::string(name) + ": this key is not known" +
                             (near.empty() ? "; expected one of " + list : "; did you mean \"" + near + "\"?")};
        }
    }
    for (const auto& below : node_->children) ENTENTE_TRY(TomlTable(below).finish());
    return done();
}

Result<TomlTable> parse_toml(std::string_view text, std::string_view file_name, std::string_view prefix) {
    toml::parse_result parsed = toml::parse(text, file_name);
    if (!parsed) {
        return Error{Code::invalid_argument, std::string(prefix) + ".toml",
                     place(std::string(file_name), parsed.error().source()) + std::string(parsed.error().description())};
    }
    auto document = std::make_shared<const toml::table>(std::move(parsed).table());
    auto node = std::make_shared<TomlTable::Node>();
    node->document = document;
    node->table = document.get();
    node->file = std::string(file_name);
    node->prefix = std::string(prefix);
    return TomlTable(std::move(node));
}

}  // namespace entente::commands
