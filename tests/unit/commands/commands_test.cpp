#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "commands/nearest.hpp"
#include "commands/plan_toml.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "digits_files.hpp"

using namespace entente;

namespace {

std::string last_line(const std::string& text) {
    const std::string body = text.substr(0, text.find_last_not_of('\n') + 1);
    return body.substr(body.find_last_of('\n') + 1);
}

}  // namespace

TEST_CASE("a command that does not exist, or an option, is a usage error") {
    FakeEnvironment environment;
    CHECK(commands::run({"plan", "chek"}, environment) == commands::exit_usage);
    CHECK(commands::run({"simulate", "--partnerz", "3"}, environment) == commands::exit_usage);
    CHECK_FALSE(environment.error.empty());
    CHECK_FALSE(commands::knows("serve"));
    CHECK(commands::knows("simulate"));
}

TEST_CASE("plan check tells good from bad by its exit code") {
    FakeEnvironment environment;
    environment.put("good.toml", "[round]\nrounds = 3\n");
    environment.put("bad.toml", "[round]\nrounds = 0\n");
    CHECK(commands::run({"plan", "check", "good.toml"}, environment) == commands::exit_done);
    CHECK(commands::run({"plan", "check", "bad.toml"}, environment) == commands::exit_configuration);
    CHECK(environment.error.find("round.rounds") != std::string::npos);
    CHECK(commands::run({"plan", "check", "none.toml"}, environment) != commands::exit_done);
    CHECK(environment.error.find("none.toml") != std::string::npos);
}

TEST_CASE("plan show prints a plan that reads back as itself") {
    FakeEnvironment environment;
    environment.put("plan.toml", "[round]\nrounds = 3\n[federation]\nid = \"x\"\n");
    REQUIRE(commands::run({"plan", "show", "plan.toml"}, environment) == commands::exit_done);
    const plan::Plan shown = commands::read_plan_toml(environment.out, "shown").value();
    CHECK(shown.round.rounds == 3);
    CHECK(shown.federation.id == "x");
}

TEST_CASE("a simulation is the same again, with shuffled arrivals too, and not with another seed") {
    const auto digest = [](std::vector<std::string> more) {
        WithDigits environment;
        std::vector<std::string> args{"simulate", "--data", "mnist", "--partners", "2", "--rounds", "2", "--json"};
        args.insert(args.end(), more.begin(), more.end());
        CHECK(commands::run(args, environment) == commands::exit_done);
        const std::string line = last_line(environment.out);
        const std::size_t at = line.find("\"model_digest\":\"");
        REQUIRE(at != std::string::npos);
        return line.substr(at + 16, 64);
    };
    const std::string first = digest({"--seed", "4"});
    CHECK(digest({"--seed", "4"}) == first);
    CHECK(digest({"--seed", "4", "--shuffle-arrivals", "9"}) == first);
    CHECK(digest({"--seed", "5"}) != first);
}

TEST_CASE("an interrupted simulation leaves a checkpoint, and goes on to the model of an uninterrupted one") {
    const std::vector<std::string> args{"simulate", "--data", "mnist", "--partners", "6", "--sample", "0.5", "--rounds", "4",
                                        "--quiet", "--json"};
    const auto digest = [](const std::string& out) { return out.substr(out.find("\"model_digest\":\"")); };
    WithDigits whole;
    REQUIRE(commands::run(args, whole) == commands::exit_done);
    WithDigits pieces;
    pieces.interrupt_after = 1;
    CHECK(commands::run(args, pieces) == commands::exit_interrupted);
    CHECK(pieces.error.find("--resume") != std::string::npos);
    CHECK(pieces.out.empty());
    REQUIRE(pieces.files.count("entente-simulation.checkpoint") == 1);
    pieces.interrupt_after = 1 << 30;
    std::vector<std::string> resumed = args;
    resumed.push_back("--resume");
    std::vector<std::string> other = resumed;
    other[4] = "5";
    CHECK(commands::run(other, pieces) != commands::exit_done);
    CHECK(pieces.error.find("federation.other-run") != std::string::npos);
    REQUIRE(commands::run(resumed, pieces) == commands::exit_done);
    CHECK(digest(pieces.out) == digest(whole.out));
    CHECK(pieces.files.count("entente-simulation.checkpoint") == 0);
}

TEST_CASE("a simulation leaves a checkpoint after each round when asked to, and in its folder the last says that it is done") {
    const std::vector<std::string> args{"simulate", "--data", "mnist", "--partners", "3", "--rounds", "3", "--json"};
    WithDigits plain;
    REQUIRE(commands::run(args, plain) == commands::exit_done);
    CHECK(plain.files.count("entente-simulation.checkpoint") == 0);
    WithDigits kept;
    std::vector<std::string> keeping = args;
    keeping.insert(keeping.end(), {"--checkpoint-every", "0"});
    REQUIRE(commands::run(keeping, kept) == commands::exit_done);
    CHECK(last_line(kept.out) == last_line(plain.out));
    CHECK(kept.files.count("entente-simulation.checkpoint") == 0);
    keeping.insert(keeping.end(), {"--out", "run"});
    REQUIRE(commands::run(keeping, kept) == commands::exit_done);
    REQUIRE(kept.files.count("run/checkpoint") == 1);
    kept.out.clear();
    keeping.push_back("--resume");
    REQUIRE(commands::run(keeping, kept) == commands::exit_done);
    CHECK(std::count(kept.out.begin(), kept.out.end(), '\n') == 1);
    CHECK(kept.out.find("model_digest") != std::string::npos);
}

