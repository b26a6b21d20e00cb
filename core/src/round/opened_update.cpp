#include "opened_update.hpp"

#include "entente/codec/sha256.hpp"
#include "sparse_sink.hpp"
#include "update_sink.hpp"

namespace entente::round {
namespace {

constexpr std::size_t read_chunk = 64 * 1024;

// The whole envelope, its content into `sink`. What is known of it then: its blob and its size.
Result<UpdateAccepted> read_envelope(const plan::Plan& plan, contract::ByteSource& content, codec::ContentSink& sink,
                                     codec::FrameHeader& header) {
    codec::FrameDecoder decoder(plan::update_limits(plan), sink);
    codec::Sha256 blob;
    std::vector<std::byte> buffer(read_chunk);
    UpdateAccepted record;
    for (;;) {
        ENTENTE_ASSIGN(const std::size_t n, content.read(buffer));
        if (n == 0) break;
        const ByteView bytes(buffer.data(), n);
        blob.update(bytes);
        record.size_bytes += n;
        ENTENTE_TRY(decoder.put(bytes));
    }
    ENTENTE_ASSIGN(const codec::FrameInfo info, decoder.finish());
    header = info.header;
    record.blob = blob.finish();
    return record;
}

Result<StagedUpdate> read_update(const plan::Plan& plan, contract::ByteSource& content, codec::FrameHeader& header) {
    if (plan::is_sparse(plan)) {
        SparseSink sink(plan::sparse_form(plan));
        ENTENTE_ASSIGN(UpdateAccepted record, read_envelope(plan, content, sink, header));
        ENTENTE_ASSIGN(aggregate::Sparse numbers, sink.take());
        return StagedUpdate{std::move(record), std::move(numbers)};
    }
    UpdateSink sink(plan.aggregation.grid, plan::wire_length(plan));
    ENTENTE_ASSIGN(UpdateAccepted record, read_envelope(plan, content, sink, header));
    ENTENTE_ASSIGN(aggregate::PackedUpdate packed, sink.finish());
    return StagedUpdate{std::move(record), std::move(packed)};
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
    codec::FrameHeader header;
    auto update = read_update(plan, envelope, header);
    return std::make_shared<OpenedUpdate>(OpenedUpdate{std::move(header), std::move(update)});
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
