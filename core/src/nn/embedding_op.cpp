#include "nn/embedding_op.hpp"

#include <algorithm>

namespace entente::nn {

namespace {

class EmbeddingOp final : public Op {
public:
    EmbeddingOp(const EmbeddingShape& shape, Value& input, Value& output) : s_(shape), x_(input), y_(output) {}
    [[nodiscard]] std::uint64_t workspace(std::size_t, unsigned) const override { return 0; }
    void allocate(std::size_t, unsigned) override {}

    void forward(const Pass& pass) override {
        pass.executor.run(pass.batch, [&](std::size_t b, unsigned) {
            for (std::size_t t = 0; t < x_.features(); ++t)
                std::copy_n(pass.weights + at(b, t), s_.units, y_.first(b) + t * s_.units);
        });
    }

    void backward(const Pass& pass) override {
        std::fill_n(pass.gradient + s_.weight, s_.vocabulary * row(), 0.0f);
        for (std::size_t b = 0; b < pass.batch; ++b)
            for (std::size_t t = 0; t < x_.features(); ++t)
                pass.k.add(y_.gradient_first(b) + t * s_.units, pass.gradient + at(b, t), s_.units);
        pass.apply(s_.weight, s_.vocabulary * row());
    }

private:
    [[nodiscard]] std::size_t row() const { return round_up(s_.units, 16); }
    [[nodiscard]] std::size_t at(std::size_t b, std::size_t t) {
        return s_.weight + static_cast<std::size_t>(x_.corner(b)[t]) * row();
    }

    EmbeddingShape s_;
    Value& x_;
    Value& y_;
};

}  // namespace

std::unique_ptr<Op> make_embedding(const EmbeddingShape& shape, Value& input, Value& output) {
    return std::make_unique<EmbeddingOp>(shape, input, output);
}

}  // namespace entente::nn
