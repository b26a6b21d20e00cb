#pragma once

#include <algorithm>
#include <map>
#include <set>

#include "entente/round/coordinator.hpp"
#include "entente/round/receipts.hpp"
#include "opened_update.hpp"

namespace entente::round {

class Coordinator::Impl {
public:
    struct Member {
        std::string name;
        codec::PublicKey key;
        std::optional<contract::Agreement> update_agreement;
        std::optional<contract::Agreement> model_agreement;
        std::optional<contract::Version> judged;  // the latest version that was accepted or refused for good
        std::string refused_offer;                // an offer whose terms were refused is not asked for again
        std::optional<policy::Window> update_window;  // of the agreements: where Point::monitor permits
        std::optional<policy::Window> model_window;
        bool ended = false;  // an agreement has run out or is used up, and another has not been concluded
        std::int64_t last_seen_ms = 0;
        std::uint64_t contributions = 0;
        std::uint64_t refusals = 0;
        std::string last_refusal;
        std::uint64_t bytes_up = 0;
        bool negotiating = false;
        bool retrieving = false;
        bool left = false;
        std::optional<std::string> suspended;  // why
    };

    // A model that updates may be based on.
    struct Base {
        Digest content;
        std::uint64_t version = 0;         // rounds completed before it
        std::uint32_t lots = 0xffff'ffff;  // whom its round asked
    };

    Impl(plan::Plan plan_in, codec::SigningKey key_in, aggregate::Fold fold_in,
         std::unique_ptr<aggregate::Strategy> strategy_in, Executor& executor_in);

    // coordinator.cpp: the flow
    void on(coordinator::Started& e);
    void on(coordinator::Joined& e);
    void on(coordinator::Left& e);
    void on(coordinator::Rotated& e);
    void on(coordinator::Suspension& e);
    void on(coordinator::Seen& e);
    void on(coordinator::Watched& e);
    void on(coordinator::Negotiated& e);
    void on(coordinator::Retrieved& e);
    void on(coordinator::Stored& e);
    void on(coordinator::StorageFailed& e);
    void on(coordinator::BlobLoaded& e);
    void on(coordinator::Cosigned& e);
    void on(coordinator::Tick& e);
    void advance(std::int64_t now_ms);
    void open(const std::set<std::string>& whom, std::int64_t now_ms);
    void close(std::int64_t now_ms);
    void finish_close(std::int64_t now_ms);
    void take_in(StagedUpdate update);  // counted; folded with others, when there are enough or the round closes
    void fold_waiting();
    void empty_fold();
    void abandon(std::string reason, std::int64_t now_ms);
    // coordinator_witnesses.cpp: whether the last receipt has been cosigned by as many as the plan wants
    [[nodiscard]] std::uint32_t cosigners() const;
    [[nodiscard]] bool unwitnessed() const;
    [[nodiscard]] std::string witness_sentence() const;
    // coordinator_keeping.cpp
    void keep(const UpdateAccepted& record);
    void round_over(std::uint64_t number, std::int64_t at_ms, bool with_result);
    void delete_due(std::int64_t now_ms);
    void drop_memories();

    // coordinator_members.cpp: who takes part, on which terms, and what people see
    Member* find(const std::string& id);
    // With this key from now on: of another key, and of one that had left, the agreements are over.
    void come_in(const std::string& id, const codec::PublicKey& with);
    [[nodiscard]] bool present(const Member& member, std::int64_t now_ms) const;
    [[nodiscard]] std::set<std::string> active(std::int64_t now_ms) const;
    // Whom a round may ask: those whose agreements hold. Where they are too few, the others as well, who hear by their
    // fetch being refused that theirs have ended. Empty when all together are too few.
    std::set<std::string> enough(std::int64_t now_ms);
    [[nodiscard]] std::size_t population() const;  // N: all that have agreed and not left
    [[nodiscard]] bool nobody_awaited(std::int64_t now_ms) const;
    [[nodiscard]] bool asked(const std::string& id) const { return plan::lot_of(plan, round, id) <= lots; }
    void draw(const std::set<std::string>& present_ones);  // whom the round asks, and how many it waits for
    // An update that comes too early for its buffer stays where it is until the next one opens.
    [[nodiscard]] bool held_back(const std::string& id) const;
    // The participant whose key accepted an agreement over the global model; empty when nobody's.
    [[nodiscard]] std::string consumer_of(const contract::Agreement& agreement) const;
    void record_model_agreement(const contract::Agreement& agreement, std::int64_t now_ms);
    void consider_offer(const contract::CatalogEntry& entry, Member& member, std::int64_t now_ms);
    void adopt(Member& member, const contract::Agreement& agreement);  // as one of its two
    // Ends agreements that have run out or are used up; what runs under them stops.
    void monitor(std::int64_t now_ms);
    [[nodiscard]] contract::Asset model_asset() const;
    [[nodiscard]] contract::SignedOffer model_offer() const;
    [[nodiscard]] coordinator::View view() const;
    [[nodiscard]] coordinator::View summary() const;
    [[nodiscard]] std::optional<std::int64_t> next_tick_ms(std::int64_t now_ms) const;

