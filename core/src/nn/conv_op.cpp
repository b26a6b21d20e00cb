#include "nn/conv_op.hpp"

#include <algorithm>

namespace entente::nn {

namespace {

using kernels::Spot;

class ConvOp final : public Op {
public:
    ConvOp(const ConvShape& shape, Value& input, Value& output) : s_(shape), x_(input), y_(output) {}

    [[nodiscard]] std::uint64_t workspace(std::size_t batch, unsigned width) const override {
        std::uint64_t floats = std::uint64_t{width} * scratch_size() + turned_size() + flipped_size();
        if (s_.pooled()) floats += std::uint64_t{batch} * y_.features() / 4;
        if (s_.spots()) floats += std::uint64_t{batch} * y_.features() * 2;
        return floats;
    }

    void allocate(std::size_t batch, unsigned width) override {
        scratch_size_ = scratch_size();
        scratch_ = AlignedFloats(scratch_size_ * width);
        turned_ = AlignedFloats(turned_size());
        flipped_ = AlignedFloats(flipped_size());
        if (s_.pooled()) index_.resize(batch * y_.features());
        if (s_.spots()) {
            spots_.resize(batch * y_.features());
            spot_count_.resize(batch * s_.out);
        }
    }

    void forward(const Pass& pass) override {
        const float* weights = pass.weights + s_.weight;
        if (s_.winograd()) {
            pass.k.winograd_weights(weights, s_.in, s_.out, turned_.data());
        } else if (s_.spots()) {
            // Kept by rows for the gradients, wanted in panels here.
            pack({.order = Order::turned_panels, .rows = s_.taps(), .columns = s_.out}, weights, turned_.data());
        }
        pass.executor.run(pass.batch, [&](std::size_t b, unsigned lane) {
            float* const scratch = scratch_.data() + lane * scratch_size_;
            if (s_.winograd()) {
                forward_winograd(pass, b, scratch);
            } else {
                forward_direct(pass, b, s_.spots() ? turned_.data() : weights, scratch);
            }
        });
    }

    void backward(const Pass& pass) override {
        if (s_.spots()) {
            backward_spots(pass);
        } else {
            backward_direct(pass);
        }
        pass.apply(s_.weight, s_.spots() ? s_.out * s_.taps() : panels().size());
        pass.apply(s_.bias, s_.out);
    }

private:
    [[nodiscard]] Panels panels() const { return {s_.taps(), s_.out}; }
    [[nodiscard]] Panels flipped_panels() const { return {s_.kernel_height * s_.kernel_width * s_.out, s_.in}; }
    // The output's gradient, dilated by the stride and bordered so that dX is a convolution with it.
    [[nodiscard]] std::size_t wide_row() const { return (x_.width + s_.kernel_width - 1) * s_.out; }
    [[nodiscard]] std::size_t wide_size() const { return (x_.height + s_.kernel_height - 1) * wide_row(); }

    [[nodiscard]] std::size_t scratch_size() const {
        std::size_t floats = s_.winograd() ? kernels::winograd_scratch(s_.in, s_.out) : s_.pool_height * s_.width * s_.out;
        if (!s_.spots()) {
            if (s_.pooled()) floats = std::max(floats, s_.height * s_.width * 48);
            if (x_.wants_gradient) floats = std::max(floats, wide_size());
        }
        return round_up(floats, 16) + 16;
    }
    [[nodiscard]] std::size_t turned_size() const {
        if (s_.winograd()) return kernels::winograd_weight_floats(s_.in, s_.out);
        return s_.spots() ? panels().size() : 0;
    }
    [[nodiscard]] std::size_t flipped_size() const {
        return x_.wants_gradient && !s_.spots() ? flipped_panels().size() : 0;
    }

    // The pixel under the first tap of the first output.
    [[nodiscard]] const float* base(std::size_t b) { return x_.first(b) - s_.pad_top * x_.row() - s_.pad_left * s_.in; }
    [[nodiscard]] std::uint8_t* index(std::size_t b) { return index_.data() + b * y_.features(); }

