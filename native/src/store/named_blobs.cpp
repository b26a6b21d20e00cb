#include "store/named_blobs.hpp"

namespace entente::native {

NamedBlobs blobs_named_by(const std::vector<round::Entry>& ledger, const std::map<std::string, ContentRow>& contents) {
    NamedBlobs named;
    std::map<std::pair<std::uint64_t, std::string>, Digest> counted;  // by round and participant
    for (const round::Entry& entry : ledger) {
        if (const auto* model = std::get_if<round::ModelPublished>(&entry.record.body)) {
            named.kept.insert(model->blob);
            if (model->memory != Digest{}) named.kept.insert(model->memory);
        } else if (const auto* update = std::get_if<round::UpdateAccepted>(&entry.record.body)) {
            counted[{update->round, update->participant}] = update->blob;
        } else if (const auto* gone = std::get_if<round::UpdatesDeleted>(&entry.record.body)) {
            for (const std::string& id : gone->participants) counted.erase({gone->round, id});
        }
    }
    for (const auto& [key, blob] : counted) named.kept.insert(blob);
    for (const auto& [asset, row] : contents) named.offered.insert(row.blob);
    return named;
}

}  // namespace entente::native
