#include "connectors/memory/federation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <set>

using namespace entente;
using memory::Federation;
using memory::FederationOptions;

namespace {

// Two classes that a line separates, so that a few steps of SGD learn them.
std::shared_ptr<const data::Dataset> points(std::uint32_t n, std::uint64_t seed) {
    const auto set = std::make_shared<data::Dataset>();
    set->example_shape = {2};
    set->classes = 2;
    Philox random(derive_key(seed, 0, {}, Purpose::test));
    for (std::uint32_t i = 0; i < n; ++i) {
        const float x = 2 * random.uniform() - 1;
        const float y = 2 * random.uniform() - 1;
        set->features.insert(set->features.end(), {x, y});
        set->labels.push_back(x + 0.5f * y > 0 ? 1u : 0u);
    }
    return set;
}

FederationOptions options(std::uint32_t partners = 4) {
    FederationOptions o;
    o.plan = plan::default_digits_plan();
    o.plan.task.classes = 2;
    o.plan.task.model = {{2}, {nn::dense("hidden", 8), nn::relu(), nn::dense("out", 2)}};
    o.plan.training.learning_rate = 0.3f;
    o.plan.round.rounds = 3;
    o.train = points(100 * partners, 1);
    o.evaluation = points(200, 2);
    for (std::uint32_t p = 0; p < partners; ++p) {
        std::vector<std::uint32_t> rows(100);
        std::iota(rows.begin(), rows.end(), 100 * p);
        o.partners.push_back({"partner-" + std::to_string(p), "Partner " + std::to_string(p), rows});
    }
    return o;
}

Federation run(FederationOptions o, std::uint32_t slice = 1'000) {
    Federation federation = Federation::create(std::move(o)).value();
    int guard = 100'000;
    while (federation.advance(slice).value() && --guard > 0) {
    }
    REQUIRE(guard > 0);
    return federation;
}

// Runs the jobs in order or backwards: what a pool of threads might do.
class ThreeLanes final : public Executor {
public:
    explicit ThreeLanes(bool backwards) : backwards_(backwards) {}
    [[nodiscard]] unsigned width() const noexcept override { return 3; }
    void run(std::size_t units, Work work) override {
        for (std::size_t i = 0; i < units; ++i) {
            const std::size_t unit = backwards_ ? units - 1 - i : i;
            work(unit, static_cast<unsigned>(unit % width()));
        }
    }

private:
    bool backwards_;
};

}  // namespace

TEST_CASE("partners in one process are witnesses at once, and more than there are hold each round up until the deadline") {
    const auto unwitnessed = [](const Federation& federation) {
        return std::count_if(federation.ledger().begin(), federation.ledger().end(), [](const auto& e) { return round::kind_of(e.record) == "round.unwitnessed"; });
    };
    const Digest model = run(options()).model_digest();
    for (const std::uint32_t witnesses : {4u, 5u}) {
        auto o = options();
        o.plan.round.witnesses = witnesses;
        const Federation federation = run(std::move(o));
        CHECK(federation.view().finished);
        if (witnesses == 4) CHECK(federation.model_digest() == model);  // later, others are there when a round opens
        CHECK(unwitnessed(federation) == (witnesses == 4 ? 0 : 2));
    }
}

TEST_CASE("a federation learns, and says who contributed under which agreement") {
    auto o = options();
    o.alone = true;
    const auto evaluation = o.evaluation;
    const plan::Plan plan = o.plan;
    const Federation federation = run(std::move(o));
    REQUIRE(federation.rounds().size() == 3);
    for (std::size_t i = 0; i < 4; ++i) {
        std::vector<std::uint32_t> all(evaluation.size());
        for (std::uint32_t row = 0; row < all.size(); ++row) all[row] = row;
        const auto score = task::evaluate(plan.task.model, federation.alone(i), evaluation.gather(all), {}, plan.task.loss);
        REQUIRE(score.ok());
        CHECK(*score == federation.rounds().back().alone[i]);
    }
    CHECK(federation.rounds().back().federated.accuracy() > 0.9);
    CHECK(federation.rounds().back().alone.size() == 4);
    CHECK(federation.rounds().back().contributors == 4);
    CHECK(federation.agreements() == 8);
    CHECK(federation.view().finished);
    for (const auto& partner : federation.view().partners) {
        CHECK(partner.bytes_up > 0);
        CHECK_FALSE(partner.update_agreement.empty());
    }
    CHECK(federation.ledger().size() > 30);
}

