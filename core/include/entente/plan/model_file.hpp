// A trained model of a task on tables as one file, and what a partner keeps beside it.
//
//   Bytes file = plan::write_model_file({late, parameters, {}, shared.statistics, plan::digest_of(plan)});   // model.entente
//   ENTENTE_ASSIGN(const plan::ModelFile model, plan::read_model_file(file));
//   ENTENTE_ASSIGN(task::Predictor predictor, plan::predictor_of(model));
//
//   Bytes kept = plan::write_watch(watch, plan::digest_of(model));                                          // a file of the partner's own
//   ENTENTE_ASSIGN(const task::Watch again, plan::read_watch(kept, model));
//
// "ENTM" and the version 1, or "ENTW" and 1, then a canonical archive (entente/codec/archive.hpp). What comes back has passed task::check
// and can be scored with. A watch belongs to the model that its threshold was calibrated for. A model file has no row of anybody's; a
// watch has deciles and counts of the partner's own rows.
// Errors, invalid_argument: "model.malformed", those of the archive, of task::check and of nn::Model; conflict "watch.other-model".
// Thread-safety: pure functions.
#pragma once

#include <optional>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/task/watch.hpp"
#include "entente/trees/forest.hpp"

namespace entente::plan {

struct ModelFile {
    task::Task task;                             // with its model and loss; what trees were grown with is left out
    std::vector<float> parameters;               // of the network; empty with a forest
    std::optional<trees::Forest> forest;
    std::optional<task::Statistics> statistics;  // everybody's, to scale with; none: a partner scales by its own rows
    Digest plan;                                 // under which it was trained; zero: no plan

    friend bool operator==(const ModelFile&, const ModelFile&) = default;
};

Bytes write_model_file(const ModelFile& model);
Result<ModelFile> read_model_file(ByteView bytes);
// SHA-256 of what write_model_file writes.
Digest digest_of(const ModelFile& model);
// REQUIRES: the model was read, or would be.
Result<task::Predictor> predictor_of(const ModelFile& model);

Bytes write_watch(const task::Watch& watch, const Digest& model);
Result<task::Watch> read_watch(ByteView bytes, const ModelFile& model);

}  // namespace entente::plan
