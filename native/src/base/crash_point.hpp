// A test hook: ENTENTE_CRASH_AT=name[:n] kills the process, as kill -9 would, at the n-th passage of that point.
// Points: uploaded, before-accept, accepted, closed, published (tests/e2e/test_rounds.py); log-appended, log-tiled, log-signed
// (tests/e2e/test_proof.py); of the Dataspace Protocol
// dsp-before-store, dsp-stored, dsp-answered, dsp-taken (tests/e2e/test_dataspace_faults.py). Without the variable it costs
// one comparison.
#pragma once

#include <string_view>

namespace entente::native {

void crash_point(std::string_view name) noexcept;

}  // namespace entente::native
