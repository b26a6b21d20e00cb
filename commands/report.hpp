// What a simulation came to, as one HTML page that opens from a disk without a network: curves with bands over seeds,
// how the model does with each partner, bytes, the plan. Light and dark, and as narrow as a phone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "connectors/memory/federation.hpp"

namespace entente::commands {

// One run of the grid with one seed.
struct RunSummary {
    std::string label;  // what sets it apart: "strategy=fedprox, local.epochs=5"; empty when there is one run
    std::uint64_t seed = 0;
    std::vector<memory::RoundResult> rounds;
    std::vector<double> round_seconds;         // may be shorter: the last ones
    std::vector<double> partner_accuracy;      // the final model on each partner's own rows
    Digest plan;
    Digest model;
    double seconds = 0;
};

struct Report {
    std::string title;
    std::string data;       // how the data was dealt, in words
    std::string plan_toml;  // of the first run
    std::vector<RunSummary> runs;
};

std::string html_report(const Report& report);
// A page of these reports: its title as heading, then `body`, which is HTML.
std::string html_page(const std::string& title, const std::string& body);
// A table that is scrolled by itself where a page is narrow; `label` says what it is, `rows` are its head and body.
std::string html_table(const std::string& label, const std::string& rows);

// run,seed,round,accuracy,loss,train_loss,seconds,bytes_up,bytes_down,partners. Empty cells for what is not known.
std::string metrics_csv(const std::vector<RunSummary>& runs);
// run,seed,partner,accuracy
std::string partners_csv(const std::vector<RunSummary>& runs);

}  // namespace entente::commands
