// ODRL as peers write it, read into a Policy; and whether two policies say the same.
//
//   ENTENTE_ASSIGN(const Odrl offer, read_odrl(text));
//   if (Verdict verdict = check_shape(offer.policy); !verdict.permitted) terminate(verdict.code, verdict.sentence);
//   if (!same_terms(offer.policy, agreement.policy)) terminate("agreement.mismatch", ...);
//
// Read tolerantly: one object in place of an array, {"@id": x} or {"@value": x} in place of a string, and the prefix
// odrl: or its namespace before ODRL's own words (structure, actions, operators, operands). Nothing else is matched by
// part of its name: "https://elsewhere/minCohortSize" stays an operand that nobody knows.
//
// Nothing is dropped. A part that has no place in Policy is named in policy.unread, "permission[0].constraint[1].or",
// and check_shape refuses the policy: so do an or, xone, andSequence or duty, a target inside a rule, a right operand that
// is a JSON number or boolean, `and` in more than four levels. Who the policy is between, and over what, is in the frame
// and no term. Descriptions (dct:) are no terms.
//
// Errors: those of base/json.hpp, and invalid_argument "odrl.malformed" for what is no policy at all. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "entente/base/json.hpp"
#include "entente/policy/policy.hpp"

namespace entente::policy {

struct Odrl {
    JsonFrame frame;  // as found; empty where absent
    Policy policy;    // actions and operators of ODRL in their short form where Policy has one; operands as IRIs
};

inline constexpr JsonLimits odrl_limits{.bytes = 64 * 1024, .depth = 32};

Result<Odrl> read_odrl(std::string_view json);
Result<Odrl> read_odrl(const Json& json);

// Every policy of a document: an offer, agreement or set; a dataset or a whole catalogue; a message that carries one.
// The frame's target is the dataset's id where the policy itself names none. "odrl.malformed" when there is none.
Result<std::vector<Odrl>> read_odrl_document(std::string_view json, const JsonLimits& limits = {.bytes = 16 * 1024 * 1024, .depth = 48});

// The same rules over the same terms, in whatever order and spelling: `and` is flat, no constraint is an empty one, a
// profile is an array of one. False as soon as one of them has a part that was not read.
bool same_terms(const Policy& a, const Policy& b);

}  // namespace entente::policy
