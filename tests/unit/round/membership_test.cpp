// Keys that change, partners that are barred for a time, and those that come again.
#include <doctest/doctest.h>

#include "entente/round/audit.hpp"
#include "harness.hpp"

using namespace harness;

namespace {

codec::SigningKey second_key_of(const std::string& id) { return key_of(id + ", the second"); }

round::KeyRotated rotation_of(const std::string& id) {
    round::KeyRotated r{id, second_key_of(id).public_key(), key_of(id).public_key(), {}, {}};
    const std::string text = round::rotation_text("tiny", id, r.former, r.key);
    r.by_key = second_key_of(id).sign("rotate", as_bytes(std::string_view(text)));
    r.by_former = key_of(id).sign("rotate", as_bytes(std::string_view(text)));
    return r;
}

struct Members : World {
    using World::World;

    void come_with_second_key(const std::string& id) {
        auto p = round::Participant::create({plan, id, second_key_of(id), key_of("coordinator").public_key(), id, states[id]});
        participants[id] = std::make_unique<round::Participant>(std::move(p).value());
        waiting.erase(id);
        send(id, pa::Started{now});
    }

    // As the server does it: the books, the ledger, and the partner that starts again.
    void rotate(const std::string& id) {
        REQUIRE(exchange.expel(id).ok());
        REQUIRE(exchange.admit(id, second_key_of(id).public_key()).ok());
        send(co::Rotated{rotation_of(id), now});
    }

    void run_to_round(std::uint64_t round) {
        while (machine->view().round < round || machine->view().phase != co::Phase::collecting) REQUIRE_FALSE(run(1));
    }

    [[nodiscard]] co::ParticipantView row(const std::string& id) const {
        for (const auto& p : machine->view().participants) {
            if (p.id == id) return p;
        }
        return {};
    }

    [[nodiscard]] std::vector<std::string> problems() const {
        std::vector<std::string> all;
        const auto key = key_of("coordinator");
        const proof::Blinder blinder = proof::Blinder::of(key, "tiny");
        round::AuditOptions options{.plan = plan, .coordinator = key.public_key(), .blobs = {}, .leaf_of = {}};
        options.blobs = [this](const Digest& blob) -> Result<std::shared_ptr<contract::ByteSource>> {
            const auto it = blobs.find(blob);
            if (it == blobs.end()) return Error{Code::not_found, "file.missing", "no such blob"};
            return contract::make_source(*it->second);
        };
        options.leaf_of = [blinder](const round::Record& record) { return proof::leaf_of(blinder.entry_of(round::record_digest(record))); };
        options.on_problem = [&all](const round::Problem& p) { all.push_back(p.subject + ": " + p.code); };
        static_cast<void>(round::audit(journal, options));
        return all;
    }
};

plan::Plan kept(std::uint32_t rounds) {
    plan::Plan plan = tiny_plan(rounds);
    plan.contract.delete_after_days = 7;
    return plan;
}

std::vector<std::string> kinds_of(const World& w, const std::string& start) {
    std::vector<std::string> kinds;
    for (const auto& entry : w.journal) {
        if (const std::string kind(round::kind_of(entry.record)); kind.starts_with(start)) kinds.push_back(kind);
    }
    return kinds;
}

}  // namespace

TEST_CASE("a key that was rotated in mid-round: new agreements, the same model, and a ledger that holds") {
    Members undisturbed(kept(3), {"a", "b"});
    REQUIRE(undisturbed.run());
    for (const bool counted : {false, true}) {
        CAPTURE(counted);
        Members w(kept(3), {"a", "b"});
        w.machine->keep_updates(100);
        // Of "a" nothing has come yet, or its update is in the round already.
        w.hold = [counted](const std::string& id, std::uint64_t round) { return round == 2 && id == (counted ? "b" : "a"); };
        w.run_to_round(2);
        while (w.machine->view().delivered < 1) w.run(1);
        const std::string before = w.row("a").update_agreement;
        w.rotate("a");
        CHECK(w.row("a").standing != co::Standing::training);
        w.hold = {};
        w.come_with_second_key("a");
        if (counted) w.start_participant("b");
        const std::size_t from = w.journal.size();
        CHECK(w.run());
        CHECK(w.row("a").update_agreement != before);
        CHECK(w.model() == undisturbed.model());
        CHECK(w.count("participant.key") == 1);
        CHECK(w.count("agreement.concluded") == 6);
        CHECK(w.problems() == std::vector<std::string>{});
        // A coordinator that is killed anywhere behind the rotation comes to the same.
        for (std::size_t at = from + 1; at <= w.journal.size(); ++at) {
            CAPTURE(at);
            Members again(kept(3), {"a", "b"});
            again.machine->keep_updates(100);
            again.hold = [counted](const std::string& id, std::uint64_t round) { return round == 2 && id == (counted ? "b" : "a"); };
            again.run_to_round(2);
            while (again.machine->view().delivered < 1) again.run(1);
            again.rotate("a");
            again.hold = {};
            again.crash_after = at;
            try {
                again.come_with_second_key("a");
                if (counted) again.start_participant("b");
                static_cast<void>(again.run());
            } catch (const Crash&) {
                again.crash_after.reset();
                again.start_coordinator();
            }
            CHECK(again.run());
            CHECK(again.model() == undisturbed.model());
        }
    }
}

