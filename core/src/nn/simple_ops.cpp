#include "nn/simple_ops.hpp"

#include <algorithm>

namespace entente::nn {

namespace {

class ReluOp final : public Op {
public:
    ReluOp(Value& input, Value& output) : x_(input), y_(output) {}
    [[nodiscard]] std::uint64_t workspace(std::size_t, unsigned) const override { return 0; }
    void allocate(std::size_t, unsigned) override {}

    void forward(const Pass& pass) override {
        rows(pass, [&](std::size_t b, std::size_t y) {
            float* const to = y_.first(b) + y * y_.row();
            std::copy_n(x_.first(b) + y * x_.row(), x_.width * x_.channels, to);
            pass.k.relu(to, x_.width * x_.channels);
        });
    }

    void backward(const Pass& pass) override {
        if (!x_.wants_gradient) return;
        rows(pass, [&](std::size_t b, std::size_t y) {
            float* const to = x_.gradient_first(b) + y * x_.row();
            std::copy_n(y_.gradient_first(b) + y * y_.row(), x_.width * x_.channels, to);
            pass.k.relu_backward(y_.first(b) + y * y_.row(), to, x_.width * x_.channels);
        });
    }

private:
    template <class Row>
    void rows(const Pass& pass, const Row& row) {
        pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
            for (std::size_t y = 0; y < x_.height; ++y) row(b, y);
        });
    }

    Value& x_;
    Value& y_;
};

class MaxPoolOp final : public Op {
public:
    MaxPoolOp(std::size_t pool_height, std::size_t pool_width, bool relu, Value& input, Value& output)
        : pool_height_(pool_height), pool_width_(pool_width), relu_(relu), x_(input), y_(output) {}

    [[nodiscard]] std::uint64_t workspace(std::size_t batch, unsigned) const override {
        return std::uint64_t{batch} * y_.features() / 4;
    }
    void allocate(std::size_t batch, unsigned) override { index_.resize(batch * y_.features()); }

    void forward(const Pass& pass) override {
        pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
            kernels::Pool p = pool(b);
            p.in = x_.first(b);
            p.out = y_.first(b);
            pass.k.max_pool(p);
        });
    }

    void backward(const Pass& pass) override {
        if (!x_.wants_gradient) return;
        pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
            kernels::Pool p = pool(b);
            p.out = y_.gradient_first(b);
            for (std::size_t y = 0; y < x_.height; ++y)
                std::fill_n(x_.gradient_first(b) + y * x_.row(), x_.width * x_.channels, 0.0f);
            pass.k.max_pool_backward(p, x_.gradient_first(b));
        });
    }

private:
    [[nodiscard]] kernels::Pool pool(std::size_t b) {
        kernels::Pool p;
        p.height = y_.height;
        p.width = y_.width;
        p.channels = x_.channels;
        p.pool_height = pool_height_;
        p.pool_width = pool_width_;
        p.in_row = x_.row();
        p.in_pixel = x_.channels;
        p.out_row = y_.row();
        p.out_pixel = x_.channels;
        p.index = index_.data() + b * y_.features();
        p.relu = relu_;
        return p;
    }

    std::size_t pool_height_;
    std::size_t pool_width_;
    bool relu_;
    Value& x_;
    Value& y_;
    std::vector<std::uint8_t> index_;
};

}  // namespace

std::unique_ptr<Op> make_relu(Value& input, Value& output) { return std::make_unique<ReluOp>(input, output); }

std::unique_ptr<Op> make_max_pool(std::size_t pool_height, std::size_t pool_width, bool relu, Value& input, Value& output) {
    return std::make_unique<MaxPoolOp>(pool_height, pool_width, relu, input, output);
}

}  // namespace entente::nn
