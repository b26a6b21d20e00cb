// An update out of its envelope, checked as far as plan and bytes alone allow: what the coordinator judges.
//
// There are two ways to one. Whoever receives an envelope opens it: bounds, zstd, digest, signature, integers. Whoever has
// sealed one knows what is in it: where the coordinator lives in the same process it may have the content as it was signed,
// and the next to nothing that opening would find out anew.
#pragma once

#include <memory>
#include <variant>

#include "entente/aggregate/packed_update.hpp"
#include "entente/aggregate/sparse.hpp"
#include "entente/codec/frame.hpp"
#include "entente/contract/connector.hpp"
#include "entente/plan/plan.hpp"
#include "entente/round/journal.hpp"

namespace entente::round {

struct StagedUpdate {
    UpdateAccepted record;  // blob and size; judging fills in the rest
    std::variant<aggregate::PackedUpdate, aggregate::Sparse> update;
};

struct OpenedUpdate {
    codec::FrameHeader header;
    Result<StagedUpdate> update;
};

// Fails inside, like codec::FrameDecoder, aggregate::PackedUpdate::of and aggregate::unpack. Null when `envelope` could not be
// read: that says nothing about it.
std::shared_ptr<OpenedUpdate> open_update(const plan::Plan& plan, contract::ByteSource& envelope);

// What open_update would say of `envelope`. REQUIRES: the caller has just sealed it over `content` with this header.
std::shared_ptr<OpenedUpdate> sealed_update(const plan::Plan& plan, codec::FrameHeader header, Bytes content,
                                            ByteView envelope);

}  // namespace entente::round
