#include "commands/rows_digest.hpp"

#include <array>
#include <cmath>
#include <cstring>

#include "entente/codec/sha256.hpp"

namespace entente::commands {
namespace {

void add_bits(codec::Sha256& hash, std::uint64_t value, std::size_t bytes) {
    std::array<std::byte, 8> out;
    for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::byte>(value >> (8 * i) & 0xffu);
    hash.update(ByteView(out).first(bytes));
}

void add_text(codec::Sha256& hash, std::string_view text) {
    add_bits(hash, text.size(), 4);
    hash.update(as_bytes(text));
}

}  // namespace

Digest digest_of_rows(const task::Task& task, const task::Rows& rows) {
    codec::Sha256 hash;
    for (std::size_t c = 0; c < rows.columns.size(); ++c) {
        const task::Values& v = rows.columns[c];
        if (!v.present()) continue;
        add_text(hash, task.columns[c].name);
        for (const double x : v.numbers) {
            std::uint64_t bits = 0x7ff8000000000000u;
            if (!std::isnan(x)) std::memcpy(&bits, &x, sizeof bits);
            add_bits(hash, bits, sizeof bits);
        }
        for (const table::InstantMs at : v.instants) add_bits(hash, static_cast<std::uint64_t>(at), 8);
        for (const std::uint32_t code : v.codes) code == task::no_word ? add_bits(hash, code, 4) : add_text(hash, v.words[code]);
    }
    return hash.finish();
}

}  // namespace entente::commands
