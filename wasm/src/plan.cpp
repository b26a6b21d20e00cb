// Plans and other envelopes: opened, verified and put into words.
#include "entente/plan/plan.hpp"

#include "json.hpp"
#include "objects.hpp"
#include "entente/contract/contract.hpp"
#include "entente/contract/wire.hpp"
#include "entente/policy/evaluate.hpp"
#include "entente/codec/safetensors.hpp"

namespace entente::wasm {

namespace {

constexpr std::uint64_t plan_limit_bytes = 1 << 20;

codec::FrameLimits plan_limits() {
    codec::FrameLimits limits;
    limits.content_bytes = plan_limit_bytes;
    limits.payload_bytes = codec::payload_bound(plan_limit_bytes);
    limits.kind = codec::FrameKind::plan;
    limits.encoding = codec::Encoding::bytes;
    return limits;
}

std::string layers_text(const plan::Plan& plan) {
    std::string text;
    for (const auto& layer : plan.task.model.layers) {
        if (layer.kind == nn::LayerKind::flatten) continue;
        if (!text.empty()) text += ", ";
        text += std::string(nn::to_string(layer.kind));
        if (layer.units > 0) text += " " + std::to_string(layer.units);
    }
    return text;
}

std::string contract_json(const policy::Policy& policy, const policy::JsonFrame& frame) {
    return Json().raw("terms", terms_json(policy)).raw("odrl", policy::to_odrl_json(policy, frame)).done();
}

std::string_view kind_text(codec::FrameKind kind) {
    switch (kind) {
        case codec::FrameKind::plan: return "plan";
        case codec::FrameKind::model: return "model";
        case codec::FrameKind::update: return "update";
        case codec::FrameKind::receipt: return "receipt";
        case codec::FrameKind::offer: return "offer";
        case codec::FrameKind::agreement: return "agreement";
    }
    return "unknown";
}

std::string_view encoding_text(codec::Encoding encoding) {
    switch (encoding) {
        case codec::Encoding::bytes: return "bytes";
        case codec::Encoding::float32: return "float32";
        case codec::Encoding::int32: return "int32";
        case codec::Encoding::int16: return "int16";
        case codec::Encoding::int8: return "int8";
        case codec::Encoding::packed: return "packed";
        case codec::Encoding::sparse: return "sparse";
    }
    return "unknown";
}

std::string table_json(const plan::Plan& plan) {
    if (!plan.task.table) return "null";
    const task::Task& t = *plan.task.table;
    const auto word = [](std::span<const std::string_view> names, auto value) { return names[static_cast<std::size_t>(value) - 1]; };
    return Json()
        .text("name", t.name).text("title", t.title).number("min_rows", t.min_rows)
        .raw("metrics", json_list(t.metrics, [&word](task::Metric m) { return json_text(word(task::metric_names(), m)); }))
        .flag("shares", plan::sums_length(plan) > 0)
        .raw("columns", json_list(t.columns, [&word](const task::Column& c) {
                 return Json().text("name", c.name).text("role", word(task::role_names(), c.role)).text("kind", word(task::cell_kind_names(), c.kind))
                     .flag("optional", c.optional).text("unit", c.unit).text("why", c.why).done();
             }))
        .done();
}

std::string verdict_json(const plan::Plan& plan, std::int64_t now_ms) {
    policy::Facts facts;
    facts.federation = plan::federation_iri(plan);
    facts.cohort = plan.contract.min_cohort_size;
    facts.round = 1;
    facts.schema = plan::schema_digest(plan);
    facts.now_ms = now_ms;
    facts.agreed_at_ms = now_ms;
    facts.kept_ms = 0;
    for (const policy::Policy& policy : {plan::update_policy(plan), plan::model_policy(plan)}) {
        facts.operations = facts.operations ? plan::model_operations : plan::update_operations;
        const auto verdict = policy::evaluate(policy, policy::Point::negotiation, facts);
        if (!verdict.permitted) {
            return Json().flag("permitted", false).text("code", verdict.code).text("sentence", verdict.sentence).done();
        }
    }
    return Json().flag("permitted", true).done();
}

}  // namespace

std::string terms_json(const policy::Policy& policy) {
    return json_list(policy::explain(policy), [](const policy::Term& term) {
        return Json().text("sentence", term.sentence).text("operand", term.operand).text("value", term.value)
            .flag("enforced", term.enforced).text("reason", term.reason).done();
    });
}

Result<Bytes> predict(const plan::Plan& plan, std::span<const float> parameters, const float* example, std::uint32_t size) {
    ENTENTE_ASSIGN(const auto probabilities, task::predict(plan.task.model, parameters, std::span<const float>(example, size), plan.task.loss));
    const ByteView bytes = as_bytes(std::span<const float>(probabilities));
    return Bytes(bytes.begin(), bytes.end());
}

Result<Bytes> safetensors(const plan::Plan& plan, std::span<const float> parameters, std::uint64_t rounds) {
    return codec::write_safetensors(plan::tensor_shapes(plan), parameters,
                                    {{"federation", plan.federation.id},
                                     {"plan", to_hex(plan::digest_of(plan))},
                                     {"rounds", std::to_string(rounds)},
                                     {"task", plan.task.kind}});
}

}  // namespace entente::wasm

using namespace entente;
using namespace entente::wasm;

