#include "proof/ledger_blobs.hpp"

namespace entente::native {

Result<LedgerBlobs::Kind> LedgerBlobs::find(const Digest& blob) {
    constexpr std::uint64_t at_once = 1'000;
    for (;;) {
        ENTENTE_ASSIGN(const auto entries, store_.entries(seen_ + 1, seen_ + at_once));
        for (const round::Entry& entry : entries) {
            if (const auto* update = std::get_if<round::UpdateAccepted>(&entry.record.body)) kinds_[update->blob] = Kind::update;
            if (const auto* model = std::get_if<round::ModelPublished>(&entry.record.body)) {
                kinds_[model->blob] = Kind::model;
                if (!model->memory.is_zero()) kinds_[model->memory] = Kind::memory;
            }
        }
        seen_ += entries.size();
        if (entries.size() < at_once) break;
    }
    const auto it = kinds_.find(blob);
    if (it != kinds_.end()) return it->second;
    return Error{Code::not_found, "blob.unknown", "the ledger names no envelope " + short_hex(blob)};
}

}  // namespace entente::native
