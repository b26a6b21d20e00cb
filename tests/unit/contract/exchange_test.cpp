#include "entente/contract/exchange.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace entente;
using namespace entente::contract;

namespace {

constexpr std::int64_t now = 1'800'000'000'000;

codec::SigningKey key(const char* name) {
    std::array<std::byte, 32> seed{};
    for (std::size_t i = 0; name[i] != 0 && i < seed.size(); ++i) seed[i] = static_cast<std::byte>(name[i]);
    return codec::SigningKey(seed);
}

SignedOffer offer_of(const char* who, std::vector<policy::Constraint> terms = {}) {
    return sign({std::string("offer:") + who, update_stream_asset("demo", who), who, "coordinator",
                 policy::federation_policy(std::move(terms))},
                key(who));
}

Asset asset_of(const char* who) { return {update_stream_asset("demo", who), AssetKind::update_stream, "demo", who}; }

struct World {
    Exchange exchange{"demo"};

    explicit World(std::vector<policy::Constraint> terms = {}) {
        for (const char* who : {"coordinator", "plant-a", "plant-b"}) REQUIRE(exchange.admit(who, key(who).public_key()).ok());
        REQUIRE(exchange.publish("plant-a", asset_of("plant-a"), offer_of("plant-a", std::move(terms))).ok());
    }
    Agreement agree(std::int64_t at = now) {
        const auto entry = exchange.catalog("coordinator", {}).entries.at(0);
        return exchange.negotiate("coordinator", conclude(entry.offer, {"op", at}, key("coordinator")).value(), at).value();
    }
};

const Version first{1, {}, 10};

}  // namespace

TEST_CASE("a participant publishes only what is its own") {
    World w;
    CHECK(w.exchange.publish("plant-b", asset_of("plant-a"), offer_of("plant-a")).error().reason == "connector.foreign-asset");
    // Own asset, another's key.
    SignedOffer foreign = sign(offer_of("plant-b").offer, key("plant-a"));
    CHECK(w.exchange.publish("plant-b", asset_of("plant-b"), foreign).error().reason == "connector.foreign-asset");
    // A name that is not the convention's.
    Asset odd = asset_of("plant-b");
    odd.id = "urn:fl:demo:plant-a:updates";
    CHECK_FALSE(w.exchange.publish("plant-b", odd, offer_of("plant-b")).ok());
    CHECK(w.exchange.publish("stranger", asset_of("stranger"), offer_of("stranger")).error().reason ==
          "connector.unknown-participant");
    // Terms that cannot be enforced are not even offered.
    CHECK(w.exchange.publish("plant-b", asset_of("plant-b"), offer_of("plant-b", {{"https://example.org/x", "eq", {"1"}}}))
              .error().reason == "policy.unknown-operand");
    CHECK(w.exchange.deliver("plant-b", asset_of("plant-a").id, first).error().reason == "connector.foreign-asset");
}

TEST_CASE("an offer is seen by whom it is meant for and nobody else") {
    World w;
    CHECK(w.exchange.catalog("coordinator", {}).entries.size() == 1);
    CHECK(w.exchange.catalog("plant-b", {}).entries.empty());
    CHECK(w.exchange.catalog("plant-a", {}).entries.empty());
    CHECK(w.exchange.transfers("plant-b", asset_of("plant-a").id).error().reason == "connector.foreign-asset");
    CHECK(w.exchange.agreements("plant-b", asset_of("plant-a").id).value().empty());
}

TEST_CASE("altered terms under a valid offer id are refused") {
    World w({{policy::operand::min_cohort_size, "gteq", {"3"}}});
    // The coordinator signs an offer of its own making with the partner's id on it.
    Offer altered = offer_of("plant-a").offer;
    const auto proposal = conclude(sign(altered, key("plant-a")), {"op", now}, key("coordinator")).value();
    CHECK(w.exchange.negotiate("coordinator", proposal, now).error().reason == "agreement.mismatch");
}

