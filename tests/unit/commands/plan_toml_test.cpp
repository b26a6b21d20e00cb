#include "commands/plan_toml.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "entente/base/philox.hpp"

using namespace entente;
using commands::read_plan_toml;
using commands::write_plan_toml;

namespace {

std::string fault(std::string_view text) {
    const auto plan = read_plan_toml(text, "plan.toml");
    return plan.ok() ? "no fault" : plan.error().message;
}

bool says(std::string_view text, std::string_view expected) {
    const std::string message = fault(text);
    INFO("message: ", message);
    CHECK(message.find(expected) != std::string::npos);
    return message.find(expected) != std::string::npos;
}

// A valid plan with most of its values drawn.
plan::Plan draw(Philox& random) {
    plan::Plan p = plan::default_digits_plan();
    p.federation.id = "f-" + std::to_string(random.bounded(1000));
    const char* names[] = {"Plain", "With \"quotes\"", "Tab\tand\nline", "Žluťoučký kůň", "back\\slash", "\x01"};
    p.federation.name = names[random.bounded(6)];
    p.federation.purpose = names[random.bounded(6)];
    p.training.epochs = 1 + random.bounded(20);
    p.training.batch = 1 + random.bounded(512);
    p.training.slices = 1 + random.bounded(std::min(nn::max_slices, p.training.batch));
    p.training.learning_rate = 0.0001f + random.uniform();
    p.training.momentum = random.bounded(2) == 0 ? 0.0f : 0.999f * random.uniform();
    p.numerics = random.bounded(2) == 0 ? "portable" : "fused";
    if (random.bounded(2) == 0) {
        p.training.optimiser = static_cast<nn::Optimiser>(2 + random.bounded(2));
        p.training.momentum = 0.0f;
        p.training.beta1 = 0.99f * random.uniform();
        p.training.beta2 = 0.99f * random.uniform();
        p.training.epsilon = 1e-12f + random.uniform();
    } else {
        p.training.nesterov = p.training.momentum > 0.0f && random.bounded(2) == 0;
    }
    p.training.clip_norm = random.bounded(2) == 0 ? 0.0f : 10.0f * random.uniform();
    p.training.schedule.kind = static_cast<nn::ScheduleKind>(1 + random.bounded(3));
    p.training.schedule.warmup_rounds = random.bounded(5);
    if (p.training.schedule.kind == nn::ScheduleKind::step) {
        p.training.schedule.step_rounds = 1 + random.bounded(30);
        p.training.schedule.step_factor = 0.001f + 0.9f * random.uniform();
    }
    if (p.training.schedule.kind == nn::ScheduleKind::cosine) p.training.schedule.floor = random.uniform();
    p.task.loss.kind = static_cast<nn::LossKind>(1 + random.bounded(5));
    if (p.task.loss.kind == nn::LossKind::huber) p.task.loss.delta = 0.1f + random.uniform();
    if (p.task.loss.kind == nn::LossKind::quantile) p.task.loss.quantile = 0.01f + 0.9f * random.uniform();
    if (random.bounded(2) == 0 && p.task.loss.kind <= nn::LossKind::binary_cross_entropy) {
        for (int i = 0; i < (p.task.loss.kind == nn::LossKind::cross_entropy ? 10 : 2); ++i)
            p.task.loss.class_weights.push_back(4.0f * random.uniform());
    }
    p.training.weight_decay = random.bounded(2) == 0 ? 0.0f : 1e-7f * random.uniform();
    p.training.proximal_mu = random.bounded(2) == 0 ? 0.0f : random.uniform();
    p.training.seed = random.next_u64() >> 1u;
    p.aggregation.weighting = static_cast<plan::Weighting>(random.bounded(2));
    p.aggregation.max_weight = 1 + random.bounded(1'000'000);
    p.aggregation.max_participants = 2 + random.bounded(500);
    p.aggregation.grid.bits = random.bounded(2) == 0 ? 8 : 16;
    p.aggregation.grid.scale_log2 = static_cast<std::uint8_t>(random.bounded(15));
    if (random.bounded(3) == 0) p.aggregation.top = 0.001f + 0.4f * random.uniform();
    p.round.rounds = 1 + random.bounded(100);
    p.round.min_cohort = 2 + random.bounded(3);
    p.contract.max_rounds = p.round.rounds + random.bounded(100);
    p.contract.valid_days = 1 + random.bounded(365);
    if (random.bounded(3) == 0) {
        p.contract.valid_days = plan::ContractTerms{}.valid_days;
        p.contract.valid_until = "2027-01-31T00:00:00Z";
    }
    if (random.bounded(3) == 0) p.contract.valid_from = "2026-12-01T08:30:00Z";
    if (random.bounded(2) == 0) p.contract.updates_may |= policy::operation::evaluate;
    if (random.bounded(2) == 0) p.contract.model_may = plan::model_operations;
    p.contract.redistribution = random.bounded(2) == 0;
    p.contract.delete_after_days = random.bounded(30);
    const std::uint32_t model = random.bounded(4);
    if (model == 1) {
        p.task.model = {{24, 3},
                        {nn::conv1d("a", 1 + random.bounded(8), 3), nn::layer_norm("n"), nn::gelu(), nn::max_pool1d(2),
                         nn::tanh(), nn::avg_pool1d(2), nn::conv_transpose1d("t", 5, 3 + random.bounded(3), 1 + random.bounded(3)), nn::dropout(0.9f * random.uniform()),
                         nn::gru("g", 4, random.bounded(2) == 0), nn::sigmoid(), nn::flatten(), nn::dense("b", 10)}};
        p.task.model.layers[0].stride = 1 + random.bounded(3);
    } else if (model == 2) {
        p.task.model = {{9}, {nn::embedding("a", 2 + random.bounded(50), 6), nn::conv1d("b", 6, 3), nn::group_norm("n", 3),
                              nn::residual(1 + random.bounded(2)), nn::flatten(), nn::dense("c", 10)}};
    } else if (model == 3) {
        p.task.model = {{28, 28, 1},
                        {nn::conv2d("a", 1 + random.bounded(8), 3, random.bounded(2) == 0), nn::relu(), nn::max_pool2d(2),
                         nn::flatten(), nn::dense("b", 10)}};
    }
    return p;
}

}  // namespace