extern "C" {

// The signed plan. The key, if given (64 hexadecimal digits), must be the signer's.
const Answer* ent_plan_open(const std::byte* envelope, std::uint32_t size, const char* key, std::uint32_t key_size) {
    return guard([&]() -> Result<Handle> {
        ENTENTE_ASSIGN(codec::Frame frame, codec::decode_frame(view(envelope, size), plan_limits()));
        if (key_size > 0) {
            ENTENTE_ASSIGN(const codec::PublicKey expected, codec::public_key_from_hex(text(key, key_size)));
            if (frame.header.signer != expected) {
                return Error{Code::unauthenticated, "plan.foreign-signature",
                             "plan: expected the coordinator's signature, found another key's"};
            }
        }
        ENTENTE_ASSIGN(plan::Plan plan, plan::from_canonical_bytes(frame.content));
        auto object = std::make_shared<PlanObject>();
        object->plan = std::move(plan);
        object->coordinator = frame.header.signer;
        object->envelope_bytes = size;
        return keep(std::move(object));
    });
}

const Answer* ent_plan_describe(Handle handle, const char* participant, std::uint32_t participant_size, double now_ms) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto object, find<PlanObject>(handle));
        const plan::Plan& plan = object->plan;
        const std::string partner(text(participant, participant_size));
        const std::string& federation = plan.federation.id;
        const std::string& coordinator = plan.federation.coordinator;
        const policy::JsonFrame updates{"Offer", "offer:" + federation + ":" + partner + ":updates",
                                        contract::update_stream_asset(federation, partner), partner, coordinator, {}};
        const policy::JsonFrame global{"Offer", "offer:" + federation + ":global", contract::global_model_asset(federation),
                                       coordinator, partner, {}};
        const std::uint64_t parameters = plan::parameter_count(plan);
        return Json()
            .text("federation", federation).text("name", plan.federation.name)
            .text("operator", plan.federation.operator_name).text("purpose", plan.federation.purpose)
            .text("coordinator", coordinator).text("coordinator_key", codec::to_hex(object->coordinator))
            .text("digest", to_hex(plan::digest_of(plan))).text("schema", to_hex(plan::schema_digest(plan)))
            .text("task", plan.task.kind).raw("table", table_json(plan)).number("classes", plan.task.classes).text("layers", layers_text(plan))
            .number("parameters", parameters).text("numerics", plan.numerics)
            .number("rounds", plan.round.rounds).number("epochs", plan.training.epochs).number("batch", plan.training.batch)
            .number("slices", plan.training.slices).number("witnesses", plan.round.witnesses)
            .number("learning_rate", plan.training.learning_rate).number("deadline_s", plan.round.deadline_s)
            .number("min_cohort", plan.contract.min_cohort_size).number("valid_days", plan.contract.valid_days)
            .number("update_bits", plan.aggregation.grid.bits)
            .number("update_bytes", plan::update_limits(plan).content_bytes)
            .number("model_bytes", parameters * 4)
            .raw("updates", contract_json(plan::update_policy(plan), updates))
            .raw("model", contract_json(plan::model_policy(plan), global))
            .raw("verdict", verdict_json(plan, static_cast<std::int64_t>(now_ms)))
            .done();
    });
}

// The header of any envelope of this plan, for people to look at. Nothing is verified but its form.
const Answer* ent_frame_describe(Handle handle, const std::byte* envelope, std::uint32_t size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto object, find<PlanObject>(handle));
        auto limits = plan::model_limits(object->plan);
        limits.kind.reset();
        limits.encoding.reset();
        ENTENTE_ASSIGN(const codec::FrameInfo info, codec::peek_frame(view(envelope, size), limits));
        const codec::FrameHeader& h = info.header;
        return Json()
            .text("kind", kind_text(info.kind)).text("federation", h.federation).text("sender", h.sender)
            .text("agreement", h.agreement).number("round", h.round).text("encoding", encoding_text(h.encoding))
            .number("content_bytes", h.content_bytes).number("envelope_bytes", size)
            .text("content", to_hex(h.content)).text("base_model", to_hex(h.base_model)).text("plan", to_hex(h.plan))
            .text("schema", to_hex(h.schema)).number("weight", h.weight).text("signer", codec::to_hex(h.signer))
            .raw("measures", json_list(h.measures, [](const codec::Measure& m) {
                     return Json().text("name", m.name).number("value", m.value).done();
                 }))
            .raw("tensors", json_list(h.tensors, [](const codec::TensorShape& t) {
                     return Json().text("name", t.name)
                         .raw("shape", json_list(t.shape, [](std::uint32_t n) { return std::to_string(n); })).done();
                 }))
            .done();
    });
}

// The id inside the coordinator's answer to a transfer request, which the next request names.
const Answer* ent_transfer_id(const std::byte* bytes, std::uint32_t size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(contract::Transfer transfer, contract::decode_transfer(view(bytes, size)));
        return std::move(transfer.id);
    });
}

// The default plan of the digits demo with the 2NN or the CNN, signed: for tests of this module.
const Answer* ent_plan_seal(const std::byte* seed, std::uint32_t size, std::uint32_t cnn, std::uint32_t batch, std::uint32_t slices) {
    return guard([&]() -> Result<Bytes> {
        ENTENTE_ASSIGN(const codec::SigningKey key, signing_key(seed, size));
        plan::Plan plan = plan::default_digits_plan();
        if (cnn != 0) plan.task.model = nn::mcmahan_cnn();
        plan.training.batch = batch;
        plan.training.slices = slices;
        ENTENTE_TRY(plan::check(plan));
        codec::FrameHeader header;
        header.federation = plan.federation.id;
        header.sender = plan.federation.coordinator;
        header.plan = plan::digest_of(plan);
        header.schema = plan::schema_digest(plan);
        header.encoding = codec::Encoding::bytes;
        return codec::encode_frame(codec::FrameKind::plan, std::move(header), plan::canonical_bytes(plan), key);
    });
}

}  // extern "C"
