#include <sys/stat.h>

#include "world.hpp"

using namespace folder_test;

namespace {

const Bytes one = bytes_of(100'000, 1);
const Bytes two = bytes_of(70'000, 2);

// plant-a offers to plant-b, who has agreed and can fetch.
struct Pair {
    Pair() {
        REQUIRE(publish(*pa, a, b).ok());
        const auto proposal = conclude(catalog(*pb)->entries.at(0).offer, {"Ada", f.now_ms}, key_of(b)).value();
        REQUIRE_FALSE(negotiate(*pb, proposal).ok());  // pending: plant-a has not looked yet
        pa->poll();
        agreement = negotiate(*pb, proposal).value();
        pb->poll();  // the first call completes too
    }
    Folder f;
    std::unique_ptr<FolderConnector> pa = f.start(a, {b});
    std::unique_ptr<FolderConnector> pb = f.start(b, {a});
    Agreement agreement;
};

}  // namespace

TEST_CASE("a negotiation completes when the provider has looked, or at the deadline, and may then be asked for again") {
    Folder f;
    auto pa = f.start(a, {b});
    auto pb = f.start(b, {a});
    REQUIRE(publish(*pa, a, b).ok());
    const auto proposal = conclude(catalog(*pb)->entries.at(0).offer, {"Ada", f.now_ms}, key_of(b)).value();
    std::optional<Result<Agreement>> answer;
    int times = 0;
    pb->negotiate(proposal, soon(), [&](Result<Agreement> r) { answer.emplace(std::move(r)), ++times; });
    pb->poll();
    CHECK(times == 0);
    f.now_ms += 30'000;
    pb->poll();
    REQUIRE(times == 1);
    CHECK(answer->error().code == Code::deadline_exceeded);
    // The stick comes back after a week; plant-a is another process by now.
    f.now_ms += 7LL * 24 * 3600 * 1000;
    pa = f.start(a, {b});
    pa->poll();
    CHECK(negotiate(*pb, proposal).value() == proposal);
    CHECK(negotiate(*pb, conclude(proposal.offer, {"Ada", f.now_ms}, key_of(b)).value()).value() == proposal);
}

TEST_CASE("an acceptance that has travelled for too long is refused, and a fresh one is not") {
    Folder f;
    auto pa = f.start(a, {b});
    auto pb = f.start(b, {a});
    REQUIRE(publish(*pa, a, b).ok());
    const auto offer = catalog(*pb)->entries.at(0).offer;
    const auto old = conclude(offer, {"Ada", f.now_ms}, key_of(b)).value();
    CHECK_FALSE(negotiate(*pb, old).ok());
    f.now_ms += folder::longest_journey_ms + 1;
    pa->poll();
    CHECK(negotiate(*pb, old).error().reason == "agreement.clock");
    const auto fresh = conclude(offer, {"Ada", f.now_ms}, key_of(b)).value();
    CHECK_FALSE(negotiate(*pb, fresh).ok());
    pa->poll();
    CHECK(negotiate(*pb, fresh).value() == fresh);
}

TEST_CASE("half-written and changed books are passed over with a reason; the last good state stands and the next scan mends it") {
    Pair p;
    REQUIRE(deliver(*p.pa, a, 1, one).ok());
    const fs::path book = "plant-a/plant-b.book";
    const std::string good = p.f.read(book);
    REQUIRE(deliver(*p.pa, a, 2, two).ok());
    const std::string next = p.f.read(book);
    p.f.write(book, good);
    REQUIRE(catalog(*p.pb)->entries.at(0).version == version_of(1, one));
    for (std::size_t n = 0; n < next.size(); n += 13) {
        p.f.write(book, next.substr(0, n));
        REQUIRE(catalog(*p.pb)->entries.at(0).version == version_of(1, one));
        REQUIRE(complains(*p.pb, book.string(), "folder.damaged"));
    }
    for (std::size_t n = 0; n < next.size(); n += 3) {
        std::string flipped = next;
        flipped[n] = static_cast<char>(flipped[n] ^ 0x10);
        p.f.write(book, flipped);
        REQUIRE(catalog(*p.pb)->entries.at(0).version == version_of(1, one));
        REQUIRE(p.pb->problems().size() == 1);
    }
    p.f.write(book, next);
    CHECK(catalog(*p.pb)->entries.at(0).version == version_of(2, two));
    CHECK(p.pb->problems().empty());
    // An old state that somebody brings back does not count, as long as the newer one is remembered.
    p.f.write(book, good);
    CHECK(catalog(*p.pb)->entries.at(0).version == version_of(2, two));
    CHECK(complains(*p.pb, book.string(), "folder.older"));
}

TEST_CASE("a stick that passed through foreign hands cannot forge") {
    Pair p;
    REQUIRE(deliver(*p.pa, a, 1, one).ok());
    REQUIRE(catalog(*p.pb)->entries.size() == 1);
    const fs::path book = "plant-a/plant-b.book";
    // Signed by another key.
    auto forged = p.pa->shelf().own(b);
    forged.sequence += 1'000;
    forged.listings.at(0).version = version_of(9, two);
    const Bytes file = folder::seal(forged, key_of("mallory"));
    p.f.write(book, std::string(reinterpret_cast<const char*>(file.data()), file.size()));
    CHECK(catalog(*p.pb)->entries.at(0).version == version_of(1, one));
    CHECK(complains(*p.pb, book.string(), "folder.bad-signature"));
    // A genuine book in another place: for another reader, of another federation.
    forged = p.pa->shelf().own(b);
    forged.reader = "plant-c";
    const Bytes for_c = folder::seal(forged, key_of(a));
    CHECK(folder::open_book(for_c, {"demo", a, b, key_of(a).public_key()}).error().reason == "folder.foreign");
    forged.reader = b;
    forged.federation = "other";
    CHECK(folder::open_book(folder::seal(forged, key_of(a)), {"demo", a, b, key_of(a).public_key()}).error().reason == "folder.foreign");
    // An agreement that plant-b would like to have had: plant-a has never given it.
    auto pc = p.f.start("plant-c", {a});
    CHECK(catalog(*pc)->entries.empty());
    Bytes stolen;
    CHECK(fetch(*pc, p.agreement.id, a, version_of(1, one), stolen).error().reason == "agreement.unknown");
    CHECK(stolen.empty());
}

TEST_CASE("content that is half-written, changed, gone, or not a file is not taken for the version, and may be asked for again") {
    Pair p;
    REQUIRE(deliver(*p.pa, a, 1, one).ok());
    const fs::path file = p.f.content_of(a);
    const std::string good = p.f.read(file);
    Bytes got;
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, good.size() / 2, good.size() - 1}) {
        p.f.write(file, good.substr(0, n));
        const auto answer = fetch(*p.pb, p.agreement.id, a, version_of(1, one), got);
        CHECK(answer.error().code == Code::unavailable);
        CHECK(answer.error().reason == "folder.incomplete");
        CHECK(got.empty());
    }
    p.f.write(file, good + "x");
    CHECK(fetch(*p.pb, p.agreement.id, a, version_of(1, one), got).error().reason == "folder.incomplete");
    std::string flipped = good;
    flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
    p.f.write(file, flipped);
    CHECK(fetch(*p.pb, p.agreement.id, a, version_of(1, one), got).error().reason == "folder.damaged");
    fs::remove(p.f.root / file);
    CHECK(fetch(*p.pb, p.agreement.id, a, version_of(1, one), got).error().code == Code::unavailable);
    p.f.write("secret", good);
    fs::create_symlink(p.f.root / "secret", p.f.root / file);
    CHECK(fetch(*p.pb, p.agreement.id, a, version_of(1, one), got).error().code == Code::unavailable);
    fs::remove(p.f.root / file);
    REQUIRE(::mkfifo((p.f.root / file).c_str(), 0600) == 0);
    CHECK(fetch(*p.pb, p.agreement.id, a, version_of(1, one), got).error().code == Code::unavailable);
    fs::remove(p.f.root / file);
    CHECK(transfers(*p.pa, a).empty());

