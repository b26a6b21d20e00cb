#include <time.h>

#include <cstdio>
#include <exception>
#include <map>

#include "core/bench.hpp"

namespace entente::bench {
namespace {

double now(clockid_t clock) {
    timespec t{};
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

}  // namespace

double cpu_now() { return now(CLOCK_PROCESS_CPUTIME_ID); }
double wall_now() { return now(CLOCK_MONOTONIC); }

double rate(double seconds, bool cpu, const std::function<void()>& work) {
    const double end = wall_now() + seconds;
    const double began = cpu ? cpu_now() : wall_now();
    double calls = 0;
    do {
        work();
        ++calls;
    } while (wall_now() < end);
    return calls / ((cpu ? cpu_now() : wall_now()) - began);
}

void print(double value, const std::string& more) {
    std::printf("{\"value\": %.6g%s%s}\n", value, more.empty() ? "" : ", ", more.c_str());
}

}  // namespace entente::bench

int main(int argc, char** argv) {
    using namespace entente::bench;
    const std::map<std::string, void (*)(const Words&)> commands = {
        {"train", &train}, {"gemm", &gemm}, {"peak", &peak}, {"fold", &fold}, {"median", &median}, {"codec", &codec}};
    const auto command = argc > 1 ? commands.find(argv[1]) : commands.end();
    if (command == commands.end()) {
        std::fputs("core_bench: expected train, gemm, peak, fold, median or codec; tests/bench/core/bench.hpp says with what\n", stderr);
        return 2;
    }
    try {
        command->second(Words(argv + 2, argv + argc));
    } catch (const std::exception& e) {
        std::fprintf(stderr, "core_bench: %s\n", e.what());
        return 1;
    }
    return 0;
}
