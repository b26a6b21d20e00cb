#include "opened_update.hpp"

#include "entente/codec/sha256.hpp"

namespace entente::round {
namespace {

constexpr std::size_t read_chunk = 64 * 1024;

// The whole envelope; what is known of it then, its blob and its size, into `record`. The outer error: it could not be read.
Result<Result<codec::Frame>> read_envelope(const plan::Plan& plan, contract::ByteSource& envelope, UpdateAccepted& record) {
    codec::FrameDecoder decoder(plan::update_limits(plan));
    codec::Sha256 blob;
    const auto take = [&](ByteView bytes) {
        blob.update(bytes);
        record.size_bytes += bytes.size();
        return decoder.put(bytes);
    };
    if (const auto whole = envelope.whole()) {
        if (const Status taken = take(*whole); !taken.ok()) return Result<codec::Frame>(taken.error());
    } else {
        std::vector<std::byte> buffer(read_chunk);
        for (;;) {
            ENTENTE_ASSIGN(const std::size_t n, envelope.read(buffer));
            if (n == 0) break;
            if (const Status taken = take(ByteView(buffer).first(n)); !taken.ok()) return Result<codec::Frame>(taken.error());
        }
    }
    record.blob = blob.finish();
    return decoder.finish();
}

Result<StagedUpdate> take_content(const plan::Plan& plan, Bytes content, UpdateAccepted record) {
    if (plan::is_sparse(plan)) {
        aggregate::Sparse numbers;
        ENTENTE_TRY(aggregate::unpack(content, plan::sparse_form(plan), numbers));
        return StagedUpdate{std::move(record), std::move(numbers)};
    }
    ENTENTE_ASSIGN(aggregate::PackedUpdate packed,
                   aggregate::PackedUpdate::of(std::move(content), plan.aggregation.grid, plan::wire_length(plan)));
    return StagedUpdate{std::move(record), std::move(packed)};
}

}  // namespace

std::shared_ptr<OpenedUpdate> open_update(const plan::Plan& plan, contract::ByteSource& envelope) {
    UpdateAccepted record;
    auto read = read_envelope(plan, envelope, record);
    if (!read.ok()) return nullptr;
    Result<codec::Frame>& frame = *read;
    if (!frame.ok()) return std::make_shared<OpenedUpdate>(OpenedUpdate{{}, frame.error()});
    auto update = take_content(plan, std::move(frame->content), std::move(record));
    return std::make_shared<OpenedUpdate>(OpenedUpdate{std::move(frame->header), std::move(update)});
}

std::shared_ptr<OpenedUpdate> sealed_update(const plan::Plan& plan, codec::FrameHeader header, Bytes content,
                                            ByteView envelope) {
    UpdateAccepted record;
    record.blob = codec::sha256(envelope);
    record.size_bytes = envelope.size();
    auto update = take_content(plan, std::move(content), std::move(record));
    return std::make_shared<OpenedUpdate>(OpenedUpdate{std::move(header), std::move(update)});
}

}  // namespace entente::round
