// The mailbox's rules at the coordinator: what is saved, what is taken back, who is answered and how often.
#include "connectors/hub/hub_space.hpp"

#include <doctest/doctest.h>

#include "support.hpp"

using namespace hub_test;

namespace {

const Error full{Code::no_space, "disk.full", "no space left"};

// A long poll: how often it was answered, and with which cursor at last.
struct Poll {
    int answers = 0;
    std::uint64_t cursor = 0;
    CancelToken cancel;

    void start(World& w, const std::string& who, std::uint64_t from, std::int64_t wait_ms) {
        w.space.view_when_changed(who, from, w.now_ms + wait_ms, cancel, [this](const HubView& view) {
            ++answers;
            cursor = view.catalog.cursor;
        });
    }
};

class CancelsAfter final : public ByteSink {
public:
    CancelsAfter(CancelToken token, int pieces) : token_(std::move(token)), left_(pieces) {}
    Status append(ByteView piece) override {
        bytes += piece.size();
        if (--left_ == 0) token_.cancel();
        return done();
    }
    std::size_t bytes = 0;

private:
    CancelToken token_;
    int left_;
};

}  // namespace

TEST_CASE("what could not be saved did not happen: no change is seen, none is told, and the next attempt succeeds") {
    World w;
    const Agreement agreement = w.agree();
    w.deliver(1, "one");
    const Transfer transfer = w.space.open("coordinator", w.request(agreement)).value();
    int told = 0;
    w.space.on_change([&told] { ++told; });
    const Bytes before = w.space.exchange().serialize();
    const std::vector<std::function<Status()>> changes{
        [&] { return w.space.admit("plant-c", key("plant-c").public_key()); },
        [&] { return w.space.publish("plant-b", asset_of("plant-b"), offer_of("plant-b")); },
        [&] { return w.space.delivered("plant-a", asset_of("plant-a").id, {2, {}, 3}); },
        [&] { return w.space.conclude("coordinator", transfer.id, {true, "", ""}); },
        [&] { return w.space.withdraw("plant-a", asset_of("plant-a").id); },
        [&] { return w.space.expel("plant-a"); },
    };
    w.storage.refuse_save = full;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const Status changed = changes[i]();
        CAPTURE(i);
        REQUIRE_FALSE(changed.ok());
        CHECK(changed.error() == full);
        CHECK(w.space.exchange().serialize() == before);
    }
    CHECK(told == 0);
    w.storage.refuse_save.reset();
    for (const std::size_t i : {0u, 1u, 2u, 4u, 5u}) {
        CAPTURE(i);
        CHECK(changes[i]().ok());
    }
    CHECK(told == 5);
    CHECK(w.storage.saved == w.space.exchange().serialize());
}

TEST_CASE("what is refused is not saved and tells nobody") {
    World w;
    int told = 0;
    w.space.on_change([&told] { ++told; });
    const int saves = w.storage.saves;
    CHECK_FALSE(w.space.publish("plant-b", asset_of("plant-a"), offer_of("plant-a")).ok());
    CHECK_FALSE(w.space.delivered("plant-b", asset_of("plant-a").id, {1, {}, 1}).ok());
    CHECK_FALSE(w.space.withdraw("plant-b", asset_of("plant-a").id).ok());
    CHECK_FALSE(w.space.conclude("coordinator", "no such", {true, "", ""}).ok());
    CHECK_FALSE(w.space.admit("plant-a", key("another").public_key()).ok());
    CHECK(w.storage.saves == saves);
    CHECK(told == 0);
}

TEST_CASE("agreements, offers and deliveries are saved at once; a judgement may wait") {
    World w;
    int urgent = w.storage.urgent_saves;
    const Agreement agreement = w.agree();
    w.deliver(1, "one");
    CHECK(w.storage.urgent_saves == urgent + 2);
    urgent = w.storage.urgent_saves;
    const Transfer transfer = w.space.open("coordinator", w.request(agreement)).value();
    const int saves = w.storage.saves;
    CHECK(w.space.conclude("coordinator", transfer.id, {true, "", ""}).ok());
    CHECK(w.storage.urgent_saves == urgent);
    CHECK(w.storage.saves == saves + 1);
}

