#include "entente/round/audit.hpp"

#include <doctest/doctest.h>

#include "harness.hpp"

using namespace harness;

namespace {

plan::Plan keeping_plan(std::uint32_t rounds, const char* strategy = "fedavg") {
    plan::Plan plan = tiny_plan(rounds);
    plan.contract.delete_after_days = 7;
    REQUIRE(plan::use_strategy(plan, strategy).ok());
    plan.round.goal = 0;
    plan.round.max_staleness = 0;
    return plan;
}

struct Report {
    round::AuditResult result;
    std::vector<round::Problem> problems;
    std::vector<round::RoundCheck> rounds;
};

Report audited(const World& w, std::vector<round::Entry> ledger, std::optional<std::uint64_t> only = {}) {
    Report report;
    const auto key = key_of(w.plan.federation.coordinator);
    const proof::Blinder blinder = proof::Blinder::of(key, w.plan.federation.id);
    round::AuditOptions options{.plan = w.plan, .coordinator = key.public_key(), .blobs = {}, .leaf_of = {}};
    options.blobs = [&w](const Digest& blob) -> Result<std::shared_ptr<contract::ByteSource>> {
        const auto it = w.blobs.find(blob);
        if (it == w.blobs.end()) return Error{Code::not_found, "file.missing", "no such blob"};
        return contract::make_source(*it->second);
    };
    options.leaf_of = [blinder](const round::Record& record) { return proof::leaf_of(blinder.entry_of(round::record_digest(record))); };
    options.only_round = only;
    options.on_problem = [&](const round::Problem& p) { report.problems.push_back(p); };
    options.on_round = [&](const round::RoundCheck& c) { report.rounds.push_back(c); };
    report.result = round::audit(ledger, options);
    return report;
}
Report audited(const World& w) { return audited(w, w.journal); }

// The ledger with one record changed and its links made anew, as somebody with the file would.
std::vector<round::Entry> rewritten(const World& w, const std::function<void(round::Record&)>& change) {
    std::vector<round::Entry> entries;
    for (const auto& entry : w.journal) {
        round::Record record = entry.record;
        change(record);
        entries.push_back(round::chain(entries.empty() ? std::nullopt : std::optional(entries.back()), std::move(record)));
    }
    return entries;
}

template <class Body>
std::function<void(round::Record&)> in_first(std::function<void(Body&)> change) {
    return [change, left = std::make_shared<int>(1)](round::Record& record) {
        auto* body = std::get_if<Body>(&record.body);
        if (body != nullptr && (*left)-- > 0) change(*body);
    };
}

}  // namespace

TEST_CASE("each round is folded again to the model that was published, whatever the strategy remembers") {
    for (const char* strategy : {"fedavg", "fedprox", "fedavgm", "fedadam", "fedyogi", "fedadagrad", "fednova", "scaffold"}) {
        CAPTURE(strategy);
        World w(keeping_plan(3, strategy), {"a", "b", "c"});
        w.machine->keep_updates(100);
        REQUIRE(w.run());
        const Report report = audited(w);
        CHECK(report.problems.empty());
        CHECK(report.result.rounds == 3);
        CHECK(report.result.recomputed == 3);
        for (std::size_t i = 0; i < report.rounds.size(); ++i) {
            CHECK(report.rounds[i].round == i + 1);
            CHECK(report.rounds[i].outcome == round::Recomputed::same);
            CHECK(report.rounds[i].participants == std::vector<std::string>{"a", "b", "c"});
            CHECK(report.rounds[i].receipt);
        }
        CHECK(report.rounds.back().model == w.model());
        const Report one = audited(w, w.journal, 2);
        CHECK(one.result.recomputed == 1);
        CHECK(one.rounds[0].outcome == round::Recomputed::not_asked);
        CHECK(one.rounds[1].outcome == round::Recomputed::same);
        for (const auto& [blob, bytes] : w.blobs) CHECK(report.result.stored.count(blob) + (strategy == std::string("fedavg") ? 0 : 1) >= 1);
    }
}

