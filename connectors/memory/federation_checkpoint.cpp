// A simulation on paper: what a coordinator restarts from (ledger and blobs), the connector's books, and what people
// have been shown so far. Machines are not in it: they are revived from what the connector shows.
#include "connectors/memory/federation_impl.hpp"
#include "entente/codec/archive.hpp"
#include "entente/codec/sha256.hpp"

namespace entente::task {

template <class Archive>
void serialize(Archive& archive, Score& score) {
    archive(score.examples, score.correct, score.loss_sum, score.classes, score.confusion);
}

}  // namespace entente::task

namespace entente::memory {

namespace coordinator = round::coordinator;

template <class Archive>
void serialize(Archive& archive, RoundResult& r) {
    archive(r.round, r.federated, r.train_loss, r.alone, r.bytes_up, r.bytes_down, r.contributors);
}

namespace {

constexpr std::uint32_t format_version = 3;
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 31;

struct PartnerRecord {
    std::uint64_t bytes_up = 0;
    std::uint64_t bytes_down = 0;
    std::string update_agreement;
    std::string model_agreement;
    std::vector<float> alone;
    std::uint64_t alone_round = 0;
    Bytes state;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(bytes_up, bytes_down, update_agreement, model_agreement, alone, alone_round, state);
    }
};

struct Checkpoint {
    std::uint32_t format = format_version;
    Digest plan;
    Digest shares;
    bool alone = false;
    std::int64_t now_ms = 0;
    std::uint64_t next_token = 1;
    Bytes exchange;
    std::vector<Bytes> ledger;
    std::vector<Bytes> blobs;
    std::vector<RoundResult> results;
    std::vector<PartnerRecord> partners;

    template <class Archive>
    void serialize(Archive& archive) {
        archive(format, plan, shares, alone, now_ms, next_token, exchange, ledger, blobs, results, partners);
    }
};

Error damaged(const std::string& why) {
    return Error{Code::data_loss, "federation.checkpoint", "checkpoint: it cannot be read: " + why};
}

Error other(const char* what) {
    return Error{Code::conflict, "federation.other-run",
                 std::string("checkpoint: it was made with ") + what + "; go on with the same options"};
}

}  // namespace

Digest Federation::Impl::shares() const {
    codec::Sha256 hash;
    hash.update(as_bytes(options.train.labels()));
    hash.update(as_bytes(options.evaluation.labels()));
    hash.update(as_bytes(options.train.targets()));
    for (const Partner& partner : partners) {
        hash.update(as_bytes(std::string_view(partner.setup.id)));
        hash.update(as_bytes(std::span<const std::uint32_t>(partner.setup.rows)));
    }
    return hash.finish();
}

Bytes Federation::Impl::checkpoint() const {
    Checkpoint c;
    c.plan = plan::digest_of(options.plan);
    c.shares = shares();
    c.alone = options.alone;
    c.now_ms = now_ms;
    c.next_token = next_token;
    c.exchange = space->exchange().serialize();
    for (const round::Entry& entry : ledger) c.ledger.push_back(round::encode_entry(entry));
    for (const auto& [digest, blob] : blobs) c.blobs.push_back(*blob);
    c.results = results;
    for (const Partner& p : partners) {
        c.partners.push_back({p.bytes_up, p.bytes_down, p.update_agreement, p.model_agreement, p.alone, p.alone_round, p.state});
    }
    return codec::encode(c);
}

Status Federation::Impl::restore(ByteView checkpoint) {
    auto read = codec::decode<Checkpoint>(checkpoint, codec::ArchiveLimits{.depth = 32, .allocation_bytes = most_bytes});
    if (!read.ok()) return damaged(read.error().message);
    Checkpoint& c = *read;
    if (c.format != format_version) return damaged("its format is " + std::to_string(c.format));
    if (c.plan != plan::digest_of(options.plan)) return other("another plan");
    if (c.shares != shares() || c.partners.size() != partners.size()) return other("other partners or data");
    if (c.alone != options.alone) return other("or without --alone");

    now_ms = c.now_ms;
    next_token = c.next_token;
    results = std::move(c.results);
    ENTENTE_ASSIGN(space->exchange(), contract::Exchange::deserialize(c.exchange));
    record_decisions();
    std::vector<round::Record> records;
    for (const Bytes& bytes : c.ledger) {
        ENTENTE_ASSIGN(round::Entry entry, round::decode_entry(bytes));
        ENTENTE_TRY(round::check_link(ledger.empty() ? std::nullopt : std::optional(ledger.back()), entry));
        records.push_back(entry.record);
        if (std::holds_alternative<round::AgreementConcluded>(entry.record.body)) ++agreements;
        if (const auto* decision = std::get_if<round::PolicyDecided>(&entry.record.body)) decision_log.is_news(*decision);
        ledger.push_back(std::move(entry));
    }
    for (Bytes& blob : c.blobs) {
        const Digest digest = codec::sha256(blob);
        blobs.emplace(digest, std::make_shared<const Bytes>(std::move(blob)));
    }
    for (std::size_t i = 0; i < partners.size(); ++i) {
        Partner& p = partners[i];
        PartnerRecord& r = c.partners[i];
        p.bytes_up = r.bytes_up;
        p.bytes_down = r.bytes_down;
        p.update_agreement = std::move(r.update_agreement);
        p.model_agreement = std::move(r.model_agreement);
        p.alone = std::move(r.alone);
        p.alone_round = r.alone_round;
        p.state = std::move(r.state);
    }
    ENTENTE_ASSIGN(coordinator::Commands loads, coordinator->restore(records));
    for (coordinator::Command& command : loads) {
        std::visit([this](auto& load) { on(load); }, command);
    }
    send(coordinator::Started{now_ms});
    if (const auto& failure = coordinator->failure()) return *failure;
    scored = coordinator->summary().completed;
    if (scored != results.size()) return damaged("rounds and results disagree");
    at_rest = true;
    ENTENTE_TRY(seat_those_asked());
    while (exchange()) {
    }
    return done();
}

}  // namespace entente::memory
