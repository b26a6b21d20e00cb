// One run of a simulation: from its plan to its last round, with progress, interruption and resumption.
#pragma once

#include <string>
#include <vector>

#include "commands/digits.hpp"
#include "commands/environment.hpp"
#include "commands/simulate.hpp"
#include "connectors/memory/federation.hpp"

namespace entente::commands {

struct RunSetting {
    plan::Plan plan;         // as it is carried out
    std::string checkpoint;  // file
    std::string title;       // before the first line, when there are several runs; may be empty
};

struct RunResult {
    memory::Federation federation;
    std::vector<double> round_seconds;  // of the rounds that ran now; empty for those before a resumption
    double seconds = 0;
    bool interrupted = false;  // the checkpoint is written
};

// m = max(C K, 1), McMahan et al. 2017, algorithm 1.
std::uint32_t sampled_partners(const SimulateOptions& options);

// Fails like Federation::create and advance, "simulate.stuck" when a round can never close, and with --resume like
// Federation::resume and "file.missing".
Result<RunResult> run_simulation(const SimulateOptions& options, const RunSetting& setting, const DigitsFolder& digits,
                                 Environment& environment);

}  // namespace entente::commands
