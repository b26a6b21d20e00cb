// What a simulation says while it runs and at its end: lines for people, or one JSON object a line.
#pragma once

#include <cstdint>
#include <string>

#include "commands/environment.hpp"
#include "connectors/memory/federation.hpp"

namespace entente::commands {

void print_round(const memory::RoundResult& round, std::uint64_t rounds, double seconds, Environment& environment);
// One row per partner while they fit a screen; one line otherwise. Then the model's digest.
void print_partners(const memory::Federation& federation, Environment& environment);

// {"round":1,"accuracy":0.91,"loss":0.30,"train_loss":0.41,"seconds":0.2,"bytes_up":…,"bytes_down":…,"partners":10};
// accuracy and loss are null in a round that was not evaluated.
// `run` comes first unless it is empty.
std::string round_json(const std::string& run, const memory::RoundResult& round, double seconds);
// The last line.
std::string end_json(const std::string& run, const memory::Federation& federation, double seconds);

// "Round 12 of 100 · 40 of 100 partners · 3 min left"
std::string progress_text(const memory::Progress& progress, double seconds_left);
// Of the whole simulation, 0 to 1.
double progress_fraction(const memory::Progress& progress);

}  // namespace entente::commands
