#include "participant_state.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "entente/codec/sha256.hpp"
#include "entente/round/participant.hpp"

// u32 layout version, u8 counted, u64 round, digests of plan, update and base, the two vectors as little-endian
// float32, SHA-256 of all that.
namespace entente::round {
namespace {

constexpr std::uint32_t layout_version = 1;
constexpr std::size_t header_bytes = 4 + 1 + 8 + 3 * 32;
constexpr std::size_t digest_bytes = 32;

Error malformed(const char* found) {
    return Error{Code::data_loss, "state.malformed",
                 std::string("the participant's own state: expected what was kept for this plan, found ") + found};
}

void append(Bytes& out, const Digest& digest) { out.insert(out.end(), digest.bytes.begin(), digest.bytes.end()); }

void append(Bytes& out, const std::vector<float>& values) {
    const auto bytes = std::as_bytes(std::span(values));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

Digest digest_at(ByteView bytes, std::size_t at) {
    Digest digest;
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), digest_bytes, digest.bytes.begin());
    return digest;
}

}  // namespace

ParticipantState fresh_state(const plan::Plan& plan) {
    ParticipantState state;
    state.settled.resize(static_cast<std::size_t>(plan::state_length(plan)), 0.0f);
    return state;
}

Bytes encode_state(const plan::Plan& plan, const ParticipantState& state) {
    Bytes out;
    out.reserve(header_bytes + 4 * (state.settled.size() + state.pending.size()) + digest_bytes);
    append_le(out, layout_version);
    append_le(out, std::uint8_t{state.counted});
    append_le(out, state.round);
    append(out, plan::digest_of(plan));
    append(out, state.update);
    append(out, state.base);
    append(out, state.settled);
    append(out, state.pending);
    append(out, codec::sha256(out));
    return out;
}

Result<ParticipantState> decode_state(const plan::Plan& plan, ByteView bytes) {
    ParticipantState state = fresh_state(plan);
    const std::size_t one = 4 * state.settled.size();
    const std::size_t frame = header_bytes + digest_bytes;
    if (bytes.size() != frame + one && bytes.size() != frame + 2 * one) return malformed("another size");
    const ByteView body = bytes.first(bytes.size() - digest_bytes);
    if (digest_at(bytes, body.size()) != codec::sha256(body)) return malformed("damaged bytes");
    if (read_le<std::uint32_t>(body) != layout_version) return malformed("another version");
    if (digest_at(body, 13) != plan::digest_of(plan)) return malformed("another plan's");
    state.counted = body[4] != std::byte{0};
    state.round = read_le<std::uint64_t>(body.subspan(5));
    state.update = digest_at(body, 13 + digest_bytes);
    state.base = digest_at(body, 13 + 2 * digest_bytes);
    std::memcpy(state.settled.data(), body.data() + header_bytes, one);
    if (body.size() > header_bytes + one) {
        state.pending.resize(state.settled.size());
        std::memcpy(state.pending.data(), body.data() + header_bytes + one, one);
    }
    const auto finite = [](float v) { return std::isfinite(v); };
    if (!std::all_of(state.settled.begin(), state.settled.end(), finite) ||
        !std::all_of(state.pending.begin(), state.pending.end(), finite)) {
        return malformed("NaN or infinity");
    }
    return state;
}

std::uint64_t participant::state_limit(const plan::Plan& plan) {
    const std::uint64_t length = plan::state_length(plan);
    return length == 0 ? 0 : header_bytes + 2 * 4 * length + digest_bytes;
}

}  // namespace entente::round