TEST_CASE("negotiating again returns the first agreement") {
    World w;
    const Agreement one = w.agree();
    const Agreement two = w.agree(now + 5'000);
    CHECK(one == two);
    CHECK(w.exchange.agreements("plant-a", asset_of("plant-a").id).value().size() == 1);
}

TEST_CASE("a wrong clock is named") {
    World w;
    const auto entry = w.exchange.catalog("coordinator", {}).entries.at(0);
    const auto proposal = conclude(entry.offer, {"op", now + 3'600'000}, key("coordinator")).value();
    CHECK(w.exchange.negotiate("coordinator", proposal, now).error().reason == "agreement.clock");
}

TEST_CASE("a transfer needs an own agreement that is in force, over this asset and this version") {
    World w({{policy::operand::in_force_date, "lteq", {"contractAgreement+1d"}}, {policy::operand::max_rounds, "lteq", {"3"}}});
    const std::string asset = asset_of("plant-a").id;
    const Agreement agreement = w.agree();
    REQUIRE(w.exchange.deliver("plant-a", asset, first).ok());

    const TransferRequest good{agreement.id, asset, first};
    CHECK(w.exchange.open("coordinator", good, now).ok());
    CHECK(w.exchange.open("plant-b", good, now).error().reason == "agreement.foreign");
    CHECK(w.exchange.open("coordinator", {"agr-none", asset, first}, now).error().reason == "agreement.unknown");
    CHECK(w.exchange.open("coordinator", {agreement.id, "urn:fl:demo:global", first}, now).error().reason == "agreement.mismatch");
    CHECK(w.exchange.open("coordinator", {agreement.id, asset, {2, {}, 10}}, now).error().reason == "transfer.superseded");
    constexpr std::int64_t day = 86'400'000;
    CHECK(w.exchange.open("coordinator", good, now + day).ok());
    CHECK(w.exchange.open("coordinator", good, now + day + 1).error().reason == "policy.denied");
    REQUIRE(w.exchange.deliver("plant-a", asset, {4, {}, 10}).ok());
    CHECK(w.exchange.open("coordinator", {agreement.id, asset, {4, {}, 10}}, now).error().reason == "policy.denied");
    // What asks nobody begins no round: it came of the one before.
    const Version final{4, {}, 11, 0};
    REQUIRE(w.exchange.deliver("plant-a", asset, final).ok());
    const auto last = w.exchange.open("coordinator", {agreement.id, asset, final}, now);
    REQUIRE(last.ok());
    CHECK(w.exchange.in_force("coordinator", *last, now).ok());
    const Version beyond{5, {}, 12, 0};
    REQUIRE(w.exchange.deliver("plant-a", asset, beyond).ok());
    CHECK(w.exchange.open("coordinator", {agreement.id, asset, beyond}, now).error().reason == "policy.denied");
}

TEST_CASE("the provider reads what became of a transfer, and only the consumer may judge it") {
    World w;
    const std::string asset = asset_of("plant-a").id;
    const Agreement agreement = w.agree();
    REQUIRE(w.exchange.deliver("plant-a", asset, first).ok());
    const Transfer transfer = w.exchange.open("coordinator", {agreement.id, asset, first}, now).value();
    CHECK(w.exchange.conclude("plant-a", transfer.id, {true, {}, {}}).error().reason == "transfer.foreign");
    CHECK(w.exchange.conclude("coordinator", "tr-99", {true, {}, {}}).error().reason == "transfer.unknown");
    REQUIRE(w.exchange.conclude("coordinator", transfer.id, {false, "update.shape", "Too short."}).ok());
    REQUIRE(w.exchange.conclude("coordinator", transfer.id, {true, {}, {}}).ok());  // repeating changes nothing
    const auto seen = w.exchange.transfers("plant-a", asset).value();
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].state == TransferState::terminated);
    CHECK(seen[0].code == "update.shape");
    CHECK(seen[0].sentence == "Too short.");
}

