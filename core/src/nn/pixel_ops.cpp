#include "nn/pixel_ops.hpp"

#include <algorithm>


namespace entente::nn {

namespace {

// The values of a row of pixels of `form` in another value, which has the same form or, flat, no border.
float* row_in(const Value& v, float* first, const Value& form, std::size_t y) {
    return first + y * (v.height == form.height ? v.row() : form.width * form.channels);
}

template <class Row>
void each_row(const Pass& pass, const Value& form, const Row& row) {
    pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
        for (std::size_t y = 0; y < form.height; ++y) row(b, y, form.width * form.channels);
    });
}

kernels::Curve curve_of(LayerKind kind) noexcept {
    switch (kind) {
        case LayerKind::tanh: return kernels::Curve::tanh;
        case LayerKind::sigmoid: return kernels::Curve::sigmoid;
        default: return kernels::Curve::gelu;
    }
}

class Activation final : public Op {
public:
    Activation(LayerKind kind, Value& input, Value& output) : curve_(curve_of(kind)), x_(input), y_(output) {}
    [[nodiscard]] std::uint64_t workspace(std::size_t, unsigned) const override { return 0; }
    void allocate(std::size_t, unsigned) override {}

    void forward(const Pass& pass) override {
        each_row(pass, x_, [&](std::size_t b, std::size_t y, std::size_t count) {
            pass.k.curve(curve_, x_.first(b) + y * x_.row(), count, y_.first(b) + y * y_.row());
        });
    }

    void backward(const Pass& pass) override {
        if (!x_.wants_gradient) return;
        each_row(pass, x_, [&](std::size_t b, std::size_t y, std::size_t count) {
            pass.k.curve_backward(curve_, x_.first(b) + y * x_.row(), y_.first(b) + y * y_.row(), y_.gradient_first(b) + y * y_.row(),
                                  count, x_.gradient_first(b) + y * x_.row());
        });
    }

private:
    kernels::Curve curve_;
    Value& x_;
    Value& y_;
};

class DropoutOp final : public Op {
public:
    DropoutOp(float rate, std::size_t layer, const Dropout& draw, Value& input, Value& output)
        : rate_(rate), layer_(layer), draw_(draw), x_(input), y_(output) {}

    [[nodiscard]] std::uint64_t workspace(std::size_t batch, unsigned) const override {
        return std::uint64_t{batch} * x_.features() / 4;
    }
    void allocate(std::size_t batch, unsigned) override { kept_.resize(batch * x_.features()); }

    void forward(const Pass& pass) override {
        const float scale = 1.0f / (1.0f - rate_);
        pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
            Philox random = dropout_bits(draw_, layer_, b, x_.features());
            std::uint8_t* kept = kept_.data() + b * x_.features();
            const std::size_t count = x_.width * x_.channels;
            for (std::size_t y = 0; y < x_.height; ++y, kept += count) {
                const float* const from = x_.first(b) + y * x_.row();
                float* const to = y_.first(b) + y * y_.row();
                if (!pass.training) {
                    std::copy_n(from, count, to);
                    continue;
                }
                for (std::size_t i = 0; i < count; ++i) {
                    kept[i] = random.uniform() >= rate_ ? 1 : 0;
                    to[i] = kept[i] != 0 ? from[i] * scale : 0.0f;
                }
            }
        });
    }

    void backward(const Pass& pass) override {
        if (!x_.wants_gradient) return;
        const float scale = 1.0f / (1.0f - rate_);
        each_row(pass, x_, [&](std::size_t b, std::size_t y, std::size_t count) {
            const std::uint8_t* const kept = kept_.data() + b * x_.features() + y * count;
            const float* const from = y_.gradient_first(b) + y * y_.row();
            float* const to = x_.gradient_first(b) + y * x_.row();
            for (std::size_t i = 0; i < count; ++i) to[i] = kept[i] != 0 ? from[i] * scale : 0.0f;
        });
    }

private:
    float rate_;
    std::size_t layer_;
    const Dropout& draw_;
    Value& x_;
    Value& y_;
    std::vector<std::uint8_t> kept_;
};

class AvgPool final : public Op {
public:
    AvgPool(std::size_t pool_height, std::size_t pool_width, Value& input, Value& output)
        : high_(pool_height), wide_(pool_width), x_(input), y_(output) {}
    [[nodiscard]] std::uint64_t workspace(std::size_t, unsigned) const override { return 0; }
    void allocate(std::size_t, unsigned) override {}

    void forward(const Pass& pass) override {
        each_pixel(pass, [&](std::size_t b, std::size_t y, std::size_t x) {
            float* const to = y_.first(b) + y * y_.row() + x * y_.channels;
            std::fill_n(to, y_.channels, 0.0f);
            each_in_window(y, x, [&](std::size_t at) { pass.k.add(x_.first(b) + at, to, y_.channels); });
            pass.k.scale(share(), to, y_.channels);
        });
    }