TEST_CASE("the model does not depend on slices, executors, the order of arrival or what else is trained") {
    const Digest expected = run(options()).model_digest();
    CHECK(run(options(), 1).model_digest() == expected);
    CHECK(run(options(), 3).model_digest() == expected);
    auto whole = options();
    whole.partner_by_partner = true;
    CHECK(run(std::move(whole)).model_digest() == expected);
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        auto o = options();
        o.shuffle_arrivals = seed;
        CHECK(run(std::move(o)).model_digest() == expected);
    }
    ThreeLanes backwards(true);
    auto o = options();
    o.executor = &backwards;
    o.alone = true;
    CHECK(run(std::move(o)).model_digest() == expected);
    auto other = options();
    other.plan.training.seed = 2;
    CHECK(run(std::move(other)).model_digest() != expected);
}

TEST_CASE("who trains and who takes in what was learned do so at the same time: neither waits for the other's bits") {
    const auto with = [](bool backwards) {
        auto o = options(12);
        o.plan.round.fraction = 0.75f;
        o.partner_by_partner = true;
        ThreeLanes lanes(backwards);
        o.executor = &lanes;
        return run(std::move(o), 1);
    };
    const Federation one = with(false);
    const Federation other = with(true);
    CHECK(one.model_digest() == other.model_digest());
    REQUIRE(one.ledger().size() == other.ledger().size());
    CHECK(round::link_of(one.ledger().back()) == round::link_of(other.ledger().back()));
}

TEST_CASE("an update that its sender's process has open is judged like one that is opened from its envelope") {
    const auto both = [](const FederationOptions& o) {
        auto checked = o;
        checked.check_everything = true;
        const Federation shortcut = run(o);
        const Federation whole = run(std::move(checked));
        REQUIRE(shortcut.ledger().size() == whole.ledger().size());
        for (std::size_t i = 0; i < whole.ledger().size(); ++i) {
            CHECK(round::encode_entry(shortcut.ledger()[i]) == round::encode_entry(whole.ledger()[i]));
        }
        return std::count_if(whole.ledger().begin(), whole.ledger().end(), [](const round::Entry& entry) {
            return std::holds_alternative<round::UpdateRefused>(entry.record.body);
        });
    };
    SUBCASE("16 bits") { both(options()); }
    SUBCASE("8 bits in blocks") {
        auto o = options();
        o.plan.aggregation.grid = {.bits = 8, .scale_log2 = 14, .block = 16};
        both(o);
    }
    SUBCASE("the largest numbers alone") {
        auto o = options();
        o.plan.aggregation.top = 0.1f;
        both(o);
    }
    SUBCASE("refused ones, too") {
        auto o = options();
        o.plan.round.goal = 2;
        o.partner_by_partner = true;
        CHECK(both(o) > 0);
    }
}

