// Everything that a command needs from the outside. The commands in this folder do no I/O of their own, so the
// same command line runs natively and, compiled to WebAssembly, under Node: each host brings its Environment.
//
//   NativeEnvironment environment;
//   return commands::run({"simulate", "plan.toml", "--partners", "3"}, environment);
//
// One thread; the executor's jobs are its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "entente/base/bytes.hpp"
#include "entente/base/executor.hpp"
#include "entente/base/result.hpp"

namespace entente::commands {

class Environment {
public:
    virtual ~Environment() = default;

    // The whole file. not_found "file.missing", permission_denied "file.unreadable", too_large "file.too-large".
    virtual Result<Bytes> read_file(const std::string& path, std::uint64_t limit_bytes) = 0;
    // `path` itself, or `path` + ".gz" decompressed, whichever there is. Errors as read_file, and "file.gzip".
    virtual Result<Bytes> read_data(const std::string& path, std::uint64_t limit_bytes) = 0;
    // The same file a piece at a time, however large it is; the first error that on_piece returns ends it.
    virtual Status read_pieces(const std::string& path, const std::function<Status(ByteView)>& on_piece);
    // What a GET of the URL answers. unavailable "connector.unreachable", too_large; "usage.url" where there is no network.
    virtual Result<Bytes> fetch(const std::string& url, std::uint64_t limit_bytes);
    // Replaces the file in one step, its permissions as they were; makes the folders it lies in. "file.unwritable", no_space.
    virtual Status write_file(const std::string& path, ByteView bytes) = 0;
    // Nothing to remove is no error. "file.unwritable".
    virtual Status remove_file(const std::string& path) = 0;

    virtual void print(std::string_view text) = 0;        // standard output; the text brings its own line ends
    virtual void print_error(std::string_view text) = 0;  // standard error
    // Something long goes on: shown on a terminal, left out elsewhere. fraction is 0 to 1; empty text ends it.
    virtual void progress(double fraction, std::string_view text) = 0;

    virtual std::int64_t now_ms() = 0;  // a clock for durations
    // Lives as long as the environment. 0: as many threads as this process may use.
    virtual Executor& executor(unsigned threads) = 0;
    // Somebody asked the command to end (Ctrl-C). The first time it may bring things to a good end; asked again, the
    // process ends at once.
    virtual bool interrupted() { return false; }
};

inline Result<Bytes> Environment::fetch(const std::string&, std::uint64_t) {
    return Error{Code::invalid_argument, "usage.url", "this program fetches nothing: expected a file, found a URL; save the document first"};
}

inline Status Environment::read_pieces(const std::string& path, const std::function<Status(ByteView)>& on_piece) {
    constexpr std::uint64_t most_at_once = std::uint64_t{1} << 30;
    ENTENTE_ASSIGN(const Bytes all, read_data(path, most_at_once));
    return on_piece(all);
}

}  // namespace entente::commands
