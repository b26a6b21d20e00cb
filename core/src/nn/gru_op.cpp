#include "nn/gru_op.hpp"

#include <algorithm>


namespace entente::nn {

namespace {

// Examples that go through time together: enough rows for the matrix products, few enough for several lanes.
constexpr std::size_t together = 8;

class GruOp final : public Op {
public:
    GruOp(const GruShape& shape, Value& input, Value& output) : s_(shape), x_(input), y_(output) {}

    [[nodiscard]] std::uint64_t workspace(std::size_t batch, unsigned) const override {
        const std::uint64_t of_example = std::uint64_t{2} * s_.length * gate_row() + (s_.length + 2) * state_row();
        return batch * of_example + turned_input().size() + turned_hidden().size();
    }

    void allocate(std::size_t batch, unsigned) override {
        gates_ = AlignedFloats(batch * s_.length * gate_row());
        recurrent_ = AlignedFloats(batch * s_.length * gate_row());
        states_ = AlignedFloats(batch * (s_.length + 1) * state_row());
        carried_ = AlignedFloats(batch * state_row());
        turned_input_ = AlignedFloats(turned_input().size());
        turned_hidden_ = AlignedFloats(turned_hidden().size());
    }

    void forward(const Pass& pass) override {
        in_groups(pass, [&](std::size_t first, std::size_t count) {
            for (std::size_t b = first; b < first + count; ++b) input_products(pass, b);
            for (std::size_t t = 0; t < s_.length; ++t) {
                state_products(pass, first, count, t);
                for (std::size_t b = first; b < first + count; ++b) step(pass.k, b, t);
            }
        });
    }

    void backward(const Pass& pass) override {
        turn(pass.weights + s_.hidden_weight, {s_.units, 3 * s_.units}, turned_hidden_.data());
        if (x_.wants_gradient) turn(pass.weights + s_.input_weight, {s_.in, 3 * s_.units}, turned_input_.data());
        in_groups(pass, [&](std::size_t first, std::size_t count) {
            for (std::size_t t = s_.length; t-- > 0;) {
                for (std::size_t b = first; b < first + count; ++b) step_back(b, t);
                carry(pass, first, count, t);
            }
            for (std::size_t b = first; b < first + count && x_.wants_gradient; ++b) input_gradient(pass, b);
        });
        const Panels panels{0, 3 * s_.units};
        pass.executor.run(panels.count(), [&](std::size_t p, unsigned) { weight_gradients(pass, p); });
        pass.k.column_sums(gates_.data(), gate_row(), pass.batch * s_.length, gate_row(), false, pass.gradient + s_.input_bias);
        pass.k.column_sums(recurrent_.data(), gate_row(), pass.batch * s_.length, gate_row(), false,
                           pass.gradient + s_.hidden_bias);
        pass.apply(s_.input_weight, Panels{s_.in, 3 * s_.units}.size());
        pass.apply(s_.hidden_weight, Panels{s_.units, 3 * s_.units}.size());
        pass.apply(s_.input_bias, gate_row());
        pass.apply(s_.hidden_bias, gate_row());
    }

private:
    [[nodiscard]] std::size_t gate_row() const { return round_up(3 * s_.units, 16); }
    [[nodiscard]] std::size_t state_row() const { return round_up(s_.units, 16); }
    [[nodiscard]] Panels turned_input() const { return {3 * s_.units, s_.in}; }
    [[nodiscard]] Panels turned_hidden() const { return {3 * s_.units, s_.units}; }

    // Forward: reset, update and new gate; after step_back: the gradient of the input's products.
    [[nodiscard]] float* gates(std::size_t b, std::size_t t) { return gates_.data() + (b * s_.length + t) * gate_row(); }
    // Forward: the state's products; after step_back: their gradient.
    [[nodiscard]] float* recurrent(std::size_t b, std::size_t t) {
        return recurrent_.data() + (b * s_.length + t) * gate_row();
    }
    // Before step t.
    [[nodiscard]] float* state(std::size_t b, std::size_t t) { return states_.data() + (b * (s_.length + 1) + t) * state_row(); }

