// The offline demo's federation, as JavaScript holds it.
#pragma once

#include "connectors/memory/federation.hpp"
#include "objects.hpp"

namespace entente::wasm {

// What models are worth to partners who bring tables (demo/made.cpp). The rest of the demo knows this much of it, so that
// modules without tables do without.
class DemoScores {
public:
    virtual ~DemoScores() = default;
    // Called behind each slice of work: a round that it closed is scored.
    virtual Status take(const memory::Federation& federation) = 0;
    [[nodiscard]] virtual std::string json() const = 0;
};

struct DemoObject final : Object {
    explicit DemoObject(memory::Federation federation_in) : federation(std::move(federation_in)) {}
    memory::Federation federation;
    plan::Plan plan;
    std::vector<std::string> balance;    // per partner, JSON list of examples per class
    std::unique_ptr<DemoScores> scores;  // null: digits
};

struct Company {
    const char* id;
    const char* name;
};
constexpr Company companies[] = {{"nordwerk", "Nordwerk"}, {"adria", "Adria"}, {"lumen", "Lumen"}, {"halden", "Halden"},
                                 {"kestrel", "Kestrel"}, {"ostrava", "Ostrava"}, {"brenta", "Brenta"}, {"tavira", "Tavira"}};

struct DemoSetting {
    std::uint32_t partners;
    std::uint32_t epochs;
    std::uint32_t min_cohort;
    std::uint32_t rounds;  // 0: the plan's
};

// What all demos promise each other. invalid_argument "demo.partners".
inline Status use_setting(plan::Plan& plan, const DemoSetting& s) {
    if (s.partners < 1 || s.partners > std::size(companies)) {
        return Error{Code::invalid_argument, "demo.partners",
                     "partners: expected 1 to " + std::to_string(std::size(companies)) + ", found " + std::to_string(s.partners)};
    }
    plan.federation.operator_name = "This page";
    plan.training.epochs = s.epochs;
    if (s.rounds > 0) plan.round.rounds = s.rounds;
    plan.round.min_cohort = std::min(s.min_cohort, s.partners);
    plan.contract.min_cohort_size = s.min_cohort;
    return plan::check(plan);
}

}  // namespace entente::wasm