    // judge.cpp: what an update and an aggregate must satisfy
    Result<StagedUpdate> judge(const std::string& id, const Member& member, const contract::Transfer& transfer,
                               OpenedUpdate opened, std::int64_t now_ms);
    [[nodiscard]] Status check_update(const std::string& id, const Member& member, const contract::Transfer& transfer,
                                      const codec::FrameHeader& header) const;
    [[nodiscard]] Status check_round(const std::string& id, const codec::FrameHeader& header) const;
    Result<std::uint32_t> factor_of(const codec::FrameHeader& header) const;
    void refuse(const std::string& id, Member& member, const contract::Transfer& transfer, const Error& error,
                std::int64_t now_ms);
    std::optional<std::string> may_release(std::int64_t now_ms);  // the sentence that forbids it
    [[nodiscard]] policy::Facts facts(std::int64_t now_ms, const contract::Agreement* agreement) const;
    void count(const UpdateAccepted& record);

    // restore.cpp
    Result<coordinator::Commands> restore(const std::vector<Record>& records);
    struct Replay;
    Status replay(const Record& record);

    void emit(coordinator::Command command) { out.push_back(std::move(command)); }
    void persist(std::int64_t now_ms, Body body) {
        Record record{now_ms, std::move(body)};
        receipts.see(record);
        emit(coordinator::Persist{std::move(record)});
    }
    void issue_receipt(std::int64_t now_ms);  // of the round that has closed, over the model that follows
    void remember_base();  // the present model as a base of updates; forgets those that are too old
    void seal(std::int64_t now_ms, bool final);  // the present parameters as the envelope of `round`
    void publish();

    plan::Plan plan;
    codec::SigningKey key;
    codec::PublicKey public_key;
    Digest schema;
    Receipts receipts;
    std::vector<float> parameters;
    std::vector<float> sums;  // what everybody scales with; zeros until a round has gathered it
    aggregate::Fold fold;
    std::unique_ptr<aggregate::Strategy> strategy;
    Executor& executor;

    coordinator::Phase phase = coordinator::Phase::waiting;
    std::map<std::string, Member> members;
    std::map<std::uint64_t, StagedUpdate> staged;  // by the driver's token
    std::vector<StagedUpdate> waiting;             // counted, and not in the sum yet: packed ones
    std::uint64_t round = 1;
    std::uint64_t completed = 0;
    std::int64_t opened_at_ms = 0;
    std::int64_t deadline_ms = 0;
    std::set<std::string> expected;                  // present when the round opened, and asked
    std::uint32_t lots = 0xffff'ffff;                // the largest lot that is asked
    std::uint32_t goal = 0;                          // of the open round; 0: all who are expected
    std::map<std::uint64_t, Base> bases;             // by the round that trains on it
    std::map<std::string, UpdateAccepted> accepted;  // of the open round
    std::map<std::string, contract::Agreement> former;  // by id: under which one of them came whose key is another since
    struct StoredUpdate {
        Digest blob;
        std::int64_t retention_ms = 0;  // its agreement's, from the end of its round
        std::int64_t until_ms = 0;
    };
    std::map<std::pair<std::uint64_t, std::string>, StoredUpdate> stored;  // counted updates that are stored, by round and participant
    std::map<std::string, std::int64_t> retention_ms;                      // by agreement
    std::uint64_t kept_rounds = 0;
    std::map<std::uint64_t, Digest> memories;  // what the strategy remembered before a round whose updates are stored
    std::set<Digest> stored_memories;
    std::uint64_t receipt_round = 0;                 // of the last receipt; 0: none yet
    std::map<std::string, std::uint64_t> cosigned;   // the last receipt that each has cosigned
    std::int64_t witness_until_ms = 0;               // nobody waits for cosignatures for longer
    std::size_t needed = 0;                          // participants to open a round
    std::string waiting_reason;
    bool activated = false;
    bool closed_pending = false;  // closed on record, its model not yet
    std::uint32_t closed_population = 1;

    Digest model_content;
    Digest model_blob;
    Digest memory_blob;  // of the strategy; zero when it has no memory
    std::uint64_t model_bytes = 0;
    std::uint64_t published_round = 0;

    std::set<Digest> loading;  // blobs that a restart still waits for
    std::optional<Error> failure;
    coordinator::Commands out;
};

}  // namespace entente::round