TEST_CASE("a round asks a fraction of the partners, and nobody else has a machine") {
    const auto fraction = [](Executor* executor, bool partner_by_partner) {
        auto o = options(20);
        o.plan.round.fraction = 0.25f;
        o.plan.round.rounds = 6;
        o.plan.aggregation.max_participants = 5;
        o.executor = executor;
        o.partner_by_partner = partner_by_partner;
        Federation federation = Federation::create(std::move(o)).value();
        while (federation.advance(3).value()) {
            const auto view = federation.view();
            const auto seated = std::count_if(view.partners.begin(), view.partners.end(), [](const auto& p) { return p.activity != "away"; });
            // Those whom a round asks, and before the first all: everybody joins.
            CHECK((seated == 5 || (seated == 20 && view.coordinator.completed == 0)));
        }
        return federation;
    };
    const Federation federation = fraction(nullptr, true);
    REQUIRE(federation.rounds().size() == 6);
    std::set<std::string> contributors;
    std::set<std::vector<std::string>> cohorts;
    std::uint64_t round = 0;
    for (const round::Entry& entry : federation.ledger()) {
        const auto* closed = std::get_if<round::RoundClosed>(&entry.record.body);
        if (closed == nullptr) continue;
        ++round;
        CHECK(closed->participants.size() == 5);
        CHECK(closed->population == 20);
        contributors.insert(closed->participants.begin(), closed->participants.end());
        cohorts.insert(closed->participants);
        // The same lot as everywhere: of the twenty, the five with the smallest.
        const plan::Plan plan = [] {
            auto o = options(20);
            return o.plan;
        }();
        std::vector<std::uint32_t> lots;
        for (int p = 0; p < 20; ++p) lots.push_back(plan::lot_of(plan, round, "partner-" + std::to_string(p)));
        std::sort(lots.begin(), lots.end());
        for (const std::string& id : closed->participants) CHECK(plan::lot_of(plan, round, id) <= lots[4]);
    }
    CHECK(cohorts.size() == 6);
    CHECK(contributors.size() > 10);
    CHECK(federation.agreements() == 40);
    ThreeLanes backwards(true);
    CHECK(fraction(&backwards, true).model_digest() == federation.model_digest());
    CHECK(fraction(nullptr, false).model_digest() == federation.model_digest());
}

TEST_CASE("where more are asked than are waited for, a late one is refused and stays out of no later round") {
    auto o = options(12);
    o.plan.round.fraction = 0.25f;
    o.plan.round.over_selection = 2;
    o.plan.round.rounds = 5;
    o.partner_by_partner = true;
    const Federation federation = run(o, 1);
    REQUIRE(federation.rounds().size() == 5);
    for (const auto& result : federation.rounds()) CHECK(result.contributors == 3);
}

TEST_CASE("rounds that are not evaluated are rounds all the same") {
    auto o = options();
    o.evaluate_every = 2;
    const Federation federation = run(std::move(o));
    REQUIRE(federation.rounds().size() == 3);
    CHECK(federation.rounds()[0].federated.examples == 0);
    CHECK(federation.rounds()[1].federated.examples == 200);
    CHECK(federation.rounds()[2].federated.examples == 200);
    CHECK(federation.rounds()[0].train_loss > federation.rounds()[2].train_loss);
    CHECK(federation.model_digest() == run(options()).model_digest());
}

namespace {

// Stops at every boundary between rounds and goes on from the checkpoint alone.
Federation run_in_pieces(const FederationOptions& o) {
    Federation federation = Federation::create(FederationOptions(o)).value();
    int guard = 100'000;
    while (federation.advance(3).value() && --guard > 0) {
        if (!federation.at_rest()) continue;
        const Bytes paper = federation.checkpoint();
        federation = Federation::resume(FederationOptions(o), paper).value();
    }
    REQUIRE(guard > 0);
    return federation;
}

}  // namespace

