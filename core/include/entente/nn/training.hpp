// Local training of one participant: mini-batches of SGD or Adam, advanced a few batches at a time so that a browser tab
// or a server can do something else in between.
//
//   ENTENTE_ASSIGN(auto training, nn::LocalTraining::start(spec, options, dataset, {}, global));
//   while (!training.finished()) ENTENTE_TRY(training.step(20));
//   send(training.parameters());
//
// One step, batch b of the epoch's order:
//   g = mean gradient of the batch: the sum, in order, of the gradients of its slices, slice s of S holding the examples
//       from floor(n s / S) to below floor(n (s + 1) / S) of n; each computed like a batch of its own, times 1 / n
//   g = g times clip_norm / |g| where |g| > clip_norm
//   g = g + weight_decay * w + proximal_mu * (w - w_initial)              (adamw: without the decay)
//   sgd            w = w - learning_rate * g
//   with momentum  v = momentum * v + g;  w = w - learning_rate * v      (v starts at 0, as in PyTorch)
//   with nesterov  v = momentum * v + g;  w = w - learning_rate * (g + momentum * v)
//   adam           m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2  (Kingma and Ba 2014, arXiv 1412.6980,
//                  algorithm 1);  w = w - learning_rate / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon)
//   adamw          w = w - learning_rate * weight_decay * w first        (Loshchilov and Hutter 2017, arXiv 1711.05101)
// |g| is the norm over all parameters (Pascanu et al. 2013, arXiv 1211.5063, algorithm 1), squares added in double in the
// order in which parameters are kept, which follows from the shapes alone. The optimiser's state starts afresh. Weight decay acts on every parameter, as in PyTorch. The proximal term is FedProx (Li et al. 2018,
// arXiv 1812.06127, equation 2). Epoch e is shuffled by Philox(key, stream e); each epoch starts from the
// order of `rows`; the last batch of an epoch is short if the rows do not divide.
//
// Bits do not depend on how step() is sliced, nor on the machine or its threads. During the training parameters lie in
// the order of the kernels; a plain step goes from the gradient's registers straight into them.
// Ownership: `dataset` and `executor` are borrowed and must outlive the training at the same address; rows and initial
// are copied. Movable. One thread at a time. step() allocates nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "entente/base/executor.hpp"
#include "entente/base/philox.hpp"
#include "entente/data/dataset.hpp"
#include "entente/nn/dropout.hpp"
#include "entente/nn/loss.hpp"
#include "entente/nn/model_spec.hpp"
#include "entente/tensor/kernel_table.hpp"

namespace entente::nn {

// The values are part of a plan's bytes: append, never renumber.
enum class Optimiser : std::uint32_t { sgd = 1, adam = 2, adamw = 3 };

std::string_view to_string(Optimiser optimiser) noexcept;
std::span<const std::string_view> optimiser_names() noexcept;  // in the order of their numbers, from 1

inline constexpr std::uint32_t max_slices = 16;

struct TrainingOptions {
    std::uint32_t epochs = 1;    // >= 1
    std::uint32_t batch = 10;    // >= 1; more than there are rows means all of them
    std::uint32_t slices = 1;    // S, 1 to 16 and at most batch: bits depend on it
    float learning_rate = 0.1f;  // > 0
    Optimiser optimiser = Optimiser::sgd;
    float momentum = 0.0f;       // [0, 1); sgd
    bool nesterov = false;       // sgd, wants a momentum
    float beta1 = 0.9f;          // [0, 1); adam, adamw
    float beta2 = 0.999f;        // [0, 1)
    float epsilon = 1e-8f;       // > 0
    float clip_norm = 0.0f;      // >= 0, 0 = off
    float weight_decay = 0.0f;   // >= 0
    float proximal_mu = 0.0f;    // >= 0, 0 = off
    PhiloxKey key;               // derive_key(seed, round, participant, Purpose::shuffle)
    PhiloxKey dropout_key;       // the same with Purpose::dropout
    LossSpec loss;
    kernels::Numerics numerics = kernels::Numerics::portable;
};

// invalid_argument "training.options".
Status check(const TrainingOptions& options);

// A part of a batch, for whoever computes it.
struct Slice {
    Dropout draw;
    std::uint32_t batch = 0;              // examples in the whole batch
    std::span<const std::uint32_t> rows;  // its examples, rows of the data set; valid until the next step
};

// What one call of step() did.
struct StepReport {
    std::uint64_t batches = 0;
    std::uint64_t examples = 0;
    double mean_loss = 0.0;  // per example, before each batch's update; 0 if nothing was left to do
};

class LocalTraining {
public:
    // Empty `rows` = all of them; a row may appear more than once. Errors, invalid_argument: those of Model,
    // "training.options", "training.shape" (dataset and model disagree), "training.rows" (none, or out of
    // range), "training.initial" (wrong length or non-finite), and those of data::validate and of both checks of
    // nn/loss.hpp.
    static Result<LocalTraining> start(const ModelSpec& spec, const TrainingOptions& options,
                                       const data::Dataset& dataset, std::span<const std::uint32_t> rows,
                                       std::span<const float> initial,
                                       Executor& executor = inline_executor());

    LocalTraining(LocalTraining&&) noexcept;
    LocalTraining& operator=(LocalTraining&&) noexcept;
    ~LocalTraining();

    // Adds `correction`, [d], to the gradient of every step, before anything else: SCAFFOLD's c - c_i (Karimireddy et al.
    // 2020, arXiv 1910.06378, algorithm 1). Before the first step; copied. "training.initial" like start().
    Status correct(std::span<const float> correction);

    // Up to max_batches batches; fewer at the end, none when finished. invalid_argument "training.non-finite"
    // with the step if a loss, or at the end of an epoch a parameter, is not finite: the training is over and every
    // further call says so.
    Result<StepReport> step(std::uint32_t max_batches);

    // The next batch in parts (nn/slices.hpp), where options.slices > 1: which one may be computed here at once or come from
    // elsewhere; the next step() computes the rest. Slices of no examples want nothing. invalid_argument "training.slice"
    // if there is no such slice, or nothing more to train.
    Result<Slice> slice(std::uint32_t s) const;
    Status compute_slice(std::uint32_t s);
    Result<std::span<float>> slice_gradient(std::uint32_t s);  // where it is left, in the order of the kernels; until the next call
    Status take_slice(std::uint32_t s, double loss);           // it has been left there
    [[nodiscard]] std::span<const float> weights() const noexcept;  // the parameters in the order of the kernels

    [[nodiscard]] bool finished() const noexcept;
    [[nodiscard]] double progress() const noexcept;      // 0 to 1
    [[nodiscard]] std::uint64_t steps() const noexcept;  // batches done
    [[nodiscard]] std::uint64_t total_steps() const noexcept;
    [[nodiscard]] std::uint64_t examples() const noexcept;  // examples seen, an example counts once per epoch
    [[nodiscard]] std::uint64_t rows() const noexcept;      // examples per epoch
    [[nodiscard]] double mean_loss() const noexcept;        // over all examples seen so far
    // In the canonical order; valid until the next call of anything but the getters above.
    [[nodiscard]] std::span<const float> parameters() const;
    // The same, given away at the end.
    [[nodiscard]] std::vector<float> take_parameters();

private:
    struct State;
    explicit LocalTraining(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace entente::nn
