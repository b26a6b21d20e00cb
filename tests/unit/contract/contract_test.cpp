#include "entente/contract/contract.hpp"

#include <doctest/doctest.h>

#include <array>
#include <set>

#include "entente/contract/wire.hpp"

using namespace entente;
using namespace entente::contract;

namespace {

codec::SigningKey key(unsigned char n) {
    std::array<std::byte, 32> seed{};
    seed[0] = std::byte{n};
    return codec::SigningKey(seed);
}

Offer offer() {
    return {"offer:1", update_stream_asset("demo", "plant-a"), "plant-a", "coordinator",
            policy::federation_policy({{policy::operand::min_cohort_size, "gteq", {"2"}}})};
}

}  // namespace

TEST_CASE("an agreement bears both signatures, and any change of any part is found") {
    const auto a = key(1), c = key(2);
    const Agreement good = conclude(sign(offer(), a), {"Ada", 1'000}, c).value();
    const Parties parties{a.public_key(), c.public_key()};
    REQUIRE(verify(good, parties).ok());

    const std::vector<void (*)(Agreement&)> changes{
        [](Agreement& g) { g.offer.offer.policy.permissions[0].constraints[0].right_operand[0] = "1"; },
        [](Agreement& g) { g.offer.offer.asset += "x"; },
        [](Agreement& g) { g.offer.offer.assignee = "other"; },
        [](Agreement& g) { g.acceptance.accepted_by = "Bob"; },
        [](Agreement& g) { ++g.acceptance.agreed_at_ms; },
        [](Agreement& g) { g.offer.assigner_signature.bytes[5] ^= std::byte{1}; },
        [](Agreement& g) { g.assignee_signature.bytes[5] ^= std::byte{1}; },
        [](Agreement& g) { g.id.back() = g.id.back() == '0' ? '1' : '0'; },
    };
    for (const auto change : changes) {
        Agreement bad = good;
        change(bad);
        CHECK_FALSE(verify(bad, parties).ok());
    }
    CHECK(verify(good, {c.public_key(), a.public_key()}).error().reason == "contract.foreign-key");
    CHECK(verify(good, {a.public_key(), key(3).public_key()}).error().reason == "contract.foreign-key");
}

TEST_CASE("an offer that was altered after signing cannot be accepted") {
    SignedOffer altered = sign(offer(), key(1));
    altered.offer.policy.permissions[0].constraints.clear();
    CHECK(conclude(altered, {"Ada", 1}, key(2)).error().reason == "contract.bad-signature");
}

TEST_CASE("identifiers are plain") {
    for (const char* good : {"a", "plant-a", "0", "x1-y2"}) CHECK(check_id(good).ok());
    for (const char* bad : {"", "-a", "a-", "A", "a b", "a/b", "..", "a_b", "\xc3\xa4"}) CHECK_FALSE(check_id(bad).ok());
    CHECK(check_id(std::string(64, 'a')).ok());
    CHECK_FALSE(check_id(std::string(65, 'a')).ok());
}

TEST_CASE("nothing leaves a completed or terminated transfer") {
    for (int m = 0; m <= 3; ++m) {
        CHECK_FALSE(advance(TransferState::completed, static_cast<TransferMessage>(m)).ok());
        CHECK_FALSE(advance(TransferState::terminated, static_cast<TransferMessage>(m)).ok());
    }
    CHECK(advance(TransferState::requested, TransferMessage::start).value() == TransferState::started);
    CHECK_FALSE(advance(TransferState::requested, TransferMessage::complete).ok());
    CHECK(advance(TransferState::suspended, TransferMessage::start).value() == TransferState::started);
}

TEST_CASE("the wire form round-trips, and every prefix and every longer form is refused") {
    const Agreement agreement = conclude(sign(offer(), key(1)), {"Ada", 1'000}, key(2)).value();
    const Bytes bytes = encode(agreement);
    CHECK(decode_agreement(bytes).value() == agreement);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        CHECK(decode_agreement(ByteView(bytes).first(n)).error().reason == "wire.malformed");
    }
    Bytes longer = bytes;
    longer.push_back(std::byte{0});
    CHECK_FALSE(decode_agreement(longer).ok());
    HubView view;
    view.own_agreements.push_back(agreement);
    view.own_version = Version{3, {}, 99};
    view.catalog.cursor = 17;
    view.catalog.entries.push_back({{"a", AssetKind::global_model, "demo", "c"}, agreement.offer, std::nullopt});
    CHECK(decode_hub_view(encode(view)).value() == view);
    Transfer transfer{"tr-1", "agr", "asset", {1, {}, 2}, TransferState::terminated, "code", "sentence"};
    CHECK(decode_transfer(encode(transfer)).value() == transfer);
    Bytes unknown_state = encode(transfer);
    // The state is the one byte before the two length-prefixed strings.
    unknown_state[unknown_state.size() - (8 + 4) - (8 + 8) - 1] = std::byte{9};
    CHECK_FALSE(decode_transfer(unknown_state).ok());
}
