#include "commands/export_model.hpp"

#include <cstring>

#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/codec/safetensors.hpp"

namespace entente::commands {
namespace {

constexpr std::uint64_t limit_bytes = std::uint64_t{1} << 30;

}  // namespace

Result<Bytes> model_as_safetensors(const plan::Plan& plan, std::span<const float> parameters, const Digest& content) {
    return codec::write_safetensors(plan::tensor_shapes(plan), parameters,
                                    {{"federation", plan.federation.id}, {"task", plan.task.kind},
                                     {"content_digest", to_hex(content)}, {"plan_digest", to_hex(plan::digest_of(plan))}});
}

Result<Bytes> envelope_as_safetensors(ByteView envelope) {
    codec::FrameLimits limits;
    limits.content_bytes = limit_bytes;
    limits.payload_bytes = codec::payload_bound(limit_bytes);
    limits.kind = codec::FrameKind::model;
    ENTENTE_ASSIGN(const codec::Frame frame, codec::decode_frame(envelope, limits));
    if (frame.header.encoding != codec::Encoding::float32) {
        return Error{Code::invalid_argument, "frame.encoding", "model: expected float32 values, found another encoding"};
    }
    std::vector<float> values(frame.content.size() / sizeof(float));
    std::memcpy(values.data(), frame.content.data(), values.size() * sizeof(float));
    return codec::write_safetensors(frame.header.tensors, values,
                                    {{"federation", frame.header.federation},
                                     {"content_digest", to_hex(frame.header.content)},
                                     {"plan_digest", to_hex(frame.header.plan)}});
}

int export_model(const ExportOptions& o, Environment& environment) {
    if (o.format != "safetensors") {
        return report(Error{Code::invalid_argument, "usage.format",
                            "--format: expected safetensors, found \"" + o.format + "\""},
                      environment);
    }
    auto envelope = environment.read_file(o.file, limit_bytes);
    if (!envelope.ok()) return report(envelope.error(), environment);
    auto file = envelope_as_safetensors(*envelope);
    if (!file.ok()) {
        return report(Error{file.error().code, file.error().reason, o.file + ": " + file.error().message}, environment);
    }
    if (auto written = environment.write_file(o.output, *file); !written.ok()) return report(written.error(), environment);
    if (o.json) {
        environment.print(JsonObject().text("file", o.output).whole("bytes", file->size()).str() + "\n");
    } else {
        environment.print("  Wrote " + o.output + " (" + human_bytes(file->size()) + ").\n");
    }
    return exit_done;
}

}  // namespace entente::commands
