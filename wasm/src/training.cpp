// A local training by itself, without a federation around it: for tests and measurements of this module.
#include "entente/nn/training.hpp"

#include "entente/codec/merkle.hpp"
#include "json.hpp"
#include "objects.hpp"

using namespace entente;
using namespace entente::wasm;

namespace {

class TrainingObject final : public Trainer {
public:
    TrainingObject(std::shared_ptr<const data::Dataset> data, nn::LocalTraining training)
        : data_(std::move(data)), training_(std::move(training)) {}
    Result<nn::LocalTraining*> training() override { return &training_; }
    [[nodiscard]] const data::Dataset& data() const override { return *data_; }

private:
    std::shared_ptr<const data::Dataset> data_;
    nn::LocalTraining training_;
};

}  // namespace

extern "C" {

// As the participant "page" trains in round 1, on every row.
const Answer* ent_training_create(Handle plan, Handle data) {
    return guard([&]() -> Result<Handle> {
        ENTENTE_ASSIGN(const auto plan_object, find<PlanObject>(plan));
        ENTENTE_ASSIGN(const auto data_object, find<DataObject>(data));
        const plan::Plan& p = plan_object->plan;
        ENTENTE_ASSIGN(nn::LocalTraining training,
                       nn::LocalTraining::start(p.task.model, plan::training_options(p, 1, "page"), *data_object->data, {},
                                                plan::initial_parameters(p), executor()));
        return keep(std::make_shared<TrainingObject>(data_object->data, std::move(training)));
    });
}

const Answer* ent_training_step(Handle handle, std::uint32_t max_batches) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<TrainingObject>(handle));
        ENTENTE_ASSIGN(nn::LocalTraining * training, self->training());
        ENTENTE_ASSIGN(const nn::StepReport report, training->step(max_batches));
        return Json().number("batches", report.batches).number("examples", report.examples).number("loss", report.mean_loss)
            .flag("finished", training->finished()).done();
    });
}

// Of the parameters as they are now.
const Answer* ent_training_digest(Handle handle) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<TrainingObject>(handle));
        ENTENTE_ASSIGN(nn::LocalTraining * training, self->training());
        return to_hex(codec::merkle_root(std::as_bytes(training->parameters())));
    });
}

}  // extern "C"
