// Each term as a person reads it.
#pragma once

#include <string>

#include "entente/policy/policy.hpp"

namespace entente::policy {

std::string purpose_sentence(const Constraint& constraint);
std::string operations_sentence(const Constraint& constraint);
std::string cohort_sentence(const Constraint& constraint);
std::string rounds_sentence(const Constraint& constraint);
std::string schema_sentence(const Constraint& constraint);
std::string date_sentence(const Constraint& constraint);
std::string retention_sentence(const Constraint& constraint);
std::string epsilon_sentence(const Constraint& constraint);
std::string delta_sentence(const Constraint& constraint);
std::string clipping_sentence(const Constraint& constraint);
std::string sealed_sentence(const Constraint& constraint);

}  // namespace entente::policy
