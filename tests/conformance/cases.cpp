// What connector.hpp promises, call by call.
#include "conformance/support.hpp"

using namespace conformance;

namespace {

const Content small{1'000, 1};
const Content other{200'000, 2};

// Under the stage's agreement, which is no longer in force, `content` does not reach the consumer. A connector that
// knows the agreements may say so to its provider at once.
void opens_nothing(Stage& s, const Content& content, std::uint64_t round) {
    const auto delivered = s.deliver(a, content, round);
    if (!delivered.ok()) CHECK(refused(delivered, Code::permission_denied, "policy.denied"));
    Counter sink;
    const auto moved = s.transfer(b, s.request(content.version(round)), sink);
    CHECK_FALSE(moved.ok());
    if (delivered.ok()) CHECK(refused(moved, Code::permission_denied, "policy.denied"));
    CHECK(sink.bytes == 0);
}

}  // namespace

TEST_CASE("publish: repeating it changes nothing, and only one's own assets can be offered") {
    Stage s;
    s.offer();
    const std::uint64_t cursor = s.catalog(b)->cursor;
    CHECK(s.publish(a, s.asset_of(a), s.offered).ok());
    CHECK(s.catalog(b)->cursor == cursor);

    CHECK(refused(s.publish(b, s.asset_of(a), s.offered), Code::permission_denied, "connector.foreign-asset"));
    // An own asset under another's key.
    const SignedOffer foreign = sign(s.offer_of(b, a).offer, s.space->key(c));
    CHECK(refused(s.publish(b, s.asset_of(b), foreign), Code::permission_denied, "connector.foreign-asset"));
    Asset elsewhere = s.asset_of(b);
    elsewhere.federation = "another";
    CHECK(refused(s.publish(b, elsewhere, s.offer_of(b, a)), Code::permission_denied, "connector.foreign-asset"));
    // Terms that cannot be enforced are not even offered.
    CHECK(refused(s.publish(b, s.asset_of(b), s.offer_of(b, a, {{"https://example.org/x", "eq", {"1"}}})), Code::permission_denied, "policy."));
    CHECK(s.catalog(a, {.kind = AssetKind::update_stream, .asset = {}})->entries.empty());
}

TEST_CASE("publish: nobody takes over an asset that another offers") {
    Stage s;
    const std::string global = global_model_asset(s.space->federation());
    const auto take = [&](const std::string& id) {
        const SignedOffer offer = sign({"offer:" + id, global, id, "", policy::federation_policy({})}, s.space->key(id));
        return s.publish(id, {global, AssetKind::global_model, s.space->federation(), id}, offer);
    };
    // Whoever is first; in a hub that is the coordinator.
    const Status first = take(a);
    const auto before = s.catalog(c, {.kind = AssetKind::global_model, .asset = {}});
    REQUIRE(before->entries.size() == 1);
    CHECK(first.ok() == (before->entries[0].asset.provider == a));
    CHECK(refused(take(b), Code::permission_denied, "connector.foreign-asset"));
    CHECK(s.catalog(c, {.kind = AssetKind::global_model, .asset = {}})->entries == before->entries);
}

TEST_CASE("publish: new terms take the place of the old ones, and the version stays") {
    Stage s;
    s.agree();
    REQUIRE(s.deliver(a, small, 1).ok());
    const SignedOffer stricter = s.offer_of(a, b, {{policy::operand::max_rounds, "lteq", {"5"}}});
    REQUIRE(s.publish(a, s.asset_of(a), stricter).ok());
    const auto entry = s.seen_by(b);
    REQUIRE(entry);
    CHECK(entry->offer == stricter);
    CHECK(entry->version == small.version(1));
    // What was agreed before stays in force.
    Counter sink;
    CHECK(s.transfer(b, s.request(small.version(1)), sink).ok());
}

TEST_CASE("catalog: an offer is seen by whom it is meant for and by nobody else") {
    Stage s;
    s.offer();
    const auto entry = s.seen_by(b);
    REQUIRE(entry);
    CHECK(entry->asset == s.asset_of(a));
    CHECK(entry->offer == s.offered);
    CHECK_FALSE(entry->version);
    REQUIRE(s.deliver(a, small, 1).ok());
    CHECK(s.seen_by(b)->version == small.version(1));

    CHECK_FALSE(s.seen_by(c));
    CHECK_FALSE(s.seen_by(a));
    CHECK(s.catalog(b, {.kind = AssetKind::update_stream, .asset = {}})->entries.size() == 1);
    CHECK(s.catalog(b, {.kind = AssetKind::global_model, .asset = s.stream_of(a)})->entries.empty());
    CHECK(s.catalog(c, {.kind = AssetKind::update_stream, .asset = {}})->entries.empty());
}

TEST_CASE("deliver: replaces the version before, needs an offer, and keeps what it had when the bytes are not those announced") {
    Stage s;
    CHECK(refused(s.deliver(a, small, 1), Code::not_found, "connector.no-asset"));
    s.agree();
    REQUIRE(s.deliver(a, small, 1).ok());
    CHECK(s.deliver(a, small, 1).ok());
    REQUIRE(s.deliver(a, other, 2).ok());
    CHECK(s.seen_by(b)->version == other.version(2));
    CHECK_FALSE(s.deliver(b, s.stream_of(a), small.version(3), small.source()).ok());

    CHECK(refused(s.deliver(a, s.stream_of(a), Version{3, {}, small.size + 1}, small.source()), Code::invalid_argument, "connector.size"));
    CHECK(refused(s.deliver(a, s.stream_of(a), Version{3, {}, small.size - 1}, small.source()), Code::invalid_argument, "connector.size"));
    CHECK(s.seen_by(b)->version == other.version(2));
    Counter sink;
    REQUIRE(s.transfer(b, s.request(other.version(2)), sink).ok());
    CHECK(sink.digest() == other.digest());
}

TEST_CASE("what was acknowledged is still there when all come back") {
    Stage s;
    if (!s.space->traits().disconnects) return;
    s.agree();
    REQUIRE(s.deliver(a, other, 1).ok());
    Counter before;
    const auto transfer = s.transfer(b, s.request(other.version(1)), before);
    REQUIRE(transfer.ok());
    REQUIRE(s.conclude_transfer(b, transfer->id, {true, "update.accepted", "Counted."}).ok());

    s.space->disconnect();
    CHECK(refused(s.catalog(b), Code::unavailable, "connector.unreachable"));
    CHECK(refused(s.deliver(a, small, 2), Code::unavailable, "connector.unreachable"));
    CHECK(refused(s.publish(a, s.asset_of(a), s.offer_of(a, c)), Code::unavailable, "connector.unreachable"));
    CHECK(refused(s.negotiate(b, s.proposal(b, s.offered)), Code::unavailable, "connector.unreachable"));
    CHECK(refused(s.wait(b, 1, within(2'000)), Code::unavailable, "connector.unreachable"));
    Counter during;
    CHECK(refused(s.transfer(b, s.request(other.version(1)), during), Code::unavailable, "connector.unreachable"));
    s.space->reconnect();

    CHECK(s.seen_by(b)->version == other.version(1));
    CHECK_FALSE(s.seen_by(c));
    REQUIRE(s.agreements(a, s.stream_of(a))->size() == 1);
    CHECK(s.agreements(a, s.stream_of(a))->at(0) == s.agreement);
    REQUIRE(s.transfers(a, s.stream_of(a))->size() == 1);
    CHECK(s.transfers(a, s.stream_of(a))->at(0).state == TransferState::completed);
    Counter after;
    REQUIRE(s.transfer(b, s.request(other.version(1)), after).ok());
    CHECK(after.digest() == before.digest());
    CHECK(s.deliver(a, small, 2).ok());
}

TEST_CASE("negotiate: an offer that is accepted as published becomes an agreement, once") {
    Stage s;
    s.agree();
    CHECK(verify(s.agreement, {s.space->key(a).public_key(), s.space->key(b).public_key()}).ok());
    const auto again = s.negotiate(b, s.proposal(b, s.offered, 5'000));
    REQUIRE(again.ok());
    CHECK(*again == s.agreement);
    REQUIRE(s.agreements(a, s.stream_of(a)).ok());
    CHECK(s.agreements(a, s.stream_of(a)).value() == std::vector<Agreement>{s.agreement});
    // Not the third one's business.
    const auto foreign = s.agreements(c, s.stream_of(a));
    CHECK((!foreign.ok() || foreign->empty()));
}

TEST_CASE("negotiate: what is not accepted as published is refused with the reason") {
    Stage s;
    s.offer();
    // Other terms under the same id, with a signature of the one who would profit.
    Offer altered = s.offered.offer;
    altered.policy = policy::federation_policy({{policy::operand::max_rounds, "lteq", {"1000"}}});
    const Agreement bent = conclude(sign(altered, s.space->key(b)), {"Ada Novak", s.space->now_ms()}, s.space->key(b)).value();
    CHECK(refused(s.negotiate(b, bent), Code::permission_denied, "agreement.mismatch"));
    CHECK(refused(s.negotiate(b, s.proposal(c, s.offered)), Code::permission_denied, "contract.foreign-key"));
    CHECK(refused(s.negotiate(c, s.proposal(c, s.offered)), Code::not_found, "connector.no-offer"));
    CHECK(refused(s.negotiate(b, s.proposal(b, s.offered, 3'600'000)), Code::permission_denied, "agreement.clock"));
    Agreement forged = s.proposal(b, s.offered);
    forged.acceptance.accepted_by = "Somebody Else";
    CHECK(refused(s.negotiate(b, forged), Code::unauthenticated, "contract.bad-signature"));
    CHECK(s.agreements(a, s.stream_of(a))->empty());
    // A refusal is not for ever.
    CHECK(s.negotiate(b, s.proposal(b, s.offered)).ok());
}

TEST_CASE("transfer: every byte arrives, and under a running agreement as often as it is asked for") {
    Stage s;
    s.agree();
    for (const Content& content : {small, Content{1, 7}, Content{64 * 1024, 3}, Content{64 * 1024 + 1, 4}, other}) {
        REQUIRE(s.deliver(a, content, content.seed).ok());
        for (int i = 0; i < 2; ++i) {
            Counter sink;
            const auto transfer = s.transfer(b, s.request(content.version(content.seed)), sink);
            REQUIRE(transfer.ok());
            CHECK(transfer->state == TransferState::started);
            CHECK(transfer->version == content.version(content.seed));
            CHECK(sink.bytes == content.size);
            CHECK(sink.digest() == content.digest());
        }
    }
}

TEST_CASE("transfer: needs an own agreement in force, over this asset, and exactly this version") {
    Stage s;
    s.agree();
    Counter sink;
    CHECK(refused(s.transfer(b, s.request(small.version(1)), sink), Code::conflict, "transfer.superseded"));
    REQUIRE(s.deliver(a, small, 1).ok());
    REQUIRE(s.deliver(a, other, 2).ok());
    CHECK(refused(s.transfer(b, s.request(small.version(1)), sink), Code::conflict, "transfer.superseded"));
    const Version v = other.version(2);
    CHECK(refused(s.transfer(b, {"agr-none", s.stream_of(a), v}, sink), Code::permission_denied, "agreement.unknown"));
    CHECK(refused(s.transfer(c, s.request(v), sink), Code::permission_denied, "agreement."));
    // An agreement over another asset does not open this one.
    const SignedOffer to_a = s.offer_of(c, b);
    REQUIRE(s.publish(c, s.asset_of(c), to_a).ok());
    const auto with_c = s.negotiate(b, s.proposal(b, to_a));
    REQUIRE(with_c.ok());
    CHECK(refused(s.transfer(b, {with_c->id, s.stream_of(a), v}, sink), Code::permission_denied, "agreement.mismatch"));
    CHECK(sink.bytes == 0);
    CHECK(s.transfer(b, s.request(v), sink).ok());
}

TEST_CASE("transfer: an agreement that has expired or is exhausted opens nothing") {
    SUBCASE("expired") {
        Stage s;
        s.agree({{policy::operand::in_force_date, "lteq", {"2020-01-01T00:00:00Z"}}});
        opens_nothing(s, small, 1);
    }
    SUBCASE("exhausted") {
        Stage s;
        s.agree({{policy::operand::max_rounds, "lteq", {"3"}}});
        REQUIRE(s.deliver(a, small, 3).ok());
        Counter sink;
        CHECK(s.transfer(b, s.request(small.version(3)), sink).ok());
        opens_nothing(s, other, 4);
    }
}

TEST_CASE("transfer: a sink that refuses ends it, with its own error, and the provider reads why") {
    Stage s;
    s.agree();
    REQUIRE(s.deliver(a, other, 1).ok());
    Counter sink;
    sink.refuse_at = 100'000;
    CHECK(refused(s.transfer(b, s.request(other.version(1)), sink), Code::too_large, "test.sink"));
    CHECK(sink.bytes <= 100'000);
    const auto seen = s.transfers(a, s.stream_of(a));
    REQUIRE(seen.ok());
    REQUIRE(seen->size() == 1);
    CHECK(seen->at(0).state == TransferState::terminated);
    CHECK(seen->at(0).code == "test.sink");
    Counter again;
    CHECK(s.transfer(b, s.request(other.version(1)), again).ok());
}

TEST_CASE("transfer: large content is streamed, not collected") {
    Stage s;
    const Content large{s.space->traits().large_bytes, 9};
    s.agree();
    const auto source = large.source();
    REQUIRE(s.deliver(a, s.stream_of(a), large.version(1), source).ok());
    Counter sink;
    REQUIRE(s.transfer(b, s.request(large.version(1)), sink).ok());
    CHECK(sink.bytes == large.size);
    CHECK(sink.digest() == large.digest());
    CHECK(sink.largest_piece <= 1024 * 1024);
    CHECK(source->largest_piece <= 1024 * 1024);
}

TEST_CASE("conclude: the provider reads the verdict; repeating it, and thinking again, change nothing") {
    Stage s;
    s.agree();
    REQUIRE(s.deliver(a, small, 1).ok());
    Counter sink;
    const auto transfer = s.transfer(b, s.request(small.version(1)), sink);
    REQUIRE(transfer.ok());
    CHECK(s.transfers(a, s.stream_of(a))->at(0).state == TransferState::started);

    const Outcome refusal{false, "update.shape", "Expected 10 values, found 9."};
    CHECK(refused(s.conclude_transfer(a, transfer->id, refusal), Code::permission_denied, "transfer.foreign"));
    CHECK_FALSE(s.conclude_transfer(c, transfer->id, refusal).ok());
    CHECK(refused(s.conclude_transfer(b, "tr-none", refusal), Code::not_found, "transfer.unknown"));
    REQUIRE(s.conclude_transfer(b, transfer->id, refusal).ok());
    CHECK(s.conclude_transfer(b, transfer->id, refusal).ok());
    CHECK(s.conclude_transfer(b, transfer->id, {true, {}, {}}).ok());
    const auto seen = s.transfers(a, s.stream_of(a));
    REQUIRE(seen.ok());
    REQUIRE(seen->size() == 1);
    CHECK(seen->at(0).id == transfer->id);
    CHECK(seen->at(0).agreement == s.agreement.id);
    CHECK(seen->at(0).version == small.version(1));
    CHECK(seen->at(0).state == TransferState::terminated);
    CHECK(seen->at(0).code == "update.shape");
    CHECK(seen->at(0).sentence == "Expected 10 values, found 9.");

    // The next version's transfer comes after it.
    REQUIRE(s.deliver(a, other, 2).ok());
    const auto next = s.transfer(b, s.request(other.version(2)), sink);
    REQUIRE(next.ok());
    REQUIRE(s.conclude_transfer(b, next->id, {true, "update.accepted", "Counted in round 2."}).ok());
    const auto both = s.transfers(a, s.stream_of(a));
    REQUIRE(both->size() == 2);
    CHECK(both->at(1).version == other.version(2));
    CHECK(both->at(1).state == TransferState::completed);
}

TEST_CASE("transfers: one that was running when another version came has ended") {
    Stage s;
    s.agree();
    REQUIRE(s.deliver(a, small, 1).ok());
    Counter sink;
    REQUIRE(s.transfer(b, s.request(small.version(1)), sink).ok());
    REQUIRE(s.deliver(a, other, 2).ok());
    const auto seen = s.transfers(a, s.stream_of(a));
    REQUIRE(seen->size() == 1);
    CHECK(seen->at(0).state == TransferState::terminated);
    CHECK(seen->at(0).code == "transfer.superseded");
    // Nobody else's business.
    const auto foreign = s.transfers(c, s.stream_of(a));
    CHECK((!foreign.ok() || foreign->empty()));
}

TEST_CASE("withdraw: out of the catalogue; running transfers end, agreements stay on record, and it can be offered again") {
    Stage s;
    s.agree();
    REQUIRE(s.deliver(a, small, 1).ok());
    Counter sink;
    REQUIRE(s.transfer(b, s.request(small.version(1)), sink).ok());
    CHECK_FALSE(s.withdraw(c, s.stream_of(a)).ok());
    REQUIRE(s.seen_by(b));
    REQUIRE(s.withdraw(a, s.stream_of(a)).ok());
    CHECK(s.withdraw(a, s.stream_of(a)).ok());
    CHECK_FALSE(s.seen_by(b));
    CHECK(refused(s.transfer(b, s.request(small.version(1)), sink), Code::not_found, "connector.no-asset"));
    CHECK(refused(s.deliver(a, other, 2), Code::not_found, "connector.no-asset"));
    CHECK(s.agreements(a, s.stream_of(a))->size() == 1);
    CHECK(s.transfers(a, s.stream_of(a))->at(0).state == TransferState::terminated);
    CHECK(refused(s.withdraw(a, "urn:fl:conform:nobody:updates"), Code::not_found, "connector.no-asset"));

    REQUIRE(s.publish(a, s.asset_of(a), s.offered).ok());
    REQUIRE(s.deliver(a, other, 2).ok());
    CHECK(s.seen_by(b)->version == other.version(2));
    CHECK(s.negotiate(b, s.proposal(b, s.offered)).value() == s.agreement);
}

TEST_CASE("wait: ends at the deadline with the same cursor, and when something has changed") {
    Stage s;
    s.agree();
    const std::uint64_t cursor = s.catalog(b)->cursor;
    const auto nothing = s.wait(b, cursor, within(300));
    REQUIRE(nothing.ok());
    CHECK(*nothing == cursor);

    if (s.space->traits().waits) {
        Call<std::uint64_t> waiting(*s.space, b, [=](Connector& x, auto end) { x.wait(cursor, within(), end); });
        REQUIRE(s.deliver(a, small, 1).ok());
        const auto changed = waiting.finish();
        REQUIRE(changed.ok());
        CHECK(*changed != cursor);
    } else {
        REQUIRE(s.deliver(a, small, 1).ok());
    }
    // A change before the wait is not missed.
    const auto missed = s.wait(b, cursor, within());
    REQUIRE(missed.ok());
    CHECK(*missed != cursor);
    CHECK(*missed == s.catalog(b)->cursor);
}

TEST_CASE("wait: what one may not see does not move the cursor") {
    Stage s;
    if (!s.space->traits().own_cursor) return;
    const std::uint64_t cursor = s.catalog(c)->cursor;
    s.agree();
    REQUIRE(s.deliver(a, small, 1).ok());
    Counter sink;
    const auto transfer = s.transfer(b, s.request(small.version(1)), sink);
    REQUIRE(transfer.ok());
    REQUIRE(s.conclude_transfer(b, transfer->id, {true, {}, {}}).ok());
    CHECK(s.catalog(c)->cursor == cursor);
    // The provider's does: it has an agreement and a verdict to read.
    CHECK(s.catalog(a)->cursor != cursor);
}

TEST_CASE("a call that was cancelled, or comes too late, ends once with that and changes nothing") {
    Stage s;
    s.agree();
    REQUIRE(s.deliver(a, small, 1).ok());
    Counter sink;
    const auto transfer = s.transfer(b, s.request(small.version(1)), sink);
    REQUIRE(transfer.ok());
    CallOptions stopped = within();
    stopped.cancel.cancel();
    struct Way {
        CallOptions options;
        Code code;
    };
    for (const Way& way : {Way{stopped, Code::cancelled}, Way{within(0), Code::deadline_exceeded}, Way{within(-5), Code::deadline_exceeded}}) {
        const CallOptions& o = way.options;
        Counter none;
        CHECK(refused(s.publish(c, s.asset_of(c), s.offer_of(c, b), o), way.code, "connector."));
        CHECK(refused(s.deliver(a, s.stream_of(a), other.version(2), other.source(), o), way.code, "connector."));
        CHECK(refused(s.catalog(b, {}, o), way.code, "connector."));
        CHECK(refused(s.negotiate(b, s.proposal(b, s.offered), o), way.code, "connector."));
        CHECK(refused(s.transfer(b, s.request(small.version(1)), none, o), way.code, "connector."));
        CHECK(refused(s.conclude_transfer(b, transfer->id, {true, {}, {}}, o), way.code, "connector."));
        CHECK(refused(s.transfers(a, s.stream_of(a), o), way.code, "connector."));
        CHECK(refused(s.agreements(a, s.stream_of(a), o), way.code, "connector."));
        CHECK(refused(s.withdraw(a, s.stream_of(a), o), way.code, "connector."));
        CHECK(refused(s.wait(b, 1, o), way.code, "connector."));
        CHECK(none.bytes == 0);
    }
    CHECK(s.seen_by(b)->version == small.version(1));
    CHECK(s.catalog(b, {.kind = AssetKind::update_stream, .asset = {}})->entries.size() == 1);
    CHECK(s.transfers(a, s.stream_of(a))->at(0).state == TransferState::started);
}

TEST_CASE("a transfer and a wait that are cancelled while they run end once, with cancelled") {
    Stage s;
    s.agree();
    REQUIRE(s.deliver(a, other, 1).ok());
    CallOptions o = within();
    Counter sink;
    sink.on_piece = [&o] { o.cancel.cancel(); };
    CHECK(refused(s.transfer(b, s.request(other.version(1)), sink, o), Code::cancelled, "connector.cancelled"));
    CHECK(sink.bytes < other.size);

    if (!s.space->traits().waits) return;
    CallOptions p = within();
    const std::uint64_t cursor = s.catalog(b)->cursor;
    Call<std::uint64_t> waiting(*s.space, b, [=](Connector& x, auto end) { x.wait(cursor, p, end); });
    p.cancel.cancel();
    CHECK(refused(waiting.finish(), Code::cancelled, "connector.cancelled"));
}
