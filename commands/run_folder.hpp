// What a simulation leaves in --out, for people and for their scripts (examples/read-run):
//
//   run/plan.toml  metrics.csv  partners.csv  report.html
//   run/model.safetensors  model.npz  model.onnx  model-card.md  ledger.entl
//
// With several runs each has such a folder of its own, and the one above holds metrics, partners and report of all.
#pragma once

#include <string>
#include <vector>

#include "commands/environment.hpp"
#include "commands/report.hpp"
#include "commands/simulate_run.hpp"

namespace entente::commands {

// What the report shows of a run.
Result<RunSummary> summary_of(const RunSetting& setting, const std::string& label, const RunResult& run);

// The model with its card, the ledger and the plan. model.onnx is left out for layers that ONNX has no place for.
Status write_model_folder(const std::string& folder, const plan::Plan& plan, const memory::Federation& federation,
                          Environment& environment);
Status write_report_files(const std::string& folder, const Report& report, Environment& environment);

}  // namespace entente::commands
