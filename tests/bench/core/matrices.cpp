#include <cmath>
#include <stdexcept>

#include "core/bench.hpp"
#include "entente/base/philox.hpp"
#include "entente/tensor/kernels.hpp"
#include "nn/packing.hpp"

namespace entente::bench {
namespace {

const kernels::Table& table(const std::string& numerics) {
    const kernels::Table* found = kernels::find(numerics == "fused" ? kernels::Numerics::fused : kernels::Numerics::portable);
    if (found == nullptr) throw std::runtime_error("this machine has no kernels of class " + numerics);
    return *found;
}

}  // namespace

// B is packed before the clock starts, as weights are in training.
void gemm(const Words& words) {
    if (words.size() != 5) throw std::runtime_error("gemm: expected M N K NUMERICS SECONDS");
    const std::size_t m = std::stoul(words[0]);
    const std::size_t n = std::stoul(words[1]);
    const std::size_t k = std::stoul(words[2]);
    const kernels::Table& t = table(words[3]);
    Philox random(derive_key(1, 0, {}, Purpose::test));
    const auto noise = [&random](std::size_t count) {
        nn::AlignedFloats values(count);
        for (std::size_t i = 0; i < count; ++i) values.data()[i] = random.uniform() - 0.5f;
        return values;
    };
    const nn::Panels panels{k, n};
    const std::size_t row = panels.units() * 16;
    nn::AlignedFloats a = noise(m * k);
    nn::AlignedFloats b = noise(panels.size());
    nn::AlignedFloats c = noise(m * row);
    const double calls = rate(std::stod(words[4]), true, [&] {
        // A block of k at a time through all rows, so that a panel's block stays in the first cache.
        constexpr std::size_t block = 224;
        for (std::size_t p = 0; p < panels.count(); ++p) {
            for (std::size_t first = 0; first < k; first += block) {
                kernels::Gemm g;
                g.rows = m;
                g.columns = panels.width(p);
                g.depth = std::min(block, k - first);
                g.a = a.data() + first;
                g.a_row = k;
                g.b = b.data() + panels.offset(p) + first * panels.width(p);
                g.b_row = panels.width(p);
                g.c = c.data() + panels.first_column(p);
                g.c_row = row;
                if (first > 0) {
                    g.start = g.c;
                    g.start_row = row;
                }
                t.gemm(g);
            }
        }
    });
    print(2e-9 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k) * calls, std::string("\"kernels\": \"") + t.name + "\"");
}

// What the registers give: the tile of a product whose operands never leave the first cache.
void peak(const Words& words) {
    if (words.size() != 2) throw std::runtime_error("peak: expected NUMERICS SECONDS");
    const kernels::Table& t = table(words[0]);
    nn::AlignedFloats a(8 * 64);
    nn::AlignedFloats b(64 * 48);
    nn::AlignedFloats c(8 * 48);
    kernels::Gemm g;
    g.rows = 8;
    g.columns = 48;
    g.depth = 64;
    g.a = a.data();
    g.a_row = 64;
    g.b = b.data();
    g.b_row = 48;
    g.start = g.c = c.data();
    g.start_row = g.c_row = 48;
    const double calls = rate(std::stod(words[1]), true, [&] {
        for (int i = 0; i < 1'000; ++i) t.gemm(g);
    });
    print(2e-9 * 8 * 48 * 64 * 1'000 * calls);
}

}  // namespace entente::bench
