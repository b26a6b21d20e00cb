#include "fault/preload/fault.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace entente::fault {
namespace {

constexpr std::array<std::string_view, 12> names{"open",  "read",  "write",     "fsync",     "rename", "unlink",
                                                 "mkdir", "rmdir", "ftruncate", "fallocate", "chmod",  "close"};

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

struct Connection {
    std::string request;  // the first line of the last one
};

struct State {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    std::string folder = variable("ENTENTE_FAULT_FOLDER");
    std::string what = variable("ENTENTE_FAULT_DO");
    std::string on = variable("ENTENTE_FAULT_ON");
    long at = std::strtol(variable("ENTENTE_FAULT_AT").c_str(), nullptr, 10);
    regex_t touching;
    bool aimed = false;
    long times = 1;
    long seen = 0;
    bool bytes = variable("ENTENTE_FAULT_BYTES") == "1";
    int file = -1;
    std::int64_t jump_s = std::strtoll(variable("ENTENTE_FAULT_JUMP_S").c_str(), nullptr, 10);
    std::atomic<std::int64_t> ahead_s = at == 0 ? jump_s : 0;
    std::array<std::string, 4096> paths;
    std::array<Connection, 4096> connections;

    State() {
        const std::string aim = variable("ENTENTE_FAULT_TOUCHING");
        aimed = !aim.empty();
        if (aimed && ::regcomp(&touching, aim.c_str(), REG_EXTENDED | REG_NOSUB) != 0) ::_exit(2);
        if (const std::string t = variable("ENTENTE_FAULT_TIMES"); !t.empty()) times = std::strtol(t.c_str(), nullptr, 10);
        if (const std::string path = variable("ENTENTE_FAULT_TRACE"); !path.empty()) {
            file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
        }
    }
};

// Never destroyed: threads may still run behind the end of main().
State& state() {
    static State* const all = new State;
    return *all;
}

void trace(const std::string& text) {
    if (state().file < 0) return;
    const std::string whole = text + "\n";
    ::syscall(SYS_write, state().file, whole.data(), whole.size());
}

bool may_happen(const std::string& what, Call call, std::size_t bytes) {
    const bool moves = call == Call::read || call == Call::write;
    if (call == Call::close) return false;
    if (what == "kill" || what == "jump") return call != Call::read;
    if (what == "half") return call == Call::write && bytes > 1;
    if (what == "short") return moves && bytes > 1;
    if (what == "EIO") return true;
    if (what == "ENOSPC") return !moves ? call == Call::open || call == Call::rename || call == Call::mkdir || call == Call::fallocate : call == Call::write;
    if (what == "EINTR") return moves || call == Call::open || call == Call::fsync || call == Call::fallocate || call == Call::ftruncate;
    return false;
}

[[noreturn]] void end_process() {
    ::syscall(SYS_kill, ::syscall(SYS_getpid), SIGKILL);
    for (;;) ::syscall(SYS_pause);
}

}  // namespace

Turn::Turn(Call call, const std::string& subject, std::size_t bytes) {
    State& s = state();
    const std::string_view name = names[static_cast<std::size_t>(call)];
    pthread_mutex_lock(&s.mutex);
    if (s.at <= 0 || !may_happen(s.what, call, bytes)) return;
    if (!s.on.empty() && s.on != name) return;
    if (s.aimed && ::regexec(&s.touching, (s.what + " " + std::string(name) + " " + subject).c_str(), 0, nullptr, 0) != 0) return;
    ++s.seen;
    if (s.seen < s.at || s.seen >= s.at + s.times) return;
    trace("! " + s.what + " " + std::string(name) + " " + subject);
    if (s.what == "kill") end_process();
    verdict_.half = s.what == "half" || s.what == "short";
    verdict_.kill = s.what == "half";
    if (s.what == "jump") s.ahead_s = s.jump_s;
    if (s.what == "EIO") verdict_.error = EIO;
    if (s.what == "ENOSPC") verdict_.error = ENOSPC;
    if (s.what == "EINTR") verdict_.error = EINTR;
}

