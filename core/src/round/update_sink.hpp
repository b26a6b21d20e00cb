// Between the decoder of an envelope and the reader of its integers.
#pragma once

#include "entente/aggregate/packed_update.hpp"
#include "entente/codec/sink.hpp"

namespace entente::round {

class UpdateSink final : public codec::ContentSink {
public:
    UpdateSink(const aggregate::FixedPoint& grid, std::uint64_t parameters) : reader_(grid, parameters) {}

    Status append(ByteView bytes) override { return reader_.append(bytes); }
    Result<aggregate::PackedUpdate> finish() { return reader_.finish(); }

private:
    aggregate::PackedReader reader_;
};

}  // namespace entente::round
