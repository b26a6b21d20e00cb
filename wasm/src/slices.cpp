// Slices of a training that other Workers compute, each with a module of its own: see entente/nn/slices.hpp.
//
//   leader                                      helper
//   ent_slice_task(training, s), bytes      ->  ent_helper_compute(helper, bytes): loss, float64
//   what ent_slice_weights names            ->  what ent_helper_weights names
//   what ent_slice_gradient names           <-  what ent_helper_gradient names
//   ent_slice_take(training, s, loss)
//
// Places in memory are answered as they are, pointer and size in bytes; they are copied from or into at once.
#include "entente/nn/slices.hpp"

#include <cstring>

#include "objects.hpp"

using namespace entente;
using namespace entente::wasm;

namespace {

struct HelperObject final : Object {
    explicit HelperObject(nn::SliceHelper helper_in) : helper(std::move(helper_in)) {}
    nn::SliceHelper helper;
    std::vector<float> inputs;
    std::vector<nn::Target> targets;
};

// What goes before the labels and the inputs of a task.
struct TaskHead {
    nn::Dropout draw;
    std::uint32_t batch;
    std::uint32_t count;
};

template <class T>
std::byte* put(std::byte* to, const T* from, std::size_t count) {
    std::memcpy(to, from, count * sizeof(T));
    return to + count * sizeof(T);
}

Result<nn::LocalTraining*> training_of(Handle handle) {
    ENTENTE_ASSIGN(const auto trainer, find<Trainer>(handle));
    return trainer->training();
}

Result<std::span<const std::byte>> place(std::span<const float> floats) { return std::as_bytes(floats); }

}  // namespace

extern "C" {

// Empty when the slice has no examples.
const Answer* ent_slice_task(Handle training, std::uint32_t s) {
    return guard([&]() -> Result<Bytes> {
        ENTENTE_ASSIGN(const auto trainer, find<Trainer>(training));
        ENTENTE_ASSIGN(nn::LocalTraining * local, trainer->training());
        ENTENTE_ASSIGN(const nn::Slice slice, local->slice(s));
        if (slice.rows.empty()) return Bytes();
        const data::Dataset& data = trainer->data();
        const std::size_t example = data.example_size();
        const TaskHead head{slice.draw, slice.batch, static_cast<std::uint32_t>(slice.rows.size())};
        Bytes task(sizeof head + slice.rows.size() * (sizeof(std::uint32_t) + example * sizeof(float)));
        std::byte* to = put(task.data(), &head, 1);
        for (const std::uint32_t row : slice.rows) to = put(to, &data.labels[row], 1);
        for (const std::uint32_t row : slice.rows) to = put(to, data.example(row).data(), example);
        return task;
    });
}

const Answer* ent_slice_weights(Handle training) {
    return guard([&]() -> Result<std::span<const std::byte>> {
        ENTENTE_ASSIGN(nn::LocalTraining * local, training_of(training));
        return place(local->weights());
    });
}

const Answer* ent_slice_compute(Handle training, std::uint32_t s) {
    return guard([&]() -> Result<Done> {
        ENTENTE_ASSIGN(nn::LocalTraining * local, training_of(training));
        return local->compute_slice(s);
    });
}

const Answer* ent_slice_gradient(Handle training, std::uint32_t s) {
    return guard([&]() -> Result<std::span<const std::byte>> {
        ENTENTE_ASSIGN(nn::LocalTraining * local, training_of(training));
        ENTENTE_ASSIGN(const auto gradient, local->slice_gradient(s));
        return place(gradient);
    });
}

const Answer* ent_slice_take(Handle training, std::uint32_t s, double loss) {
    return guard([&]() -> Result<Done> {
        ENTENTE_ASSIGN(nn::LocalTraining * local, training_of(training));
        return local->take_slice(s, loss);
    });
}

const Answer* ent_helper_create(Handle plan) {
    return guard([&]() -> Result<Handle> {
        ENTENTE_ASSIGN(const auto object, find<PlanObject>(plan));
        ENTENTE_ASSIGN(nn::SliceHelper helper,
                       nn::SliceHelper::create(object->plan.task.model, plan::training_options(object->plan, 1, {})));
        return keep(std::make_shared<HelperObject>(std::move(helper)));
    });
}

const Answer* ent_helper_weights(Handle handle) {
    return guard([&]() -> Result<std::span<const std::byte>> {
        ENTENTE_ASSIGN(const auto self, find<HelperObject>(handle));
        return place(self->helper.weights());
    });
}

const Answer* ent_helper_compute(Handle handle, const std::byte* task, std::uint32_t size) {
    return guard([&]() -> Result<Bytes> {
        ENTENTE_ASSIGN(const auto self, find<HelperObject>(handle));
        TaskHead head{};
        const std::size_t example = static_cast<std::size_t>(self->helper.example_size());
        if (size >= sizeof head) std::memcpy(&head, task, sizeof head);
        if (head.count == 0 || (size - sizeof head) / head.count != sizeof(std::uint32_t) + example * sizeof(float) ||
            (size - sizeof head) % head.count != 0) {
            return Error{Code::invalid_argument, "training.slice", "slice: expected a task of this plan, found " + std::to_string(size) + " bytes"};
        }
        const std::byte* from = task + sizeof head;
        self->targets.resize(head.count);
        for (nn::Target& target : self->targets) {
            std::memcpy(&target.label, from, sizeof target.label);
            from += sizeof target.label;
        }
        self->inputs.resize(head.count * example);
        std::memcpy(self->inputs.data(), from, self->inputs.size() * sizeof(float));
        ENTENTE_ASSIGN(const double loss, self->helper.compute(head.draw, head.batch, self->inputs, self->targets));
        Bytes out(sizeof loss);
        put(out.data(), &loss, 1);
        return out;
    });
}

const Answer* ent_helper_gradient(Handle handle) {
    return guard([&]() -> Result<std::span<const std::byte>> {
        ENTENTE_ASSIGN(const auto self, find<HelperObject>(handle));
        return place(self->helper.gradient());
    });
}

}  // extern "C"
