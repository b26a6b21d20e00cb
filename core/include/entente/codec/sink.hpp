// Where bytes go, piece by piece: a file, a decoder, a vector. A refusal stops who sends them, who passes the error on
// unchanged.
//
//   struct Counter final : codec::ContentSink {
//       std::uint64_t bytes = 0;
//       Status append(ByteView piece) override { bytes += piece.size(); return done(); }
//   };
//
// The piece is only valid during the call.
#pragma once

#include "entente/base/bytes.hpp"
#include "entente/base/result.hpp"

namespace entente::codec {

class ContentSink {
public:
    ContentSink() = default;
    ContentSink(const ContentSink&) = delete;
    ContentSink& operator=(const ContentSink&) = delete;
    virtual ~ContentSink() = default;

    virtual Status append(ByteView piece) = 0;
};

}  // namespace entente::codec
