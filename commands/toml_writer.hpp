// TOML, line by line: what TomlTable reads.
//
//   TomlWriter w;
//   w.section("round");
//   w.whole("rounds", 10);
//   std::string text = w.take();
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace entente::commands {

// The shortest text that reads back as the same number, always with a point or an exponent.
std::string toml_real(float value);
std::string toml_real(double value);
std::string toml_text(std::string_view text);

class TomlWriter {
public:
    void section(const std::string& name) { out_ += (out_.empty() ? "[" : "\n[") + name + "]\n"; }
    void entry(const std::string& list) { section("[" + list + "]"); }  // of a list of tables
    void text(const char* key, std::string_view value) { line(key, toml_text(value)); }
    void texts(const char* key, const std::vector<std::string>& values);
    void whole(const char* key, std::uint64_t value) { line(key, std::to_string(value)); }
    void number(const char* key, float value) { line(key, toml_real(value)); }
    void number(const char* key, double value) { line(key, toml_real(value)); }
    void line(const char* key, const std::string& value) { out_ += std::string(key) + " = " + value + "\n"; }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

}  // namespace entente::commands