TEST_CASE("whether one may deliver is told before a byte is read, and asking changes nothing") {
    World w;
    const Bytes before = w.space.exchange().serialize();
    CHECK(w.space.may_deliver("plant-a", asset_of("plant-a").id).ok());
    CHECK(w.space.may_deliver("plant-b", asset_of("plant-a").id).error().reason == "connector.foreign-asset");
    CHECK_FALSE(w.space.may_deliver("plant-b", asset_of("plant-b").id).ok());  // not published
    CHECK_FALSE(w.space.may_deliver("stranger", asset_of("plant-a").id).ok());
    CHECK(w.space.exchange().serialize() == before);
    Called<Done> called;
    w.b.deliver(asset_of("plant-a").id, {1, {}, 3}, make_source(bytes_of("bad")), {}, called.completion());
    CHECK(called.reason() == "connector.foreign-asset");
    CHECK(w.storage.contents.empty());
}

TEST_CASE("a delivery whose bytes could not be kept leaves the version before it") {
    World w;
    w.deliver(1, "one");
    w.storage.refuse_keep = full;
    Called<Done> called;
    w.a.deliver(asset_of("plant-a").id, {2, {}, 3}, make_source(bytes_of("two")), {}, called.completion());
    CHECK(called.reason() == "disk.full");
    CHECK(w.space.exchange().current(asset_of("plant-a").id)->round == 1);
}

TEST_CASE("the cursor changes for those who see the change and for nobody else") {
    World w;
    const std::uint64_t a = w.space.view("plant-a").catalog.cursor;
    const std::uint64_t b = w.space.view("plant-b").catalog.cursor;
    const std::uint64_t coordinator = w.space.view("coordinator").catalog.cursor;
    w.deliver(1, "one");
    CHECK(w.space.view("plant-a").catalog.cursor != a);
    CHECK(w.space.view("coordinator").catalog.cursor != coordinator);
    CHECK(w.space.view("plant-b").catalog.cursor == b);
    CHECK(w.space.view("plant-b").catalog.entries.empty());
    CHECK(w.space.view("plant-b").own_transfers.empty());
    CHECK(w.space.view("plant-a").own_version->round == 1);
}

