// A trained model as an ONNX file (opset 17), for ONNX Runtime and everything else that reads it.
//
//   Result<Bytes> file = codec::write_onnx(plan.task.model, parameters, {{"plan_digest", hex}});
//
// Input "input" [batch, input shape], float32, as the model takes it: channels last. Output "output" [batch, outputs]:
// what the last layer gives (logits). Convolutions and pools want channels first in ONNX, so the graph turns pictures
// before the first of them and back where something else reads them; weights are stored turned. Dropout is left out. GELU and
// group normalisation, which opset 17 does not have, are written out; a GRU's gates are put in ONNX's order.
//
// Errors, invalid_argument: those of nn::infer_layout; "onnx.sizes" when the number of parameters is another than the
// model's; "onnx.not-finite".
// Thread-safety: pure function.
#pragma once

#include <map>
#include <span>
#include <string>

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"
#include "entente/nn/model_spec.hpp"

namespace entente::codec {

Result<Bytes> write_onnx(const nn::ModelSpec& model, std::span<const float> parameters,
                         const std::map<std::string, std::string>& metadata = {});

}  // namespace entente::codec
