// Files, output and clock of a command, all in memory.
#pragma once

#include <map>
#include <string>

#include "commands/environment.hpp"

struct FakeEnvironment : entente::commands::Environment {
    std::map<std::string, entente::Bytes> files;
    std::string out;
    std::string error;

    void put(const std::string& path, std::string_view text) {
        const entente::ByteView view = entente::as_bytes(text);
        files[path] = {view.begin(), view.end()};
    }

    [[nodiscard]] std::string text(const std::string& path) const {
        std::string all;
        for (const std::byte b : files.at(path)) all += static_cast<char>(b);
        return all;
    }

    entente::Result<entente::Bytes> read_file(const std::string& path, std::uint64_t limit_bytes) override {
        const auto it = files.find(path);
        if (it == files.end()) return entente::Error{entente::Code::not_found, "file.missing", path + ": no such file"};
        if (it->second.size() > limit_bytes) return entente::Error{entente::Code::too_large, "file.too-large", path};
        return it->second;
    }
    entente::Result<entente::Bytes> read_data(const std::string& path, std::uint64_t limit_bytes) override {
        return read_file(path, limit_bytes);
    }
    entente::Status write_file(const std::string& path, entente::ByteView bytes) override {
        files[path] = {bytes.begin(), bytes.end()};
        return entente::done();
    }
    entente::Status remove_file(const std::string& path) override {
        files.erase(path);
        return entente::done();
    }
    void print(std::string_view text) override { out += text; }
    void print_error(std::string_view text) override { error += text; }
    void progress(double, std::string_view) override {}
    std::int64_t now_ms() override { return ++ticks_; }
    entente::Executor& executor(unsigned) override { return entente::inline_executor(); }
    bool interrupted() override { return ++looks_ > interrupt_after; }

    int interrupt_after = 1 << 30;  // so many looks at interrupted()

private:
    std::int64_t ticks_ = 0;
    int looks_ = 0;
};
