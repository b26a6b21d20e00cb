// Stochastic rounding: exact steps in double, element by element, written as a plain loop that the compiler turns into
// vectors.

// Without branches, since which way a value is rounded cannot be predicted.
std::uint32_t round_at_random(const float* __restrict x, const std::uint32_t* __restrict words, size_t count, double scale,
                              double limit, std::int32_t* __restrict out) {
    // Adding and taking away 1.5 * 2^52 leaves the nearest whole number of anything below 2^51.
    constexpr double to_whole = 0x1.8p52;
    std::uint32_t clipped = 0;
    for (size_t i = 0; i < count; ++i) {
        double scaled = static_cast<double>(x[i]) * scale;
        scaled = scaled > limit + 1.0 ? limit + 1.0 : scaled;
        scaled = scaled < -limit - 1.0 ? -limit - 1.0 : scaled;
        const double nearest = (scaled + to_whole) - to_whole;
        const double below = nearest - (nearest > scaled ? 1.0 : 0.0);
        // The word as a signed number and half the range back: what vector units convert.
        const double chance = (static_cast<double>(static_cast<std::int32_t>(words[i] ^ 0x80000000u)) + 0x1p31) * 0x1p-32;
        const double value = below + (chance < scaled - below ? 1.0 : 0.0);
        double kept = value > limit ? limit : value;
        kept = kept < -limit ? -limit : kept;
        clipped += kept != value ? 1u : 0u;
        out[i] = static_cast<std::int32_t>(kept);
    }
    return clipped;
}
