#include "server/dsp_mailbox.hpp"

#include <algorithm>

#include "commands/text.hpp"
#include "connectors/dsp/offerings.hpp"
#include "connectors/dsp/terms.hpp"
#include "dsp/peer_identity.hpp"
#include "dsp/processes_json.hpp"

namespace entente::native {

using namespace contract;

namespace {

constexpr std::int64_t first_pause_ms = 50;
constexpr std::int64_t longest_pause_ms = 250;
constexpr std::int64_t edc_pause_ms = 500;         // an EDC takes 50 ms for a catalogue
constexpr std::int64_t refused_pause_ms = 10'000;  // before the same thing is tried again
constexpr std::int64_t problem_ms = 15'000;        // that one is shown after it was last seen

// An update on its way into the data folder.
class UploadSink final : public ByteSink {
public:
    explicit UploadSink(BlobStore::Upload upload) : upload_(std::move(upload)) {}
    Status append(ByteView piece) override { return upload_.append(piece); }
    Result<Digest> finish() { return upload_.finish(); }

private:
    BlobStore::Upload upload_;
};

CallOptions within(std::int64_t ms) {
    CallOptions options;
    options.timeout_ms = ms;
    return options;
}

}  // namespace

struct DspMailbox::Partner {
    bool looking = false;
    bool negotiating = false;
    bool pulling = false;
    std::int64_t look_ms = 0;        // not before, monotonic
    std::optional<std::int64_t> reached_ms;  // monotonic
    std::int64_t not_before_ms = 0;  // of what was refused
    std::optional<SignedOffer> offered;
    struct Problem {
        std::string sentence;
        std::int64_t until_ms = 0;
        bool theirs = false;  // they have said it
    } problem;
    struct Open {
        std::string asset;
        Version version;
    };
    std::map<std::string, Open> open;  // by transfer: pulled, and its verdict is still to be told
};

DspMailbox::DspMailbox(DspMailboxOptions options) : o_(std::move(options)) {}
DspMailbox::~DspMailbox() = default;

Result<std::unique_ptr<DspMailbox>> DspMailbox::open(DspMailboxOptions options) {
    std::unique_ptr<DspMailbox> mailbox(new DspMailbox(std::move(options)));
    DspMailboxOptions& o = mailbox->o_;
    const std::string coordinator = o.host.machine().plan().federation.coordinator;
    DspStationOptions station{.self = coordinator, .coordinator = coordinator, .key = &o.key, .io = o.io, .post = o.post,
                              .space = o.host.space(), .blobs = o.blobs,
                              .blob_of = [&host = o.host](const std::string& asset, const Version& version) -> Result<Digest> {
                                  const auto content = host.content_of(asset);
                                  if (content && content->version == version) return content->blob;
                                  return Error{Code::not_found, "connector.no-content", "no content of " + asset + " in this version"};
                              },
                              .folder = o.folder, .origin = o.origin, .port = o.port, .plain_loopback = o.loopback, .networks = o.networks,
                              .ca_file = o.ca_file, .vouched_by = o.vouched_by, .mock_identity = o.mock_identity,
                              .on_served = [&host = o.host](const Grant& grant) { host.history().sent_model(grant.size_bytes); },
                              .on_failure = [box = mailbox.get()](const Error& error) { box->say_once("connector: " + error.message); },
                              .on_problem = [box = mailbox.get()](const std::string& peer, const Error& why) {
                                  box->troubled(peer, why);
                              }};
    ENTENTE_ASSIGN(mailbox->station_, DspStation::open(std::move(station)));
    return mailbox;
}

// What was pulled before a restart is asked for its verdict again; what was not stored is pulled again.
void DspMailbox::start() {
    station_->start();
    for (const auto& [pid, t] : station_->service().node().transfers()) {
        if (t.role != dsp::Role::consumer || dsp::is_final(t.state)) continue;
        const Agreement* agreement = o_.host.space().exchange().agreement(t.agreement_id);
        const auto version = dsp::read_version(t.extensions);
        const std::string asset = agreement == nullptr ? std::string() : agreement->offer.offer.asset;
        if (version.ok() && o_.host.space().exchange().current(asset) == *version) {
            auto& state = partners_[t.peer];
            if (!state) state = std::make_unique<Partner>();
            state->open[pid] = {asset, *version};
        } else {
            station_->connector().conclude(pid, {false, "transfer.interrupted", "The coordinator was restarted before the update had arrived."},
                                 within(60'000), [](const Result<Done>&) {});
        }
    }
}

Status DspMailbox::know(const dsp::Peer& peer, const codec::PublicKey& key) {
    if (peer.edc && !o_.mock_identity) {
        return Error{Code::permission_denied, "identity.mock",
                     std::string("connector: an EDC's mock identity proves nothing; it is taken only by a coordinator that was started with ") + mock_option};
    }
    dsp::Peer known = peer;
    for (std::string* address : {&known.address, &known.data_origin}) {
        if (address == &known.data_origin && !peer.edc) continue;
        ENTENTE_ASSIGN(const Url url, read_url(*address));
        if (!o_.loopback && !url.tls) {
            return Error{Code::permission_denied, "connector.address", "connector: expected an https:// address, found " + url.origin()};
        }
    }
    for (const auto& [id, other] : station_->peers()) {
        if (id == peer.participant || !(peer.edc || other.edc) || other.called() != peer.called()) continue;
        return Error{Code::conflict, "connector.taken", "connector: expected an EDC with an id of its own, found that of another participant"};
    }
    known.address = dsp::without_slash(known.address);
    known.data_origin = dsp::origin_of(known.data_origin);
    station_->know(known, key);
    auto& state = partners_[peer.participant];
    if (!state) state = std::make_unique<Partner>();
    news_ = true;
    return done();
}

void DspMailbox::forget(const std::string& participant) { station_->forget(participant); }

std::int64_t DspMailbox::step() {
    for (auto& [id, state] : partners_) {
        if (station_->peers().contains(id) && !state->looking && monotonic_ms() >= state->look_ms) look(id, *state);
    }
    tell_verdicts();
    pause_ms_ = std::exchange(news_, false) ? first_pause_ms : std::clamp(2 * pause_ms_, first_pause_ms, longest_pause_ms);
    return pause_ms_;
}

void DspMailbox::settle() {
    station_->settle();
    tell_verdicts();
}

void DspMailbox::look(const std::string& id, Partner& state) {
    state.looking = true;
    station_->connector().catalog_of(station_->peers().find(id)->second, within(10'000), [this, id](Result<std::vector<CatalogEntry>> found) {
        const auto it = partners_.find(id);
        if (it == partners_.end()) return;
        it->second->looking = false;
        const auto peer = station_->peers().find(id);
        if (peer != station_->peers().end() && peer->second.edc) it->second->look_ms = monotonic_ms() + edc_pause_ms;
        if (!found.ok()) return troubled(id, found.error());
        o_.host.seen(id);
        it->second->reached_ms = monotonic_ms();
        for (const CatalogEntry& entry : *found) {
            if (entry.asset.kind == AssetKind::update_stream) take(id, entry);
        }
    });
}

void DspMailbox::take(const std::string& id, const CatalogEntry& entry) {
    Partner& state = *partners_.at(id);
    hub::HubSpace& space = o_.host.space();
    if (state.offered != entry.offer) {
        if (const Status offered = space.publish(id, entry.asset, entry.offer); !offered.ok()) return troubled(id, offered.error());
        state.offered = entry.offer;
        news_ = true;
    }
    const auto agreements = space.exchange().agreements(id, entry.asset.id);
    if (!agreements.ok() || state.negotiating || now_ms() < state.not_before_ms) return;
    const auto ours = std::find_if(agreements->begin(), agreements->end(), [&](const Agreement& a) { return a.offer == entry.offer; });
    if (ours == agreements->end()) {
        // It was refused or not reached, some time ago.
        if (std::exchange(state.not_before_ms, 0) != 0) o_.host.look_again();
        return;
    }
    if (!station_->connector().holds(ours->id)) {
        negotiate(id, *ours, [](const Result<Agreement>&) {});
    } else if (entry.version && space.exchange().current(entry.asset.id) != entry.version && !state.pulling) {
        pull(id, entry, ours->id);
    }
}

bool DspMailbox::negotiate(const std::string& participant, const Agreement& proposal, Completion<Agreement> completion) {
    const auto known = partners_.find(participant);
    if (known == partners_.end() || !station_->peers().contains(participant)) return false;
    Partner& state = *known->second;
    if (now_ms() < state.not_before_ms) {
        completion(Error{Code::unavailable, "connector.later", participant + " has refused a moment ago"});
        return true;
    }
    state.negotiating = true;
    station_->connector().negotiate(proposal, within(60'000), [this, participant, completion = std::move(completion)](Result<Agreement> agreed) {
        Partner& after = *partners_.at(participant);
        after.negotiating = false;
        news_ = true;
        if (!agreed.ok()) {
            after.not_before_ms = now_ms() + refused_pause_ms;
            troubled(participant, agreed.error());
        }
        completion(std::move(agreed));
    });
    return true;
}

void DspMailbox::pull(const std::string& id, const CatalogEntry& entry, const std::string& agreement) {
    Partner& state = *partners_.at(id);
    const Version version = *entry.version;
    const std::string asset = entry.asset.id;
    const std::uint64_t limit = plan::envelope_limit(plan::update_limits(o_.host.machine().plan()));
    if (version.size_bytes > limit) {
        return say_once(id + ": update: expected at most " + std::to_string(limit) + " bytes, found " + std::to_string(version.size_bytes));
    }
    auto upload = o_.blobs.begin(version.size_bytes);
    if (!upload.ok()) return say_once(upload.error().message);
    auto sink = std::make_shared<UploadSink>(std::move(upload).value());
    state.pulling = true;
    station_->connector().transfer({agreement, asset, version}, *sink, within(600'000), [this, id, asset, version, sink](Result<Transfer> moved) {
        Partner& after = *partners_.at(id);
        after.pulling = false;
        news_ = true;
        if (moved.ok()) return pulled(id, asset, version, moved->id, sink->finish());
        // Another version has taken its place: the next look sees it.
        if (moved.error().code == Code::conflict) return;
        after.not_before_ms = now_ms() + refused_pause_ms / 10;
        troubled(id, moved.error());
    });
}

void DspMailbox::pulled(const std::string& id, const std::string& asset, const Version& version, const std::string& transfer, Result<Digest> blob) {
    Status taken = blob.ok() ? o_.host.uploaded(id, asset, version, *blob) : Status(blob.error());
    if (taken.ok()) {
        partners_.at(id)->open[transfer] = {asset, version};
        return tell_verdicts();
    }
    station_->connector().conclude(transfer, {false, taken.error().reason, taken.error().message}, within(60'000), [](const Result<Done>&) {});
}

// The round has judged what was pulled: the transfer ends with that, and the partner reads it.
void DspMailbox::tell_verdicts() {
    const Exchange& exchange = o_.host.space().exchange();
    for (auto& [id, state] : partners_) {
        std::erase_if(state->open, [&, &id = id](const auto& one) {
            const auto& [pid, what] = one;
            const auto transfers = exchange.transfers(id, what.asset);
            if (!transfers.ok()) return true;
            for (auto it = transfers->rbegin(); it != transfers->rend(); ++it) {
                if (it->version != what.version) continue;
                if (it->state != TransferState::completed && it->state != TransferState::terminated) return false;
                station_->connector().conclude(pid, {it->state == TransferState::completed, it->code, it->sentence}, within(60'000), [](const Result<Done>&) {});
                return true;
            }
            return false;
        });
    }
}

std::string DspMailbox::json(const std::string& catalogue) const {
    std::string peers;
    for (const auto& [id, peer] : station_->peers()) {
        commands::JsonObject one;
        one.text("participant", id).text("address", peer.address).text("kind", peer.edc ? "edc" : "entente");
        const auto state = partners_.find(id);
        if (state != partners_.end() && now_ms() < state->second->problem.until_ms) one.text("problem", state->second->problem.sentence);
        peers += (peers.empty() ? "" : ",") + one.str();
    }
    const std::string processes = processes_json(station_->service().node());
    return commands::JsonObject().text("address", station_->address()).raw("peers", "[" + peers + "]").raw("catalogue", catalogue).raw("processes", processes).str();
}

void DspMailbox::troubled(const std::string& participant, const Error& why, bool theirs) {
    std::string sentence = theirs ? why.message : why.message + " (code " + why.reason + ")";
    if (sentence.starts_with(participant + ": ")) sentence.erase(0, participant.size() + 2);
    if (const auto it = partners_.find(participant); it != partners_.end()) it->second->problem = {sentence, now_ms() + problem_ms, theirs};
    say_once(participant + ": " + sentence);
}

void DspMailbox::reported(const std::string& participant, const std::string& problem) {
    troubled(participant, {Code::unavailable, "connector.reported", "its connector says: " + problem}, true);
}

std::optional<DspMailbox::Standing> DspMailbox::standing_of(const std::string& participant) const {
    const auto peer = station_->peers().find(participant);
    const auto it = partners_.find(participant);
    if (peer == station_->peers().end() || it == partners_.end()) return std::nullopt;
    Standing standing{peer->second.address, std::nullopt, {}};
    const Partner& state = *it->second;
    if (state.reached_ms) standing.reached_ms = monotonic_ms() - *state.reached_ms;
    if (!state.problem.theirs && now_ms() < state.problem.until_ms) standing.problem = state.problem.sentence;
    return standing;
}

void DspMailbox::say_once(const std::string& text) {
    constexpr std::size_t most_sentences = 1'000;
    if (said_.size() > most_sentences) said_.clear();
    if (said_.insert(text).second && o_.say) o_.say(text);
}

}  // namespace entente::native
