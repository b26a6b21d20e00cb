// The network campaign: seeds one after another, until one breaks an invariant.
//
//   fault_network --seeds 100000 --from 1 --json      a line at the end; --first: no further than the first that breaks
//   fault_network --seed 4711 --trace                 one of them, with all that happens
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <atomic>
#include <mutex>

#include "fault/network.hpp"

int main(int count, char** arguments) {
    std::uint64_t seeds = 1000, from = 1, threads = std::max(1u, std::thread::hardware_concurrency());
    bool trace = false, json = false, first = false;
    for (int i = 1; i < count; ++i) {
        const auto number = [&]() -> std::uint64_t { return i + 1 < count ? std::strtoull(arguments[++i], nullptr, 10) : 0; };
        if (std::strcmp(arguments[i], "--seeds") == 0) seeds = number();
        else if (std::strcmp(arguments[i], "--from") == 0) from = number();
        else if (std::strcmp(arguments[i], "--threads") == 0) threads = std::max<std::uint64_t>(1, number());
        else if (std::strcmp(arguments[i], "--seed") == 0) from = number(), seeds = 1;
        else if (std::strcmp(arguments[i], "--trace") == 0) trace = true;
        else if (std::strcmp(arguments[i], "--json") == 0) json = true;
        else if (std::strcmp(arguments[i], "--first") == 0) first = true;
        else return std::fprintf(stderr, "fault_network: expected --seeds N, --from S, --seed S, --threads N, --trace, --json or --first, found %s\n", arguments[i]), 2;
    }
    std::atomic<std::uint64_t> next = from;
    std::mutex mutex;
    fault::Verdict all;
    std::uint64_t broken = 0;
    const auto work = [&] {
        for (std::uint64_t seed = next++; seed < from + seeds; seed = next++) {
            const fault::Verdict v = fault::run(seed, trace);
            const std::lock_guard lock(mutex);
            all.rounds += v.rounds, all.abandoned += v.abandoned, all.refused += v.refused, all.calls += v.calls;
            all.lost += v.lost, all.doubled += v.doubled, all.kills += v.kills, all.virtual_ms += v.virtual_ms;
            broken += v.violations.empty() ? 0 : 1;
            if (first && broken > 0) next = from + seeds;
            for (const std::string& what : v.violations) {
                std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), what.c_str());
                all.violations.push_back(what);
            }
        }
    };
    std::vector<std::thread> workers;
    for (std::uint64_t i = 1; i < threads; ++i) workers.emplace_back(work);
    work();
    for (std::thread& worker : workers) worker.join();
    if (fault::run(from).digest != fault::run(from).digest) {
        std::printf("seed %llu does not run the same way twice\n", static_cast<unsigned long long>(from));
        ++broken;
    }
    const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf(json ? "{\"campaign\":\"network\",\"seeds\":%llu,\"broken\":%llu,\"violations\":%llu,\"rounds\":%llu,\"abandoned\":%llu,\"refused\":%llu,"
                       "\"calls\":%llu,\"lost\":%llu,\"doubled\":%llu,\"kills\":%llu,\"virtual_hours\":%.1f}\n"
                     : "%llu seeds, %llu broken with %llu violations: %llu rounds, %llu abandoned, %llu updates refused, %llu calls, %llu lost, %llu doubled, "
                       "%llu kills, %.1f virtual hours\n",
                n(seeds), n(broken), n(all.violations.size()), n(all.rounds), n(all.abandoned), n(all.refused), n(all.calls), n(all.lost), n(all.doubled),
                n(all.kills), static_cast<double>(all.virtual_ms) / 3'600'000);
    return broken == 0 ? 0 : 1;
}
