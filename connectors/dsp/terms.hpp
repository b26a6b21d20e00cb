// Addresses, and offers and agreements against each other.
#pragma once

#include <string>
#include <string_view>

#include "entente/base/result.hpp"
#include "entente/policy/policy.hpp"

namespace entente::dsp {

inline constexpr std::size_t max_pid_shown = 80;

// Of an offer or agreement that the reader has accepted.
std::string target_of(std::string_view policy);
std::string assignee_of(std::string_view policy);
std::string id_of(std::string_view policy);

std::string without_slash(std::string address);
// A foreign pid as one segment of a path: what would end the segment is escaped, "urn:uuid:…" stays as it is.
std::string in_path(std::string_view pid);

// EDC drops a policy's profile wherever one passes through it. Profile::may_be_lost: terms that say none are compared without,
// terms that say another are others all the same.
enum class Profile : std::uint8_t { kept, may_be_lost };
bool same_terms(const policy::Policy& shown, const policy::Policy& expected, Profile profile);

struct Expected {
    std::string_view offer;  // the latest one in the negotiation
    std::string_view dataset;
    std::string_view assigner;
    std::string_view assignee;
    Profile profile = Profile::kept;
};
// A provider may change terms on the last step (EDC agrees to altered rules under a valid offer id): the rules must be
// those of the offer in canonical form, over our dataset, between us two. "agreement.mismatch".
Status check_agreement(std::string_view agreement, const Expected& expected);

}  // namespace entente::dsp
