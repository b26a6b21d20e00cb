#include "commands/export_model.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "commands/ledger_file.hpp"
#include "commands/model_card.hpp"
#include "commands/plan_file.hpp"
#include "commands/run.hpp"
#include "commands/score.hpp"
#include "commands/text.hpp"
#include "entente/codec/merkle.hpp"
#include "entente/codec/npz.hpp"
#include "entente/codec/onnx.hpp"
#include "entente/codec/safetensors.hpp"
#include "entente/plan/model_file.hpp"
#include "entente/policy/evaluate.hpp"
#include "entente/task/sums.hpp"

namespace entente::commands {
namespace {

constexpr std::uint64_t limit_bytes = std::uint64_t{1} << 30;
constexpr std::uint64_t given_limit_bytes = 1024 * 1024;

}  // namespace

Result<Bytes> model_as_safetensors(const plan::Plan& plan, std::span<const float> parameters, const Digest& content) {
    return codec::write_safetensors(plan::tensor_shapes(plan), parameters,
                                    {{"federation", plan.federation.id}, {"task", plan.task.kind},
                                     {"content_digest", to_hex(content)}, {"plan_digest", to_hex(plan::digest_of(plan))}});
}

namespace {

struct ReadModel {
    std::vector<codec::TensorShape> tensors;
    std::vector<float> values;
    std::map<std::string, std::string> metadata;
    std::string federation;
    Digest plan;
    Digest content;
    bool sealed = false;  // an envelope of a federation
    nn::ModelSpec spec;   // of a model file, which says itself what its layers are
};

bool starts(ByteView file, std::string_view magic) {
    const ByteView start = as_bytes(magic);
    return file.size() >= start.size() && std::equal(start.begin(), start.end(), file.begin());
}

Result<ReadModel> read_envelope(ByteView envelope) {
    codec::FrameLimits limits;
    limits.content_bytes = limit_bytes;
    limits.payload_bytes = codec::payload_bound(limit_bytes);
    limits.kind = codec::FrameKind::model;
    ENTENTE_ASSIGN(codec::Frame frame, codec::decode_frame(envelope, limits));
    if (frame.header.encoding != codec::Encoding::float32) {
        return Error{Code::invalid_argument, "frame.encoding", "model: expected float32 values, found another encoding"};
    }
    ReadModel model;
    model.values.resize(frame.content.size() / sizeof(float));
    std::memcpy(model.values.data(), frame.content.data(), model.values.size() * sizeof(float));
    model.tensors = std::move(frame.header.tensors);
    model.sealed = true;
    model.federation = frame.header.federation;
    model.plan = frame.header.plan;
    model.content = frame.header.content;
    model.metadata = {{"federation", frame.header.federation}, {"content_digest", to_hex(model.content)}, {"plan_digest", to_hex(model.plan)}};
    return model;
}

// A table's model, which was only kept where its contract permits it to be exported.
Result<ReadModel> read_table_model(ByteView file) {
    ENTENTE_ASSIGN(plan::ModelFile kept, plan::read_model_file(file));
    if (kept.forest) return Error{Code::invalid_argument, "usage.format", "expected a network, found trees, which are scored with entente score alone"};
    ReadModel model;
    ENTENTE_ASSIGN(const nn::Layout layout, nn::infer_layout(kept.task.model));
    for (const nn::TensorInfo& t : layout.tensors) model.tensors.push_back({t.name, t.shape});
    model.values = std::move(kept.parameters);
    model.spec = std::move(kept.task.model);
    model.plan = kept.plan;
    model.content = codec::merkle_root(as_bytes(std::span<const float>(model.values)));
    model.metadata = {{"federation", kept.task.name}, {"content_digest", to_hex(model.content)}};
    model.federation = kept.task.name;
    return model;
}

Result<ReadModel> read_model(ByteView file) {
    if (starts(file, "ENTF")) return read_envelope(file);
    if (starts(file, "ENTM")) return read_table_model(file);
    ReadModel model;
    if (starts(file, std::string_view("PK\x03\x04", 4))) {
        ENTENTE_ASSIGN(codec::Npz npz, codec::read_npz(file, {.data_bytes = limit_bytes}));
        model.tensors = std::move(npz.tensors);
        model.values = std::move(npz.values);
    } else {
        ENTENTE_ASSIGN(codec::Safetensors read, codec::read_safetensors(file, {.data_bytes = limit_bytes}));
        model.tensors = std::move(read.tensors);
        model.values = std::move(read.values);
        model.metadata = std::move(read.metadata);
        model.federation = model.metadata["federation"];
        if (auto digest = digest_from_hex(model.metadata["plan_digest"]); digest.ok()) model.plan = *digest;
    }
    // The digest of a model is that of its values, wherever they are kept.
    model.content = codec::merkle_root(as_bytes(std::span<const float>(model.values)));
    return model;
}

Status check_plan(const ReadModel& model, const plan::Plan& plan) {
    if (!model.plan.is_zero() && model.plan != plan::digest_of(plan)) {
        return Error{Code::conflict, "export.other-plan", "expected a model of the plan " + short_hex(plan::digest_of(plan)) +
                                                              ", found one of the plan " + short_hex(model.plan)};
    }
    if (model.tensors != plan::tensor_shapes(plan) && model.tensors != plan::wire_tensors(plan)) {
        return Error{Code::invalid_argument, "export.shape", "expected the tensors of the plan's model in its order, found other names or shapes"};
    }
    return done();
}

// Do the terms that the model came under allow it to be exported? They are in the plan or, signed, in the ledger. A file of
// another program's format carries no contract.
Status may_export(const ReadModel& model, const std::optional<plan::Plan>& plan, const std::vector<round::Entry>& ledger) {
    const auto ask = [](const policy::Policy& terms) { return policy::permits(terms, policy::operation::export_model).status(); };
    bool known = !model.sealed;
    for (const round::Entry& entry : ledger) {
        const auto* concluded = std::get_if<round::AgreementConcluded>(&entry.record.body);
        if (concluded == nullptr) continue;
        const contract::Offer& offer = concluded->agreement.offer.offer;
        if (offer.asset != contract::global_model_asset(model.federation)) continue;
        ENTENTE_TRY(ask(offer.policy));
        known = true;
    }
    const plan::Plan usual = plan::default_digits_plan();
    if (plan) return ask(plan::model_policy(*plan));
    if (known) return done();
    if (model.plan == plan::digest_of(usual)) return ask(plan::model_policy(usual));
    return Error{Code::permission_denied, "policy.missing-fact",
                 "expected --plan or --ledger, which say under which terms the model may be exported, found neither"};
}

// What `entente score` reads, with the statistics that lie behind the model of a federation that scales together.
Result<Bytes> as_table_model(const ReadModel& model, const plan::Plan& plan) {
    if (!plan.task.table) return Error{Code::invalid_argument, "usage.format", "--format: expected a plan with a task on tables for " + std::string(model_name)};
    const auto count = static_cast<std::size_t>(plan::parameter_count(plan));
    plan::ModelFile file{plan::task_of(plan), {model.values.begin(), model.values.begin() + static_cast<std::ptrdiff_t>(count)}, {}, {}, plan::digest_of(plan)};
    if (plan::sums_length(plan) > 0) {
        const std::span<const float> sums = std::span(model.values).subspan(count);
        if (!task::has_sums(sums)) return Error{Code::invalid_argument, "export.shape", "expected everybody's statistics behind the model, found none: it is one of before the first round, or has lost them"};
        ENTENTE_ASSIGN(task::Shared shared, task::read_sums(file.task, sums));
        file.statistics = std::move(shared.statistics);
    }
    return plan::write_model_file(file);
}

Result<Bytes> write_as(const std::string& format, const ReadModel& model, const std::optional<plan::Plan>& plan) {
    if (format == "safetensors") return codec::write_safetensors(model.tensors, model.values, model.metadata);
    if (format == "npz") return codec::write_npz(model.tensors, model.values);
    if (format == "onnx" && !model.spec.layers.empty()) return codec::write_onnx(model.spec, model.values, model.metadata);
    if (format == "onnx" && plan) return codec::write_onnx(plan->task.model, std::span(model.values).first(static_cast<std::size_t>(plan::parameter_count(*plan))), model.metadata);
    if (format == "entente" && plan) return as_table_model(model, *plan);
    return Error{Code::invalid_argument, "usage.format",
                 format == "entente" ? "--plan: expected the model's plan, which has its task" : format == "onnx" ? "--plan: expected the model's plan, which says what the layers of an ONNX file are"
                                  : "--format: expected safetensors, npz, onnx or entente, found \"" + format + "\""};
}

Error about(const std::string& file, const Error& error) {
    const bool usage = std::string_view(error.reason).starts_with("usage.");
    return usage ? error : error_in(file, error);
}

Result<std::uint64_t> carry_out(const ExportOptions& o, Environment& environment) {
    const std::size_t dot = o.output.rfind('.');
    const std::string format = !o.format.empty() ? o.format : dot == std::string::npos ? "safetensors" : o.output.substr(dot + 1);
    ENTENTE_ASSIGN(const Bytes file, environment.read_file(o.file, limit_bytes));
    auto read = read_model(file);
    if (!read.ok()) return about(o.file, read.error());
    std::optional<plan::Plan> plan;
    if (!o.plan.empty()) {
        ENTENTE_ASSIGN(plan, read_plan_file(o.plan, environment));
        if (auto belongs = check_plan(*read, *plan); !belongs.ok()) return about(o.file, belongs.error());
    }
    std::vector<round::Entry> ledger;
    if (!o.ledger.empty()) {
        ENTENTE_ASSIGN(const Bytes bytes, environment.read_file(o.ledger, limit_bytes));
        ENTENTE_ASSIGN(ledger, read_ledger_file(bytes));
    }
    if (auto may = may_export(*read, plan, ledger); !may.ok()) return about(o.file, may.error());
    const auto written = write_as(format, *read, plan);
    if (!written.ok()) return about(o.file, written.error());
    CardFacts facts{read->metadata["federation"], read->plan, read->content, plan ? &*plan : nullptr, {}, nullptr};
    if (!o.ledger.empty()) facts.ledger = &ledger;
    TaskFacts task;
    if (plan && plan->task.table) {
        task.task = plan::task_of(*plan);
        facts.task = &task;
        if (!o.given.empty()) {
            ENTENTE_ASSIGN(const Bytes lines, environment.read_file(o.given, given_limit_bytes));
            if (const Status taken = read_given(std::string_view(reinterpret_cast<const char*>(lines.data()), lines.size()), task); !taken.ok()) return about(o.given, taken.error());
        }
    } else if (!o.given.empty()) {
        return Error{Code::invalid_argument, "usage.partners", "--partners: expected --plan with a task on tables beside it"};
    }
    ENTENTE_TRY(environment.write_file(o.output, *written));
    const std::string card = model_card(facts);
    ENTENTE_TRY(environment.write_file(o.output + ".card.md", as_bytes(std::string_view(card))));
    return std::uint64_t{written->size()};
}

}  // namespace

Result<Bytes> envelope_as_safetensors(ByteView envelope) {
    ENTENTE_ASSIGN(const ReadModel model, read_envelope(envelope));
    return codec::write_safetensors(model.tensors, model.values, model.metadata);
}

int export_model(const ExportOptions& o, Environment& environment) {
    const auto bytes = carry_out(o, environment);
    if (!bytes.ok()) return report(bytes.error(), environment);
    if (o.json) {
        environment.print(JsonObject().text("file", o.output).whole("bytes", *bytes).text("card", o.output + ".card.md").str() + "\n");
    } else {
        environment.print("  Wrote " + o.output + " (" + human_bytes(*bytes) + ") and its card.\n");
    }
    return exit_done;
}

}  // namespace entente::commands
