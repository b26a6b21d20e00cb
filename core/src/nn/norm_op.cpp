#include "nn/norm_op.hpp"

#include <algorithm>
#include <cmath>

namespace entente::nn {

namespace {

constexpr double epsilon = 1e-5;

class NormOp final : public Op {
public:
    // The form is the output's: behind a flatten the input may still be a picture, then without a border.
    NormOp(const NormShape& shape, Value& input, Value& output)
        : s_(shape), x_(input), y_(output), height_(output.height), wide_(output.width), channels_(output.channels) {}

    [[nodiscard]] std::uint64_t workspace(std::size_t batch, unsigned) const override {
        return std::uint64_t{batch} * sets() * 2;
    }
    void allocate(std::size_t batch, unsigned) override { moments_.resize(batch * sets()); }

    void forward(const Pass& pass) override {
        const float* const weight = pass.weights + s_.weight;
        const float* const bias = pass.weights + s_.bias;
        pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
            for (std::size_t s = 0; s < sets(); ++s) {
                const Moments m = moments_[b * sets() + s] = moments(b, s);
                each_run(s, [&](std::size_t y, std::size_t x, std::size_t first) {
                    const float* const from = at(x_, x_.first(b), y, x);
                    float* const to = at(y_, y_.first(b), y, x);
                    for (std::size_t c = first; c < first + width(); ++c)
                        to[c] = ((from[c] - m.mean) * m.inverse) * weight[c] + bias[c];
                });
            }
        });
    }

    void backward(const Pass& pass) override {
        if (x_.wants_gradient) {
            const float* const weight = pass.weights + s_.weight;
            pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
                for (std::size_t s = 0; s < sets(); ++s) input_gradient(b, s, weight);
            });
        }
        pass.executor.run((channels_ + 15) / 16, [&](std::size_t unit, unsigned) {
            parameter_gradients(pass, unit * 16, std::min(unit * 16 + 16, channels_));
        });
        pass.apply(s_.weight, channels_);
        pass.apply(s_.bias, channels_);
    }

private:
    struct Moments {
        float mean = 0.0f;
        float inverse = 0.0f;  // 1 / sqrt(variance + epsilon)
    };

    [[nodiscard]] std::size_t sets() const { return s_.groups == 0 ? height_ * wide_ : s_.groups; }
    [[nodiscard]] std::size_t width() const { return s_.groups == 0 ? channels_ : channels_ / s_.groups; }
    [[nodiscard]] std::size_t set_of(std::size_t y, std::size_t x, std::size_t c) const {
        return s_.groups == 0 ? y * wide_ + x : c / width();
    }

    [[nodiscard]] float* at(const Value& v, float* first, std::size_t y, std::size_t x) const {
        return first + y * (v.bordered() ? v.row() : wide_ * channels_) + x * channels_;
    }

    // The runs of channels that make up a set: run(y, x, first channel).
    template <class Run>
    void each_run(std::size_t set, const Run& run) const {
        if (s_.groups == 0) return run(set / wide_, set % wide_, 0);
        for (std::size_t y = 0; y < height_; ++y)
            for (std::size_t x = 0; x < wide_; ++x) run(y, x, set * width());
    }

    [[nodiscard]] Moments moments(std::size_t b, std::size_t set) {
        const double count = static_cast<double>(width() * (s_.groups == 0 ? 1 : height_ * wide_));
        double sum = 0.0;
        double squares = 0.0;
        each_run(set, [&](std::size_t y, std::size_t x, std::size_t first) {
            const float* const from = at(x_, x_.first(b), y, x);
            for (std::size_t c = first; c < first + width(); ++c) sum += static_cast<double>(from[c]);
        });
        const auto mean = static_cast<float>(sum / count);
        each_run(set, [&](std::size_t y, std::size_t x, std::size_t first) {
            const float* const from = at(x_, x_.first(b), y, x);
            for (std::size_t c = first; c < first + width(); ++c) {
                const auto d = static_cast<double>(from[c] - mean);
                squares += d * d;
            }
        });
        return {mean, static_cast<float>(1.0 / std::sqrt(squares / count + epsilon))};
    }

    void input_gradient(std::size_t b, std::size_t set, const float* weight) {
        const Moments m = moments_[b * sets() + set];
        const double count = static_cast<double>(width() * (s_.groups == 0 ? 1 : height_ * wide_));
        double sum = 0.0;
        double product = 0.0;
        each_run(set, [&](std::size_t y, std::size_t x, std::size_t first) {
            const float* const in = at(x_, x_.first(b), y, x);
            const float* const from = at(y_, y_.gradient_first(b), y, x);
            for (std::size_t c = first; c < first + width(); ++c) {
                const float g = from[c] * weight[c];
                sum += static_cast<double>(g);
                product += static_cast<double>(g) * static_cast<double>((in[c] - m.mean) * m.inverse);
            }
        });
        const auto mean = static_cast<float>(sum / count);
        const auto along = static_cast<float>(product / count);
        each_run(set, [&](std::size_t y, std::size_t x, std::size_t first) {
            const float* const in = at(x_, x_.first(b), y, x);
            const float* const from = at(y_, y_.gradient_first(b), y, x);
            float* const to = at(x_, x_.gradient_first(b), y, x);
            for (std::size_t c = first; c < first + width(); ++c)
                to[c] = m.inverse * ((from[c] * weight[c] - mean) - ((in[c] - m.mean) * m.inverse) * along);
        });
    }

    void parameter_gradients(const Pass& pass, std::size_t first, std::size_t last) {
        float* const dw = pass.gradient + s_.weight;
        float* const db = pass.gradient + s_.bias;
        std::fill(dw + first, dw + last, 0.0f);
        std::fill(db + first, db + last, 0.0f);
        for (std::size_t b = 0; b < pass.batch; ++b)
            for (std::size_t y = 0; y < height_; ++y)
                for (std::size_t x = 0; x < wide_; ++x) {
                    const float* const in = at(x_, x_.first(b), y, x);
                    const float* const from = at(y_, y_.gradient_first(b), y, x);
                    for (std::size_t c = first; c < last; ++c) {
                        const Moments m = moments_[b * sets() + set_of(y, x, c)];
                        dw[c] = dw[c] + from[c] * ((in[c] - m.mean) * m.inverse);
                        db[c] = db[c] + from[c];
                    }
                }
    }

    NormShape s_;
    Value& x_;
    Value& y_;
    std::size_t height_;
    std::size_t wide_;
    std::size_t channels_;
    std::vector<Moments> moments_;  // [batch, sets]
};

}  // namespace

std::unique_ptr<Op> make_norm(const NormShape& shape, Value& input, Value& output) {
    return std::make_unique<NormOp>(shape, input, output);
}

}  // namespace entente::nn
