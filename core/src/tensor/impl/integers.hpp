// The integers of updates in their packed form. Whole numbers and exact sums: nothing here can depend on an order.

template <class T>
inline T packed_value(const unsigned char* content, size_t i) {
    T value;
    __builtin_memcpy(&value, content + i * sizeof(T), sizeof(T));
    return value;
}

template <class T, class Sum>
inline void add_times(Sum factor, const unsigned char* __restrict content, size_t count, Sum* __restrict sums) {
    for (size_t i = 0; i < count; ++i) sums[i] += factor * static_cast<Sum>(packed_value<T>(content, i));
}

// Two values to a byte, the first in the low half; writes whole bytes' worth.
inline void spread_halves(const unsigned char* __restrict content, size_t count, signed char* __restrict out) {
    for (size_t i = 0; i < (count + 1) / 2; ++i) {
        out[2 * i] = static_cast<signed char>(((content[i] & 15) ^ 8) - 8);
        out[2 * i + 1] = static_cast<signed char>(((content[i] >> 4) ^ 8) - 8);
    }
}

inline size_t record_bytes(const Packed& update, size_t values) { return 1 + (values * update.bits + 7) / 8; }

template <class Sum>
void fold(const Packed& update, Sum factor, Sum* sums) {
    const unsigned char* content = update.content;
    if (update.block == 0) {
        if (update.bits == 8) return add_times<signed char>(factor, content, update.values, sums);
        if (update.bits == 16) return add_times<short>(factor, content, update.values, sums);
        return add_times<int>(factor, content, update.values, sums);
    }
    alignas(64) signed char spread[max_packed_block];
    for (size_t at = 0; at < update.values; at += update.block) {
        const size_t count = update.values - at < update.block ? update.values - at : update.block;
        const unsigned char* values = content + 1;
        if (update.bits == 4) {
            spread_halves(values, count, spread);
            values = reinterpret_cast<const unsigned char*>(spread);
        }
        add_times<signed char>(factor * (Sum{1} << content[0]), values, count, sums + at);
        content += record_bytes(update, count);
    }
}

void widen(const std::int32_t* from, size_t count, std::int64_t* sums) {
    for (size_t i = 0; i < count; ++i) sums[i] += from[i];
}

// Is none of them the pattern of two's complement that has no negative?
template <class T>
bool all_have_negatives(const unsigned char* content, size_t count) {
    constexpr T lowest = static_cast<T>(T{1} << (8 * sizeof(T) - 1));
    T found = 0;
    for (size_t i = 0; i < count; ++i) found = static_cast<T>(found | (packed_value<T>(content, i) == lowest ? 1 : 0));
    return found == 0;
}

bool halves_have_negatives(const unsigned char* content, size_t count) {
    unsigned char found = 0;
    for (size_t i = 0; i < (count + 1) / 2; ++i) {
        found = static_cast<unsigned char>(found | ((content[i] & 15) == 8 ? 1 : 0) | ((content[i] >> 4) == 8 ? 1 : 0));
    }
    return found == 0 && (count % 2 == 0 || content[count / 2] >> 4 == 0);
}

bool packed_good(const Packed& update) {
    const unsigned char* content = update.content;
    if (update.block == 0) {
        if (update.bits == 8) return all_have_negatives<signed char>(content, update.values);
        if (update.bits == 16) return all_have_negatives<short>(content, update.values);
        return all_have_negatives<int>(content, update.values);
    }
    for (size_t at = 0; at < update.values; at += update.block) {
        const size_t count = update.values - at < update.block ? update.values - at : update.block;
        const bool good = update.bits == 8 ? all_have_negatives<signed char>(content + 1, count) : halves_have_negatives(content + 1, count);
        if (!good || content[0] > 16 - update.bits) return false;
        content += record_bytes(update, count);
    }
    return true;
}

void mean_of(const std::int64_t* sums, size_t count, double divisor, double share, float* mean) {
    for (size_t i = 0; i < count; ++i) mean[i] = static_cast<float>(static_cast<double>(sums[i]) / divisor * share);
}
