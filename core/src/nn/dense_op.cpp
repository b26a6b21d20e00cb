#include "nn/dense_op.hpp"

#include <algorithm>

namespace entente::nn {

namespace {

// Rows of W whose gradient and update are done in one go, while they lie in the cache.
constexpr std::size_t block_rows = 112;

// Columns of zeros between two others that are taken along, since a run costs as much as they do.
constexpr std::size_t smallest_gap = 4;

class DenseOp final : public Op {
public:
    DenseOp(const DenseShape& shape, Value& input, Value& output) : s_(shape), x_(input), y_(output) {}

    [[nodiscard]] std::uint64_t workspace(std::size_t batch, unsigned width) const override {
        if (!x_.wants_gradient) return round_up(s_.in, 16) + 2 * most_runs();
        return std::uint64_t{round_up(batch, 16)} * (round_up(s_.out, 16) + block_rows * width);
    }

    void allocate(std::size_t batch, unsigned width) override {
        if (!x_.wants_gradient) {
            any_.resize(round_up(s_.in, 16));
            runs_.reserve(most_runs());
            return;
        }
        turned_ = AlignedFloats(round_up(s_.out, 16) * round_up(batch, 16));
        block_ = AlignedFloats(block_rows * round_up(batch, 16) * width);
        block_size_ = block_rows * round_up(batch, 16);
    }

    void forward(const Pass& pass) override {
        const Panels panels{s_.in, s_.out};
        if (!x_.wants_gradient) find_runs(pass);
        pass.executor.run(panels.count(), [&](std::size_t p, unsigned) {
            kernels::Gemm g;
            g.rows = pass.batch;
            g.columns = g.b_row = panels.width(p);
            g.depth = s_.in;
            g.a = x_.corner(0);
            g.a_row = x_.example();
            g.b = pass.weights + s_.weight + panels.offset(p);
            g.start = pass.weights + s_.bias + panels.first_column(p);
            g.c = y_.corner(0) + panels.first_column(p);
            g.c_row = y_.example();
            g.finish = s_.relu ? kernels::Finish::relu : kernels::Finish::none;
            if (skips()) {
                g.runs = runs_.data();
                g.depth = active_;
            }
            pass.k.gemm(g);
        });
    }

    void backward(const Pass& pass) override {
        float* const dy = y_.gradient_corner(0);
        if (s_.relu) pass.k.relu_backward(y_.corner(0), dy, pass.batch * y_.example());
        const std::size_t padded_batch = round_up(pass.batch, 16);
        if (x_.wants_gradient) {
            // Lanes run across the batch, so that W is read as it lies.
            for (std::size_t o = 0; o < y_.example(); ++o)
                std::fill_n(turned_.data() + o * padded_batch + pass.batch, padded_batch - pass.batch, 0.0f);
            pass.k.transpose(dy, y_.example(), pass.batch, y_.example(), turned_.data(), padded_batch);
        }
        const std::size_t blocks = (s_.in + block_rows - 1) / block_rows;
        pass.executor.run(blocks, [&](std::size_t block, unsigned lane) {
            const std::size_t first = s_.in * block / blocks;
            const std::size_t rows = s_.in * (block + 1) / blocks - first;
            if (x_.wants_gradient) input_gradient(pass, first, rows, padded_batch, block_.data() + lane * block_size_);
            if (x_.wants_gradient || !pass.descend) {
                weight_gradient(pass, first, rows);
            } else {
                for (const kernels::Run& run : runs_) {
                    const std::size_t from = std::max<std::size_t>(run.first, first);
                    const std::size_t to = std::min<std::size_t>(run.first + run.count, first + rows);
                    if (from < to) weight_gradient(pass, from, to - from);
                }
            }
        });
        float* const bias = pass.gradient + s_.bias;
        pass.k.column_sums(dy, y_.example(), pass.batch, s_.out, false, bias);
        pass.apply(s_.bias, s_.out);
    }

private:
    // Of a batch of pictures, half the pixels are zero in every one. Nothing is multiplied by them, and no bit tells:
    // adding a product with zero to a finite sum changes nothing but the sign of a zero, which a ReLU behind it takes
    // away; and a weight moved by -rate * (+0) stays as it is. (Weights that are not finite end the training anyway.)
    [[nodiscard]] bool skips() const { return !x_.wants_gradient && s_.relu && active_ > 0; }

