// What the checks of a plan share.
#pragma once

#include <string>

#include "entente/plan/plan.hpp"

namespace entente::plan {

inline Error refuse(const char* reason, std::string message) { return Error{Code::invalid_argument, reason, std::move(message)}; }

template <class T>
Status in_range(const char* key, T value, T low, T high) {
    if (value >= low && value <= high) return done();
    return refuse("plan.range", std::string(key) + ": expected " + std::to_string(low) + " to " + std::to_string(high) +
                                    ", found " + std::to_string(value));
}

Status check_contract(const Plan& plan);

}  // namespace entente::plan
