// Loops in which every element stands for itself (the compiler vectorises them), and reductions of fixed shape.

void transpose(const float* in, size_t in_row, size_t rows, size_t columns, float* out, size_t out_row) {
    constexpr size_t block = 16;
    for (size_t r0 = 0; r0 < rows; r0 += block) {
        const size_t r1 = r0 + block < rows ? r0 + block : rows;
        for (size_t c0 = 0; c0 < columns; c0 += block) {
            const size_t c1 = c0 + block < columns ? c0 + block : columns;
            for (size_t c = c0; c < c1; ++c)
                for (size_t r = r0; r < r1; ++r) out[c * out_row + r] = in[r * in_row + c];
        }
    }
}

void relu(float* x, size_t count) {
    for (size_t i = 0; i < count; ++i) x[i] = x[i] > 0.0f ? x[i] : 0.0f;
}

void relu_backward(const float* y, float* dy, size_t count) {
    for (size_t i = 0; i < count; ++i) dy[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

void column_sums(const float* x, size_t row, size_t rows, size_t columns, bool accumulate, float* out) {
    if (!accumulate)
        for (size_t j = 0; j < columns; ++j) out[j] = 0.0f;
    for (size_t i = 0; i < rows; ++i) {
        const float* from = x + i * row;
        for (size_t j = 0; j < columns; ++j) out[j] = out[j] + from[j];
    }
}

void axpy(float factor, const float* x, float* y, size_t count) {
    for (size_t i = 0; i < count; ++i) y[i] = mac(y[i], factor, x[i]);
}

void add(const float* x, float* y, size_t count) {
    for (size_t i = 0; i < count; ++i) y[i] = y[i] + x[i];
}

void scale(float factor, float* x, size_t count) {
    for (size_t i = 0; i < count; ++i) x[i] = factor * x[i];
}

double dot(const float* x, const float* y, size_t count) {
    double sum[8] = {};
    const size_t whole = count / 8 * 8;
    for (size_t i = 0; i < whole; i += 8)
        for (size_t l = 0; l < 8; ++l)
            sum[l] = sum[l] + static_cast<double>(x[i + l]) * static_cast<double>(y[i + l]);
    for (size_t i = whole; i < count; ++i)
        sum[i - whole] = sum[i - whole] + static_cast<double>(x[i]) * static_cast<double>(y[i]);
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

bool all_finite(const float* x, size_t count) {
    // x * 0 is 0 for finite x and NaN otherwise; adding zeros is exact in any order.
    float sum[16] = {};
    const size_t whole = count / 16 * 16;
    for (size_t i = 0; i < whole; i += 16)
        for (size_t l = 0; l < 16; ++l) sum[l] = sum[l] + x[i + l] * 0.0f;
    for (size_t i = whole; i < count; ++i) sum[0] = sum[0] + x[i] * 0.0f;
    for (size_t l = 0; l < 16; ++l)
        if (!(sum[l] == 0.0f)) return false;
    return true;
}

void regularise(float decay, float mu, const float* w, const float* origin, float* g, size_t count) {
    for (size_t i = 0; i < count; ++i) g[i] = mac(g[i], decay, w[i]);
    if (origin == nullptr) return;
    for (size_t i = 0; i < count; ++i) g[i] = mac(g[i], mu, w[i] - origin[i]);
}

void sgd(float rate, const float* g, float* w, size_t count) { axpy(-rate, g, w, count); }

void sgd_momentum(float rate, float momentum, bool nesterov, const float* g, float* v, float* w, size_t count) {
    const float step = -rate;
    if (nesterov) {
        for (size_t i = 0; i < count; ++i) {
            v[i] = mac(g[i], momentum, v[i]);
            w[i] = mac(w[i], step, mac(g[i], momentum, v[i]));
        }
        return;
    }
    for (size_t i = 0; i < count; ++i) {
        v[i] = mac(g[i], momentum, v[i]);
        w[i] = mac(w[i], step, v[i]);
    }
}

void adam(const Adam& a, const float* g, float* m, float* v, float* w, size_t count) {
    const float rest1 = 1.0f - a.beta1;
    const float rest2 = 1.0f - a.beta2;
    if (a.shrink != 0.0f)
        for (size_t i = 0; i < count; ++i) w[i] = mac(w[i], -a.shrink, w[i]);
    for (size_t i = 0; i < count; ++i) {
        m[i] = mac(a.beta1 * m[i], rest1, g[i]);
        v[i] = mac(a.beta2 * v[i], rest2, g[i] * g[i]);
        w[i] = w[i] - a.rate * (m[i] / mac(a.epsilon, __builtin_sqrtf(v[i]), a.scale));
    }
}

// Every bit but the sign's.
void any_nonzero(const float* __restrict x, size_t row, size_t rows, size_t columns, std::uint32_t* __restrict any) {
    for (size_t j = 0; j < columns; ++j) any[j] = 0;
    for (size_t i = 0; i < rows; ++i) {
        for (size_t j = 0; j < columns; ++j) {
            std::uint32_t bits;
            __builtin_memcpy(&bits, x + i * row + j, 4);
            any[j] |= bits << 1;
        }
    }
}
