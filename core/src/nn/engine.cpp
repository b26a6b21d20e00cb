#include "nn/engine.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "nn/conv_op.hpp"
#include "nn/dense_op.hpp"
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

Followers followers(const std::vector<LayerSpec>& layers, std::size_t i, bool with_pool) {
    Followers f;
    for (std::size_t j = i + 1; j < layers.size(); ++j) {
        if (layers[j].kind == LayerKind::relu && !f.relu) {
            f.relu = true;
        } else if (with_pool && layers[j].kind == LayerKind::max_pool2d && f.pool == 1 && layers[j].pool > 1) {
            f.pool = layers[j].pool;
        } else {
            break;
        }
        ++f.layers;
    }
    return f;
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
    if (shape.size() == 3) {
        value->height = shape[0];
        value->width = shape[1];
        value->channels = shape[2];
    } else {
        value->channels = 1;
        for (const std::uint32_t extent : shape) value->channels *= extent;
    }
    value->wants_gradient = wants_gradient;
    values_.push_back(std::move(value));
    return *values_.back();
}

void Engine::build(const std::vector<std::vector<std::uint32_t>>& shapes) {
    const auto& layers = spec_.layers;
    Value* x = &add_value(shapes[0], false);
    const auto append = [&](std::unique_ptr<Op> op, Value& y) {
        ops_.push_back(std::move(op));
        op_has_gradient_.push_back(y.wants_gradient);
        x = &y;
    };
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const LayerSpec& layer = layers[i];
        switch (layer.kind) {
            case LayerKind::dense: {
                const Followers f = followers(layers, i, false);
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
            case LayerKind::conv2d: {
                const Followers f = followers(layers, i, true);
                ConvShape shape;
                shape.in = x->channels;
                shape.out = layer.units;
                shape.kernel_height = shape.kernel_width = layer.kernel;
                shape.height = shapes[i + 1][0];
                shape.width = shapes[i + 1][1];
                shape.pool_height = shape.pool_width = f.pool;
                shape.relu = f.relu;
                if (layer.same_padding) {
                    shape.pad_top = shape.pad_left = (layer.kernel - 1) / 2;
                    x->top = x->left = shape.pad_top;
                    x->bottom = x->right = layer.kernel - 1 - shape.pad_top;
                }
                shape.weight = shape.by_rows()
                                   ? add_tensor({.order = Order::rows, .rows = shape.out, .columns = shape.taps()})
                                   : add_tensor({.order = Order::turned_panels, .rows = shape.taps(), .columns = shape.out});
                shape.bias = add_tensor({.columns = shape.out});
                i += f.layers;
                Value& y = add_value(shapes[i + 1], true);
                append(make_conv(shape, *x, y), y);
                break;
            }
            case LayerKind::max_pool2d: {
                const Followers f = followers(layers, i, false);
                i += f.layers;
                Value& y = add_value(shapes[i + 1], x->wants_gradient);
                append(make_max_pool(layer.pool, layer.pool, f.relu, *x, y), y);
                break;
            }
            case LayerKind::relu: {
                // Of x's own form: behind a flatten x is still a picture.
                const auto extent = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
                Value& y = add_value({extent(x->height), extent(x->width), extent(x->channels)}, x->wants_gradient);
                append(make_relu(*x, y), y);
                break;
            }
            case LayerKind::flatten: break;  // without a border a picture is already a vector
        }
    }
}

Result<std::unique_ptr<Engine>> Engine::create(const ModelSpec& spec, std::uint32_t max_batch, kernels::Numerics numerics,
                                               Executor& executor) {
    ENTENTE_ASSIGN(const auto shapes, infer_shapes(spec));
    ENTENTE_ASSIGN(Layout layout, infer_layout(spec));
    ENTENTE_ASSIGN(const std::uint32_t classes, output_classes(spec));
    if (max_batch == 0) return Error{Code::invalid_argument, "model.batch", "Model: expected a batch >= 1, found 0"};
    const kernels::Table* k = kernels::find(numerics);
    if (k == nullptr) {
        return Error{Code::invalid_argument, "model.numerics",
                     "Model: expected a machine with fused multiply-add (the plan's numerics are \"fused\"), found none"};
    }

    std::unique_ptr<Engine> engine(new Engine(*k, executor));
    engine->spec_ = spec;
    engine->layout_ = std::move(layout);
    engine->max_batch_ = max_batch;
    engine->classes_ = classes;
    engine->build(shapes);

    const unsigned width = executor.width();
    std::uint64_t floats = 2 * std::uint64_t{engine->packed_size_};
    for (const auto& value : engine->values_) floats += std::uint64_t{value->example()} * max_batch * 2;
    for (const auto& op : engine->ops_) floats += op->workspace(max_batch, width);
    if (floats > max_workspace) {
        return Error{Code::invalid_argument, "model.batch",
                     "Model: expected a workspace of at most " + std::to_string(max_workspace) +
                         " floats, found more for a batch of " + std::to_string(max_batch)};
    }
    for (const auto& value : engine->values_) value->data = AlignedFloats(value->example() * max_batch);
    for (const auto& op : engine->ops_) op->allocate(max_batch, width);
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

Pass Engine::pass(std::size_t batch, bool training) {
    return {.k = k_, .executor = executor_, .batch = batch, .weights = weights_.data(), .gradient = gradient_.data(),
            .training = training};
}

void Engine::prepare_gradients() {
    if (gradient_.size() != 0) return;
    gradient_ = AlignedFloats(packed_size_);
    for (const auto& value : values_)
        if (value->wants_gradient) value->gradient = AlignedFloats(value->example() * max_batch_);
}

void Engine::forward(std::size_t batch, bool training) {
    batch_ = batch;
    const Pass p = pass(batch, training);
    for (const auto& op : ops_) op->forward(p);
}

double Engine::backward(const std::uint32_t* labels, float factor, bool descend, float rate) {
    Value& out = *values_.back();
    const double loss = kernels::softmax_cross_entropy(out.corner(0), labels, batch_, classes_, out.example(), factor,
                                                       out.gradient_corner(0));
    Pass p = pass(batch_, true);
    p.descend = descend;
    p.factor = -rate;
    for (std::size_t i = ops_.size(); i-- > 0;)
        if (op_has_gradient_[i]) ops_[i]->backward(p);
    return loss;
}

}  // namespace entente::nn
