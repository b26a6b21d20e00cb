#include "dsp/peer_identity.hpp"

#include <doctest/doctest.h>

#include "server/connector_registration.hpp"

using namespace entente;
using namespace entente::native;

namespace {

struct Fixed final : IdentityProvider {
    void mint(const std::string& audience, Completion completion) override { completion("Bearer for " + audience); }
    void verify(const std::string& header, const std::string&, Completion completion) override { completion("signed:" + header); }
};

std::unique_ptr<IdentityProvider> make(bool mock) {
    return make_peer_identity({.signed_tokens = std::make_unique<Fixed>(),
                               .mock = mock ? make_mock_identity("coordinator") : nullptr,
                               .edc_called = [](const std::string& name) { return name == "BPNL1" ? std::optional<std::string>("plant-b") : std::nullopt; },
                               .edc_at = [](const std::string& address) { return address == "https://edc.example/protocol/2025-1"; }});
}

std::string seen(IdentityProvider& identity, const std::string& header) {
    std::string who;
    identity.verify(header, "https://here", [&](Result<std::string> id) { who = id.ok() ? *id : id.error().reason + " " + id.error().message; });
    return who;
}

std::string mock_token(const std::string& id, const std::string& audience = "https://here") {
    return R"({"region":"eu","audience":")" + audience + R"(","clientId":")" + id + "\"}";
}

}  // namespace

TEST_CASE("a mock token is believed of a registered EDC, of nobody else, and only where that was asked for") {
    auto identity = make(true);
    CHECK(seen(*identity, mock_token("BPNL1")) == "plant-b");
    CHECK(seen(*identity, mock_token("plant-b")).starts_with("identity.stranger "));
    CHECK(seen(*identity, mock_token("plant-a")).starts_with("identity.stranger "));
    CHECK(seen(*identity, mock_token("coordinator")).starts_with("identity.stranger "));
    CHECK(seen(*identity, mock_token("BPNL1", "https://elsewhere")).starts_with("identity.audience "));
    CHECK(seen(*identity, "{").starts_with("identity.malformed "));
    CHECK(seen(*identity, "Bearer x") == "signed:Bearer x");
    auto strict = make(false);
    CHECK(seen(*strict, mock_token("plant-b")).starts_with("identity.mock "));
    CHECK(seen(*strict, mock_token("plant-b")).find(mock_option) != std::string::npos);
    CHECK(seen(*strict, "Bearer x") == "signed:Bearer x");
}

TEST_CASE("an EDC gets a mock token, everybody else a signed one") {
    const auto minted = [](bool mock, const std::string& audience) {
        std::string header;
        make(mock)->mint(audience, [&](Result<std::string> made) { header = made.value(); });
        return header;
    };
    CHECK(minted(true, "https://edc.example/protocol/2025-1") == mock_token("coordinator", "https://edc.example/protocol/2025-1"));
    CHECK(minted(true, "https://plant-a.example/dsp/2025-1") == "Bearer for https://plant-a.example/dsp/2025-1");
    CHECK(minted(false, "https://edc.example/protocol/2025-1").starts_with("Bearer "));
}

TEST_CASE("what a partner tells about its connector") {
    const auto own = read_registration("plant-a", R"({"address":"https://plant-a.example/dsp/2025-1"})");
    REQUIRE(own.ok());
    CHECK((own->participant == "plant-a" && own->address == "https://plant-a.example/dsp/2025-1" && !own->edc));
    const auto edc = read_registration("plant-b", R"({"address":"https://edc.example/protocol/2025-1","kind":"edc","data":"https://plant-b.example","edc_id":"BPNL1"})");
    REQUIRE(edc.ok());
    CHECK((edc->edc && edc->data_origin == "https://plant-b.example" && edc->called() == "BPNL1" && own->called() == "plant-a"));
    CHECK(read_registration("plant-b", R"({"address":"https://x","kind":"other"})").error().reason == "connector.kind");
    CHECK_FALSE(read_registration("plant-b", "https://plant-a.example/dsp/2025-1").ok());
}
