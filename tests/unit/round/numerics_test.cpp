#include <doctest/doctest.h>

#include "entente/tensor/kernels.hpp"
#include "harness.hpp"

using namespace harness;

TEST_CASE("a participant joins a fused plan only on a machine that can compute it, and a browser never") {
    plan::Plan plan = tiny_plan();
    const auto join = [&plan] {
        return round::Participant::create({plan, "a", key_of("a"), key_of(plan.federation.coordinator).public_key(), "a"});
    };
    CHECK(join().ok());
    plan.numerics = "fused";
    const auto participant = join();
    CHECK(participant.ok() == (kernels::find(kernels::Numerics::fused) != nullptr));
#ifdef __EMSCRIPTEN__
    REQUIRE_FALSE(participant.ok());
#endif
    if (!participant.ok()) {
        CHECK(participant.error().reason == "plan.numerics");
        CHECK(participant.error().message.find("browsers") != std::string::npos);
    }
}