    void backward(const Pass& pass) override {
        if (!x_.wants_gradient) return;
        each_row(pass, x_, [&](std::size_t b, std::size_t y, std::size_t count) {
            std::fill_n(x_.gradient_first(b) + y * x_.row(), count, 0.0f);
        });
        each_pixel(pass, [&](std::size_t b, std::size_t y, std::size_t x) {
            float* const from = y_.gradient_first(b) + y * y_.row() + x * y_.channels;
            pass.k.scale(share(), from, y_.channels);
            each_in_window(y, x, [&](std::size_t at) { std::copy_n(from, y_.channels, x_.gradient_first(b) + at); });
        });
    }

private:
    [[nodiscard]] float share() const { return 1.0f / static_cast<float>(high_ * wide_); }

    template <class Pixel>
    void each_pixel(const Pass& pass, const Pixel& pixel) {
        pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
            for (std::size_t y = 0; y < y_.height; ++y)
                for (std::size_t x = 0; x < y_.width; ++x) pixel(b, y, x);
        });
    }
    template <class Visit>
    void each_in_window(std::size_t y, std::size_t x, const Visit& visit) const {
        for (std::size_t v = 0; v < high_; ++v)
            for (std::size_t u = 0; u < wide_; ++u)
                visit((y * high_ + v) * x_.row() + (x * wide_ + u) * x_.channels);
    }

    std::size_t high_;
    std::size_t wide_;
    Value& x_;
    Value& y_;
};

class Spread final : public Op {
public:
    Spread(std::size_t stride, Value& input, Value& output) : stride_(stride), x_(input), y_(output) {}
    [[nodiscard]] std::uint64_t workspace(std::size_t, unsigned) const override { return 0; }
    void allocate(std::size_t, unsigned) override {}

    // What lies between stays zero: nobody else writes there.
    void forward(const Pass& pass) override {
        pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
            for (std::size_t x = 0; x < x_.width; ++x)
                std::copy_n(x_.first(b) + x * x_.channels, x_.channels, y_.first(b) + x * stride_ * x_.channels);
        });
    }

    void backward(const Pass& pass) override {
        if (!x_.wants_gradient) return;
        pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
            for (std::size_t x = 0; x < x_.width; ++x)
                std::copy_n(y_.gradient_first(b) + x * stride_ * x_.channels, x_.channels, x_.gradient_first(b) + x * x_.channels);
        });
    }

private:
    std::size_t stride_;
    Value& x_;
    Value& y_;
};

class Residual final : public Op {
public:
    Residual(Value& input, Value& other, Value& output) : x_(input), other_(other), y_(output) {}
    [[nodiscard]] std::uint64_t workspace(std::size_t, unsigned) const override { return 0; }
    void allocate(std::size_t, unsigned) override {}

    void forward(const Pass& pass) override {
        each_row(pass, x_, [&](std::size_t b, std::size_t y, std::size_t count) {
            float* const to = y_.first(b) + y * y_.row();
            std::copy_n(x_.first(b) + y * x_.row(), count, to);
            pass.k.add(row_in(other_, other_.first(b), x_, y), to, count);
        });
    }

    void backward(const Pass& pass) override {
        if (!x_.wants_gradient) return;
        each_row(pass, x_, [&](std::size_t b, std::size_t y, std::size_t count) {
            std::copy_n(y_.gradient_first(b) + y * y_.row(), count, x_.gradient_first(b) + y * x_.row());
        });
    }

private:
    Value& x_;
    Value& other_;
    Value& y_;
};

}  // namespace

void Fork::backward(const Pass& pass) {
    for (Value* sum : sums_) {
        each_row(pass, *sum, [&](std::size_t b, std::size_t y, std::size_t count) {
            pass.k.add(sum->gradient_first(b) + y * sum->row(), row_in(value_, value_.gradient_first(b), *sum, y), count);
        });
    }
}

std::unique_ptr<Op> make_activation(LayerKind kind, Value& input, Value& output) {
    return std::make_unique<Activation>(kind, input, output);
}

std::unique_ptr<Op> make_dropout(float rate, std::size_t layer, const Dropout& draw, Value& input, Value& output) {
    return std::make_unique<DropoutOp>(rate, layer, draw, input, output);
}

std::unique_ptr<Op> make_avg_pool(std::size_t pool_height, std::size_t pool_width, Value& input, Value& output) {
    return std::make_unique<AvgPool>(pool_height, pool_width, input, output);
}

std::unique_ptr<Op> make_spread(std::size_t stride, Value& input, Value& output) {
    return std::make_unique<Spread>(stride, input, output);
}

std::unique_ptr<Op> make_residual(Value& input, Value& other, Value& output) {
    return std::make_unique<Residual>(input, other, output);
}

}  // namespace entente::nn