TEST_CASE("a resumed federation equals an uninterrupted one, bit for bit, ledger and results included") {
    for (const bool sampled : {false, true}) {
        for (const std::string strategy : {"fedavg", "fedadam", "sparse"}) {
            CAPTURE(sampled);
            CAPTURE(strategy);
            auto o = options(sampled ? 12 : 4);
            if (strategy == "sparse") {
                o.plan.aggregation.top = 0.01f;
            } else {
                o.plan.aggregation.strategy = aggregate::default_terms(strategy).value();
            }
            o.plan.round.rounds = 4;
            o.partner_by_partner = sampled;
            if (sampled) o.plan.round.fraction = 0.25f;
            o.alone = !sampled;
            const Federation whole = run(o, 3);
            const Federation pieces = run_in_pieces(o);
            CHECK(pieces.model_digest() == whole.model_digest());
            // Resumed behind its end, nobody fetches the result any more.
            const std::size_t entries = pieces.ledger().size();
            REQUIRE(entries <= whole.ledger().size());
            CHECK(round::link_of(pieces.ledger().back()) == round::link_of(whole.ledger()[entries - 1]));
            for (std::size_t i = entries; i < whole.ledger().size(); ++i) {
                CHECK(round::kind_of(whole.ledger()[i].record) == "policy.permitted");
            }
            REQUIRE(pieces.rounds().size() == 4);
            for (std::size_t r = 0; r < 4; ++r) {
                CHECK(pieces.rounds()[r].federated == whole.rounds()[r].federated);
                CHECK(pieces.rounds()[r].alone == whole.rounds()[r].alone);
                CHECK(pieces.rounds()[r].bytes_up == whole.rounds()[r].bytes_up);
                CHECK(pieces.rounds()[r].bytes_down == whole.rounds()[r].bytes_down);
            }
        }
    }
}

TEST_CASE("a checkpoint of another run, or a damaged one, is refused") {
    auto o = options();
    Federation federation = Federation::create(FederationOptions(o)).value();
    while (!federation.at_rest()) REQUIRE(federation.advance(100).value());
    const Bytes paper = federation.checkpoint();
    const auto reason = [&](const FederationOptions& with, ByteView bytes) {
        const auto resumed = Federation::resume(FederationOptions(with), bytes);
        return resumed.ok() ? std::string("ok") : std::string(resumed.error().reason);
    };
    CHECK(reason(o, paper) == "ok");
    auto other = o;
    other.plan.training.seed = 9;
    CHECK(reason(other, paper) == "federation.other-run");
    other = o;
    std::swap(other.partners[0].rows, other.partners[1].rows);
    CHECK(reason(other, paper) == "federation.other-run");
    other = o;
    other.alone = true;
    CHECK(reason(other, paper) == "federation.other-run");
    for (std::size_t size = 0; size < paper.size(); size += 1 + paper.size() / 61) {
        CHECK(reason(o, ByteView(paper).first(size)) == "federation.checkpoint");
    }
    for (std::size_t at = 0; at < paper.size(); at += 1 + paper.size() / 151) {
        Bytes bent = paper;
        bent[at] ^= std::byte{4};
        reason(o, bent);  // refused, or a number that is only shown: never a crash
    }
}

TEST_CASE("a contract that asks for more partners than there are ends with its reason") {
    auto o = options();
    o.plan.contract.min_cohort_size = 5;
    const Federation federation = run(std::move(o));
    CHECK_FALSE(federation.view().finished);
    CHECK(federation.rounds().empty());
    CHECK(federation.view().sentence.find("at least 5 contributing partners") != std::string::npos);
}

TEST_CASE("without partners or data there is no federation") {
    auto o = options();
    o.partners.clear();
    CHECK(Federation::create(std::move(o)).error().reason == "federation.no-partners");
    o = options();
    o.train = {};
    CHECK(Federation::create(std::move(o)).error().reason == "federation.no-data");
}

TEST_CASE("every strategy runs over the memory connector, and no order of arrival changes a bit") {
    for (const std::string& name : aggregate::strategy_names()) {
        CAPTURE(name);
        FederationOptions o = options();
        REQUIRE(plan::use_strategy(o.plan, name).ok());
        Federation straight = run(o);
        CHECK(straight.rounds().size() == 3);
        o.shuffle_arrivals = 5;
        CHECK(run(o).model_digest() == straight.model_digest());
    }
}
