#include "nn/engine.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "entente/base/decimal.hpp"
#include "nn/conv_op.hpp"
#include "nn/dense_op.hpp"
#include "nn/embedding_op.hpp"
#include "nn/gru_op.hpp"
#include "nn/norm_op.hpp"
#include "nn/pixel_ops.hpp"
#include "nn/simple_ops.hpp"

namespace entente::nn {

namespace {

constexpr std::uint64_t max_workspace = std::uint64_t{1} << 29;  // floats

// The pool and the ReLU that directly follow layer i, in either order: they give the same values.
struct Followers {
    std::size_t layers = 0;
    std::uint32_t pool = 1;
    bool relu = false;
};

Followers followers(const std::vector<LayerSpec>& layers, std::size_t i, const LayerKind* pool) {
    Followers f;
    for (std::size_t j = i + 1; j < layers.size() && !starts_residual(layers, j); ++j) {
        if (layers[j].kind == LayerKind::relu && !f.relu) {
            f.relu = true;
        } else if (pool != nullptr && layers[j].kind == *pool && f.pool == 1 && layers[j].pool > 1) {
            f.pool = layers[j].pool;
        } else {
            break;
        }
        ++f.layers;
    }
    return f;
}

std::vector<std::uint32_t> form(const Value& v) {
    const auto extent = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
    return {extent(v.height), extent(v.width), extent(v.channels)};
}

}  // namespace

std::size_t Engine::add_tensor(PackedTensor tensor) {
    tensor.canonical = static_cast<std::size_t>(layout_.tensors[next_tensor_++].offset);
    tensor.packed = packed_size_;
    packed_size_ += tensor.size();
    tensors_.push_back(tensor);
    return tensor.packed;
}

Value& Engine::add_value(const std::vector<std::uint32_t>& shape, bool wants_gradient) {
    auto value = std::make_unique<Value>();
    value->channels = shape.back();
    if (shape.size() > 1) value->width = shape[shape.size() - 2];
    for (std::size_t i = 0; i + 2 < shape.size(); ++i) value->height *= shape[i];
    value->wants_gradient = wants_gradient;
    values_.push_back(std::move(value));
    return *values_.back();
}

ConvShape Engine::conv_shape(const LayerSpec& layer, const std::vector<std::uint32_t>& after, std::uint32_t pool, bool relu,
                             Value& x) {
    const bool one = layer.kind != LayerKind::conv2d;
    const bool transposed = layer.kind == LayerKind::conv_transpose1d;
    ConvShape shape;
    shape.in = x.channels;
    shape.out = layer.units;
    shape.kernel_height = one ? 1 : layer.kernel;
    shape.kernel_width = layer.kernel;
    shape.stride_height = one ? 1 : layer.stride;
    shape.stride_width = transposed ? 1 : layer.stride;
    shape.height = one ? 1 : after[0];
    shape.width = after[after.size() - 2];
    shape.pool_height = one ? 1 : pool;
    shape.pool_width = pool;
    shape.relu = relu;
    if (transposed) {
        const std::size_t cut = layer.same_padding ? (layer.kernel - layer.stride) / 2 : 0;
        x.left = shape.pad_left = layer.kernel - 1 - cut;
        x.right = shape.width + layer.kernel - 1 - x.width - x.left;
    } else if (layer.same_padding) {
        x.left = shape.pad_left = (shape.kernel_width - 1) / 2;
        x.right = shape.kernel_width - 1 - shape.pad_left;
        x.top = shape.pad_top = (shape.kernel_height - 1) / 2;
        x.bottom = shape.kernel_height - 1 - shape.pad_top;
    }
    shape.weight = shape.by_rows() ? add_tensor({.order = Order::rows, .rows = shape.out, .columns = shape.taps()})
                                   : add_tensor({.order = Order::turned_panels, .rows = shape.taps(), .columns = shape.out});
    shape.bias = add_tensor({.columns = shape.out});
    return shape;
}

void Engine::build(const std::vector<std::vector<std::uint32_t>>& shapes) {
    const auto& layers = spec_.layers;
    Value* x = &add_value(shapes[0], false);
    const auto append = [&](std::unique_ptr<Op> op, Value& y) {
        ops_.push_back(std::move(op));
        op_has_gradient_.push_back(y.wants_gradient);
        x = &y;
    };
    // The same form: behind a flatten x is still a picture.
    const auto same = [&]() -> Value& { return add_value(form(*x), x->wants_gradient); };
    struct Source {
        Value* value;
        Fork* fork;
    };
    std::vector<Source> sources(layers.size());  // values before layers that a residual wants
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const LayerSpec& layer = layers[i];
        if (starts_residual(layers, i)) {
            auto fork = std::make_unique<Fork>(*x);
            sources[i] = {x, fork.get()};
            append(std::move(fork), *x);
        }
        switch (layer.kind) {
            case LayerKind::dense: {
                const Followers f = followers(layers, i, nullptr);
                DenseShape shape;
                shape.in = x->features();
                shape.out = layer.units;
                shape.relu = f.relu;
                shape.weight = add_tensor({.order = Order::panels, .rows = shape.in, .columns = shape.out});
                shape.bias = add_tensor({.columns = shape.out});
                i += f.layers;
                Value& y = add_value(shapes[i + 1], true);
                append(make_dense(shape, *x, y), y);
                break;
            }
            case LayerKind::conv1d:
            case LayerKind::conv2d:
            case LayerKind::conv_transpose1d: {
                if (layer.kind == LayerKind::conv_transpose1d && layer.stride > 1) {
                    const auto length = static_cast<std::uint32_t>((x->width - 1) * layer.stride + 1);
                    Value& wide = add_value({length, shapes[i][1]}, x->wants_gradient);
                    append(make_spread(layer.stride, *x, wide), wide);
                }
                const LayerKind pool = layer.kind == LayerKind::conv2d ? LayerKind::max_pool2d : LayerKind::max_pool1d;
                const Followers f = followers(layers, i, &pool);
                const ConvShape shape = conv_shape(layer, shapes[i + 1], f.pool, f.relu, *x);
                i += f.layers;
                Value& y = add_value(shapes[i + 1], true);
                append(make_conv(shape, *x, y), y);
                break;
            }
            case LayerKind::max_pool1d:
            case LayerKind::max_pool2d: {
                const Followers f = followers(layers, i, nullptr);
                i += f.layers;
                Value& y = add_value(shapes[i + 1], x->wants_gradient);
                append(make_max_pool(layer.kind == LayerKind::max_pool1d ? 1 : layer.pool, layer.pool, f.relu, *x, y), y);
                break;
            }
            case LayerKind::avg_pool1d:
            case LayerKind::avg_pool2d: {
                Value& y = add_value(shapes[i + 1], x->wants_gradient);
                append(make_avg_pool(layer.kind == LayerKind::avg_pool1d ? 1 : layer.pool, layer.pool, *x, y), y);
                break;
            }
            case LayerKind::relu: {
                Value& y = same();
                append(make_relu(*x, y), y);
                break;
            }
            case LayerKind::tanh:
            case LayerKind::sigmoid:
            case LayerKind::gelu: {
                Value& y = same();
                append(make_activation(layer.kind, *x, y), y);
                break;
            }
            case LayerKind::dropout: {
                Value& y = same();
                append(make_dropout(layer.rate, i, dropout_, *x, y), y);
                break;
            }
            case LayerKind::embedding: {
                EmbeddingShape shape;
                shape.vocabulary = layer.vocabulary;
                shape.units = layer.units;
                shape.weight = add_tensor({.order = Order::rows, .rows = shape.vocabulary, .columns = shape.units});
                Value& y = add_value(shapes[i + 1], true);
                append(make_embedding(shape, *x, y), y);
                break;
            }
            case LayerKind::gru: {
                GruShape shape;
                shape.in = x->channels;
                shape.units = layer.units;
                shape.length = x->width;
                shape.sequences = layer.sequences;
                shape.input_weight = add_tensor({.order = Order::panels, .rows = shape.in, .columns = 3 * shape.units});
                shape.hidden_weight = add_tensor({.order = Order::panels, .rows = shape.units, .columns = 3 * shape.units});
                shape.input_bias = add_tensor({.columns = 3 * shape.units});
                shape.hidden_bias = add_tensor({.columns = 3 * shape.units});
                Value& y = add_value(shapes[i + 1], true);
                append(make_gru(shape, *x, y), y);
                break;
            }
            case LayerKind::group_norm:
            case LayerKind::layer_norm: {
                Value& y = add_value(shapes[i + 1], true);
                NormShape shape;
                shape.groups = layer.groups;
                shape.weight = add_tensor({.columns = y.channels});
                shape.bias = add_tensor({.columns = y.channels});
                append(make_norm(shape, *x, y), y);
                break;
            }
            case LayerKind::residual: {
                const Source& from = sources[i - layer.skip];
                Value& y = add_value(form(*x), x->wants_gradient || from.value->wants_gradient);
                append(make_residual(*x, *from.value, y), y);
                if (from.value->wants_gradient) from.fork->add(y);
                break;
            }
            case LayerKind::flatten: break;  // without a border a picture is already a vector
        }
    }
}