TEST_CASE("a new version ends the transfers of the one before; withdrawing ends all") {
    World w;
    const std::string asset = asset_of("plant-a").id;
    const Agreement agreement = w.agree();
    REQUIRE(w.exchange.deliver("plant-a", asset, first).ok());
    REQUIRE(w.exchange.open("coordinator", {agreement.id, asset, first}, now).ok());
    REQUIRE(w.exchange.deliver("plant-a", asset, {2, {}, 10}).ok());
    CHECK(w.exchange.transfers("plant-a", asset).value().at(0).code == "transfer.superseded");
    REQUIRE(w.exchange.withdraw("plant-a", asset).ok());
    CHECK(w.exchange.catalog("coordinator", {}).entries.empty());
    CHECK(w.exchange.open("coordinator", {agreement.id, asset, {2, {}, 10}}, now).error().reason == "connector.no-asset");
    CHECK(w.exchange.agreements("plant-a", asset).value().size() == 1);
}

TEST_CASE("the books survive a snapshot, and a damaged snapshot is refused") {
    World w;
    const Agreement agreement = w.agree();
    REQUIRE(w.exchange.deliver("plant-a", asset_of("plant-a").id, first).ok());
    REQUIRE(w.exchange.open("coordinator", {agreement.id, asset_of("plant-a").id, first}, now).ok());
    const Bytes bytes = w.exchange.serialize();
    const Exchange back = Exchange::deserialize(bytes).value();
    CHECK(back.serialize() == bytes);
    CHECK(back.cursor() == w.exchange.cursor());
    for (std::size_t n = 0; n < bytes.size(); n += 7) {
        CHECK(Exchange::deserialize(ByteView(bytes).first(n)).error().reason == "exchange.malformed");
    }
}

TEST_CASE("each decision is told: transfers with what was looked at, and what is shown or read only when it is refused") {
    World w({{policy::operand::max_rounds, "lteq", {"2"}}, {policy::operand::in_force_date, "lteq", {"contractAgreement+1d"}}});
    std::vector<Decision> told;
    w.exchange.on_decision([&told](const Decision& d) { told.push_back(d); });
    const Agreement agreement = w.agree();
    const std::string asset = asset_of("plant-a").id;
    REQUIRE(w.exchange.deliver("plant-a", asset, first).ok());
    const auto transfer = w.exchange.open("coordinator", {agreement.id, asset, first}, now);
    REQUIRE(transfer.ok());
    REQUIRE(told.size() == 1);
    CHECK(told[0].point == policy::Point::transfer);
    CHECK(told[0].agreement == agreement.id);
    CHECK(told[0].participant == "plant-a");
    CHECK(told[0].round == 1);
    CHECK(told[0].verdict.permitted);
    CHECK(told[0].verdict.input == "maxRounds=1 inForceDate=" + policy::format_instant(now));

    CHECK(w.exchange.in_force("coordinator", *transfer, now + 86'400'000).ok());
    CHECK(told.size() == 1);
    CHECK(w.exchange.in_force("coordinator", *transfer, now + 86'400'001).error().reason == "policy.denied");
    REQUIRE(told.size() == 2);
    CHECK(told[1].point == policy::Point::monitor);

    const Version third{3, {}, 10};
    REQUIRE(w.exchange.deliver("plant-a", asset, third).ok());
    CHECK(w.exchange.open("coordinator", {agreement.id, asset, third}, now).error().reason == "policy.denied");
    REQUIRE(told.size() == 3);
    CHECK(told[2].verdict.operand == policy::operand::max_rounds);
    // A question that policy was not asked is no decision.
    CHECK_FALSE(w.exchange.open("plant-b", {agreement.id, asset, third}, now).ok());
    CHECK(told.size() == 3);
}

