// A TOML table read key by key, with errors that name file, line, column and key. Used for plans and for partner
// files. Keys that nobody asked for are found by finish().
//
//   TomlFile file = TomlFile::parse(text, "partner.toml").value();
//   TomlTable root = file.root();
//   root.text("url", config.url);
//   root.unsigned_number("port", config.port, 1, 65535);
//   ENTENTE_TRY(root.finish());              // the first error, or an unknown key
//
// A table keeps the first error; everything read after it is left alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "entente/base/result.hpp"

namespace entente::commands {

class TomlTable {
public:
    struct Node;  // one table of the parsed file

    TomlTable(std::shared_ptr<Node> node) : node_(std::move(node)) {}  // NOLINT(google-explicit-constructor)

    // Each leaves `target` as it is when the key is absent.
    void text(std::string_view key, std::string& target);
    void boolean(std::string_view key, bool& target);
    void unsigned_number(std::string_view key, std::uint64_t& target, std::uint64_t least, std::uint64_t most);
    template <class T>
    void number(std::string_view key, T& target, T least, T most) {
        std::uint64_t wide = target;
        unsigned_number(key, wide, least, most);
        target = static_cast<T>(wide);
    }
    void real(std::string_view key, float& target);
    void real(std::string_view key, double& target);
    void numbers(std::string_view key, std::vector<std::uint32_t>& target);
    void reals(std::string_view key, std::vector<float>& target);
    void reals(std::string_view key, std::vector<double>& target);
    void texts(std::string_view key, std::vector<std::string>& target);
    // Of a table: each key and its text.
    void pairs(std::string_view key, std::vector<std::pair<std::string, std::string>>& target);
    // One of a few words; `choose` gets its index.
    void choice(std::string_view key, const std::vector<std::string_view>& words,
                const std::function<void(std::size_t)>& choose);

    // Some of a few words, as a list; `choose` gets the index of each.
    void choices(std::string_view key, const std::vector<std::string_view>& words,
                 const std::function<void(const std::vector<std::size_t>&)>& choose);
    // A key that is known and must not be there.
    void refuse(std::string_view key, std::string_view reason, const std::string& sentence);

    [[nodiscard]] bool has(std::string_view key) const;
    [[nodiscard]] bool is_table(std::string_view key) const;
    // An absent table reads like an empty one.
    TomlTable table(std::string_view key);
    std::vector<TomlTable> tables(std::string_view key);  // [[key]]

    [[nodiscard]] Error error_at(std::string_view key, std::string_view reason, const std::string& sentence) const;
    // The first error of this table and of all tables under it; then the first key that nobody asked for.
    [[nodiscard]] Status finish() const;

private:
    std::shared_ptr<Node> node_;
};

// `prefix` starts the reasons: "plan" gives "plan.unknown-key".
Result<TomlTable> parse_toml(std::string_view text, std::string_view file_name, std::string_view prefix);

}  // namespace entente::commands
