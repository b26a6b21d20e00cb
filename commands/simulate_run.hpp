// One run of a simulation: from its plan to its last round, with progress, interruption and resumption.
#pragma once

#include <functional>
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
    std::string title;       // names it among several; empty when it is the only one
    std::vector<memory::PartnerSetup> partners;  // none: the options' deal
    std::function<Status(const memory::Federation&)> on_round = {};  // after each, with its model; may be empty
};

struct RunResult {
    memory::Federation federation;
    std::vector<double> round_seconds;  // of the rounds that ran now; empty for those before a resumption
    double seconds = 0;
    bool interrupted = false;  // the checkpoint is written
};

// A checkpoint replaces the one before every options.checkpoint_every_s, between two rounds, so that a run that is killed
// goes on from there. One of several runs leaves its checkpoint at its end too, and --resume goes through those that
// have one.
// Fails like Federation::create and advance, "simulate.stuck" when a round can never close, and with --resume like
// Federation::resume and "file.missing".
Result<RunResult> run_simulation(const SimulateOptions& options, const RunSetting& setting, const DigitsExamples& digits,
                                 Environment& environment);

}  // namespace entente::commands
