// `entente simulate | plan | inspect | export` compiled to WebAssembly: commands::run under Node, with Node's own
// files (NODERAWFS), its zlib for .gz and its clock. One thread, whatever --threads says: no bit depends on it.
#include <emscripten.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "commands/run.hpp"

// clang-format off
EM_JS(int, cli_gunzip, (const char* path, double limit, unsigned* place), {
    // 0: done, and place holds address and length; 1: not gzip, or damaged; 2: larger than the limit.
    try {
        const bytes = require("zlib").gunzipSync(require("fs").readFileSync(UTF8ToString(path)), {maxOutputLength: limit});
        const pointer = _malloc(bytes.length || 1);
        HEAPU8.set(bytes, pointer);
        HEAPU32[place >> 2] = pointer;
        HEAPU32[(place >> 2) + 1] = bytes.length;
        return 0;
    } catch (error) {
        return error.code === "ERR_BUFFER_TOO_LARGE" ? 2 : 1;
    }
});
// clang-format on

namespace entente {
namespace {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

class NodeEnvironment final : public commands::Environment {
public:
    Result<Bytes> read_file(const std::string& path, std::uint64_t limit_bytes) override {
        const File file(std::fopen(path.c_str(), "rb"));
        if (file == nullptr) {
            if (errno == ENOENT) return Error{Code::not_found, "file.missing", path + ": there is no such file"};
            return Error{Code::permission_denied, "file.unreadable", path + ": " + std::strerror(errno)};
        }
        Bytes bytes;
        std::vector<std::byte> piece(64 * 1024);
        for (;;) {
            const std::size_t read = std::fread(piece.data(), 1, piece.size(), file.get());
            if (read == 0) break;
            if (bytes.size() + read > limit_bytes) {
                return Error{Code::too_large, "file.too-large",
                             path + ": expected at most " + std::to_string(limit_bytes) + " bytes"};
            }
            bytes.insert(bytes.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(read));
        }
        if (std::ferror(file.get()) != 0) return Error{Code::permission_denied, "file.unreadable", path + ": " + std::strerror(errno)};
        return bytes;
    }

    Result<Bytes> read_data(const std::string& path, std::uint64_t limit_bytes) override {
        auto plain = read_file(path, limit_bytes);
        if (plain.ok() || plain.error().reason != "file.missing") return plain;
        const std::string zipped = path + ".gz";
        if (!File(std::fopen(zipped.c_str(), "rb"))) {
            return Error{Code::not_found, "file.missing", path + ": there is no such file, nor " + zipped};
        }
        unsigned place[2] = {0, 0};
        const int failure = cli_gunzip(zipped.c_str(), static_cast<double>(limit_bytes), place);
        if (failure == 2) {
            return Error{Code::too_large, "file.too-large",
                         zipped + ": expected at most " + std::to_string(limit_bytes) + " bytes when unpacked"};
        }
        if (failure != 0) return Error{Code::invalid_argument, "file.gzip", zipped + ": it is not a whole gzip file"};
        auto* data = reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(place[0]));
        Bytes bytes(data, data + place[1]);
        std::free(data);
        return bytes;
    }

    Status write_file(const std::string& path, ByteView bytes) override {
        const std::string fresh = path + ".part";
        {
            const File file(std::fopen(fresh.c_str(), "wb"));
            if (file == nullptr || std::fwrite(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) {
                if (errno == ENOSPC) return Error{Code::no_space, "file.no-space", path + ": the disk is full"};
                return Error{Code::permission_denied, "file.unwritable", path + ": " + std::strerror(errno)};
            }
        }
        if (std::rename(fresh.c_str(), path.c_str()) != 0) {
            return Error{Code::permission_denied, "file.unwritable", path + ": " + std::strerror(errno)};
        }
        return done();
    }

    Status remove_file(const std::string& path) override {
        if (std::remove(path.c_str()) == 0 || errno == ENOENT) return done();
        return Error{Code::permission_denied, "file.unwritable", path + ": " + std::strerror(errno)};
    }

    void print(std::string_view text) override { std::fwrite(text.data(), 1, text.size(), stdout); }
    void print_error(std::string_view text) override {
        std::fflush(stdout);
        std::fwrite(text.data(), 1, text.size(), stderr);
    }
    void progress(double, std::string_view) override {}
    std::int64_t now_ms() override { return static_cast<std::int64_t>(emscripten_get_now()); }
    Executor& executor(unsigned) override { return inline_executor(); }
};

}  // namespace
}  // namespace entente

int main(int argc, char** argv) {
    entente::NodeEnvironment environment;
    const int code = entente::commands::run(std::vector<std::string>(argv + 1, argv + argc), environment);
    std::fflush(stdout);
    return code;
}