    [[nodiscard]] kernels::Pool pool(std::size_t b) {
        kernels::Pool p;
        p.height = y_.height;
        p.width = y_.width;
        p.channels = s_.out;
        p.pool_height = s_.pool_height;
        p.pool_width = s_.pool_width;
        p.in_row = s_.width * s_.out;
        p.in_pixel = s_.out;
        p.out = y_.first(b);
        p.out_row = y_.row();
        p.out_pixel = s_.out;
        p.index = index(b);
        p.relu = s_.relu;
        return p;
    }

    void forward_winograd(const Pass& pass, std::size_t b, float* scratch) {
        kernels::Winograd w;
        w.tiles_high = y_.height;
        w.tiles_wide = y_.width;
        w.in_channels = s_.in;
        w.out_channels = s_.out;
        w.in = base(b);
        w.in_row = x_.row();
        w.weights = turned_.data();
        w.bias = pass.weights + s_.bias;
        w.out = y_.first(b);
        w.out_row = y_.row();
        w.index = index(b);
        w.scratch = scratch;
        pass.k.winograd(w);
    }

    void forward_direct(const Pass& pass, std::size_t b, const float* weights, float* scratch) {
        if (!s_.pooled()) {
            for (std::size_t y = 0; y < s_.height; ++y) convolve(pass, b, y, weights, y_.first(b) + y * y_.row());
            return;
        }
        kernels::Pool p = pool(b);
        p.height = 1;
        p.in = scratch;
        for (std::size_t y = 0; y < y_.height; ++y) {
            for (std::size_t i = 0; i < s_.pool_height; ++i)
                convolve(pass, b, y * s_.pool_height + i, weights, scratch + i * p.in_row);
            pass.k.max_pool(p);
            p.out += p.out_row;
            p.index += y_.width * s_.out;
        }
    }

    // One row of outputs before the pool.
    void convolve(const Pass& pass, std::size_t b, std::size_t y, const float* weights, float* to) {
        const Panels all = panels();
        for (std::size_t p = 0; p < all.count(); ++p) {
            kernels::Gemm g;
            g.rows = s_.width;
            g.columns = all.real(p);
            g.depth = s_.kernel_width * s_.in;
            g.segments = s_.kernel_height;
            g.a = base(b) + y * s_.stride_height * x_.row();
            g.a_row = s_.stride_width * s_.in;
            g.a_segment = x_.row();
            g.b = weights + all.offset(p);
            g.b_row = all.width(p);
            g.b_segment = g.depth * g.b_row;
            g.start = pass.weights + s_.bias + all.first_column(p);
            g.c = to + all.first_column(p);
            g.c_row = s_.out;
            g.finish = s_.relu && !s_.pooled() ? kernels::Finish::relu : kernels::Finish::none;
            pass.k.gemm(g);
        }
    }

    // Behind a pool: only the spots.

    void backward_spots(const Pass& pass) {
        pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
            find_spots(b);
            if (x_.wants_gradient) spot_inputs(pass, b);
        });
        const std::size_t groups = (s_.out + 15) / 16;
        const std::size_t taps = s_.taps();
        pass.executor.run(groups * s_.kernel_height, [&](std::size_t unit, unsigned) {
            const std::size_t ky = unit / groups;
            const std::size_t first = unit % groups * 16;
            const std::size_t last = std::min(first + 16, s_.out);
            const std::size_t tap_row = s_.kernel_width * s_.in;
            float* const gradient = pass.gradient + s_.weight;
            for (std::size_t o = first; o < last; ++o) std::fill_n(gradient + o * taps + ky * tap_row, tap_row, 0.0f);
            for (std::size_t b = 0; b < pass.batch; ++b)
                for (std::size_t o = first; o < last; ++o)
                    pass.k.spot_weights(spots(b, o), base(b), ky, 1, gradient + o * taps);
        });
        for (std::size_t o = 0; o < s_.out; ++o) {
            float sum = 0.0f;
            for (std::size_t b = 0; b < pass.batch; ++b) {
                const kernels::SpotGradient list = spots(b, o);
                for (std::size_t i = 0; i < list.count; ++i) sum = sum + list.spots[i].gradient;
            }
            pass.gradient[s_.bias + o] = sum;
        }
    }

