// The gradients of a convolution whose output gradient is a list of a few spots per channel. Full vectors run across
// (kx, in channel), which lie side by side in a bordered picture.

#if ENTENTE_LANES == 1
constexpr size_t spot_vectors = 16;
#else
constexpr size_t spot_vectors = 12;
#endif

template <size_t vectors>
void spot_weights_chunk(const SpotGradient& work, const float* in, float* dw) {
    Vector sum[vectors];
    for (size_t v = 0; v < vectors; ++v) sum[v] = load(dw + v * lanes);
    for (size_t s = 0; s < work.count; ++s) {
        const float* from = in + work.spots[s].at;
        const Vector gradient = broadcast(work.spots[s].gradient);
        for (size_t v = 0; v < vectors; ++v) sum[v] = mac(sum[v], gradient, load(from + v * lanes));
    }
    for (size_t v = 0; v < vectors; ++v) store(dw + v * lanes, sum[v]);
}

template <size_t vectors>
void spot_inputs_chunk(const SpotGradient& work, const float* w, float* din) {
    Vector weight[vectors];
    for (size_t v = 0; v < vectors; ++v) weight[v] = load(w + v * lanes);
    for (size_t s = 0; s < work.count; ++s) {
        float* to = din + work.spots[s].at;
        const Vector gradient = broadcast(work.spots[s].gradient);
        for (size_t v = 0; v < vectors; ++v)
            store(to + v * lanes, mac(load(to + v * lanes), gradient, weight[v]));
    }
}

using SpotWeights = void (*)(const SpotGradient&, const float*, float*);
using SpotInputs = void (*)(const SpotGradient&, const float*, float*);
template <class Sequence>
struct SpotChunks;
template <size_t... index>
struct SpotChunks<Indices<index...>> {
    static constexpr SpotWeights weights[] = {spot_weights_chunk<index + 1>...};
    static constexpr SpotInputs inputs[] = {spot_inputs_chunk<index + 1>...};
};
using AllSpotChunks = SpotChunks<MakeIndices<spot_vectors>::Type>;

void spot_weights(const SpotGradient& work, const float* in, size_t first, size_t taps, float* dw) {
    const size_t vectors = work.tap_row / lanes;
    const size_t chunks = divide_up(vectors, spot_vectors);
    for (size_t ky = first; ky < first + taps; ++ky) {
        for (size_t c = 0; c < chunks; ++c) {
            const size_t v = cut(vectors, chunks, c);
            const size_t count = cut(vectors, chunks, c + 1) - v;
            AllSpotChunks::weights[count - 1](work, in + ky * work.row + v * lanes,
                                              dw + ky * work.tap_row + v * lanes);
        }
    }
}

void spot_inputs(const SpotGradient& work, const float* w, float* din) {
    const size_t vectors = work.tap_row / lanes;
    const size_t chunks = divide_up(vectors, spot_vectors);
    // Taps descending: every element of din then gets its source pixels ascending.
    for (size_t ky = work.taps_high; ky-- > 0;) {
        for (size_t c = chunks; c-- > 0;) {
            const size_t v = cut(vectors, chunks, c);
            const size_t count = cut(vectors, chunks, c + 1) - v;
            AllSpotChunks::inputs[count - 1](work, w + ky * work.tap_row + v * lanes,
                                             din + ky * work.row + v * lanes);
        }
    }
}