TEST_CASE("an offer that has ended is shown to nobody") {
    World w({{policy::operand::in_force_date, "lteq", {"2027-01-31T00:00:00Z"}}});
    std::size_t told = 0;
    w.exchange.on_decision([&told](const Decision& d) { told += d.point == policy::Point::catalog ? 1 : 0; });
    const std::int64_t end = *policy::parse_instant_ms("2027-01-31T00:00:00Z");
    CHECK(w.exchange.catalog("coordinator", {}, end).entries.size() == 1);
    CHECK(told == 0);
    CHECK(w.exchange.catalog("coordinator", {}, end + 1).entries.empty());
    CHECK(told == 1);
    CHECK(w.exchange.catalog("coordinator", {}).entries.size() == 1);
}

TEST_CASE("what runs under an agreement that has ended ends with its reason") {
    World w;
    const Agreement agreement = w.agree();
    const std::string asset = asset_of("plant-a").id;
    REQUIRE(w.exchange.deliver("plant-a", asset, first).ok());
    const auto transfer = w.exchange.open("coordinator", {agreement.id, asset, first}, now);
    REQUIRE(transfer.ok());
    const std::uint64_t before = w.exchange.cursor();
    w.exchange.end_agreement(agreement.id, {false, "policy.denied", "The agreement has ended."});
    CHECK(w.exchange.cursor() > before);
    const auto shown = w.exchange.transfers("plant-a", asset);
    CHECK(shown->front().state == TransferState::terminated);
    CHECK(shown->front().code == "policy.denied");
    w.exchange.end_agreement("agr-unknown", {false, "x", "x"});
}

TEST_CASE("whoever is suspended is refused with the reason, on either side, and what ran has ended") {
    World w;
    const Agreement agreement = w.agree();
    REQUIRE(w.exchange.deliver("plant-a", asset_of("plant-a").id, first).ok());
    const TransferRequest request{agreement.id, asset_of("plant-a").id, first};
    const Transfer running = w.exchange.open("coordinator", request, now).value();
    w.exchange.suspend("plant-a", "plant-a is suspended");
    CHECK(w.exchange.transfers("plant-a", asset_of("plant-a").id).value().front().code == "participant.suspended");
    CHECK(w.exchange.publish("plant-a", asset_of("plant-a"), offer_of("plant-a")).error().message == "plant-a is suspended");
    CHECK(w.exchange.deliver("plant-a", asset_of("plant-a").id, {2, {}, 10}).error().reason == "participant.suspended");
    CHECK(w.exchange.readable("coordinator", running.id)->state == TransferState::terminated);
    // As a consumer, too.
    w.exchange.suspend("coordinator", "coordinator is suspended");
    CHECK(w.exchange.open("coordinator", request, now).error().reason == "participant.suspended");
    CHECK(w.exchange.readable("coordinator", running.id).error().reason == "participant.suspended");
    CHECK(w.exchange.judge("coordinator", agreement, now).error().reason == "participant.suspended");
    w.exchange.resume("coordinator");
    w.exchange.resume("plant-a");
    CHECK(w.exchange.open("coordinator", request, now).ok());
    CHECK(w.exchange.deliver("plant-a", asset_of("plant-a").id, {2, {}, 10}).ok());
}

TEST_CASE("one that comes with another key begins anew: what it had offered and delivered is gone, the agreements stay on record") {
    World w;
    const Agreement agreement = w.agree();
    REQUIRE(w.exchange.deliver("plant-a", asset_of("plant-a").id, first).ok());
    REQUIRE(w.exchange.expel("plant-a").ok());
    REQUIRE(w.exchange.admit("plant-a", key("plant-a, the second").public_key()).ok());
    CHECK(w.exchange.publish("plant-a", asset_of("plant-a"), offer_of("plant-a")).error().reason == "connector.foreign-asset");
    REQUIRE(w.exchange.publish("plant-a", asset_of("plant-a"), sign(offer_of("plant-a").offer, key("plant-a, the second"))).ok());
    CHECK_FALSE(w.exchange.current(asset_of("plant-a").id).has_value());
    CHECK(w.exchange.agreements("plant-a", asset_of("plant-a").id).value() == std::vector<Agreement>{agreement});
    CHECK(w.agree().id != agreement.id);
}
