// tanh, sigmoid and GELU with the bits of entente/base/math.hpp: the same steps, both branches taken and one picked.

#if ENTENTE_LANES == 1
inline Mask whole_of(Vector x) { return static_cast<int>(x); }
inline Vector number_of(Mask n) { return static_cast<float>(n); }
inline Vector power_of_two(Mask n) {
    const unsigned bits = static_cast<unsigned>(n + 127) << 23u;
    float out;
    __builtin_memcpy(&out, &bits, sizeof out);
    return out;
}
#else
inline Mask whole_of(Vector x) { return __builtin_convertvector(x, Mask); }
inline Vector number_of(Mask n) { return __builtin_convertvector(n, Vector); }
inline Vector power_of_two(Mask n) { return reinterpret_cast<Vector>((n + 127) << 23); }
#endif

inline Vector magnitude(Vector x) { return pick(greater(zero_vector(), x), zero_vector() - x, x); }

// 1 at NaN, which no integer stands for. Contraction is off, so nothing here is fused in either class.
inline Vector exponential(Vector x) {
    x = pick(unequal(x, x), zero_vector(), x);
    x = pick(greater(x, broadcast(88.0f)), broadcast(88.0f), x);
    x = pick(greater(broadcast(-87.0f), x), broadcast(-87.0f), x);
    const Vector wanted = x * broadcast(1.44269504088896341f) + broadcast(0.5f);
    const Vector cut_off = number_of(whole_of(wanted));
    const Vector n = cut_off - pick(greater(cut_off, wanted), broadcast(1.0f), zero_vector());  // floor
    const Vector r = (x - n * broadcast(0.693359375f)) + n * broadcast(2.12194440e-4f);
    Vector p = broadcast(1.9875691500e-4f);
    p = p * r + broadcast(1.3981999507e-3f);
    p = p * r + broadcast(8.3334519073e-3f);
    p = p * r + broadcast(4.1665795894e-2f);
    p = p * r + broadcast(1.6666665459e-1f);
    p = p * r + broadcast(5.0000001201e-1f);
    const Vector y = p * (r * r) + r + broadcast(1.0f);
    return y * power_of_two(whole_of(n));
}

inline Vector sigmoid_of(Vector x) {
    const Vector one = broadcast(1.0f);
    const Vector e = exponential(zero_vector() - magnitude(x));
    return pick(greater(zero_vector(), x), e, one) / (one + e);
}

inline Vector tanh_of(Vector x) {
    const Vector one = broadcast(1.0f);
    const Vector size = magnitude(x);
    const Vector s = x * x;
    Vector p = broadcast(-5.70498872745e-3f);
    p = p * s + broadcast(2.06390887954e-2f);
    p = p * s - broadcast(5.37397155531e-2f);
    p = p * s + broadcast(1.33314422036e-1f);
    p = p * s - broadcast(3.33332819422e-1f);
    const Vector near = p * s * x + x;
    Vector far = one - broadcast(2.0f) / (exponential(size + size) + one);
    far = pick(greater(size, broadcast(9.0f)), one, far);
    far = pick(greater(zero_vector(), x), zero_vector() - far, far);
    return pick(greater(broadcast(0.625f), size), near, far);
}

// Hendrycks and Gimpel 2016 (arXiv 1606.08415, section 2).
inline Vector gelu_tanh(Vector x) {
    return tanh_of(broadcast(0.7978845608028654f) * (x + broadcast(0.044715f) * (x * x * x)));
}

inline Vector curve_at(Curve kind, Vector x) {
    Vector y;
    switch (kind) {
        case Curve::tanh: y = tanh_of(x); break;
        case Curve::sigmoid: y = sigmoid_of(x); break;
        default: y = (broadcast(0.5f) * x) * (broadcast(1.0f) + gelu_tanh(x)); break;
    }
    return pick(unequal(x, x), x, y);
}

inline Vector slope_at(Curve kind, Vector x, Vector y) {
    const Vector one = broadcast(1.0f);
    switch (kind) {
        case Curve::tanh: return one - y * y;
        case Curve::sigmoid: return y * (one - y);
        default: break;
    }
    const Vector t = gelu_tanh(x);
    const Vector inner = broadcast(0.7978845608028654f) * (one + broadcast(0.134145f) * (x * x));
    return broadcast(0.5f) * (one + t) + (broadcast(0.5f) * x) * ((one - t * t) * inner);
}

// Calls work(index) for each whole vector, then rest(index, how many) for what is left.
template <class Work, class Rest>
void by_vectors(size_t count, const Work& work, const Rest& rest) {
    size_t i = 0;
    for (; i + lanes <= count; i += lanes) work(i);
    if (i < count) rest(i, count - i);
}

inline Vector load_part(const float* p, size_t count) {
    float copy[lanes] = {};
    for (size_t i = 0; i < count; ++i) copy[i] = p[i];
    return load(copy);
}
inline void store_part(float* p, Vector v, size_t count) {
    float copy[lanes];
    store(copy, v);
    for (size_t i = 0; i < count; ++i) p[i] = copy[i];
}

void curve(Curve kind, const float* x, size_t count, float* y) {
    by_vectors(
        count, [&](size_t i) { store(y + i, curve_at(kind, load(x + i))); },
        [&](size_t i, size_t n) { store_part(y + i, curve_at(kind, load_part(x + i, n)), n); });
}

void curve_backward(Curve kind, const float* x, const float* y, const float* dy, size_t count, float* dx) {
    by_vectors(
        count, [&](size_t i) { store(dx + i, load(dy + i) * slope_at(kind, load(x + i), load(y + i))); },
        [&](size_t i, size_t n) {
            store_part(dx + i, load_part(dy + i, n) * slope_at(kind, load_part(x + i, n), load_part(y + i, n)), n);
        });
}