Result<std::unique_ptr<Engine>> Engine::plan(const ModelSpec& spec, std::uint32_t max_batch, const kernels::Table& k,
                                             Executor& executor) {
    ENTENTE_ASSIGN(const auto shapes, infer_shapes(spec));
    ENTENTE_ASSIGN(Layout layout, infer_layout(spec));
    ENTENTE_ASSIGN(const std::uint32_t outputs, output_count(spec));
    if (max_batch == 0) return Error{Code::invalid_argument, "model.batch", "Model: expected a batch >= 1, found 0"};
    std::unique_ptr<Engine> engine(new Engine(k, executor));
    engine->spec_ = spec;
    engine->layout_ = std::move(layout);
    engine->max_batch_ = max_batch;
    engine->outputs_ = outputs;
    engine->build(shapes);
    if (engine->floats() > max_workspace) {
        return Error{Code::invalid_argument, "model.batch",
                     "Model: expected a workspace of at most " + std::to_string(max_workspace) + " floats, found " +
                         std::to_string(engine->floats()) + " for a batch of " + std::to_string(max_batch)};
    }
    return engine;
}

std::uint64_t Engine::floats() const {
    std::uint64_t floats = 2 * std::uint64_t{packed_size_};
    for (const auto& value : values_) floats += std::uint64_t{value->example()} * max_batch_ * 2;
    for (const auto& op : ops_) floats += op->workspace(max_batch_, executor_.width());
    return floats;
}

