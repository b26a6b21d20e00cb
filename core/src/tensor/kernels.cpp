#include "entente/tensor/kernels.hpp"

#include <array>
#include <atomic>
#include <string>

#include "entente/base/math.hpp"

namespace entente::kernels {

extern const Table table_scalar;
extern const Table table_v128;
#if defined(__x86_64__)
extern const Table table_avx2;
extern const Table table_avx512;
#endif

namespace {

struct Variants {
    std::array<const Table*, 4> tables{};
    std::size_t count = 0;

    Variants() noexcept {
        add(&table_scalar);
#if defined(__x86_64__)
        if (__builtin_cpu_supports("sse4.2")) add(&table_v128);
        if (__builtin_cpu_supports("avx2")) add(&table_avx2);
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
            add(&table_avx512);
        }
#else
        add(&table_v128);
#endif
    }

private:
    void add(const Table* table) noexcept { tables[count++] = table; }
};

const Variants& variants() noexcept {
    static const Variants found;
    return found;
}

std::atomic<const Table*> chosen{nullptr};

}  // namespace

std::span<const Table* const> available() noexcept { return {variants().tables.data(), variants().count}; }

const Table& best() noexcept { return *available().back(); }

const Table& active() noexcept {
    const Table* table = chosen.load(std::memory_order_acquire);
    return table != nullptr ? *table : best();
}

Status select(std::string_view name) {
    std::string names;
    for (const Table* table : available()) {
        if (name == table->name) {
            chosen.store(table, std::memory_order_release);
            return done();
        }
        names += names.empty() ? "" : ", ";
        names += table->name;
    }
    return Error{Code::invalid_argument, "kernels.unknown",
                 "kernels::select: expected one of " + names + ", found \"" + std::string(name) + "\""};
}

double softmax_cross_entropy(const float* logits, const std::uint32_t* labels, std::size_t rows,
                             std::size_t classes, float factor, float* gradient) noexcept {
    double loss = 0.0;
    for (std::size_t r = 0; r < rows; ++r) {
        const float* z = logits + r * classes;
        const std::uint32_t label = labels[r];
        float top = z[0];
        for (std::size_t j = 1; j < classes; ++j) top = z[j] > top ? z[j] : top;
        // `gradient` may be `logits`: what is needed of the row is taken first.
        const float margin = z[label] - top;
        float sum = 0.0f;
        if (gradient == nullptr) {
            for (std::size_t j = 0; j < classes; ++j) sum = sum + math::exp(z[j] - top);
        } else {
            float* g = gradient + r * classes;
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