    p.f.write(file, good);
    CHECK(fetch(*p.pb, p.agreement.id, a, version_of(1, one), got).ok());
    CHECK(got == one);
}

TEST_CASE("what else lies in the folder harms nobody: links, pipes, folders, huge files, strangers") {
    Pair p;
    REQUIRE(deliver(*p.pa, a, 1, one).ok());
    const fs::path book = p.f.root / "plant-a/plant-b.book";
    REQUIRE(catalog(*p.pb)->entries.size() == 1);
    const auto stands = [&](const std::string& reason) {
        CHECK(catalog(*p.pb)->entries.at(0).version == version_of(1, one));
        CHECK(complains(*p.pb, "plant-a/plant-b.book", reason));
        fs::remove_all(book);
    };
    fs::rename(book, p.f.root / "genuine");
    fs::create_symlink(p.f.root / "genuine", book);
    stands("folder.not-a-file");
    REQUIRE(::mkfifo(book.c_str(), 0600) == 0);
    stands("folder.not-a-file");
    fs::create_directory(book);
    stands("folder.not-a-file");
    p.f.write("plant-a/plant-b.book", "");
    fs::resize_file(book, std::uint64_t{1} << 40);  // sparse: only its size is large
    stands("folder.too-large");
    // A length bomb behind a good beginning.
    p.f.write("plant-a/plant-b.book", std::string("entbook1") + std::string(8, '\xff'));
    stands("folder.damaged");

    fs::create_directory(p.f.root / "plant-x");
    fs::create_directory(p.f.root / "Not An Id");
    REQUIRE(catalog(*p.pb).ok());
    CHECK(complains(*p.pb, "plant-x", "folder.stranger"));
    // A participant's whole place as a link to elsewhere.
    fs::rename(p.f.root / "plant-a", p.f.root / "elsewhere");
    fs::create_directory_symlink(p.f.root / "elsewhere", p.f.root / "plant-a");
    CHECK(catalog(*p.pb)->entries.at(0).version == version_of(1, one));
    CHECK(complains(*p.pb, "plant-a", "folder.not-a-folder"));
}