TEST_CASE("behind a rotation the former key's update is nobody's") {
    Members w(tiny_plan(2), {"a", "b"});
    w.hold = [](const std::string& id, std::uint64_t) { return id == "a"; };
    w.run_to_round(1);
    while (w.machine->view().delivered < 1) w.run(1);
    w.rotate("a");
    w.come_with_second_key("a");
    while (w.row("a").model_agreement.empty()) w.run(1);
    // Signed with the former key, in the place of the new one's.
    w.tamper = [&w, once = true](const std::string& id, Bytes& bytes) mutable {
        if (id != "a" || !std::exchange(once, false)) return;
        auto opened = codec::decode_frame(bytes, plan::update_limits(w.plan));
        REQUIRE(opened.ok());
        bytes = codec::encode_frame(codec::FrameKind::update, opened->header, opened->content, key_of("a")).value();
    };
    w.hold = {};
    w.come_with_second_key("a");
    w.run(200);
    CHECK(w.refused["a"] == std::vector<std::string>{"update.foreign-signature"});
}

TEST_CASE("a rotation needs both signatures, and names the key that counts") {
    const round::KeyRotated good = rotation_of("a");
    CHECK(round::check_rotation("tiny", good).ok());
    CHECK_FALSE(round::check_rotation("other", good).ok());
    for (const int what : {0, 1, 2, 3}) {
        round::KeyRotated bad = good;
        if (what == 0) bad.by_key = bad.by_former;
        if (what == 1) bad.by_former = bad.by_key;
        if (what == 2) bad.participant = "b";
        if (what == 3) std::swap(bad.key, bad.former);
        CHECK_FALSE(round::check_rotation("tiny", bad).ok());
    }
    Members w(tiny_plan(2), {"a", "b"});
    round::KeyRotated of_another = rotation_of("b");
    of_another.participant = "a";
    w.send(co::Rotated{of_another, w.now});
    CHECK(w.count("participant.key") == 0);
    // An auditor finds one that was not signed by the key that counted.
    w.journal.push_back(round::chain(w.journal.back(), {w.now, of_another}));
    CHECK(w.problems() == std::vector<std::string>{"key of a: key.bad-signature", "key of a: key.stranger"});
}

TEST_CASE("one that is suspended counts in no round from then on, and takes part again when it is let") {
    auto plan = tiny_plan(3);
    plan.round.min_cohort = 2;
    Members w(plan, {"a", "b", "c"});
    w.hold = [](const std::string& id, std::uint64_t round) { return id == "c" && round == 2; };
    w.run_to_round(2);
    while (w.machine->view().delivered < 2) w.run(1);
    w.exchange.suspend("c", "c is suspended by the operator: a laptop was lost");
    w.send(co::Suspension{"c", true, "a laptop was lost", w.now});
    CHECK(w.row("c").standing == co::Standing::suspended);
    CHECK(w.machine->suspension("c") == "a laptop was lost");
    // The round that runs waits for it no longer.
    CHECK(w.machine->view().completed == 2);
    CHECK(w.exchange.open("c", {w.row("c").model_agreement, contract::global_model_asset("tiny"), *w.exchange.current(contract::global_model_asset("tiny"))}, w.now).error().reason == "participant.suspended");
    w.start_coordinator();  // it is on the ledger
    CHECK(w.machine->suspension("c") == "a laptop was lost");
    w.hold = [](const std::string& id, std::uint64_t) { return id == "a"; };
    w.run_to_round(3);
    w.run(50);
    CHECK(w.row("c").contributions == 1);
    w.exchange.resume("c");
    w.send(co::Suspension{"c", false, {}, w.now});
    w.hold = {};
    w.start_participant("a");
    w.start_participant("c");
    CHECK(w.run());
    CHECK(kinds_of(w, "participant.") == std::vector<std::string>{"participant.admitted", "participant.admitted", "participant.admitted", "participant.suspended", "participant.resumed"});
    CHECK(w.machine->suspension("c") == std::nullopt);
}

TEST_CASE("an update that lies ready when its sender is suspended is not counted") {
    auto plan = tiny_plan(1);
    Members w(plan, {"a", "b"});
    w.hold = [](const std::string& id, std::uint64_t) { return id == "b"; };
    w.run_to_round(1);
    while (w.machine->view().delivered < 1) w.run(1);
    w.send(co::Suspension{"b", true, "for a test", w.now});
    pa::Trained late;
    late.parameters = *w.held.at("b").parameters;
    late.examples = 10;
    late.steps = 1;
    w.send("b", std::move(late));  // it is delivered to its own mailbox
    w.watch();
    CHECK(w.machine->view().delivered == 1);
    CHECK(w.count("update.accepted") == 1);
    w.send(co::Suspension{"b", false, {}, w.now});
    w.watch();
    CHECK(w.count("update.accepted") == 2);
    CHECK(w.run());
}

TEST_CASE("one that lost its key comes again under the same name: what was stays as it was") {
    Members w(kept(3), {"a", "b"});
    w.machine->keep_updates(100);
    w.hold = [](const std::string& id, std::uint64_t round) { return id == "a" && round == 2; };
    w.run_to_round(2);
    const std::vector<round::Entry> before = w.journal;
    REQUIRE(w.exchange.expel("a").ok());
    w.send(co::Left{"a", "removed by the operator", w.now});
    REQUIRE(w.exchange.admit("a", second_key_of("a").public_key()).ok());
    w.send(co::Joined{"a", "Partner a", second_key_of("a").public_key(), w.now});
    w.hold = {};
    w.come_with_second_key("a");
    w.start_coordinator();
    CHECK(w.run());
    CHECK(kinds_of(w, "participant.") == std::vector<std::string>{"participant.admitted", "participant.admitted", "participant.left", "participant.admitted"});
    REQUIRE(w.journal.size() > before.size());
    for (std::size_t i = 0; i < before.size(); ++i) CHECK(round::encode_entry(w.journal[i]) == round::encode_entry(before[i]));
    CHECK(w.row("a").contributions == 3);
    CHECK(w.row("a").standing != co::Standing::left);
    CHECK(w.problems() == std::vector<std::string>{});
}
