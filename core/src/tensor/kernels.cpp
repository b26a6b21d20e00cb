#include "entente/tensor/kernels.hpp"

#include <array>
#include <atomic>
#include <string>

#include "entente/base/math.hpp"

namespace entente::kernels {

#if defined(__wasm__)
// The join page is linked without it: where it starts at all there is SIMD.
extern const Table portable_scalar __attribute__((weak));
#else
extern const Table portable_scalar;
#endif
extern const Table portable_v128;
#if defined(__x86_64__)
extern const Table portable_avx2;
extern const Table portable_avx512;
extern const Table fused_scalar;
extern const Table fused_avx2;
extern const Table fused_avx512;
#elif defined(__aarch64__)
extern const Table fused_scalar;
extern const Table fused_v128;
#endif

namespace {

struct Variants {
    std::array<const Table*, 4> tables{};
    std::size_t count = 0;
    std::atomic<const Table*> chosen{nullptr};

    void add(const Table* table) noexcept { tables[count++] = table; }
};

struct AllVariants {
    std::array<Variants, 2> classes;

    AllVariants() noexcept {
        Variants& portable = classes[0];
        [[maybe_unused]] Variants& fused = classes[1];
#if defined(__wasm__)
        if (&portable_scalar != nullptr)
#endif
            portable.add(&portable_scalar);
#if defined(__x86_64__)
        const bool avx2 = __builtin_cpu_supports("avx2");
        const bool fma = avx2 && __builtin_cpu_supports("fma");
        const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
        if (__builtin_cpu_supports("sse4.2")) portable.add(&portable_v128);
        if (avx2) portable.add(&portable_avx2);
        if (avx512) portable.add(&portable_avx512);
        if (fma) fused.add(&fused_scalar);
        if (fma) fused.add(&fused_avx2);
        if (fma && avx512) fused.add(&fused_avx512);
#else
        portable.add(&portable_v128);
#if defined(__aarch64__)
        fused.add(&fused_scalar);
        fused.add(&fused_v128);
#endif
#endif
    }
};

Variants& variants(Numerics numerics) noexcept {
    static AllVariants found;
    return found.classes[static_cast<std::size_t>(numerics)];
}

}  // namespace

std::string_view to_string(Numerics numerics) noexcept {
    return numerics == Numerics::portable ? "portable" : "fused";
}

std::span<const Table* const> available(Numerics numerics) noexcept {
    const Variants& v = variants(numerics);
    return {v.tables.data(), v.count};
}

const Table* find(Numerics numerics) noexcept {
    const Variants& v = variants(numerics);
    if (v.count == 0) return nullptr;
    const Table* table = v.chosen.load(std::memory_order_acquire);
    return table != nullptr ? table : v.tables[v.count - 1];
}

const Table& active() noexcept { return *find(Numerics::portable); }

Status select(std::string_view name) {
    std::string names;
    bool found = false;
    for (const Numerics numerics : {Numerics::portable, Numerics::fused}) {
        const Table* match = nullptr;
        for (const Table* table : available(numerics)) {
            if (name == table->name) match = table;
            if (numerics == Numerics::fused) continue;
            names += names.empty() ? "" : ", ";
            names += table->name;
        }
        if (numerics == Numerics::portable) found = match != nullptr;
        if (found) variants(numerics).chosen.store(match, std::memory_order_release);
    }
    if (found) return done();
    return Error{Code::invalid_argument, "kernels.unknown",
                 "kernels::select: expected one of " + names + ", found \"" + std::string(name) + "\""};
}

double softmax_cross_entropy(const float* logits, const std::uint32_t* labels, std::size_t rows,
                             std::size_t classes, std::size_t row, float factor, float* gradient) noexcept {
    double loss = 0.0;
    for (std::size_t r = 0; r < rows; ++r) {
        const float* z = logits + r * row;
        const std::uint32_t label = labels[r];
        float top = z[0];
        for (std::size_t j = 1; j < classes; ++j) top = z[j] > top ? z[j] : top;
        // `gradient` may be `logits`: what is needed of the row is taken first.
        const float margin = z[label] - top;
        float sum = 0.0f;
        if (gradient == nullptr) {
            for (std::size_t j = 0; j < classes; ++j) sum = sum + math::exp(z[j] - top);
        } else {
            float* g = gradient + r * row;
            for (std::size_t j = 0; j < classes; ++j) {
                g[j] = math::exp(z[j] - top);
                sum = sum + g[j];
            }
            for (std::size_t j = 0; j < classes; ++j) {
                const float p = g[j] / sum;
                g[j] = (j == label ? p - 1.0f : p) * factor;
            }
        }
        loss += static_cast<double>(math::log(sum)) - static_cast<double>(margin);
    }
    return loss;
}

void softmax(const float* logits, std::size_t classes, float* probabilities) noexcept {
    float top = logits[0];
    for (std::size_t j = 1; j < classes; ++j) top = logits[j] > top ? logits[j] : top;
    float sum = 0.0f;
    for (std::size_t j = 0; j < classes; ++j) {
        probabilities[j] = math::exp(logits[j] - top);
        sum = sum + probabilities[j];
    }
    for (std::size_t j = 0; j < classes; ++j) probabilities[j] = probabilities[j] / sum;
}

}  // namespace entente::kernels
