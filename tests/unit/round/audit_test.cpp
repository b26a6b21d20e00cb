#include "entente/round/audit.hpp"
#include "entente/round/log_audit.hpp"

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

TEST_CASE("the round that gathers statistics is added again to the sums that every model carries") {
    plan::Plan plan = table_plan(3);
    plan.contract.delete_after_days = 7;
    World w(plan, {"a", "bb"});
    w.machine->keep_updates(100);
    REQUIRE(w.run());
    const Report report = audited(w);
    CHECK(report.problems.empty());
    CHECK(report.result.recomputed == 3);
    for (const auto& check : report.rounds) CHECK(check.outcome == round::Recomputed::same);
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

TEST_CASE("one round is checked with the models of that round alone, and without updates as far as that goes") {
    World w(keeping_plan(3), {"a", "b"});
    w.machine->keep_updates(100);
    REQUIRE(w.run());
    round::AuditOptions options{.plan = w.plan, .coordinator = key_of(w.plan.federation.coordinator).public_key(), .blobs = {}, .leaf_of = {}};
    std::vector<std::string> kinds;
    std::set<Digest> models;
    for (const auto& entry : w.journal) {
        if (const auto* m = std::get_if<round::ModelPublished>(&entry.record.body)) models.insert(m->blob);
    }
    options.blobs = [&](const Digest& blob) -> Result<std::shared_ptr<contract::ByteSource>> {
        kinds.emplace_back(models.count(blob) > 0 ? "model" : "update");
        return contract::make_source(*w.blobs.at(blob));
    };
    options.only_round = 2;
    options.other_models = false;
    round::RoundCheck found;
    options.on_round = [&found](const round::RoundCheck& c) { found = c.round == 2 ? c : found; };
    CHECK(round::audit(w.journal, options).problems == 0);
    CHECK(kinds == std::vector<std::string>{"model", "update", "update", "model"});
    CHECK(found.outcome == round::Recomputed::same);
    kinds.clear();
    options.updates = false;
    CHECK(round::audit(w.journal, options).problems == 0);
    CHECK(kinds == std::vector<std::string>{"model", "model"});
    CHECK(found.outcome == round::Recomputed::unreadable);
    CHECK(found.receipt);
}

TEST_CASE("a page of entries is what was put in, and nothing else is read") {
    World w(tiny_plan(1), {"a", "b"});
    REQUIRE(w.run());
    Bytes page;
    for (const auto& entry : w.journal) round::append_entry(page, entry);
    const auto read = round::decode_entries(page);
    REQUIRE(read.ok());
    REQUIRE(read->size() == w.journal.size());
    for (std::size_t i = 0; i < read->size(); ++i) CHECK(round::link_of((*read)[i]) == round::link_of(w.journal[i]));
    CHECK(round::decode_entries({})->empty());
    for (std::size_t size = 1; size < page.size(); size += 7) {
        const auto cut = round::decode_entries(ByteView(page).first(size));
        if (cut.ok()) CHECK(cut->size() < w.journal.size());  // between two entries
        else CHECK(cut.error().reason == "ledger.malformed");
    }
    Bytes endless(8, std::byte{0xff});
    CHECK(round::decode_entries(endless).error().reason == "ledger.malformed");
}

TEST_CASE("a log is the ledger's, with the key and without; every changed byte of its files is named") {
    World w(tiny_plan(2), {"a", "b"});
    REQUIRE(w.run());
    const auto key = key_of(w.plan.federation.coordinator);
    const proof::Blinder blinder = proof::Blinder::of(key, w.plan.federation.id);
    proof::TileTree tree;
    std::map<std::string, Bytes> files;
    Bytes bundle;
    for (const auto& entry : w.journal) {
        const proof::LogEntry committed = blinder.entry_of(round::record_digest(entry.record));
        tree.add(proof::leaf_of(committed));
        proof::append_entry(bundle, proof::encode(committed));
    }
    const auto width = static_cast<std::uint32_t>(w.journal.size());
    REQUIRE(width < proof::tile_width);
    files[proof::path_of({true, 0, 0, width})] = bundle;
    for (auto& [tile, bytes] : tree.take_changes()) files[proof::path_of(tile)] = bytes;
    const std::string note = proof::write_note(proof::sign_checkpoint({proof::log_origin(w.plan.federation.id), tree.size(), tree.root()}, key));
    CHECK(round::tiles_of(tree.size()).size() == files.size());
    const auto problems = [&](bool with_key, const std::vector<round::Entry>& ledger, const std::string& checkpoint) {
        std::vector<std::string> subjects;
        round::LogAuditOptions options{.federation = w.plan.federation.id, .coordinator = key.public_key()};
        if (with_key) options.blinder = blinder;
        options.read = [&](const proof::Tile& tile) -> Result<Bytes> { return files.at(proof::path_of(tile)); };
        options.on_problem = [&](const round::Problem& p) { subjects.push_back(p.subject); };
        round::LogAudit log(std::move(options));
        if (!with_key) log.read_bundles(tree.size());
        log.check(ledger, checkpoint);
        return subjects;
    };
    for (const bool with_key : {true, false}) {
        CAPTURE(with_key);
        CHECK(problems(with_key, w.journal, note).empty());
        CHECK(problems(with_key, {w.journal.begin(), w.journal.end() - 1}, note) == std::vector<std::string>{"checkpoint"});
        CHECK(problems(with_key, w.journal, note.substr(0, note.size() - 5) + "AAA=\n") == std::vector<std::string>{"checkpoint"});
        auto other = w.journal;
        other[3].record.at_ms += 1;
        CHECK_FALSE(problems(with_key, other, note).empty());
        for (auto& [path, bytes] : files) {
            for (std::size_t at = 0; at < bytes.size(); at += 61) {
                bytes[at] ^= std::byte{8};
                CHECK_FALSE(problems(with_key, w.journal, note).empty());
                bytes[at] ^= std::byte{8};
            }
        }
    }
}

TEST_CASE("the tiles of a log are those that its tree makes") {
    CHECK(round::tiles_of(0).empty());
    proof::TileTree tree;
    std::set<std::string> made;
    for (std::uint64_t size = 1; size <= 70'000; ++size) {
        tree.add(Digest{});
        if (size != 1 && size != 255 && size != 256 && size != 257 && size != 65'536 && size != 70'000) continue;
        for (const auto& [tile, bytes] : tree.take_changes()) made.insert(proof::path_of(tile));
        for (const proof::Tile& tile : round::tiles_of(size)) {
            CAPTURE(proof::path_of(tile));
            CHECK((tile.entries || made.count(proof::path_of(tile)) == 1));
        }
    }
    CHECK(round::tiles_of(70'000).size() == 2 * (273 + 1) + 2 + 1);  // bundles and hashes; 273 roots of them in two; one of theirs
}