TEST_CASE("nothing but defaults is the default plan") {
    CHECK(read_plan_toml("", "plan.toml").value() == plan::default_digits_plan());
}

TEST_CASE("names are written in any script") {
    const std::string name = "M\xc3\xbcller \xd0\x97\xd0\xb0\xd0\xb2\xd0\xbe\xd0\xb4 \xe3\x81\x82 \xef\xbc\xa1";
    const auto plan = read_plan_toml("[federation]  # \xc3\xa9\nname = \"" + name + "\"\n", "plan.toml");
    REQUIRE(plan.ok());
    CHECK(plan->federation.name == name);
    CHECK_FALSE(read_plan_toml("[a\xc8\xbd]\n", "plan.toml").ok());
}

TEST_CASE("plans survive the way to TOML and back, with the same digest") {
    Philox random({3, 4});
    int valid = 0;
    for (int i = 0; i < 2000; ++i) {
        const plan::Plan drawn = draw(random);
        if (!plan::check(drawn).ok()) continue;
        ++valid;
        const std::string text = write_plan_toml(drawn);
        const auto back = read_plan_toml(text, "plan.toml");
        CAPTURE(text);
        REQUIRE(back.ok());
        REQUIRE(back.value() == drawn);
        REQUIRE(plan::digest_of(back.value()) == plan::digest_of(drawn));
        REQUIRE(plan::from_canonical_bytes(plan::canonical_bytes(drawn)).value() == drawn);
        REQUIRE(write_plan_toml(back.value()) == text);
    }
    CHECK(valid > 1000);
}

