// What JavaScript holds by handle, and what its parts say of it.
#pragma once

#include <memory>
#include <string>

#include "boundary.hpp"
#include "entente/base/executor.hpp"
#include "entente/codec/sign.hpp"
#include "entente/data/dataset.hpp"
#include "entente/nn/training.hpp"
#include "entente/plan/plan.hpp"
#include "entente/task/score.hpp"
#include "entente/task/sums.hpp"

namespace entente::wasm {

struct PlanObject final : Object {
    plan::Plan plan;
    codec::PublicKey coordinator;
    std::uint64_t envelope_bytes = 0;
};

struct DataObject final : Object {
    std::shared_ptr<const data::Dataset> data;
};

// How good a model is on the rows behind the split: by the share that is right or the task's first metric, -1 is not known;
// and by all of the task's metrics, a JSON list.
struct Quality {
    double first = -1;
    std::string all;  // empty: digits
};

// The rows of a partner's table (table.cpp). A participant knows this much of them, so that modules for digits alone do without
// the rest.
class TableRows : public Object {
public:
    // Where they are scaled with others, the data sets are others too. True when they are.
    virtual Result<bool> scale(const task::Shared& shared) = 0;
    [[nodiscard]] virtual Result<Quality> quality(std::span<const float> parameters) const = 0;
    [[nodiscard]] virtual const std::vector<std::int32_t>& sums() const = 0;  // empty: the task shares none
    [[nodiscard]] virtual std::shared_ptr<const data::Dataset> train() const = 0;
    [[nodiscard]] virtual std::shared_ptr<const data::Dataset> test() const = 0;
    // What it was made of.
    [[nodiscard]] virtual const task::Task& task() const = 0;
    [[nodiscard]] virtual const task::Rows& rows() const = 0;
    [[nodiscard]] virtual const task::Mapping& mapping() const = 0;
    [[nodiscard]] virtual const task::Statistics& statistics() const = 0;
};

// What trainings run on: the caller's thread, or the threads that ent_threads() started.
Executor& executor();

// Whatever trains: its slices may be computed elsewhere (slices.cpp).
class Trainer : public Object {
public:
    // What the next step belongs to; "training.none" when nothing trains now.
    virtual Result<nn::LocalTraining*> training() = 0;
    [[nodiscard]] virtual const data::Dataset& data() const = 0;
};

Result<codec::SigningKey> signing_key(const std::byte* seed, std::uint32_t size);

std::string terms_json(const policy::Policy& policy);

// Probabilities as little-endian float32.
Result<Bytes> predict(const plan::Plan& plan, std::span<const float> parameters, const float* example, std::uint32_t size);
Result<Bytes> safetensors(const plan::Plan& plan, std::span<const float> parameters, std::uint64_t rounds);

}  // namespace entente::wasm