    [[nodiscard]] kernels::SpotGradient spots(std::size_t b, std::size_t o) const {
        kernels::SpotGradient list;
        list.spots = spots_.data() + b * y_.features() + o * y_.pixels();
        list.count = spot_count_[b * s_.out + o];
        list.taps_high = s_.kernel_height;
        list.tap_row = s_.kernel_width * s_.in;
        list.row = x_.row();
        return list;
    }

    // Pooled columns outside, rows inside: consecutive spots then touch different rows of dX.
    void find_spots(std::size_t b) {
        std::uint32_t* const count = spot_count_.data() + b * s_.out;
        std::fill_n(count, s_.out, 0u);
        std::uint32_t offset[255];  // of a place in its window
        for (std::size_t place = 0; place < s_.pool_height * s_.pool_width; ++place) {
            offset[place] = static_cast<std::uint32_t>(place / s_.pool_width * s_.stride_height * x_.row() +
                                                       place % s_.pool_width * s_.stride_width * s_.in);
        }
        for (std::size_t x = 0; x < y_.width; ++x) {
            for (std::size_t y = 0; y < y_.height; ++y) {
                const std::uint8_t* const places = index(b) + (y * y_.width + x) * s_.out;
                const float* const gradients = y_.gradient_first(b) + y * y_.row() + x * s_.out;
                const auto corner = static_cast<std::uint32_t>(y * s_.pool_height * s_.stride_height * x_.row() +
                                                               x * s_.pool_width * s_.stride_width * s_.in);
                Spot* list = spots_.data() + b * y_.features();
                for (std::size_t o = 0; o < s_.out; ++o, list += y_.pixels()) {
                    const std::uint8_t place = places[o];
                    if (place == kernels::no_maximum) continue;
                    list[count[o]++] = {corner + offset[place], gradients[o]};
                }
            }
        }
    }

    void spot_inputs(const Pass& pass, std::size_t b) {
        std::fill_n(x_.gradient_corner(b), x_.example(), 0.0f);
        float* const to = x_.gradient_first(b) - s_.pad_top * x_.row() - s_.pad_left * s_.in;
        for (std::size_t o = 0; o < s_.out; ++o)
            pass.k.spot_inputs(spots(b, o), pass.weights + s_.weight + o * s_.taps(), to);
    }

    // Everything.