    [[nodiscard]] std::size_t most_runs() const { return s_.in / (smallest_gap + 1) + 1; }

    void find_runs(const Pass& pass) {
        pass.k.any_nonzero(x_.corner(0), x_.example(), pass.batch, any_.size(), any_.data());
        runs_.clear();
        active_ = 0;
        for (std::size_t k = 0; k < s_.in; ++k) {
            if (any_[k] == 0) continue;
            if (runs_.empty() || k > runs_.back().first + runs_.back().count + smallest_gap) {
                runs_.push_back({static_cast<std::uint32_t>(k), 0});
            }
            runs_.back().count = static_cast<std::uint32_t>(k + 1) - runs_.back().first;
        }
        for (const kernels::Run& run : runs_) active_ += run.count;
    }

    void input_gradient(const Pass& pass, std::size_t first, std::size_t rows, std::size_t padded_batch, float* turned) {
        const Panels panels{s_.in, s_.out};
        const Panels lanes{0, padded_batch};
        for (std::size_t p = 0; p < panels.count(); ++p) {
            for (std::size_t l = 0; l < lanes.count(); ++l) {
                kernels::Gemm g;
                g.rows = rows;
                g.columns = lanes.width(l);
                g.depth = panels.real(p);
                g.a = pass.weights + s_.weight + panels.offset(p) + first * panels.width(p);
                g.a_row = panels.width(p);
                g.b = turned_.data() + panels.first_column(p) * padded_batch + lanes.first_column(l);
                g.b_row = padded_batch;
                g.c = turned + lanes.first_column(l);
                g.c_row = padded_batch;
                if (p != 0) {
                    g.start = g.c;
                    g.start_row = g.c_row;
                }
                pass.k.gemm(g);
            }
        }
        pass.k.transpose(turned, padded_batch, rows, pass.batch, x_.gradient_corner(0) + first, x_.example());
    }

    void weight_gradient(const Pass& pass, std::size_t first, std::size_t rows) {
        const Panels panels{s_.in, s_.out};
        float* const to = (pass.descend ? pass.weights : pass.gradient) + s_.weight;
        for (std::size_t p = 0; p < panels.count(); ++p) {
            kernels::Gemm g;
            g.rows = rows;
            g.columns = g.c_row = panels.width(p);
            g.depth = pass.batch;
            g.a = x_.corner(0) + first;
            g.a_row = 1;
            g.a_step = x_.example();
            g.b = y_.gradient_corner(0) + panels.first_column(p);
            g.b_row = y_.example();
            g.c = to + panels.offset(p) + first * panels.width(p);
            if (pass.descend) {
                g.finish = kernels::Finish::descend;
                g.factor = pass.factor;
            }
            pass.k.gemm(g);
        }
    }

    DenseShape s_;
    Value& x_;
    Value& y_;
    AlignedFloats turned_;  // dY transposed: [out, batch]
    AlignedFloats block_;   // dX transposed, of one block of rows and lane: [block_rows, batch]
    std::size_t block_size_ = 0;
    // Where the input is the data itself: the columns that are not zero in the whole batch.
    std::vector<std::uint32_t> any_;
    std::vector<kernels::Run> runs_;
    std::size_t active_ = 0;
};

}  // namespace

std::unique_ptr<Op> make_dense(const DenseShape& shape, Value& input, Value& output) {
    return std::make_unique<DenseOp>(shape, input, output);
}

}  // namespace entente::nn
