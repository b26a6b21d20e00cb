// What a participant remembers of its own from round to round (SCAFFOLD's control variate; what sparse updates have not
// sent), as the bytes that KeepState carries. Two vectors: what the last counted update left, and what the latest one would
// leave.
#pragma once

#include <vector>

#include "entente/base/bytes.hpp"
#include "entente/plan/plan.hpp"

namespace entente::round {

struct ParticipantState {
    std::vector<float> settled;  // [plan::state_length(plan)], zeros at first
    std::vector<float> pending;  // the same, or empty
    std::uint64_t round = 0;     // of the update that `pending` belongs to
    Digest update;               // its content
    Digest base;                 // the model that it was trained on
    bool counted = false;        // its receipt says so
};

ParticipantState fresh_state(const plan::Plan& plan);
Bytes encode_state(const plan::Plan& plan, const ParticipantState& state);
// data_loss "state.malformed" for bytes that are damaged or of another plan.
Result<ParticipantState> decode_state(const plan::Plan& plan, ByteView bytes);

}  // namespace entente::round