TEST_CASE("identifiers that are none never become part of a path") {
    Folder f;
    for (const char* id : {"", "..", "../x", "a/b", "A", "_everyone", "-a", "a.book"}) {
        auto shelf = folder::Shelf::open({.root = f.root.string(), .federation = "demo", .self = id, .key = key_of("x"),
                                          .now_ms = [] { return std::int64_t{1}; }, .crash = {}});
        CHECK_FALSE(shelf.ok());
        auto pa = f.start(a, {});
        CHECK(pa->shelf().admit(id, key_of("x").public_key()).error().reason == "contract.bad-id");
        if (*id != 0) {
            const SignedOffer offer = sign({"offer", asset_of(a).id, a, id, policy::federation_policy({})}, key_of(a));
            CHECK_FALSE(ask<Done>([&](auto end) { pa->publish(asset_of(a), offer, soon(), end); }).ok());
        }
    }
    CHECK(std::distance(fs::directory_iterator(f.root), fs::directory_iterator()) == 1);
    CHECK_FALSE(fs::exists(f.root.parent_path() / "x"));
}

TEST_CASE("own files that were lost or brought back in an older state are written again") {
    Pair p;
    REQUIRE(deliver(*p.pa, a, 1, one).ok());
    const std::string old = p.f.read("plant-a/plant-b.book");
    REQUIRE(deliver(*p.pa, a, 2, two).ok());
    const std::string good = p.f.read("plant-a/plant-b.book");
    p.f.write("plant-a/plant-b.book", old);
    p.pa->poll();
    CHECK(p.f.read("plant-a/plant-b.book") == good);
    fs::remove(p.f.root / "plant-a/plant-b.book");
    p.pa->poll();
    CHECK(p.f.read("plant-a/plant-b.book") == good);
}

TEST_CASE("an own place that has gone is not made anew under an empty mount point") {
    Pair p;
    fs::rename(p.f.root / "plant-a", p.f.root / "away");
    CHECK(deliver(*p.pa, a, 1, one).error().reason == "connector.unreachable");
    CHECK_FALSE(fs::exists(p.f.root / "plant-a"));
    fs::rename(p.f.root / "away", p.f.root / "plant-a");
    CHECK(deliver(*p.pa, a, 1, one).ok());
}

