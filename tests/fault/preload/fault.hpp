// What the library does to the process that it is loaded into (LD_PRELOAD): counts the calls by which that process touches
// files below one folder, and lets one of them fail, end the process, or jump the clock. For tests, never shipped.
//
//   LD_PRELOAD=libfault_io.so ENTENTE_FAULT_FOLDER=/tmp/data ENTENTE_FAULT_DO=kill ENTENTE_FAULT_AT=17 entente serve --data /tmp/data
//
// ENTENTE_FAULT_FOLDER  absolute, without links; calls on other files and on sockets pass untouched, but for its parent's fsync
// ENTENTE_FAULT_DO      kill: before the call; half: after half of its bytes; EIO, ENOSPC, EINTR: it fails; short: half of the
//                       bytes and no more; jump: the wall clock is another from here on. Only calls that this can happen to
//                       are counted (may_happen)
// ENTENTE_FAULT_AT      at which of them, from 1; without it nothing happens
// ENTENTE_FAULT_TIMES   to how many from there on (1)
// ENTENTE_FAULT_ON      only calls of this name ("fsync")
// ENTENTE_FAULT_TOUCHING  only calls of which "DO NAME PATH" has a match of this POSIX extended regular expression: "^EIO fsync .*spool/";
//                       opening a file to read is a "read"
// ENTENTE_FAULT_TRACE   file to which a line is added for each call, and for each answer to a request over HTTP; to joining, and
//                       with the log's checkpoint, with the answer's body in hexadecimal digits
// ENTENTE_FAULT_BYTES   1: the trace has the written bytes, in hexadecimal digits
// ENTENTE_FAULT_JUMP_S  by so many seconds, forward or back; with ENTENTE_FAULT_AT 0 from the beginning
//
// Calls below the folder run one at a time, in the order of the trace. All threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace entente::fault {

enum class Call { open, read, write, fsync, rename, unlink, mkdir, rmdir, ftruncate, fallocate, chmod, close };

struct Verdict {
    int error = 0;       // of errno: the call is not made
    bool half = false;   // only half of the bytes
    bool kill = false;   // the process ends: before the call, or behind its half
};

// One call below the folder, while it lives no other runs.
class Turn {
public:
    // `bytes`: how many a read or write has to do.
    Turn(Call call, const std::string& subject, std::size_t bytes = 0);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    [[nodiscard]] const Verdict& verdict() const noexcept { return verdict_; }
    // What it came to: the trace gets its line when the call succeeded. Ends the process behind a half.
    void ended(long result, const std::string& line);

private:
    Verdict verdict_;
};

// The path if it lies below the folder, else empty; relative ones as seen from the descriptor.
std::string below(int directory, const char* path);
std::string path_of(int fd);  // of a descriptor that was opened below the folder, else empty
void opened(int fd, std::string path);
void closed(int fd);
bool with_bytes() noexcept;
std::string hex(const void* bytes, std::size_t size);

// What goes over sockets, for the trace's lines of answers.
void received(int fd, const char* bytes, std::size_t size);
void sent(int fd, const char* bytes, std::size_t size);

std::int64_t clock_ahead_s() noexcept;

}  // namespace entente::fault
