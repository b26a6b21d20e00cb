#include <doctest/doctest.h>

#include "dsp/side_storage.hpp"
#include "support.hpp"

using namespace entente;
using namespace entente::native;

TEST_CASE("what a participant's connector decides is a line of its own ledger, once, across restarts") {
    const TemporaryFolder folder;
    contract::Decision allowed{policy::Point::transfer, "agreement-1", "coordinator", 1, {}};
    allowed.verdict.permitted = true;
    contract::Decision refused = allowed;
    refused.verdict.permitted = false;
    refused.verdict.code = "policy.denied";
    for (int run = 0; run < 2; ++run) {
        auto storage = SideStorage::open(folder.path);
        REQUIRE(storage.ok());
        auto exchange = storage->load("digits");
        REQUIRE(exchange.ok());
        if (run == 0) {
            storage->record(allowed);
            storage->record(allowed);
        }
        storage->record(refused);
        CHECK(storage->save(*exchange, true).ok());
    }
    auto store = StateStore::open((folder.path / "exchange.db").string());
    REQUIRE(store.ok());
    const auto entries = store->ledger();  // its links are checked
    REQUIRE(entries.ok());
    REQUIRE(entries->size() == 2);
    CHECK(round::kind_of(entries->at(0).record) == "policy.permitted");
    CHECK(std::get<round::PolicyDecided>(entries->at(1).record.body).code == "policy.denied");
}
