#include "model_envelope.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace entente::round {

Result<SealedModel> seal_model(const plan::Plan& plan, std::uint64_t round, bool final, std::span<const float> parameters,
                               std::span<const float> control, std::span<const float> sums, const codec::SigningKey& key) {
    codec::FrameHeader header;
    header.federation = plan.federation.id;
    header.sender = plan.federation.coordinator;
    header.plan = plan::digest_of(plan);
    header.schema = plan::schema_digest(plan);
    header.round = round;
    header.encoding = codec::Encoding::float32;
    header.tensors = plan::wire_tensors(plan);
    if (final) header.measures.push_back({measure_final, 1.0});
    // Floats are little-endian IEEE 754 in memory on every target that this compiles for (checked in portable code).
    std::vector<float> all;
    if (!control.empty() || !sums.empty()) {
        all.reserve(parameters.size() + control.size() + sums.size());
        all.insert(all.end(), parameters.begin(), parameters.end());
        all.insert(all.end(), control.begin(), control.end());
        all.insert(all.end(), sums.begin(), sums.end());
        parameters = all;
    }
    ENTENTE_ASSIGN(Bytes envelope, codec::encode_frame(codec::FrameKind::model, std::move(header),
                                                       std::as_bytes(parameters), key));
    ENTENTE_ASSIGN(const codec::FrameInfo sealed, codec::peek_frame(envelope, plan::model_limits(plan)));
    return SealedModel{std::make_shared<const Bytes>(std::move(envelope)), sealed.header.content};
}

Result<ModelEnvelope> open_model(const plan::Plan& plan, ByteView envelope, const codec::PublicKey& coordinator) {
    ENTENTE_ASSIGN(codec::Frame frame, codec::decode_frame(envelope, plan::model_limits(plan)));
    if (frame.header.signer != coordinator) {
        return Error{Code::permission_denied, "model.foreign-signature",
                     "global model: expected the coordinator's signature, found another key's"};
    }
    ENTENTE_TRY(check_belongs(plan, frame.header, "model"));
    ModelEnvelope model;
    model.parameters.resize(static_cast<std::size_t>(plan::wire_length(plan)));
    if (frame.content.size() != model.parameters.size() * sizeof(float)) {
        return Error{Code::invalid_argument, "model.shape", "global model: its content has another size than the plan's model"};
    }
    std::memcpy(model.parameters.data(), frame.content.data(), frame.content.size());
    if (!std::all_of(model.parameters.begin(), model.parameters.end(), [](float v) { return std::isfinite(v); })) {
        return Error{Code::invalid_argument, "model.not-finite", "global model: found NaN or infinity among its parameters"};
    }
    const auto d = static_cast<std::ptrdiff_t>(plan::parameter_count(plan));
    const auto behind = model.parameters.end() - static_cast<std::ptrdiff_t>(plan::sums_length(plan));
    model.control.assign(model.parameters.begin() + d, behind);
    model.sums.assign(behind, model.parameters.end());
    model.parameters.resize(static_cast<std::size_t>(d));
    model.round = frame.header.round;
    model.content = frame.header.content;
    for (const codec::Measure& measure : frame.header.measures) {
        if (measure.name == measure_final) model.final = measure.value == 1.0;
    }
    return model;
}

Status check_belongs(const plan::Plan& plan, const codec::FrameHeader& header, const std::string& what) {
    if (header.federation != plan.federation.id) {
        return Error{Code::invalid_argument, what + ".foreign-federation",
                     what + ": expected the federation " + plan.federation.id + ", found \"" + header.federation + "\""};
    }
    if (const Digest expected = plan::digest_of(plan); header.plan != expected) {
        return Error{Code::conflict, what + ".wrong-plan", what + ": expected the plan " + short_hex(expected) +
                                                               ", found " + short_hex(header.plan)};
    }
    if (header.schema != plan::schema_digest(plan) || header.tensors != plan::wire_tensors(plan)) {
        return Error{Code::invalid_argument, what + ".shape",
                     what + ": its tensors have other names or shapes than the plan's model"};
    }
    return done();
}

}  // namespace entente::round