TEST_CASE("a poll is answered once: at once, at the change, at its deadline, or at the end") {
    World w;
    const std::uint64_t now = w.space.view("plant-a").catalog.cursor;
    Poll behind;
    behind.start(w, "plant-a", now + 1, 60'000);
    CHECK(behind.answers == 1);
    Poll no_time;
    no_time.start(w, "plant-a", now, 0);
    CHECK(no_time.answers == 1);
    CHECK(no_time.cursor == now);

    Poll changed;
    Poll late;
    Poll other;
    Poll last;
    changed.start(w, "plant-a", now, 60'000);
    other.start(w, "plant-b", w.space.view("plant-b").catalog.cursor, 500);
    CHECK(w.space.waiting().size() == 2);
    CHECK(w.space.next_deadline() == start_ms + 500);
    w.deliver(1, "one");
    CHECK(changed.answers == 1);
    CHECK(changed.cursor != now);
    CHECK(other.answers == 0);

    late.start(w, "plant-a", changed.cursor, 1'000);
    w.space.expire(start_ms + 499);
    CHECK(other.answers == 0);
    w.space.expire(start_ms + 500);
    CHECK(other.answers == 1);
    CHECK(late.answers == 0);
    CHECK(w.space.next_deadline() == start_ms + 1'000);
    w.space.expire(start_ms + 5'000);
    CHECK(late.answers == 1);
    CHECK(late.cursor == changed.cursor);

    last.start(w, "plant-a", changed.cursor, 60'000);
    w.space.drain();
    CHECK(last.answers == 1);
    w.deliver(2, "two");
    w.space.expire(start_ms + 999'999);
    w.space.drain();
    for (const Poll* poll : {&behind, &no_time, &changed, &late, &other, &last}) CHECK(poll->answers == 1);
    CHECK_FALSE(w.space.next_deadline().has_value());
    CHECK(w.space.waiting().empty());
}

TEST_CASE("who has hung up is no longer there, and its wait ends with the next look") {
    World w;
    Poll poll;
    poll.start(w, "plant-a", w.space.view("plant-a").catalog.cursor, 60'000);
    CHECK(w.space.waiting() == std::vector<std::string>{"plant-a"});
    poll.cancel.cancel();
    CHECK(w.space.waiting().empty());
    w.space.expire(w.now_ms);
    w.space.expire(w.now_ms);
    CHECK(poll.answers == 1);
}

TEST_CASE("an answer may ask again at once without being answered twice") {
    World w;
    int answers = 0;
    std::function<void(const HubView&)> again = [&](const HubView& view) {
        ++answers;
        if (answers < 5) w.space.view_when_changed("plant-a", view.catalog.cursor, w.now_ms + 60'000, {}, again);
    };
    w.space.view_when_changed("plant-a", w.space.view("plant-a").catalog.cursor, w.now_ms + 60'000, {}, again);
    for (std::uint64_t round = 1; round <= 3; ++round) w.deliver(round, "x");
    CHECK(answers == 3);
    w.space.drain();
    CHECK(answers == 4);
    CHECK(w.space.waiting().size() == 1);
}

TEST_CASE("every call that was cancelled or came too late ends before it changes anything, exactly once") {
    World w;
    const Bytes before = w.space.exchange().serialize();
    CancelToken cancelled;
    cancelled.cancel();
    const struct {
        CallOptions options;
        const char* reason;
    } cases[] = {{{30'000, cancelled}, "connector.cancelled"}, {{0, {}}, "connector.deadline"}, {{-1, {}}, "connector.deadline"}};
    for (const auto& c : cases) {
        CAPTURE(c.reason);
        Called<Done> published;
        w.b.publish(asset_of("plant-b"), offer_of("plant-b"), c.options, published.completion());
        CHECK(published.reason() == c.reason);
        Called<Done> delivered;
        w.a.deliver(asset_of("plant-a").id, {1, {}, 1}, make_source(bytes_of("x")), c.options, delivered.completion());
        CHECK(delivered.reason() == c.reason);
        Called<Catalog> catalog;
        w.coordinator.catalog({}, c.options, catalog.completion());
        CHECK(catalog.reason() == c.reason);
        Called<Agreement> negotiated;
        w.coordinator.negotiate({}, c.options, negotiated.completion());
        CHECK(negotiated.reason() == c.reason);
        Called<Transfer> transferred;
        BoundedSink sink(100);
        w.coordinator.transfer({}, sink, c.options, transferred.completion());
        CHECK(transferred.reason() == c.reason);
        Called<Done> concluded;
        w.coordinator.conclude("x", {}, c.options, concluded.completion());
        CHECK(concluded.reason() == c.reason);
        Called<std::vector<Transfer>> transfers;
        w.a.transfers(asset_of("plant-a").id, c.options, transfers.completion());
        CHECK(transfers.reason() == c.reason);
        Called<std::vector<Agreement>> agreements;
        w.a.agreements(asset_of("plant-a").id, c.options, agreements.completion());
        CHECK(agreements.reason() == c.reason);
        Called<Done> withdrawn;
        w.a.withdraw(asset_of("plant-a").id, c.options, withdrawn.completion());
        CHECK(withdrawn.reason() == c.reason);
        Called<std::uint64_t> waited;
        w.a.wait(0, c.options, waited.completion());
        CHECK(waited.reason() == c.reason);
    }
    CHECK(w.space.exchange().serialize() == before);
    CHECK(w.storage.contents.empty());
    CHECK(w.space.waiting().empty());
}

TEST_CASE("a wait completes once, whether something changes, time passes or it is cancelled, in any order") {
    for (int first = 0; first < 4; ++first) {
        World w;
        CancelToken cancel;
        Called<std::uint64_t> called;
        w.a.wait(w.space.view("plant-a").catalog.cursor, {1'000, cancel}, called.completion());
        CHECK(called.times == 0);
        for (int step = 0; step < 4; ++step) {
            switch ((first + step) % 4) {
                case 0: w.deliver(static_cast<std::uint64_t>(step + 1), "x"); break;
                case 1: w.space.expire(w.now_ms + 1'000); break;
                case 2: cancel.cancel(); w.space.expire(w.now_ms); break;
                default: w.space.drain(); break;
            }
            CAPTURE(first);
            CAPTURE(step);
            CHECK(called.times == 1);
        }
        CHECK(called.reason() == (first == 2 ? "connector.cancelled" : "ok"));
    }
}

TEST_CASE("a transfer that is cancelled on the way stops there") {
    World w;
    const Agreement agreement = w.agree();
    w.deliver(1, std::string(1'000'000, 'm'));
    CancelToken cancel;
    CancelsAfter sink(cancel, 2);
    Called<Transfer> called;
    w.coordinator.transfer(w.request(agreement), sink, {30'000, cancel}, called.completion());
    CHECK(called.reason() == "connector.cancelled");
    CHECK(sink.bytes == 2 * 64 * 1024);
}

TEST_CASE("a consumer's sink that refuses ends the transfer with its own error") {
    World w;
    const Agreement agreement = w.agree();
    w.deliver(1, "0123456789");
    BoundedSink small(9);
    Called<Transfer> called;
    w.coordinator.transfer(w.request(agreement), small, {}, called.completion());
    CHECK(called.reason() == "transfer.too-large");
    BoundedSink enough(10);
    Called<Transfer> again;
    w.coordinator.transfer(w.request(agreement), enough, {}, again.completion());
    CHECK(again.reason() == "ok");
    CHECK(enough.bytes() == bytes_of("0123456789"));
}

TEST_CASE("a partner reads its receipts: the latest few, refusals with their sentence") {
    World w;
    const Agreement agreement = w.agree();
    for (std::uint64_t round = 1; round <= 7; ++round) {
        w.deliver(round, "x");
        const Transfer transfer = w.space.open("coordinator", w.request(agreement)).value();
        REQUIRE(w.space.conclude("coordinator", transfer.id, {round % 2 == 0, "update.stale-base", "expected base 7"}).ok());
    }
    const auto shown = w.space.view("plant-a").own_transfers;
    REQUIRE(shown.size() == 4);
    CHECK(shown.front().version.round == 4);
    CHECK(shown.back().version.round == 7);
    CHECK(shown.back().state == TransferState::terminated);
    CHECK(shown.back().code == "update.stale-base");
    CHECK(shown.back().sentence == "expected base 7");
    CHECK(w.space.view("plant-b").own_transfers.empty());
}

TEST_CASE("the books that were saved open again as the same space") {
    World w;
    const Agreement agreement = w.agree();
    w.deliver(1, "one");
    const Transfer transfer = w.space.open("coordinator", w.request(agreement)).value();
    REQUIRE(w.space.publish("plant-b", asset_of("plant-b"), offer_of("plant-b")).ok());
    hub::HubSpace again("demo", Exchange::deserialize(w.storage.saved).value(), w.storage, [] { return start_ms; });
    CHECK(again.view("coordinator").catalog.entries == w.space.view("coordinator").catalog.entries);
    CHECK(again.view("plant-a").own_transfers == w.space.view("plant-a").own_transfers);
    CHECK(again.open("coordinator", w.request(agreement))->id != transfer.id);
    CHECK(again.conclude("coordinator", transfer.id, {true, "", ""}).ok());
    for (std::size_t size = 0; size < w.storage.saved.size(); size += 7) {
        CHECK_FALSE(Exchange::deserialize(ByteView(w.storage.saved).first(size)).ok());
    }
}
