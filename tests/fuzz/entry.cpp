// libFuzzer's entry for one target, chosen when it is compiled: -DENTENTE_FUZZ_TARGET=frame.
#include <cstdint>

#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::Target target = fuzz::ENTENTE_FUZZ_TARGET();
    target.run({reinterpret_cast<const std::byte*>(data), size});
    return 0;
}
