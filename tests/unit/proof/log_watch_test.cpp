#include "entente/proof/log_watch.hpp"

#include <doctest/doctest.h>

#include "support.hpp"

using namespace entente;
using namespace entente::proof;
using namespace entente::proof::test;

namespace {

constexpr const char* origin = "entente-log/bearings";

struct History {
    std::vector<Digest> leaves;
    codec::SigningKey key = golden_key();

    explicit History(std::size_t size) : leaves(golden_leaves(size)) {}
    [[nodiscard]] std::string note(std::size_t size) const {
        return write_note(sign_checkpoint({origin, size, codec::merkle_root_of_leaves(std::span(leaves).first(size))}, key));
    }
    [[nodiscard]] std::vector<Digest> way(std::uint64_t from, std::uint64_t to) const { return consistency_proof(from, to, nodes_over(leaves)).value(); }
};

}  // namespace

TEST_CASE("a history that goes on is followed, and the last checkpoint is what is kept") {
    const History h(20);
    LogWatch watch(origin, h.key.public_key(), {});
    CHECK_FALSE(watch.see(h.note(3)).value());
    CHECK(watch.last() == h.note(3));
    CHECK_FALSE(watch.see(h.note(3)).value());
    const auto wanted = watch.see(h.note(9)).value();
    REQUIRE(wanted);
    CHECK(wanted->from == 3);
    CHECK(wanted->to == 9);
    CHECK(watch.last() == h.note(3));  // not proved yet
    REQUIRE(watch.prove(h.way(3, 9)).ok());
    CHECK(watch.last() == h.note(9));
    LogWatch again(origin, h.key.public_key(), watch.last());
    CHECK(again.size() == 9);
    CHECK(again.see(h.note(20)).value()->from == 9);
    CHECK(again.prove(h.way(9, 20)).ok());
}

TEST_CASE("a fork is one, whatever it looks like, and the two notes are the evidence") {
    const History h(20);
    History other(20);
    other.leaves[2] = codec::sha256(as_bytes("another"));
    LogWatch watch(origin, h.key.public_key(), h.note(9));
    CHECK(watch.see(h.note(8)).error().reason == "log.fork");
    CHECK(watch.see(other.note(9)).error().reason == "log.fork");
    CHECK(watch.last() == h.note(9));
    CHECK(watch.other() == other.note(9));
    REQUIRE(watch.see(other.note(20)).ok());
    CHECK(watch.prove(other.way(9, 20)).error().reason == "log.fork");
    CHECK(watch.last() == h.note(9));
    REQUIRE(watch.see(h.note(20)).ok());
    CHECK(watch.prove({}).error().reason == "log.fork");
}

TEST_CASE("what is no checkpoint of this log changes nothing") {
    const History h(20);
    LogWatch watch(origin, h.key.public_key(), h.note(9));
    const std::string foreign = write_note(sign_checkpoint({origin, 3, Digest{}}, key_of(5)));
    for (const std::string& text : {std::string("<html>"), foreign, std::string()}) CHECK_FALSE(watch.see(text).ok());
    CHECK(watch.last() == h.note(9));
    CHECK(LogWatch(origin, h.key.public_key(), foreign).size() == 0);
    CHECK(LogWatch(origin, h.key.public_key(), "nonsense").size() == 0);
}
