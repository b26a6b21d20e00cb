#include "cli/native_environment.hpp"

#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "base/files.hpp"
#include "net/http_client.hpp"
#include "threads/worker_pool.hpp"

namespace entente::native {

namespace {
constexpr std::int64_t bar_interval_ms = 100;
constexpr int bar_width = 24;

volatile std::sig_atomic_t asked_to_end = 0;
extern "C" void remember_signal(int) { asked_to_end = 1; }
}  // namespace

NativeEnvironment::NativeEnvironment() : terminal_(::isatty(STDOUT_FILENO) == 1) {}
NativeEnvironment::~NativeEnvironment() = default;

Result<Bytes> NativeEnvironment::read_file(const std::string& path, std::uint64_t limit_bytes) {
    return native::read_file(path, limit_bytes);
}
Result<Bytes> NativeEnvironment::read_data(const std::string& path, std::uint64_t limit_bytes) {
    return read_maybe_gzip(path, limit_bytes);
}
Status NativeEnvironment::read_pieces(const std::string& path, const std::function<Status(ByteView)>& on_piece) {
    const bool plain = std::filesystem::exists(path) && !path.ends_with(".gz");
    if (!plain) {
        constexpr std::uint64_t most_unpacked = std::uint64_t{1} << 30;
        ENTENTE_ASSIGN(const Bytes all, read_maybe_gzip(path.ends_with(".gz") ? path.substr(0, path.size() - 3) : path, most_unpacked));
        return on_piece(all);
    }
    ENTENTE_ASSIGN(const auto file, open_file(path));
    Bytes piece(std::size_t{256} * 1024);
    for (;;) {
        ENTENTE_ASSIGN(const std::size_t read, file->read(piece));
        if (read == 0) return done();
        ENTENTE_TRY(on_piece(ByteView(piece).first(read)));
    }
}
Result<Bytes> NativeEnvironment::fetch(const std::string& url, std::uint64_t limit_bytes) {
    const std::size_t host = url.find("://");
    const std::size_t path = host == std::string::npos ? host : url.find('/', host + 3);
    ENTENTE_ASSIGN(auto http, make_http_client({url.substr(0, path), {}}));
    hub::HttpRequest request;
    request.target = path == std::string::npos ? "/" : url.substr(path);
    request.response_limit = limit_bytes;
    ENTENTE_ASSIGN(hub::HttpResponse response, http->send(request, nullptr, {}));
    ENTENTE_TRY(hub::error_of(response));
    return std::move(response.body);
}
Status NativeEnvironment::write_file(const std::string& path, ByteView bytes) {
    const auto folder = std::filesystem::path(path).parent_path();
    if (!folder.empty()) ENTENTE_TRY(make_directory(folder));
    // Who has kept a file to himself finds it so.
    struct stat there {};
    const bool is_file = ::stat(path.c_str(), &there) == 0 && S_ISREG(there.st_mode);
    return is_file ? native::write_file(path, bytes, there.st_mode & 0777u) : native::write_file(path, bytes);
}
Status NativeEnvironment::remove_file(const std::string& path) {
    std::error_code fault;
    std::filesystem::remove(path, fault);
    if (fault) return Error{Code::permission_denied, "file.unwritable", path + ": " + fault.message()};
    return done();
}

void NativeEnvironment::print(std::string_view text) {
    if (bar_shown_) progress(0, "");
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void NativeEnvironment::print_error(std::string_view text) {
    if (bar_shown_) progress(0, "");
    std::fwrite(text.data(), 1, text.size(), stderr);
}

void NativeEnvironment::progress(double fraction, std::string_view text) {
    if (!terminal_) return;
    if (text.empty()) {
        if (bar_shown_) std::fputs("\r\033[K", stdout);
        bar_shown_ = false;
        std::fflush(stdout);
        return;
    }
    const std::int64_t now = monotonic_ms();
    if (bar_shown_ && now - bar_at_ms_ < bar_interval_ms) return;
    bar_at_ms_ = now;
    bar_shown_ = true;
    const int full = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * bar_width);
    std::string line = "\r\033[K  ";
    for (int i = 0; i < bar_width; ++i) line += i < full ? "█" : "░";
    line += " " + std::string(text.substr(0, 76));
    std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
}

bool NativeEnvironment::interrupted() {
    if (!listening_) {
        listening_ = true;
        struct sigaction action {};
        action.sa_handler = remember_signal;
        action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
        ::sigaction(SIGINT, &action, nullptr);
        ::sigaction(SIGTERM, &action, nullptr);
    }
    return asked_to_end != 0;
}

std::int64_t NativeEnvironment::now_ms() { return monotonic_ms(); }

Executor& NativeEnvironment::executor(unsigned threads) {
    const unsigned width = std::clamp(threads == 0 ? WorkerPool::hardware() : threads, 1u, 64u);
    auto& executor = executors_[width];
    if (!executor) executor = std::make_unique<WorkerPool>(width);
    return *executor;
}

}  // namespace entente::native
