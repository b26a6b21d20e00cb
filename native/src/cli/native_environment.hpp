// The commands' Environment with files, a terminal and threads.
#pragma once

#include <map>
#include <memory>

#include "commands/environment.hpp"

namespace entente::native {

class NativeEnvironment final : public commands::Environment {
public:
    NativeEnvironment();
    ~NativeEnvironment() override;

    Result<Bytes> read_file(const std::string& path, std::uint64_t limit_bytes) override;
    Result<Bytes> read_data(const std::string& path, std::uint64_t limit_bytes) override;
    Status read_pieces(const std::string& path, const std::function<Status(ByteView)>& on_piece) override;
    Result<Bytes> fetch(const std::string& url, std::uint64_t limit_bytes) override;
    Status write_file(const std::string& path, ByteView bytes) override;
    Status remove_file(const std::string& path) override;
    void print(std::string_view text) override;
    void print_error(std::string_view text) override;
    void progress(double fraction, std::string_view text) override;
    std::int64_t now_ms() override;
    Executor& executor(unsigned threads) override;
    // From the first call on SIGINT and SIGTERM are heard; a second one ends the process.
    bool interrupted() override;

    [[nodiscard]] bool terminal() const noexcept { return terminal_; }

private:
    bool terminal_;
    bool listening_ = false;
    bool bar_shown_ = false;
    std::int64_t bar_at_ms_ = 0;
    std::map<unsigned, std::unique_ptr<Executor>> executors_;
};

}  // namespace entente::native
