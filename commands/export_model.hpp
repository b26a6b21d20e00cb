// A model for the tools that people already have.
#pragma once

#include <span>
#include <string>

#include "commands/environment.hpp"
#include "entente/plan/plan.hpp"

namespace entente::commands {

Result<Bytes> model_as_safetensors(const plan::Plan& plan, std::span<const float> parameters, const Digest& content);

// From a model envelope alone: names and shapes are in its header.
Result<Bytes> envelope_as_safetensors(ByteView envelope);

struct ExportOptions {
    std::string file;    // model envelope, model.entente, safetensors or npz
    std::string output;
    std::string format;  // safetensors, npz, onnx or entente; empty: as the output's name ends
    std::string plan;    // the plan it was made under; entente needs it, and ONNX but of model.entente; otherwise checked when given
    std::string ledger;  // for the card
    std::string given;   // for the card of a task on tables: a line of each partner, the last of its `entente join --json`
    bool json = false;
};
// Writes the model and, beside it, <output>.card.md. "usage.format"; "export.other-plan" and "export.shape" when the
// model is not the plan's.
int export_model(const ExportOptions& options, Environment& environment);

}  // namespace entente::commands