    template <class Work>
    static void in_groups(const Pass& pass, const Work& work) {
        pass.executor.run((pass.batch + together - 1) / together, [&](std::size_t group, unsigned) {
            const std::size_t first = group * together;
            work(first, std::min(together, pass.batch - first));
        });
    }

    void input_products(const Pass& pass, std::size_t b) {
        const Panels panels{s_.in, 3 * s_.units};
        for (std::size_t p = 0; p < panels.count(); ++p) {
            kernels::Gemm g;
            g.rows = s_.length;
            g.columns = g.b_row = panels.width(p);
            g.depth = g.a_row = s_.in;
            g.a = x_.first(b);
            g.b = pass.weights + s_.input_weight + panels.offset(p);
            g.start = pass.weights + s_.input_bias + panels.first_column(p);
            g.c = gates(b, 0) + panels.first_column(p);
            g.c_row = gate_row();
            pass.k.gemm(g);
        }
    }

    void state_products(const Pass& pass, std::size_t first, std::size_t count, std::size_t t) {
        const Panels panels{s_.units, 3 * s_.units};
        for (std::size_t p = 0; p < panels.count(); ++p) {
            kernels::Gemm g;
            g.rows = count;
            g.columns = g.b_row = panels.width(p);
            g.depth = s_.units;
            g.a = state(first, t);
            g.a_row = (s_.length + 1) * state_row();
            g.b = pass.weights + s_.hidden_weight + panels.offset(p);
            g.start = pass.weights + s_.hidden_bias + panels.first_column(p);
            g.c = recurrent(first, t) + panels.first_column(p);
            g.c_row = s_.length * gate_row();
            pass.k.gemm(g);
        }
    }

    void step(const kernels::Table& k, std::size_t b, std::size_t t) {
        const std::size_t n = s_.units;
        float* const gate = gates(b, t);
        const float* const from_state = recurrent(b, t);
        const float* const before = state(b, t);
        float* const after = state(b, t + 1);
        for (std::size_t u = 0; u < 2 * n; ++u) gate[u] = gate[u] + from_state[u];
        k.curve(kernels::Curve::sigmoid, gate, 2 * n, gate);
        float* const fresh = gate + 2 * n;
        for (std::size_t u = 0; u < n; ++u) fresh[u] = fresh[u] + gate[u] * from_state[2 * n + u];
        k.curve(kernels::Curve::tanh, fresh, n, fresh);
        for (std::size_t u = 0; u < n; ++u) {
            const float z = gate[n + u];
            after[u] = (1.0f - z) * fresh[u] + z * before[u];
        }
        if (s_.sequences) {
            std::copy_n(after, n, y_.first(b) + t * n);
        } else if (t + 1 == s_.length) {
            std::copy_n(after, n, y_.first(b));
        }
    }

    void step_back(std::size_t b, std::size_t t) {
        const std::size_t n = s_.units;
        float* const gate = gates(b, t);
        float* const from_state = recurrent(b, t);
        const float* const before = state(b, t);
        float* const carried = carried_.data() + b * state_row();
        const bool last = t + 1 == s_.length;
        if (last) std::fill_n(carried, n, 0.0f);
        const float* const dy = s_.sequences ? y_.gradient_first(b) + t * n : y_.gradient_first(b);
        for (std::size_t u = 0; u < n; ++u) {
            const float r = gate[u];
            const float z = gate[n + u];
            const float fresh = gate[2 * n + u];
            float dh = carried[u];
            if (s_.sequences) {
                dh = dy[u] + dh;
            } else if (last) {
                dh = dy[u];
            }
            const float dn = (dh * (1.0f - z)) * (1.0f - fresh * fresh);
            const float dz = (dh * (before[u] - fresh)) * (z * (1.0f - z));
            const float dr = (dn * from_state[2 * n + u]) * (r * (1.0f - r));
            gate[u] = from_state[u] = dr;
            gate[n + u] = from_state[n + u] = dz;
            gate[2 * n + u] = dn;
            from_state[2 * n + u] = dn * r;
            carried[u] = dh * z;
        }
    }

