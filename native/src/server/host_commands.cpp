// How the host carries out each command, and where the hub's bytes lie.
#include <algorithm>

#include "base/crash_point.hpp"
#include "server/host.hpp"

namespace entente::native {

using namespace round::coordinator;
using contract::CallOptions;

namespace {

// The hub's own calls complete before they return.
template <class T>
struct Answer {
    std::optional<Result<T>> result;
    contract::Completion<T> completion() {
        return [this](Result<T> r) { result.emplace(std::move(r)); };
    }
};

}  // namespace

Status Host::execute(Command& command) {
    if (auto* c = std::get_if<KeepStaged>(&command)) {
        const auto it = tokens_.find(c->token);
        const bool there = it != tokens_.end() && it->second == c->blob && o_.blobs.has(c->blob);
        if (!there) return Error{Code::data_loss, "host.staged", "the staged update is not what was judged"};
        tokens_.erase(it);
    } else if (auto* drop = std::get_if<DropStaged>(&command)) {
        if (const auto staged = tokens_.extract(drop->token); !staged.empty()) discard(staged.mapped());
    } else if (auto* counted = std::get_if<DeleteUpdates>(&command)) {
        return delete_updates(counted->blobs);
    } else if (auto* ended = std::get_if<EndAgreement>(&command)) {
        return space_->end_agreement(ended->agreement, ended->outcome);
    } else if (auto* store = std::get_if<StoreBlob>(&command)) {
        ENTENTE_ASSIGN(const Digest stored, o_.blobs.put(*store->bytes));
        if (stored != store->blob) return Error{Code::internal, "host.blob", "the model's envelope has another digest"};
    } else if (auto* offer = std::get_if<OfferModel>(&command)) {
        return space_->publish(coordinator_, offer->asset, offer->offer);
    } else if (auto* model = std::get_if<PublishModel>(&command)) {
        return publish(*model);
    } else if (auto* negotiate = std::get_if<Negotiate>(&command)) {
        // Where the other side has a connector, it agrees first; the books follow.
        const auto agreed = [this, who = negotiate->participant](Result<contract::Agreement> theirs) {
            if (theirs.ok()) theirs = space_->negotiate(coordinator_, *theirs, theirs->acceptance.agreed_at_ms);
            enqueue(Negotiated{who, std::move(theirs), now_ms()});
        };
        if (o_.negotiate && o_.negotiate(negotiate->participant, negotiate->proposal, agreed)) return done();
        Answer<contract::Agreement> answer;
        side_->negotiate(negotiate->proposal, CallOptions{}, answer.completion());
        events_.push_back(Negotiated{negotiate->participant, std::move(*answer.result), now_ms()});
    } else if (auto* wanted = std::get_if<Retrieve>(&command)) {
        retrieve(*wanted);
    } else if (auto* conclude = std::get_if<Conclude>(&command)) {
        const Status told = space_->conclude(coordinator_, conclude->transfer, conclude->outcome);
        static_cast<void>(told);  // the participant may have withdrawn; the judgement stands in the ledger
    }
    return done();
}

// The update lies in the folder already: nothing is copied, the machine reads it where it is.
void Host::retrieve(Retrieve& command) {
    const std::uint64_t token = next_token_++;
    auto transfer = space_->open(coordinator_, command.request);
    const auto content = content_of(command.request.asset);
    if (!transfer.ok() || !content || content->version != command.request.version) {
        if (transfer.ok()) transfer = Error{Code::not_found, "connector.no-content", "the update's bytes are gone"};
        events_.push_back(Retrieved{command.participant, std::move(transfer), token, nullptr, now_ms()});
        return;
    }
    auto source = o_.blobs.open_blob(content->blob);
    if (!source.ok()) {
        retry_watch_ = true;
        events_.push_back(Retrieved{command.participant, source.error(), token, nullptr, now_ms()});
        return;
    }
    tokens_[token] = content->blob;
    sources_[token] = *source;  // until the event has been handled
    events_.push_back(Retrieved{command.participant, std::move(transfer), token, source->get(), now_ms()});
}

Status Host::publish(const PublishModel& command) {
    const auto before = contents_.find(command.asset);
    const std::optional<ContentRow> old =
        before == contents_.end() ? std::nullopt : std::optional<ContentRow>(before->second);
    contents_[command.asset] = {command.version, command.blob};
    if (Status told = space_->delivered(coordinator_, command.asset, command.version); !told.ok()) {
        if (old) {
            contents_[command.asset] = *old;
        } else {
            contents_.erase(command.asset);
        }
        return told;
    }
    history_.model_visible(command.version.content, monotonic_ms());
    if (o_.on_model) {
        const auto parameters = machine_.parameters();
        o_.on_model(std::make_shared<const std::vector<float>>(parameters.begin(), parameters.end()), command.version.content);
    }
    return done();
}

Status Host::uploaded(const std::string& participant, const std::string& asset, const contract::Version& version,
                      const Digest& blob) {
    const auto before = contents_.find(asset);
    const std::optional<ContentRow> old =
        before == contents_.end() ? std::nullopt : std::optional<ContentRow>(before->second);
    if (const auto spent = spent_.find(asset); old && old->blob == blob && spent != spent_.end() && spent->second == version) {
        // Sent once more after it was judged: it must not lie here again.
        o_.blobs.remove(blob);
        return done();
    }
    if (old && old->version == version && old->blob != blob) {
        // A version is judged once: other bytes under its name would be taken and then never looked at.
        remove_unused(blob);
        return Error{Code::conflict, "update.same-version",
                     "update: this round, content and size were delivered before with other bytes; nothing of it was used"};
    }
    contents_[asset] = {version, blob};
    crash_point("uploaded");
    if (Status told = space_->delivered(participant, asset, version); !told.ok()) {
        if (old) {
            contents_[asset] = *old;
        } else {
            contents_.erase(asset);
        }
        remove_unused(blob);
        return told;
    }
    if (old) remove_unused(old->blob);
    return done();
}

Status Host::delete_updates(const std::vector<Digest>& blobs) {
    for (const Digest& blob : blobs) {
        if (!o_.blobs.remove(blob)) {
            return Error{Code::unavailable, "host.delete", o_.blobs.path_of(blob).string() + ": cannot be deleted; expected a folder that is writable"};
        }
        for (const auto& [asset, row] : contents_) {
            if (row.blob == blob) spent_[asset] = row.version;
        }
    }
    ENTENTE_TRY(o_.blobs.settle());
    std::erase_if(counted_blobs_, [&blobs](const auto& row) { return std::find(blobs.begin(), blobs.end(), row.second) != blobs.end(); });
    crash_point("deleted");
    return done();
}

void Host::discard(const Digest& blob) {
    const bool counted = std::any_of(counted_blobs_.begin(), counted_blobs_.end(), [&blob](const auto& row) { return row.second == blob; });
    const auto offers = std::count_if(contents_.begin(), contents_.end(), [&blob](const auto& row) { return row.second.blob == blob; });
    if (counted || offers > 1) return;
    o_.blobs.remove(blob);
    for (const auto& [asset, row] : contents_) {
        if (row.blob == blob) spent_[asset] = row.version;
    }
}

// Files are named after their bytes: the same one may be another participant's, or count in the open round.
void Host::remove_unused(const Digest& blob) {
    const bool offered = std::any_of(contents_.begin(), contents_.end(), [&blob](const auto& row) { return row.second.blob == blob; });
    const bool counted = std::any_of(counted_blobs_.begin(), counted_blobs_.end(), [&blob](const auto& row) { return row.second == blob; });
    if (!offered && !counted) o_.blobs.remove(blob);
}

std::optional<ContentRow> Host::content_of(const std::string& asset) const {
    const auto it = contents_.find(asset);
    return it == contents_.end() ? std::nullopt : std::optional<ContentRow>(it->second);
}

Result<std::shared_ptr<contract::ByteSource>> Host::open(const std::string& asset, const contract::Version& version) {
    const auto content = content_of(asset);
    if (!content || content->version != version) {
        return Error{Code::not_found, "connector.no-content", "no content of " + asset + " in this version"};
    }
    return o_.blobs.open_blob(content->blob);
}

Status Host::keep(const std::string& asset, const contract::Version& version, contract::ByteSource& content) {
    ENTENTE_ASSIGN(auto upload, o_.blobs.begin(version.size_bytes));
    ENTENTE_TRY(upload.take(content));
    ENTENTE_ASSIGN(const Digest blob, upload.finish());
    contents_[asset] = {version, blob};
    return done();
}

Snapshot Host::snapshot(const contract::Exchange& exchange) const { return {exchange.serialize(), contents_}; }

Status Host::save(const contract::Exchange& exchange, bool urgent) {
    if (!urgent) {
        dirty_ = true;
        if (!driving_) arm();
        return done();
    }
    ENTENTE_TRY(o_.store.save(snapshot(exchange)));
    dirty_ = false;
    return done();
}

}  // namespace entente::native