void Turn::ended(long result, const std::string& text) {
    const int before = errno;
    if (result >= 0) trace(text);
    if (verdict_.kill) end_process();
    errno = before;
}

Turn::~Turn() { pthread_mutex_unlock(&state().mutex); }

std::string path_of(int fd) {
    State& s = state();
    if (fd < 0 || static_cast<std::size_t>(fd) >= s.paths.size()) return {};
    pthread_mutex_lock(&s.mutex);
    std::string path = s.paths[static_cast<std::size_t>(fd)];
    pthread_mutex_unlock(&s.mutex);
    return path;
}

std::string below(int directory, const char* path) {
    const std::string& folder = state().folder;
    if (folder.empty() || path == nullptr) return {};
    std::string whole = path;
    if (whole.empty() || whole[0] != '/') {
        if (directory == AT_FDCWD) return {};
        const std::string parent = path_of(directory);
        if (parent.empty()) return {};
        whole = parent + "/" + whole;
    }
    while (whole.size() > 1 && whole.back() == '/') whole.pop_back();
    const bool above = whole == folder.substr(0, folder.rfind('/'));  // it has the folder's name
    const bool inside = above || whole == folder || (whole.size() > folder.size() && whole.starts_with(folder) && whole[folder.size()] == '/');
    return inside ? whole : std::string();
}

void opened(int fd, std::string path) {
    if (fd >= 0 && static_cast<std::size_t>(fd) < state().paths.size()) state().paths[static_cast<std::size_t>(fd)] = std::move(path);
}

void closed(int fd) {
    State& s = state();
    if (fd < 0 || static_cast<std::size_t>(fd) >= s.paths.size()) return;
    const Turn turn(Call::close, {});
    if (!s.paths[static_cast<std::size_t>(fd)].empty()) trace("close " + std::to_string(fd));
    s.paths[static_cast<std::size_t>(fd)].clear();
    s.connections[static_cast<std::size_t>(fd)].request.clear();
}

bool with_bytes() noexcept { return state().bytes; }

std::string hex(const void* bytes, std::size_t size) {
    constexpr char digits[] = "0123456789abcdef";
    const auto* at = static_cast<const unsigned char*>(bytes);
    std::string text;
    text.reserve(2 * size);
    for (std::size_t i = 0; i < size; ++i) {
        text += digits[at[i] >> 4];
        text += digits[at[i] & 15];
    }
    return text;
}

void received(int fd, const char* bytes, std::size_t size) {
    State& s = state();
    if (s.file < 0 || fd < 0 || static_cast<std::size_t>(fd) >= s.connections.size() || size < 16) return;
    const std::string_view text(bytes, size);
    const std::size_t end = text.find(" HTTP/1.1\r\n");
    const bool request = text.starts_with("GET ") || text.starts_with("PUT ") || text.starts_with("POST ") || text.starts_with("DELETE ");
    if (!request || end == std::string_view::npos || text.substr(0, end).find('\n') != std::string_view::npos) return;
    const Turn turn(Call::close, {});
    s.connections[static_cast<std::size_t>(fd)].request = text.substr(0, end);
}

void sent(int fd, const char* bytes, std::size_t size) {
    State& s = state();
    if (s.file < 0 || fd < 0 || static_cast<std::size_t>(fd) >= s.connections.size() || size < 12) return;
    const std::string_view text(bytes, size);
    if (!text.starts_with("HTTP/1.1 ")) return;
    const Turn turn(Call::close, {});
    const std::string& request = s.connections[static_cast<std::size_t>(fd)].request;
    const std::size_t body = text.find("\r\n\r\n");
    const bool small = request == "POST /api/v1/join" || request == "GET /api/v1/log/checkpoint";
    trace("answer " + std::string(text.substr(9, 3)) + " " + request +
          (small && body != std::string_view::npos ? " " + hex(bytes + body + 4, size - body - 4) : std::string()));
}

std::int64_t clock_ahead_s() noexcept { return state().ahead_s; }

}  // namespace entente::fault
