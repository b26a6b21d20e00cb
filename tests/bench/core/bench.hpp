// One measurement at a time, for tests/bench/run.py, which interleaves them with the same work of others.
//
//   core_bench train cnn fused 32 1 0.5      ->  {"value": 2680.1, "cpu": true}
//
// Each command prints one line of JSON and takes about the seconds that it is given.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace entente::bench {

using Words = std::vector<std::string>;

// Seconds of CPU time of the whole process.
double cpu_now();
double wall_now();

// Calls `work` until `seconds` of wall time are over, at least once; returns calls per second of the given clock.
double rate(double seconds, bool cpu, const std::function<void()>& work);

void print(double value, const std::string& more = {});  // more: `"name": value` pairs, comma between

// The rest of the command line; throw std::runtime_error for what is not understood.
void train(const Words& words);  // MODEL NUMERICS BATCH THREADS SECONDS [MNIST FOLDER]
void gemm(const Words& words);   // M N K NUMERICS SECONDS
void peak(const Words& words);   // NUMERICS SECONDS
void fold(const Words& words);   // UPDATES plain|checked BITS THREADS
void median(const Words& words);  // UPDATES BITS THREADS
void codec(const Words& words);  // ours|zstd BITS SECONDS

}  // namespace entente::bench
