#include "entente/nn/training.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "entente/tensor/kernels.hpp"
#include "nn/engine.hpp"

namespace entente::nn {

namespace {
constexpr std::array<std::string_view, 3> optimisers{"sgd", "adam", "adamw"};
}

std::string_view to_string(Optimiser optimiser) noexcept {
    const auto number = static_cast<std::size_t>(optimiser);
    return number >= 1 && number <= optimisers.size() ? optimisers[number - 1] : "unknown";
}

std::span<const std::string_view> optimiser_names() noexcept { return optimisers; }

struct LocalTraining::State {
    State(std::unique_ptr<Engine> e, const TrainingOptions& o, const data::Dataset& d)
        : engine(std::move(e)), options(o), dataset(&d) {}

    std::unique_ptr<Engine> engine;
    TrainingOptions options;
    const data::Dataset* dataset;
    std::vector<std::uint32_t> rows;   // as given
    std::vector<std::uint32_t> order;  // of the current epoch
    std::size_t batch = 0;

    AlignedFloats sum;              // packed, of the slices' gradients; only with several
    AlignedFloats correction;       // packed; only when asked for
    AlignedFloats origin;           // packed; only with a proximal term
    AlignedFloats velocity;         // packed; only with momentum, or Adam's first moment
    AlignedFloats squares;          // packed; only with Adam
    double beta1_power = 1.0;       // Adam: beta^t
    double beta2_power = 1.0;
    std::vector<float> parameters;  // canonical, filled when asked for

    std::uint32_t epoch = 0;
    std::size_t next = 0;  // position in `order`
    std::uint64_t steps = 0;
    std::uint64_t examples = 0;
    double loss_sum = 0.0;
    std::optional<Error> failure;

    // Nothing stands between the gradient and the weights.
    [[nodiscard]] bool plain() const {
        return options.slices == 1 && correction.size() == 0 && origin.size() == 0 && velocity.size() == 0 &&
               options.weight_decay == 0.0f && options.clip_norm == 0.0f;
    }

    void begin_epoch() {
        std::copy(rows.begin(), rows.end(), order.begin());
        Philox(options.key, epoch).shuffle(order);
        next = 0;
    }

    // A slice of the next batch that does not wait for its turn.
    struct Ready {
        AlignedFloats gradient;
        double loss = 0.0;
        bool ready = false;
    };
    std::vector<Ready> ready;  // one for each slice, once one was asked for

    [[nodiscard]] std::size_t next_count() const { return std::min(batch, rows.size() - next); }
    // The first example of slice s in a batch of `count`.
    [[nodiscard]] std::size_t first_of(std::uint32_t s, std::size_t count) const { return count * s / options.slices; }
    [[nodiscard]] Status check_slice(std::uint32_t s) const;
    Ready& place(std::uint32_t s);

