// What a fuzzer throws bytes at: one target for each parser of bytes from outside.
//
// A target never crashes, whatever it gets, and expect() says what must hold of what it accepts. Its seeds are honest
// messages, made by our own writers or taken from a specification, to begin from.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/codec/sign.hpp"

namespace fuzz {

using entente::Bytes;
using entente::ByteView;

struct Target {
    const char* name;
    void (*run)(ByteView bytes);
    std::vector<Bytes> (*seeds)();
};

Target frame();
Target archive();
Target ledger();
Target plan();
Target plan_bytes();
Target policy();
Target json();
Target idx();
Target csv();
Target table();
Target update();
Target model_file();
Target dataspace();
Target management();
Target token();
Target http_head();
Target log_files();
Target scorer();

inline std::vector<Target> all() {
    return {frame(),  archive(),    ledger(),    plan(),       plan_bytes(), policy(),    json(),     idx(),
            csv(), table(),
            update(), model_file(), dataspace(), management(), token(),      http_head(), log_files(),
            scorer()};
}

inline void expect(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "expected: %s\n", what);
    std::abort();
}

inline std::string_view text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline Bytes bytes_of(std::string_view text) {
    const ByteView view = entente::as_bytes(text);
    return {view.begin(), view.end()};
}
// The first byte chooses among several parsers that share a target.
inline Bytes behind(std::uint8_t choice, ByteView bytes) {
    Bytes all{std::byte{choice}};
    all.insert(all.end(), bytes.begin(), bytes.end());
    return all;
}

inline entente::codec::SigningKey key(std::uint8_t seed) {
    std::array<std::byte, entente::codec::SigningKey::seed_bytes> bytes{};
    bytes.fill(std::byte{seed});
    return entente::codec::SigningKey(bytes);
}

}  // namespace fuzz