    void carry(const Pass& pass, std::size_t first, std::size_t count, std::size_t t) {
        const Panels panels = turned_hidden();
        for (std::size_t p = 0; p < panels.count(); ++p) {
            kernels::Gemm g;
            g.rows = count;
            g.columns = g.b_row = panels.width(p);
            g.depth = 3 * s_.units;
            g.a = recurrent(first, t);
            g.a_row = s_.length * gate_row();
            g.b = turned_hidden_.data() + panels.offset(p);
            g.c = carried_.data() + first * state_row() + panels.first_column(p);
            g.c_row = state_row();
            g.start = g.c;
            g.start_row = g.c_row;
            pass.k.gemm(g);
        }
    }

    void input_gradient(const Pass& pass, std::size_t b) {
        const Panels panels = turned_input();
        for (std::size_t p = 0; p < panels.count(); ++p) {
            kernels::Gemm g;
            g.rows = s_.length;
            g.columns = panels.real(p);
            g.depth = 3 * s_.units;
            g.a = gates(b, 0);
            g.a_row = gate_row();
            g.b = turned_input_.data() + panels.offset(p);
            g.b_row = panels.width(p);
            g.c = x_.gradient_first(b) + panels.first_column(p);
            g.c_row = s_.in;
            pass.k.gemm(g);
        }
    }

    void weight_gradients(const Pass& pass, std::size_t p) {
        const Panels of_input{s_.in, 3 * s_.units};
        kernels::Gemm g;
        g.rows = s_.in;
        g.columns = g.c_row = of_input.width(p);
        g.depth = s_.length;
        g.segments = pass.batch;
        g.a = x_.first(0);
        g.a_row = 1;
        g.a_step = s_.in;
        g.a_segment = x_.example();
        g.b = gates_.data() + of_input.first_column(p);
        g.b_row = gate_row();
        g.b_segment = s_.length * gate_row();
        g.c = pass.gradient + s_.input_weight + of_input.offset(p);
        pass.k.gemm(g);

        const Panels of_state{s_.units, 3 * s_.units};
        g.rows = s_.units;
        g.a = states_.data();
        g.a_step = state_row();
        g.a_segment = (s_.length + 1) * state_row();
        g.b = recurrent_.data() + of_state.first_column(p);
        g.c = pass.gradient + s_.hidden_weight + of_state.offset(p);
        pass.k.gemm(g);
    }

    // Panels of the transpose.
    static void turn(const float* weights, const Panels& from, float* turned) {
        const Panels to{from.columns, from.rows};
        for (std::size_t p = 0; p < from.count(); ++p) {
            for (std::size_t q = 0; q < to.count(); ++q) {
                for (std::size_t r = 0; r < to.real(q); ++r) {
                    const float* const row = weights + from.offset(p) + (to.first_column(q) + r) * from.width(p);
                    float* const column = turned + to.offset(q) + from.first_column(p) * to.width(q) + r;
                    for (std::size_t c = 0; c < from.real(p); ++c) column[c * to.width(q)] = row[c];
                }
            }
        }
    }

    GruShape s_;
    Value& x_;
    Value& y_;
    AlignedFloats gates_;      // [batch, length, gate_row]
    AlignedFloats recurrent_;  // same
    AlignedFloats states_;     // [batch, length + 1, state_row], zero before the first step
    AlignedFloats carried_;    // [batch, state_row]: the gradient that comes back in time
    AlignedFloats turned_input_;
    AlignedFloats turned_hidden_;
};

}  // namespace

std::unique_ptr<Op> make_gru(const GruShape& shape, Value& input, Value& output) {
    return std::make_unique<GruOp>(shape, input, output);
}

}  // namespace entente::nn
