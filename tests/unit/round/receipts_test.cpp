#include "entente/round/receipts.hpp"

#include <doctest/doctest.h>

#include "harness.hpp"

using namespace harness;

namespace {

// The receipts on the ledger, each built anew from the records before it and compared; how many there are.
std::size_t check_receipts(const World& w) {
    const auto key = key_of(w.plan.federation.coordinator);
    round::Receipts receipts(proof::Blinder::of(key, w.plan.federation.id));
    std::size_t count = 0;
    for (const auto& entry : w.journal) {
        if (const auto* issued = std::get_if<round::ReceiptIssued>(&entry.record.body)) {
            ++count;
            const auto envelope = proof::envelope_of(issued->receipt, key.public_key(), issued->signature);
            CHECK(proof::check_receipt(envelope, key.public_key()).ok());
            CHECK(round::receipt_of(receipts.of_round(), w.plan.federation.id, plan::digest_of(w.plan), "fedavg", issued->receipt.model) ==
                  issued->receipt);
            CHECK_FALSE(receipts.issued());
        } else if (const auto* model = std::get_if<round::ModelPublished>(&entry.record.body); model != nullptr && count > 0) {
            CHECK(receipts.issued());
        }
        receipts.see(entry.record);
    }
    return count;
}

}  // namespace

TEST_CASE("each round that ends with a model has one receipt, before the model, which follows from the ledger") {
    World w(tiny_plan(3), {"a", "b", "c"});
    REQUIRE(w.run());
    CHECK(check_receipts(w) == 3);
    std::vector<proof::Receipt> all;
    std::vector<Digest> models;
    for (const auto& entry : w.journal) {
        if (const auto* issued = std::get_if<round::ReceiptIssued>(&entry.record.body)) all.push_back(issued->receipt);
        if (const auto* model = std::get_if<round::ModelPublished>(&entry.record.body)) models.push_back(model->content);
    }
    REQUIRE(models.size() == 4);
    for (std::size_t i = 0; i < all.size(); ++i) {
        CHECK(all[i].round == i + 1);
        CHECK(all[i].base_model == models[i]);
        CHECK(all[i].model == models[i + 1]);
        CHECK(all[i].updates == 3);
        CHECK(all[i].weight == 33);
        CHECK(all[i].decisions == 6);
        CHECK(all[i].population == 3);
    }
}

TEST_CASE("killed after any record, the coordinator issues each receipt once, and it is right") {
    World undisturbed(tiny_plan(2), {"a", "b"});
    REQUIRE(undisturbed.run());
    for (std::size_t at = World(tiny_plan(2), {"a", "b"}).journal.size() + 1; at <= undisturbed.journal.size(); ++at) {
        CAPTURE(at);
        World w(tiny_plan(2), {"a", "b"});
        CHECK(w.run_through_crash(at));
        CHECK(check_receipts(w) == 2);
    }
}

TEST_CASE("what a full disk kept off the ledger is in no receipt") {
    World w(tiny_plan(2), {"a", "b"});
    w.fail_storage = 3;
    for (int i = 0; i < 50 && !w.run(); ++i) w.seen = 0;
    CHECK(w.machine->view().phase == co::Phase::finished);
    for (const auto& entry : w.journal) {
        if (const auto* issued = std::get_if<round::ReceiptIssued>(&entry.record.body)) {
            CHECK(issued->receipt.updates == 2);
            CHECK(issued->receipt.weight == 22);
        }
    }
}

TEST_CASE("a record of the round that is another gives another receipt") {
    World w(tiny_plan(1), {"a", "b"});
    REQUIRE(w.run());
    const auto key = key_of(w.plan.federation.coordinator);
    const auto built = [&](const std::function<void(round::Record&)>& change) {
        round::Receipts receipts(proof::Blinder::of(key, w.plan.federation.id));
        for (const auto& entry : w.journal) {
            round::Record record = entry.record;
            change(record);
            receipts.see(record);
        }
        return round::receipt_of(receipts.of_round(), "tiny", plan::digest_of(w.plan), "fedavg", w.model());
    };
    const proof::Receipt good = built([](round::Record&) {});
    const auto in_update = [](auto change) {
        return [change](round::Record& record) {
            if (auto* update = std::get_if<round::UpdateAccepted>(&record.body); update != nullptr && update->participant == "a") change(*update, record);
        };
    };
    CHECK(good == built(in_update([](round::UpdateAccepted&, round::Record&) {})));
    CHECK(good != built(in_update([](round::UpdateAccepted& u, round::Record&) { u.weight += 1; })));
    CHECK(good != built(in_update([](round::UpdateAccepted& u, round::Record&) { u.agreement += "x"; })));
    CHECK(good != built(in_update([](round::UpdateAccepted& u, round::Record&) { u.content.bytes[3] ^= std::byte{1}; })));
    CHECK(good != built(in_update([](round::UpdateAccepted& u, round::Record&) { u.blob.bytes[3] ^= std::byte{1}; })));
    CHECK(good != built(in_update([](round::UpdateAccepted&, round::Record& r) { r.at_ms += 1; })));
    for (const policy::Point point : {policy::Point::ingest, policy::Point::release}) {
        CHECK(good != built([point](round::Record& record) {
            auto* decision = std::get_if<round::PolicyDecided>(&record.body);
            if (decision != nullptr && decision->point == point && decision->participant == "b") decision->input += " ";
        }));
    }
}
