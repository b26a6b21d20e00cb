#include "commands/inspect.hpp"

#include <algorithm>

#include "commands/ledger_file.hpp"
#include "commands/plan_toml.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/base/json_text.hpp"
#include "entente/codec/frame.hpp"
#include "entente/codec/safetensors.hpp"
#include "entente/plan/plan.hpp"
#include "entente/policy/evaluate.hpp"

namespace entente::commands {
namespace {

constexpr std::uint64_t limit_bytes = std::uint64_t{1} << 30;

std::string_view name_of(codec::FrameKind kind) {
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

std::string_view name_of(codec::Encoding encoding) {
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

void row(Environment& environment, std::string_view name, const std::string& value) {
    if (!value.empty()) environment.print("  " + pad(printable(name), 13) + printable(value) + "\n");
}

std::string shape_text(const codec::TensorShape& tensor) {
    std::string text;
    for (const std::uint32_t n : tensor.shape) text += (text.empty() ? "" : " x ") + std::to_string(n);
    return text.empty() ? "scalar" : text;
}

std::string tensors_json(const std::vector<codec::TensorShape>& tensors) {
    std::string out = "[";
    for (const codec::TensorShape& tensor : tensors) {
        std::string shape;
        for (const std::uint32_t n : tensor.shape) shape += (shape.empty() ? "" : ",") + std::to_string(n);
        out += (out.size() > 1 ? "," : "") + JsonObject().text("name", tensor.name).raw("shape", "[" + shape + "]").str();
    }
    return out + "]";
}

// What is looked at, and how.
struct Subject {
    const std::string& file;
    const Bytes& bytes;
    bool json;
    Environment& environment;

    [[nodiscard]] int refuse(Error error) const {
        error.message = file + ": " + error.message;
        return report(error, environment);
    }
};

int inspect_frame(const Subject& subject) {
    const auto& [_, bytes, json, environment] = subject;
    codec::FrameLimits limits;
    limits.content_bytes = limit_bytes;
    limits.payload_bytes = codec::payload_bound(limit_bytes);
    auto frame = codec::decode_frame(bytes, limits);
    if (!frame.ok()) return subject.refuse(frame.error());
    const codec::FrameHeader& h = frame->header;
    const std::string base = h.base_model.is_zero() ? "" : to_hex(h.base_model);
    if (json) {
        JsonObject o;
        o.text("kind", name_of(frame->kind)).text("federation", h.federation).text("sender", h.sender);
        o.text("agreement", h.agreement).whole("round", h.round).text("encoding", name_of(h.encoding));
        o.whole("content_bytes", h.content_bytes).whole("envelope_bytes", bytes.size()).whole("weight", h.weight);
        o.text("content", to_hex(h.content)).text("plan", to_hex(h.plan)).text("schema", to_hex(h.schema));
        o.text("base_model", base).text("signer", codec::to_hex(h.signer));
        JsonObject measures;
        for (const codec::Measure& m : h.measures) measures.number(m.name, m.value);
        o.raw("measures", measures.str()).raw("tensors", tensors_json(h.tensors)).boolean("verified", true);
        environment.print(o.str() + "\n");
        return exit_done;
    }
    row(environment, "Kind", std::string(name_of(frame->kind)) + " (digest and signature hold)");
    row(environment, "Federation", h.federation);
    row(environment, "Sender", h.sender);
    row(environment, "Signed by", codec::to_hex(h.signer));
    row(environment, "Agreement", h.agreement);
    if (h.round > 0) row(environment, "Round", std::to_string(h.round));
    row(environment, "Content", to_hex(h.content));
    row(environment, "Size", human_bytes(h.content_bytes) + " as " + std::string(name_of(h.encoding)) + ", " +
                                 human_bytes(bytes.size()) + " on the wire");
    row(environment, "Plan", h.plan.is_zero() ? "" : to_hex(h.plan));
    row(environment, "Base model", base);
    if (h.weight > 0) row(environment, "Weight", grouped(h.weight) + " examples");
    for (const codec::Measure& m : h.measures) row(environment, "Measure", pad(m.name, 18) + decimal(m.value, 4));
    for (const codec::TensorShape& t : h.tensors) row(environment, "Tensor", pad(t.name, 18) + shape_text(t));
    if (frame->kind == codec::FrameKind::plan) {
        auto plan = plan::from_canonical_bytes(frame->content);
        if (!plan.ok()) return subject.refuse(plan.error());
        environment.print("\n" + write_plan_toml(*plan));
    }
    return exit_done;
}

int inspect_ledger(const Subject& subject) {
    const auto& [_, bytes, json, environment] = subject;
    auto entries = read_ledger_file(bytes);
    if (!entries.ok()) return subject.refuse(entries.error());
    std::string list;
    for (const round::Entry& entry : *entries) {
        const std::string at = policy::format_instant(entry.record.at_ms);
        if (json) {
            list += (list.empty() ? "" : ",") + JsonObject()
                                                    .whole("sequence", entry.sequence)
                                                    .text("at", at)
                                                    .text("kind", round::kind_of(entry.record))
                                                    .text("summary", round::summary_of(entry.record))
                                                    .text("digest", to_hex(round::link_of(entry)))
                                                    .str();
        } else {
            environment.print("  " + pad(std::to_string(entry.sequence), 6) + at + "  " +
                              pad(round::kind_of(entry.record), 22) + printable(round::summary_of(entry.record)) + "\n");
        }
    }
    if (json) {
        environment.print("{\"entries\":[" + list + "],\"verified\":true}\n");
    } else {
        environment.print("  " + std::to_string(entries->size()) + " entries, every link holds.\n");
    }
    return exit_done;
}

int inspect_safetensors(const Subject& subject) {
    const auto& [_, bytes, json, environment] = subject;
    auto read = codec::read_safetensors(bytes);
    if (!read.ok()) {
        return subject.refuse({Code::invalid_argument, "inspect.unknown",
                               "expected an envelope (ENTF), a ledger (ENTL) or a safetensors file, found none of them"});
    }
    if (json) {
        environment.print(JsonObject()
                              .text("kind", "safetensors")
                              .whole("values", read->values.size())
                              .raw("tensors", tensors_json(read->tensors))
                              .str() + "\n");
        return exit_done;
    }
    row(environment, "Kind", "safetensors, " + grouped(read->values.size()) + " values");
    for (const auto& [key, value] : read->metadata) row(environment, key, value);
    for (const codec::TensorShape& t : read->tensors) row(environment, "Tensor", pad(t.name, 18) + shape_text(t));
    return exit_done;
}

}  // namespace

int inspect(const std::string& file, bool json, Environment& environment) {
    auto bytes = environment.read_file(file, limit_bytes);
    if (!bytes.ok()) return report(bytes.error(), environment);
    const Subject subject{file, *bytes, json, environment};
    const ByteView magic = as_bytes("ENTF");
    if (bytes->size() >= 4 && std::equal(magic.begin(), magic.end(), bytes->begin())) return inspect_frame(subject);
    if (is_ledger_file(*bytes)) return inspect_ledger(subject);
    return inspect_safetensors(subject);
}

}  // namespace entente::commands