TEST_CASE("a simulation says each round as one JSON object") {
    WithDigits environment;
    REQUIRE(commands::run({"simulate", "--data", "mnist", "--partners", "3", "--rounds", "3", "--evaluate-every", "2", "--json"},
                          environment) == commands::exit_done);
    CHECK(std::count(environment.out.begin(), environment.out.end(), '\n') == 4);
    CHECK(environment.out.find(R"({"round":1,"accuracy":null,)") == 0);
    CHECK(environment.out.find(R"({"round":2,"accuracy":)") != std::string::npos);
    CHECK(environment.out.find(R"({"round":2,"accuracy":null)") == std::string::npos);
    CHECK(last_line(environment.out).find("model_digest") != std::string::npos);
    CHECK(commands::run({"simulate", "--data", "mnist", "--sample", "0"}, environment) == commands::exit_usage);
    CHECK(commands::run({"simulate", "--data", "mnist", "--sample", "nan"}, environment) == commands::exit_usage);
}

TEST_CASE("--sample is the plan's round.fraction, and may not contradict it") {
    WithDigits environment;
    environment.put("plan.toml", "[round]\nfraction = 0.5\n");
    const auto run = [&](std::vector<std::string> more) {
        environment.out.clear();
        std::vector<std::string> args{"simulate", "--data", "mnist", "--partners", "6", "--rounds", "2", "--json"};
        args.insert(args.end(), more.begin(), more.end());
        return commands::run(args, environment);
    };
    REQUIRE(run({"plan.toml"}) == commands::exit_done);
    const std::string from_plan = environment.out;
    CHECK(from_plan.find(R"("partners":3})") != std::string::npos);
    REQUIRE(run({"--sample", "0.5"}) == commands::exit_done);
    CHECK(last_line(environment.out) == last_line(from_plan));
    REQUIRE(run({"plan.toml", "--sample", "0.5"}) == commands::exit_done);
    CHECK(last_line(environment.out) == last_line(from_plan));
    CHECK(run({"plan.toml", "--sample", "0.25"}) == commands::exit_usage);
    CHECK(environment.error.find("round.fraction is 0.5") != std::string::npos);
    CHECK(environment.error.find("found 0.25") != std::string::npos);
}

TEST_CASE("a simulation without data, or with damaged data, says which file") {
    FakeEnvironment environment;
    CHECK(commands::run({"simulate", "--data", "mnist", "--rounds", "1"}, environment) != commands::exit_done);
    CHECK(environment.error.find("mnist/train-images-idx3-ubyte") != std::string::npos);
    WithDigits damaged;
    damaged.files["mnist/train-labels-idx1-ubyte"].resize(20);
    CHECK(commands::run({"simulate", "--data", "mnist", "--rounds", "1"}, damaged) == commands::exit_bad_data);
    CHECK(damaged.error.find("mnist/train-") != std::string::npos);
}

TEST_CASE("inspect refuses what it does not know, what is cut and what is empty") {
    FakeEnvironment environment;
    environment.put("empty", "");
    environment.put("noise", "this is not one of our files");
    for (const char* file : {"empty", "noise", "missing"}) {
        CAPTURE(file);
        CHECK(commands::run({"inspect", file}, environment) != commands::exit_done);
        CHECK(environment.error.find(file) != std::string::npos);
    }
}

TEST_CASE("a simulation's model and ledger can be inspected, and every cut of the ledger is noticed") {
    WithDigits environment;
    REQUIRE(commands::run({"simulate", "--data", "mnist", "--partners", "2", "--rounds", "1", "--save", "m.safetensors",
                           "--ledger", "l.entl"},
                          environment) == commands::exit_done);
    CHECK(commands::run({"inspect", "m.safetensors"}, environment) == commands::exit_done);
    CHECK(commands::run({"inspect", "l.entl"}, environment) == commands::exit_done);
    CHECK(environment.out.find("hidden1.weight") != std::string::npos);
    const Bytes ledger = environment.files["l.entl"];
    for (std::size_t size = 0; size < ledger.size(); size += 1 + ledger.size() / 97) {
        environment.files["l.entl"].assign(ledger.begin(), ledger.begin() + static_cast<std::ptrdiff_t>(size));
        CAPTURE(size);
        CHECK(commands::run({"inspect", "l.entl"}, environment) != commands::exit_done);
    }
    for (std::size_t at = 4; at < ledger.size(); at += 1 + ledger.size() / 211) {
        environment.files["l.entl"] = ledger;
        environment.files["l.entl"][at] ^= std::byte{1};
        CAPTURE(at);
        CHECK(commands::run({"inspect", "l.entl"}, environment) == commands::exit_bad_data);
    }
}

TEST_CASE("the nearest name is one that somebody may have meant") {
    const std::array<std::string_view, 3> names{"epochs", "batch", "learning_rate"};
    CHECK(commands::nearest("epoch", names) == "epochs");
    CHECK(commands::nearest("bacth", names) == "batch");
    const std::array<std::string_view, 2> short_names{"url", "ca"};
    CHECK(commands::nearest("ulr", short_names) == "url");
    CHECK(commands::nearest("ac", short_names) == "ca");
    CHECK(commands::nearest("lru", short_names).empty());
    CHECK(commands::nearest("weather", names).empty());
    CHECK(commands::nearest("", names).empty());
    CHECK(commands::nearest("x", {}).empty());
}

TEST_CASE("numbers are written for people, and JSON for programs") {
    CHECK(commands::human_bytes(0) == "0 B");
    CHECK(commands::human_bytes(1'340'000) == "1.3 MB");
    CHECK(commands::decimal(0.97312, 4) == "0.9731");
    CHECK(commands::pad("é", 3) == "é  ");
    CHECK(commands::JsonObject().text("a", "q\"\n").whole("b", 2).number("c", 0.0 / 0.0).boolean("d", true).str() ==
          R"({"a":"q\"\u000a","b":2,"c":null,"d":true})");
}
