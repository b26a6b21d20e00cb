#pragma once

#include "entente/aggregate/sparse.hpp"
#include "entente/codec/sink.hpp"

namespace entente::round {

// Takes in the content of a sparse update. It is small, and its positions come before its values: it is held whole.
class SparseSink final : public codec::ContentSink {
public:
    explicit SparseSink(const aggregate::SparseForm& form) : form_(form) {}

    Status append(ByteView bytes) override {
        if (bytes.size() > form_.content_bytes() - content_.size()) {
            return Error{Code::invalid_argument, "update.shape",
                         "update: expected " + std::to_string(form_.content_bytes()) + " bytes of content, found more"};
        }
        content_.insert(content_.end(), bytes.begin(), bytes.end());
        return done();
    }

    [[nodiscard]] Result<aggregate::Sparse> take() const {
        aggregate::Sparse numbers;
        ENTENTE_TRY(aggregate::unpack(content_, form_, numbers));
        return numbers;
    }

private:
    aggregate::SparseForm form_;
    Bytes content_;
};

}  // namespace entente::round
