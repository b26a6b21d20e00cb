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
    std::string file;     // model envelope
    std::string output;
    std::string format = "safetensors";
    bool json = false;
};
int export_model(const ExportOptions& options, Environment& environment);

}  // namespace entente::commands