// The whole story, in which every process may die before any step of any write. What was said before stands, what
// was not can be said again, and the other side never sees anything between.
TEST_CASE("a process may die at any step of a write") {
    int crashed = 0;
    for (int stop_at = 1;; ++stop_at) {
        Folder f;
        int steps = 0;
        bool dead = false;
        const folder::CrashHook crash = [&](const char*) {
            dead = dead || ++steps == stop_at;
            return dead;
        };
        std::map<std::string, std::unique_ptr<FolderConnector>> running;
        const auto process = [&](const std::string& id) -> FolderConnector& {
            auto& p = running[id];
            if (!p) p = f.start(id, {id == a ? b : a}, crash);
            return *p;
        };
        // Repeats a step as its owner would, in a new process after a crash.
        const auto until_done = [&](const std::string& id, const std::function<Status(FolderConnector&)>& step) {
            Status last = done();
            for (int i = 0; i < 4; ++i) {
                last = step(process(id));
                if (last.ok() && !dead) return;
                if (!dead) continue;
                ++crashed;
                dead = false;
                running.erase(id);
                f.now_ms += 1'000;
            }
            FAIL("crash at step " << stop_at << ": " << id << " cannot go on: " << last.error().message);
        };
        until_done(a, [](FolderConnector& x) { return publish(x, a, b); });
        const auto offer = offer_of(a, b);
        const auto proposal = conclude(offer, {"Ada", f.now_ms}, key_of(b)).value();
        until_done(b, [&](FolderConnector& x) -> Status {
            auto agreed = negotiate(x, proposal);
            if (agreed.error().reason == "test.pending") return done();
            return agreed.error();
        });
        const auto look = [](FolderConnector& x) -> Status { return x.poll() > 0 ? done() : Error{Code::internal, "test.poll", "no pause"}; };
        until_done(a, look);
        Agreement agreement;
        until_done(a, look);
        until_done(b, [&](FolderConnector& x) -> Status {
            ENTENTE_ASSIGN(agreement, negotiate(x, proposal));
            return done();
        });
        CHECK(agreement == proposal);
        for (const Bytes* content : {&one, &two}) {
            const Version version = version_of(content == &one ? 1 : 2, *content);
            until_done(a, [&](FolderConnector& x) {
                const auto seen = catalog(process(b));
                // The other side sees the version before, or this one whole.
                if (seen.ok() && !seen->entries.empty() && seen->entries[0].version) {
                    Bytes got;
                    const auto t = fetch(process(b), agreement.id, a, *seen->entries[0].version, got);
                    if (t.ok()) CHECK(codec::sha256(got) == seen->entries[0].version->content);
                }
                return deliver(x, a, version.round, *content);
            });
            std::string transfer;
            until_done(b, [&](FolderConnector& x) -> Status {
                Bytes got;
                ENTENTE_ASSIGN(const Transfer t, fetch(x, agreement.id, a, version, got));
                transfer = t.id;
                CHECK(got == *content);
                return done();
            });
            until_done(b, [&](FolderConnector& x) { return verdict(x, transfer, {true, "update.accepted", "Counted."}); });
            const auto seen = transfers(process(a), a);
            REQUIRE_FALSE(seen.empty());
            CHECK(seen.back().version == version);
            CHECK(seen.back().state == TransferState::completed);
        }
        // Nothing is left over: two books each way at most, one content, no temporary files.
        running.clear();
        for (const char* id : {a, b}) f.start(id, {});
        for (const auto& entry : fs::recursive_directory_iterator(f.root)) {
            CHECK_FALSE(entry.path().filename().string().starts_with(".tmp"));
        }
        CHECK(std::distance(fs::directory_iterator(f.root / a / "content"), fs::directory_iterator()) == 1);
        if (steps < stop_at) break;  // every step has had its turn
    }
    CHECK(crashed > 30);
}