    void backward_direct(const Pass& pass) {
        if (s_.relu && !s_.pooled()) {
            pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
                for (std::size_t y = 0; y < y_.height; ++y)
                    pass.k.relu_backward(y_.first(b) + y * y_.row(), y_.gradient_first(b) + y * y_.row(), y_.width * s_.out);
            });
        }
        pass.executor.run(panels().count(), [&](std::size_t p, unsigned lane) {
            for (std::size_t b = 0; b < pass.batch; ++b) weight_gradient(pass, p, b, scratch_.data() + lane * scratch_size_);
        });
        if (!x_.wants_gradient) return;
        flip(pass.weights + s_.weight);
        pass.executor.run(pass.batch, [&](std::size_t b, unsigned lane) {
            input_gradient(pass, b, scratch_.data() + lane * scratch_size_);
        });
    }

    void weight_gradient(const Pass& pass, std::size_t p, std::size_t b, float* scratch) {
        const Panels all = panels();
        const std::size_t column = all.first_column(p);
        const std::size_t width = all.width(p);
        kernels::Gemm g;
        g.rows = s_.kernel_width * s_.in;
        g.columns = all.real(p);
        g.depth = s_.width;
        g.segments = s_.height;
        g.a_row = 1;
        g.a_step = s_.stride_width * s_.in;
        g.a_segment = s_.stride_height * x_.row();
        g.c_row = width;
        if (s_.pooled()) {
            std::fill_n(scratch, s_.height * s_.width * width, 0.0f);
            kernels::Pool slice = pool(b);
            slice.channels = all.real(p);
            slice.in_row = s_.width * width;
            slice.in_pixel = width;
            slice.out = y_.gradient_first(b) + column;
            slice.index += column;
            pass.k.max_pool_backward(slice, scratch);
            g.b = scratch;
            g.b_row = width;
            g.b_segment = s_.width * width;
        } else {
            g.b = y_.gradient_first(b) + column;
            g.b_row = s_.out;
            g.b_segment = y_.row();
        }
        float* const gradient = pass.gradient + s_.weight + all.offset(p);
        for (std::size_t ky = 0; ky < s_.kernel_height; ++ky) {
            g.a = base(b) + ky * x_.row();
            g.c = gradient + ky * g.rows * width;
            if (b != 0) {
                g.start = g.c;
                g.start_row = g.c_row;
            }
            pass.k.gemm(g);
        }
        for (std::size_t y = 0; y < s_.height; ++y) {
            pass.k.column_sums(g.b + y * g.b_segment, g.b_row, s_.width, g.columns, b + y != 0,
                               pass.gradient + s_.bias + column);
        }
    }

    // [fy][fx][out] x [in], taps turned round.
    void flip(const float* weights) {
        const Panels from = panels();
        const Panels to = flipped_panels();
        for (std::size_t p = 0; p < from.count(); ++p) {
            for (std::size_t tap = 0; tap < s_.taps(); ++tap) {
                const std::size_t c = tap % s_.in;
                const std::size_t turned = s_.kernel_height * s_.kernel_width - 1 - tap / s_.in;
                const std::size_t q = panel_of(to, c);
                float* const at = flipped_.data() + to.offset(q) + c - to.first_column(q);
                const float* const row = weights + from.offset(p) + tap * from.width(p);
                for (std::size_t o = 0; o < from.real(p); ++o)
                    at[(turned * s_.out + from.first_column(p) + o) * to.width(q)] = row[o];
            }
        }
    }

    static std::size_t panel_of(const Panels& panels, std::size_t column) {
        std::size_t p = 0;
        while (panels.first_column(p) + panels.width(p) <= column) ++p;
        return p;
    }

    void input_gradient(const Pass& pass, std::size_t b, float* wide) {
        std::fill_n(wide, wide_size(), 0.0f);
        float* const first = wide + (s_.kernel_height - 1 - s_.pad_top) * wide_row() + (s_.kernel_width - 1 - s_.pad_left) * s_.out;
        if (s_.pooled()) {
            kernels::Pool p = pool(b);
            p.in_row = s_.stride_height * wide_row();
            p.in_pixel = s_.stride_width * s_.out;
            p.out = y_.gradient_first(b);
            pass.k.max_pool_backward(p, first);
        } else {
            for (std::size_t y = 0; y < s_.height; ++y)
                for (std::size_t x = 0; x < s_.width; ++x)
                    std::copy_n(y_.gradient_first(b) + y * y_.row() + x * s_.out, s_.out,
                                first + y * s_.stride_height * wide_row() + x * s_.stride_width * s_.out);
        }
        const Panels all = flipped_panels();
        for (std::size_t y = 0; y < x_.height; ++y) {
            for (std::size_t p = 0; p < all.count(); ++p) {
                kernels::Gemm g;
                g.rows = x_.width;
                g.columns = all.real(p);
                g.depth = s_.kernel_width * s_.out;
                g.segments = s_.kernel_height;
                g.a = wide + y * wide_row();
                g.a_row = s_.out;
                g.a_segment = wide_row();
                g.b = flipped_.data() + all.offset(p);
                g.b_row = all.width(p);
                g.b_segment = g.depth * g.b_row;
                g.c = x_.gradient_first(b) + y * x_.row() + all.first_column(p);
                g.c_row = s_.in;
                pass.k.gemm(g);
            }
        }
    }

    ConvShape s_;
    Value& x_;
    Value& y_;
    AlignedFloats scratch_;  // of each lane
    std::size_t scratch_size_ = 0;
    AlignedFloats turned_;   // the weights as the forward pass wants them, where they are kept differently
    AlignedFloats flipped_;  // the weights as a direct dX wants them
    std::vector<std::uint8_t> index_;
    std::vector<Spot> spots_;  // [batch, out, pixels]
    std::vector<std::uint32_t> spot_count_;
};

}  // namespace

std::unique_ptr<Op> make_conv(const ConvShape& shape, Value& input, Value& output) {
    return std::make_unique<ConvOp>(shape, input, output);
}

}  // namespace entente::nn
