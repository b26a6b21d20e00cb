#include "commands/plan_file.hpp"

#include <algorithm>

#include "commands/plan_toml.hpp"
#include "commands/task_files.hpp"

namespace entente::commands {
namespace {

constexpr std::uint64_t limit_bytes = 1024 * 1024;

}  // namespace

Result<plan::Plan> open_plan_envelope(ByteView envelope, codec::PublicKey* signer) {
    codec::FrameLimits limits;
    limits.content_bytes = limit_bytes;
    limits.payload_bytes = codec::payload_bound(limit_bytes);
    limits.kind = codec::FrameKind::plan;
    ENTENTE_ASSIGN(const codec::Frame frame, codec::decode_frame(envelope, limits));
    if (signer != nullptr) *signer = frame.header.signer;
    return plan::from_canonical_bytes(frame.content);
}

Result<plan::Plan> read_plan_file(const std::string& path, Environment& environment) {
    if (path.empty()) return plan::default_digits_plan();
    ENTENTE_ASSIGN(const Bytes bytes, environment.read_file(path, limit_bytes));
    const ByteView magic = as_bytes("ENTF");
    if (bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin())) {
        return open_plan_envelope(bytes);
    }
    std::string text(bytes.size(), '\0');
    std::transform(bytes.begin(), bytes.end(), text.begin(), [](std::byte b) { return static_cast<char>(b); });
    return read_plan_toml(text, path, [&](const std::string& file) {
        const std::size_t folder = path.rfind('/');
        return read_task_file(file.starts_with('/') || folder == std::string::npos ? file : path.substr(0, folder + 1) + file, environment);
    });
}

}  // namespace entente::commands