TEST_CASE("a mistake is named with its place, what was expected and what was found") {
    says("[training]\nepochs = \"two\"\n", "plan.toml:2");
    says("[training]\nepochs = \"two\"\n", "training.epochs");
    says("[training]\nepochs = 0\n", "training.epochs");
    says("[training]\nepochs = -1\n", "training.epochs");
    says("[training]\nepochs = 1.5\n", "training.epochs");
    says("[training]\nepochs = 4294967296\n", "training.epochs");
    says("[training]\nlearning_rate = nan\n", "learning_rate");
    says("[training]\nlearning_rate = inf\n", "learning_rate");
    says("[training]\nlearning_rate = \"fast\"\n", "learning_rate");
    says("[training]\nlearning_rate = 1e300\n", "learning_rate");
    says("training = 3\n", "training");
    says("[round]\nrounds = [1]\n", "round.rounds");
    says("[federation]\nid = 7\n", "federation.id");
    says("[aggregation]\nbits = 9\n", "bits");
    says("[aggregation]\nweighting = \"fair\"\n", "weighting");
    says("[task]\nmodel = \"resnet\"\n", "2nn");
    says("[[task.model.layers]]\nkind = \"dense\"\nunits = 3\n", "input");
    says("[task.model]\ninput = [28, 28, 1]\nlayers = 3\n", "layers");
    says("[policy]\nupdates_may = [\"agregate\"]\n", "did you mean \"aggregate\"?");
    says("[policy]\nmin_cohort = 3\n", "min_cohort_size");
    says("[policy]\nmodel_may = [\"export\"]\n", "policy.model_may");
    says("[policy]\nmodel_may = \"train\"\n", "a list of words");
    says("[policy]\nvalid_days = 3\nvalid_until = \"2027-01-31T00:00:00Z\"\n", "plan.toml:3");
    says("[policy]\nvalid_until = \"next year\"\n", "policy.valid_until");
    says("[policy]\nclipping_norm = 1.0\n", "cannot enforce");
    says("[policy]\nepsilon_budget = 8.0\ndelta = 1e-5\n", "policy.epsilon_budget");
    says("[contract]\nmax_rounds = 20\n[policy]\nmax_rounds = 20\n", "policy");
}

TEST_CASE("an unknown key is refused, with the nearest one that is known") {
    says("[training]\nepoch = 1\n", "epochs");
    says("[trainin]\nepochs = 1\n", "training");
    says("[round]\nmin_cohrt = 2\n", "min_cohort");
    says("[task.model]\ninput = [4]\n[[task.model.layers]]\nkind = \"dens\"\n", "dense");
    CHECK(fault("entirely_else = 1\n") != "no fault");
}

TEST_CASE("what is not TOML is refused with its line") {
    says("[training\n", "plan.toml:1");
    says("[a]\nb = 1\nb = 2\n", "plan.toml:3");
    CHECK(fault(std::string(100, '\0')) != "no fault");
    CHECK(fault("name = \"\xff\xfe\"") != "no fault");
    CHECK(fault("a = " + std::string(100'000, '[')) != "no fault");
    std::string nested = "a = ";
    for (int i = 0; i < 5000; ++i) nested += "{a=";
    CHECK(fault(nested) != "no fault");
}

TEST_CASE("no damage to a plan's text can do more than be refused or change the plan") {
    const std::string good = write_plan_toml(plan::default_digits_plan());
    Philox random({5, 6});
    for (int i = 0; i < 3000; ++i) {
        std::string text = good;
        const int changes = 1 + static_cast<int>(random.bounded(3));
        for (int c = 0; c < changes; ++c) {
            const std::uint32_t at = random.bounded(static_cast<std::uint32_t>(text.size()));
            switch (random.bounded(3)) {
                case 0: text[at] = static_cast<char>(random.bounded(256)); break;
                case 1: text.erase(at, 1 + random.bounded(20)); break;
                default: text.insert(at, text.substr(random.bounded(static_cast<std::uint32_t>(text.size())), 30)); break;
            }
        }
        const auto plan = read_plan_toml(text, "plan.toml");
        if (plan.ok()) {
            CHECK(plan::check(plan.value()).ok());
        } else {
            CHECK_FALSE(plan.error().message.empty());
        }
    }
}

TEST_CASE("every strategy is a plan by its name alone, with the paper's values, and survives the way to TOML and back") {
    for (const std::string& name : aggregate::strategy_names()) {
        CAPTURE(name);
        const auto plan = read_plan_toml("[aggregation]\nstrategy = \"" + name + "\"\n", "plan.toml");
        REQUIRE(plan.ok());
        plan::Plan named = plan::default_digits_plan();
        REQUIRE(plan::use_strategy(named, name).ok());
        CHECK(*plan == named);
        CHECK(plan::digest_of(read_plan_toml(write_plan_toml(*plan), "plan.toml").value()) == plan::digest_of(*plan));
    }
    // What would do nothing is only there when the plan writes it.
    CHECK(read_plan_toml("[aggregation]\nstrategy = \"fedprox\"\n", "p").value().training.proximal_mu == 0.01f);
    CHECK(read_plan_toml("[aggregation]\nstrategy = \"fedprox\"\n[training]\nproximal_mu = 0.0\n", "p").value().training.proximal_mu == 0);
    says("[aggregation]\nserver_momentum = 0.9\n", "aggregation.server_momentum: expected none, because fedavg does not use it");
    says("[aggregation]\nstrategy = \"fedavgg\"\n", "aggregation.strategy: expected one of fedavg, fedprox");
}
