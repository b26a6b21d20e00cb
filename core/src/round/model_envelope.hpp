// The global model as an envelope, and back: shared by both halves of the round.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "entente/codec/frame.hpp"
#include "entente/plan/plan.hpp"

namespace entente::round {

inline constexpr const char* measure_final = "final";

struct ModelEnvelope {
    std::vector<float> parameters;  // [d]
    std::vector<float> control;     // [d] beside it for SCAFFOLD, otherwise empty
    std::vector<float> sums;        // [plan::sums_length], what everybody scales with; zeros until a round has gathered it
    std::uint64_t round = 0;
    bool final = false;
    Digest content;
};

struct SealedModel {
    std::shared_ptr<const Bytes> envelope;
    Digest content;
};

Result<SealedModel> seal_model(const plan::Plan& plan, std::uint64_t round, bool final, std::span<const float> parameters,
                               std::span<const float> control, std::span<const float> sums, const codec::SigningKey& key);

// Verifies envelope, signer, plan and layout. "model.foreign-signature", "model.wrong-plan", "model.shape",
// "model.not-finite", and those of the frame.
Result<ModelEnvelope> open_model(const plan::Plan& plan, ByteView envelope, const codec::PublicKey& coordinator);

// Does the envelope belong to this plan, and do its tensors have the plan's names and shapes? `what` is "update" or
// "model" and begins the reason.
Status check_belongs(const plan::Plan& plan, const codec::FrameHeader& header, const std::string& what);

}  // namespace entente::round