TEST_CASE("updates that were deleted as agreed are not missing; their receipts hold") {
    World w(tiny_plan(3), {"a", "b"});
    REQUIRE(w.run());
    const Report report = audited(w);
    CHECK(report.problems.empty());
    CHECK(report.result.recomputed == 0);
    for (const auto& check : report.rounds) {
        CHECK(check.outcome == round::Recomputed::deleted);
        CHECK(check.receipt);
    }
}

TEST_CASE("a changed byte of any stored envelope is named") {
    World w(keeping_plan(2), {"a", "b"});
    w.machine->keep_updates(100);
    REQUIRE(w.run());
    const auto blobs = w.blobs;
    for (const auto& [blob, bytes] : blobs) {
        for (std::size_t at = 0; at < bytes->size(); at += 37) {
            Bytes changed = *bytes;
            changed[at] ^= std::byte{4};
            w.blobs[blob] = std::make_shared<Bytes>(changed);
            const Report report = audited(w);
            CHECK(report.result.problems >= 1);
            CHECK_FALSE(report.problems.front().subject.empty());
        }
        w.blobs.erase(blob);
        CHECK(audited(w).result.problems >= 1);
        w.blobs[blob] = bytes;
    }
    CHECK(audited(w).problems.empty());
}

TEST_CASE("a ledger that somebody has rewritten, links and all, contradicts its receipts, signatures or sums") {
    World w(keeping_plan(2), {"a", "b"});
    w.machine->keep_updates(100);
    REQUIRE(w.run());
    CHECK(audited(w, rewritten(w, [](round::Record&) {})).problems.empty());
    const auto found = [&w](const std::function<void(round::Record&)>& change) { return audited(w, rewritten(w, change)).problems; };
    CHECK_FALSE(found(in_first<round::UpdateAccepted>([](auto& u) { u.weight += 1; })).empty());
    CHECK_FALSE(found(in_first<round::UpdateAccepted>([](auto& u) { u.factor += 1; })).empty());
    CHECK_FALSE(found(in_first<round::UpdateAccepted>([](auto& u) { u.agreement = "agr-0"; })).empty());
    CHECK_FALSE(found(in_first<round::UpdateAccepted>([](auto& u) { u.blob.bytes[0] ^= std::byte{1}; })).empty());
    CHECK_FALSE(found(in_first<round::RoundClosed>([](auto& c) { c.participants.pop_back(); })).empty());
    CHECK_FALSE(found(in_first<round::RoundClosed>([](auto& c) { c.population += 1; })).empty());
    CHECK_FALSE(found(in_first<round::RoundOpened>([](auto& o) { o.model.bytes[0] ^= std::byte{1}; })).empty());
    CHECK_FALSE(found(in_first<round::ModelPublished>([](auto& m) { m.content.bytes[0] ^= std::byte{1}; })).empty());
    CHECK_FALSE(found(in_first<round::ReceiptIssued>([](auto& r) { r.receipt.weight += 1; })).empty());
    CHECK_FALSE(found(in_first<round::ReceiptIssued>([](auto& r) { r.signature.bytes[0] ^= std::byte{1}; })).empty());
    CHECK_FALSE(found(in_first<round::AgreementConcluded>([](auto& a) { a.agreement.acceptance.accepted_by += "x"; })).empty());
    CHECK_FALSE(found(in_first<round::ParticipantAdmitted>([](auto& p) { p.key.bytes[0] ^= std::byte{1}; })).empty());
    CHECK_FALSE(found(in_first<round::Activated>([](auto& a) { a.plan.bytes[0] ^= std::byte{1}; })).empty());
    auto broken = w.journal;
    broken[5].previous.bytes[0] ^= std::byte{1};
    CHECK(audited(w, broken).problems.front().code == "ledger.broken");
}
