// Zeroed float32 storage on cache-line boundaries, with a line to spare at the end: kernels may read whole units.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace entente::nn {

constexpr std::size_t round_up(std::size_t x, std::size_t to) { return (x + to - 1) / to * to; }

class AlignedFloats {
public:
    AlignedFloats() = default;
    explicit AlignedFloats(std::size_t count) : size_(count) {
        const std::size_t floats = round_up(count, 16) + 16;
        data_.reset(static_cast<float*>(::operator new(floats * sizeof(float), std::align_val_t{64})));
        std::fill_n(data_.get(), floats, 0.0f);
    }

    [[nodiscard]] float* data() noexcept { return data_.get(); }
    [[nodiscard]] const float* data() const noexcept { return data_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    struct Free {
        void operator()(float* p) const noexcept { ::operator delete(p, std::align_val_t{64}); }
    };
    std::unique_ptr<float, Free> data_;
    std::size_t size_ = 0;
};

}  // namespace entente::nn