Result<std::uint64_t> Engine::workspace(const ModelSpec& spec, std::uint32_t max_batch) {
    ENTENTE_ASSIGN(const auto engine, plan(spec, max_batch, kernels::active(), inline_executor()));
    return engine->floats();
}

Result<std::unique_ptr<Engine>> Engine::create(const ModelSpec& spec, std::uint32_t max_batch, kernels::Numerics numerics,
                                               Executor& executor) {
    const kernels::Table* k = kernels::find(numerics);
    if (k == nullptr) {
        return Error{Code::invalid_argument, "model.numerics",
                     "Model: expected a machine with fused multiply-add (the plan's numerics are \"fused\"), found none"};
    }
    ENTENTE_ASSIGN(auto engine, plan(spec, max_batch, *k, executor));
    for (const auto& value : engine->values_) value->data = AlignedFloats(value->example() * max_batch);
    for (const auto& op : engine->ops_) op->allocate(max_batch, executor.width());
    engine->weights_ = AlignedFloats(engine->packed_size_);
    return engine;
}

void Engine::pack(std::span<const float> flat, float* packed) const {
    for (const PackedTensor& tensor : tensors_) nn::pack(tensor, flat.data(), packed);
}

void Engine::unpack(const float* packed, std::span<float> flat) const {
    for (const PackedTensor& tensor : tensors_) nn::unpack(tensor, packed, flat.data());
}

void Engine::set_input(std::size_t b, const float* example) {
    Value& x = *values_.front();
    const std::size_t row = x.width * x.channels;
    for (std::size_t y = 0; y < x.height; ++y) std::copy_n(example + y * row, row, x.first(b) + y * x.row());
}

Status Engine::check_inputs(std::span<const float> inputs) const {
    const LayerSpec& first = spec_.layers.front();
    if (first.kind != LayerKind::embedding) return done();
    for (const float word : inputs) {
        if (word >= 0.0f && word < static_cast<float>(first.vocabulary) &&
            static_cast<float>(static_cast<std::uint32_t>(word)) == word)
            continue;
        return Error{Code::invalid_argument, "model.word",
                     "Model: expected whole numbers from 0 to below the vocabulary, " + std::to_string(first.vocabulary) +
                         ", found " + decimal(word)};
    }
    return done();
}

Pass Engine::pass(std::size_t batch, bool training) {
    return {.k = k_, .executor = executor_, .batch = batch, .weights = weights_.data(), .gradient = gradient_.data(),
            .training = training};
}

void Engine::prepare_gradients() {
    if (gradient_.size() != 0) return;
    gradient_ = AlignedFloats(packed_size_);
    targets_.resize(max_batch_);
    for (const auto& value : values_)
        if (value->wants_gradient) value->gradient = AlignedFloats(value->example() * max_batch_);
}

void Engine::forward(std::size_t batch, bool training) {
    batch_ = batch;
    const Pass p = pass(batch, training);
    for (const auto& op : ops_) op->forward(p);
}

double Engine::backward(float factor, bool descend, float rate) {
    Value& out = *values_.back();
    double sum = 0.0;
    for (std::size_t b = 0; b < batch_; ++b)
        sum += loss(loss_, {out.corner(b), outputs_}, targets_[b], factor, out.gradient_corner(b));
    Pass p = pass(batch_, true);
    p.descend = descend;
    p.factor = -rate;
    for (std::size_t i = ops_.size(); i-- > 0;)
        if (op_has_gradient_[i]) ops_[i]->backward(p);
    return sum;
}

}  // namespace entente::nn