    // The next batch: gather, gradient, update. Returns the sum of the losses.
    Result<double> one_batch(std::size_t count);
    // Examples [first, last) of the next batch of `count`: leaves their gradient in the engine, returns their losses' sum.
    double compute(std::size_t first, std::size_t last, std::size_t count);
    void update(float* gradient);
};

Status LocalTraining::State::check_slice(std::uint32_t s) const {
    if (options.slices > 1 && s < options.slices && !failure && epoch < options.epochs) return done();
    return Error{Code::invalid_argument, "training.slice",
                 "LocalTraining: expected a slice below " + std::to_string(options.slices) + " of several, before the end, found " +
                     std::to_string(s)};
}

LocalTraining::State::Ready& LocalTraining::State::place(std::uint32_t s) {
    if (ready.empty()) {
        ready.resize(options.slices);
        for (Ready& one : ready) one.gradient = AlignedFloats(engine->packed_size());
    }
    return ready[s];
}

double LocalTraining::State::compute(std::size_t first, std::size_t last, std::size_t count) {
    for (std::size_t i = first; i < last; ++i) {
        const std::uint32_t row = order[next + i];
        engine->set_input(i - first, dataset->example(row).data());
        engine->set_target(i - first, target_of(*dataset, row));
    }
    engine->set_dropout({options.dropout_key, steps, first});
    engine->forward(last - first, true);
    return engine->backward(1.0f / static_cast<float>(count), plain(), options.learning_rate);
}

Result<double> LocalTraining::State::one_batch(std::size_t count) {
    double loss = 0.0;
    std::size_t first = 0;
    for (std::uint32_t s = 0; s < options.slices; ++s) {
        const std::size_t last = first_of(s + 1, count);
        if (last == first) continue;  // fewer examples than slices
        Ready* const given = !ready.empty() && ready[s].ready ? &ready[s] : nullptr;
        loss += given != nullptr ? given->loss : compute(first, last, count);
        if (options.slices > 1) {
            if (given != nullptr) engine->swap_gradient(given->gradient);
            if (first == 0) {
                engine->swap_gradient(sum);
            } else {
                engine->kernels().add(engine->gradient(), sum.data(), sum.size());
            }
            if (given != nullptr) given->ready = false;
        }
        first = last;
    }
    if (!std::isfinite(loss)) {
        return Error{Code::invalid_argument, "training.non-finite",
                     "LocalTraining: expected a finite loss, found none at step " +
                         std::to_string(steps + 1) + "; a smaller learning rate or clip_norm may help"};
    }
    if (!plain()) update(options.slices > 1 ? sum.data() : engine->gradient());
    return loss;
}

void LocalTraining::State::update(float* gradient) {
    const kernels::Table& k = engine->kernels();
    const std::size_t count = engine->packed_size();
    for (std::size_t i = 0; i < correction.size(); ++i) gradient[i] += correction.data()[i];
    if (options.clip_norm > 0.0f) {
        const double norm = std::sqrt(k.dot(gradient, gradient, count));
        if (norm > static_cast<double>(options.clip_norm))
            k.scale(static_cast<float>(static_cast<double>(options.clip_norm) / norm), gradient, count);
    }
    const float decay = options.optimiser == Optimiser::adamw ? 0.0f : options.weight_decay;
    if (decay > 0.0f || origin.size() != 0) {
        k.regularise(decay, options.proximal_mu, engine->weights(),
                     origin.size() == 0 ? nullptr : origin.data(), gradient, count);
    }
    if (options.optimiser != Optimiser::sgd) {
        beta1_power *= static_cast<double>(options.beta1);
        beta2_power *= static_cast<double>(options.beta2);
        kernels::Adam adam;
        adam.rate = static_cast<float>(static_cast<double>(options.learning_rate) / (1.0 - beta1_power));
        adam.beta1 = options.beta1;
        adam.beta2 = options.beta2;
        adam.scale = static_cast<float>(1.0 / std::sqrt(1.0 - beta2_power));
        adam.epsilon = options.epsilon;
        if (options.optimiser == Optimiser::adamw) adam.shrink = options.learning_rate * options.weight_decay;
        k.adam(adam, gradient, velocity.data(), squares.data(), engine->weights(), count);
    } else if (velocity.size() == 0) {
        k.sgd(options.learning_rate, gradient, engine->weights(), count);
    } else {
        k.sgd_momentum(options.learning_rate, options.momentum, options.nesterov, gradient, velocity.data(), engine->weights(), count);
    }
}

Status check(const TrainingOptions& o) {
    const auto refuse = [](const std::string& message) {
        return Error{Code::invalid_argument, "training.options", "LocalTraining: expected " + message};
    };
    if (o.epochs == 0) return refuse("epochs >= 1, found 0");
    if (o.batch == 0) return refuse("batch >= 1, found 0");
    if (o.slices == 0 || o.slices > max_slices || o.slices > o.batch)
        return refuse("slices from 1 to " + std::to_string(std::min(max_slices, o.batch)) + ", found " + std::to_string(o.slices));
    // Written so that NaN is refused.
    if (!(o.learning_rate > 0.0f && std::isfinite(o.learning_rate))) return refuse("a learning rate above 0");
    if (to_string(o.optimiser) == "unknown") return refuse("a known optimiser");
    const bool sgd = o.optimiser == Optimiser::sgd;
    if (!(o.momentum >= 0.0f && o.momentum < 1.0f)) return refuse("a momentum from 0 to below 1");
    if (!sgd && (o.momentum != 0.0f || o.nesterov)) return refuse("a momentum only with sgd");
    if (o.nesterov && o.momentum == 0.0f) return refuse("a momentum above 0 with nesterov");
    if (!(o.beta1 >= 0.0f && o.beta1 < 1.0f)) return refuse("beta1 from 0 to below 1");
    if (!(o.beta2 >= 0.0f && o.beta2 < 1.0f)) return refuse("beta2 from 0 to below 1");
    if (!(o.epsilon > 0.0f && std::isfinite(o.epsilon))) return refuse("an epsilon above 0");
    if (!(o.clip_norm >= 0.0f && std::isfinite(o.clip_norm))) return refuse("a clip norm of at least 0");
    if (!(o.weight_decay >= 0.0f && std::isfinite(o.weight_decay)))
        return refuse("a weight decay of at least 0");
    if (!(o.proximal_mu >= 0.0f && std::isfinite(o.proximal_mu)))
        return refuse("a proximal mu of at least 0");
    return done();
}

namespace {

Result<std::vector<std::uint32_t>> resolve(std::span<const std::uint32_t> rows, std::size_t size) {
    std::vector<std::uint32_t> result(rows.begin(), rows.end());
    if (rows.empty()) {
        result.resize(size);
        std::iota(result.begin(), result.end(), 0u);
    }
    if (result.empty() || result.size() > std::numeric_limits<std::uint32_t>::max()) {
        return Error{Code::invalid_argument, "training.rows",
                     "LocalTraining: expected at least one row, found " + std::to_string(result.size())};
    }
    for (const std::uint32_t row : result) {
        if (row >= size) {
            return Error{Code::invalid_argument, "training.rows",
                         "LocalTraining: expected rows below " + std::to_string(size) + ", found " +
                             std::to_string(row)};
        }
    }
    return result;
}

}  // namespace

Result<LocalTraining> LocalTraining::start(const ModelSpec& spec, const TrainingOptions& options,
                                           const data::Dataset& dataset, std::span<const std::uint32_t> rows,
                                           std::span<const float> initial, Executor& executor) {
    ENTENTE_TRY(check(options));
    ENTENTE_TRY(data::validate(dataset));
    ENTENTE_ASSIGN(const std::uint32_t outputs, output_count(spec));
    ENTENTE_TRY(nn::check(options.loss, outputs));
    if (dataset.example_shape != spec.input_shape) {
        return Error{Code::invalid_argument, "training.shape",
                     "LocalTraining: expected examples of the model's input shape, found examples of " +
                         std::to_string(dataset.example_size()) + " values"};
    }
    ENTENTE_TRY(nn::check(options.loss, outputs, dataset));
    ENTENTE_ASSIGN(auto resolved, resolve(rows, dataset.size()));
    const std::size_t batch = std::min<std::size_t>(options.batch, resolved.size());
    ENTENTE_ASSIGN(auto engine,
                   Engine::create(spec, static_cast<std::uint32_t>((batch + options.slices - 1) / options.slices),
                                  options.numerics, executor));
    const auto count = static_cast<std::size_t>(engine->layout().parameter_count);
    if (initial.size() != count || !kernels::active().all_finite(initial.data(), count)) {
        return Error{Code::invalid_argument, "training.initial",
                     "LocalTraining: expected " + std::to_string(count) + " finite parameters, found " +
                         std::to_string(initial.size())};
    }

    ENTENTE_TRY(engine->check_inputs(dataset.features));

    auto state = std::make_unique<State>(std::move(engine), options, dataset);
    Engine& e = *state->engine;
    e.prepare_gradients();
    state->rows = std::move(resolved);
    state->order.resize(state->rows.size());
    state->batch = batch;
    e.pack(initial, e.weights());
    if (options.slices > 1) state->sum = AlignedFloats(e.packed_size());
    if (options.proximal_mu > 0.0f) {
        state->origin = AlignedFloats(e.packed_size());
        e.pack(initial, state->origin.data());
    }
    const bool adam = options.optimiser != Optimiser::sgd;
    if (options.momentum > 0.0f || adam) state->velocity = AlignedFloats(e.packed_size());
    if (adam) state->squares = AlignedFloats(e.packed_size());
    e.set_loss(options.loss);
    state->begin_epoch();
    return LocalTraining(std::move(state));
}

LocalTraining::LocalTraining(std::unique_ptr<State> state) : state_(std::move(state)) {}
LocalTraining::LocalTraining(LocalTraining&&) noexcept = default;
LocalTraining& LocalTraining::operator=(LocalTraining&&) noexcept = default;
LocalTraining::~LocalTraining() = default;

Status LocalTraining::correct(std::span<const float> correction) {
    State& s = *state_;
    const std::uint64_t count = s.engine->layout().parameter_count;
    if (correction.size() != count || s.steps > 0 ||
        !s.engine->kernels().all_finite(correction.data(), correction.size())) {
        return Error{Code::invalid_argument, "training.initial",
                     "LocalTraining: expected a correction of " + std::to_string(count) +
                         " finite numbers before the first step, found " + std::to_string(correction.size())};
    }
    s.correction = AlignedFloats(s.engine->packed_size());
    s.engine->pack(correction, s.correction.data());
    return done();
}

Result<StepReport> LocalTraining::step(std::uint32_t max_batches) {
    State& s = *state_;
    if (s.failure) return *s.failure;
    StepReport report;
    double loss_sum = 0.0;
    while (report.batches < max_batches && s.epoch < s.options.epochs) {
        const std::size_t count = s.next_count();
        Result<double> loss = s.one_batch(count);
        if (!loss) {
            s.failure = loss.error();
            return *s.failure;
        }
        s.next += count;
        s.steps += 1;
        s.examples += count;
        s.loss_sum += *loss;
        loss_sum += *loss;
        report.batches += 1;
        report.examples += count;
        if (s.next < s.rows.size()) continue;
        // No later loss reveals the last update, and a ReLU may hide an earlier one: it makes zero of what is not a number.
        if (!s.engine->kernels().all_finite(s.engine->weights(), s.engine->packed_size())) {
            s.failure = Error{Code::invalid_argument, "training.non-finite",
                              "LocalTraining: expected finite parameters after epoch " + std::to_string(s.epoch + 1) +
                                  ", found others at step " + std::to_string(s.steps) +
                                  "; a smaller learning rate or clip_norm may help"};
            return *s.failure;
        }
        if (++s.epoch < s.options.epochs) s.begin_epoch();
    }
    if (report.examples > 0) report.mean_loss = loss_sum / static_cast<double>(report.examples);
    return report;
}

Result<Slice> LocalTraining::slice(std::uint32_t s) const {
    const State& state = *state_;
    ENTENTE_TRY(state.check_slice(s));
    const std::size_t count = state.next_count();
    const std::size_t first = state.first_of(s, count);
    return Slice{{state.options.dropout_key, state.steps, first}, static_cast<std::uint32_t>(count),
                 std::span(state.order).subspan(state.next + first, state.first_of(s + 1, count) - first)};
}

Status LocalTraining::compute_slice(std::uint32_t s) {
    State& state = *state_;
    ENTENTE_TRY(state.check_slice(s));
    const std::size_t count = state.next_count();
    const std::size_t first = state.first_of(s, count);
    const std::size_t last = state.first_of(s + 1, count);
    if (first == last) return done();
    State::Ready& place = state.place(s);
    place.loss = state.compute(first, last, count);
    state.engine->swap_gradient(place.gradient);
    place.ready = true;
    return done();
}

Result<std::span<float>> LocalTraining::slice_gradient(std::uint32_t s) {
    ENTENTE_TRY(state_->check_slice(s));
    return std::span<float>(state_->place(s).gradient.data(), state_->engine->packed_size());
}

Status LocalTraining::take_slice(std::uint32_t s, double loss) {
    ENTENTE_TRY(state_->check_slice(s));
    State::Ready& place = state_->place(s);
    place.loss = loss;
    place.ready = true;
    return done();
}

std::span<const float> LocalTraining::weights() const noexcept { return {state_->engine->weights(), state_->engine->packed_size()}; }

bool LocalTraining::finished() const noexcept {
    return state_->failure.has_value() || state_->epoch >= state_->options.epochs;
}

std::uint64_t LocalTraining::total_steps() const noexcept {
    const std::uint64_t per_epoch = (state_->rows.size() + state_->batch - 1) / state_->batch;
    return per_epoch * state_->options.epochs;
}

double LocalTraining::progress() const noexcept {
    return static_cast<double>(state_->steps) / static_cast<double>(total_steps());
}

std::uint64_t LocalTraining::steps() const noexcept { return state_->steps; }
std::uint64_t LocalTraining::examples() const noexcept { return state_->examples; }
std::uint64_t LocalTraining::rows() const noexcept { return state_->rows.size(); }

double LocalTraining::mean_loss() const noexcept {
    return state_->examples == 0 ? 0.0 : state_->loss_sum / static_cast<double>(state_->examples);
}

std::span<const float> LocalTraining::parameters() const {
    state_->parameters.resize(static_cast<std::size_t>(state_->engine->layout().parameter_count));
    state_->engine->unpack(state_->engine->weights(), state_->parameters);
    return state_->parameters;
}

std::vector<float> LocalTraining::take_parameters() {
    static_cast<void>(parameters());
    return std::exchange(state_->parameters, {});
}

}  // namespace entente::nn
