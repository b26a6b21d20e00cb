#include <doctest/doctest.h>

#include "commands/run.hpp"
#include "commands/text.hpp"
#include "fake_environment.hpp"

using namespace entente;

namespace {

struct Outcome {
    int code;
    std::string out;
    std::string error;
};

Outcome run(const std::vector<std::string>& args) {
    FakeEnvironment environment;
    const int code = commands::run(args, environment);
    return {code, environment.out, environment.error};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("an option that does not exist is named, with the nearest that does") {
    const struct {
        std::vector<std::string> args;
        const char* nearest;
    } cases[] = {
        {{"simulate", "--partnerz", "3"}, "--partners"},
        {{"simulate", "--partnerz=3"}, "--partners"},
        {{"simulate", "--data", "mnist", "--shuffle-arrival", "3"}, "--shuffle-arrivals"},
        {{"plan", "check", "--jsn"}, "--json"},
        {{"plan", "show", "plan.toml", "--jason"}, "--json"},
        {{"inspect", "x", "--jsom"}, "--json"},
        {{"export", "x", "--outputs", "y"}, "--output"},
        {{"data", "split", "--form", "x"}, "--from"},
    };
    for (const auto& c : cases) {
        const Outcome o = run(c.args);
        CAPTURE(o.error);
        CHECK(o.code == commands::exit_usage);
        CHECK(o.out.empty());
        CHECK(contains(o.error, "there is no option \"--"));
        CHECK(contains(o.error, "did you mean \"" + std::string(c.nearest) + "\"?"));
    }
    const Outcome unlike = run({"simulate", "--weather"});
    CHECK(contains(unlike.error, "there is no option \"--weather\" (entente simulate --help"));
}

TEST_CASE("a command that does not exist is named, with the nearest that does") {
    CHECK(contains(run({"simulat"}).error, "did you mean \"simulate\"?"));
    CHECK(contains(run({"plan", "chek", "x"}).error, "there is no command \"plan chek\"; did you mean \"check\"?"));
    CHECK(contains(run({"data", "spilt"}).error, "did you mean \"split\"?"));
    for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{{}, {"x"}, {"plan"}, {"data"}, {"plan", "x"}}) {
        CHECK(run(args).code == commands::exit_usage);
    }
}

TEST_CASE("help of every command and of every one below shows a line that one can type") {
    for (const std::vector<std::string>& path : std::vector<std::vector<std::string>>{
             {"simulate"}, {"plan"}, {"plan", "check"}, {"plan", "show"}, {"policy"}, {"policy", "explain"}, {"inspect"}, {"export"}, {"data"}, {"data", "split"}}) {
        std::vector<std::string> args = path;
        args.emplace_back("--help");
        std::string line = "  entente";
        for (const std::string& word : path) line += " " + word;
        const Outcome o = run(args);
        CAPTURE(line);
        CHECK(o.code == commands::exit_done);
        CHECK(o.error.empty());
        CHECK(contains(o.out, line + " "));
    }
}

TEST_CASE("a value of the wrong kind, one too many or a missing one is a usage error that names the option") {
    CHECK(contains(run({"simulate", "--partners", "three"}).error, "--partners"));
    CHECK(contains(run({"simulate", "--partners", "-1"}).error, "--partners"));
    CHECK(contains(run({"simulate", "--seed", "1e3"}).error, "--seed"));
    // strtoull would make a large number of each of these.
    for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
             {"simulate", "--seed", "-1"}, {"simulate", "--seed=-1"}, {"simulate", "--shuffle-arrivals", "-1"},
             {"data", "split", "--from", "a", "--to", "b", "--seed", "-1"}, {"simulate", "--rounds", "-1"}, {"simulate", "--threads", "-1"}}) {
        CHECK(run(args).code == commands::exit_usage);
    }
    CHECK(contains(run({"simulate", "--rounds"}).error, "--rounds"));
    CHECK(contains(run({"export", "x"}).error, "--output"));
    CHECK(contains(run({"data", "split", "--from", "x"}).error, "--to"));
    for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
             {"simulate", "--partners", "4294967296"}, {"simulate", "a.toml", "b.toml"}, {"inspect"}, {"inspect", "a", "b"}}) {
        CHECK(run(args).code == commands::exit_usage);
    }
}

TEST_CASE("each kind of error has its exit code") {
    const auto code = [](Code c, const char* reason) { return commands::exit_code({c, reason, ""}); };
    CHECK(code(Code::invalid_argument, "usage.data") == 2);
    CHECK(code(Code::invalid_argument, "plan.range") == 3);
    CHECK(code(Code::invalid_argument, "partner.wrong-type") == 3);
    CHECK(code(Code::invalid_argument, "config.url") == 3);
    CHECK(code(Code::permission_denied, "policy.denied") == 4);
    CHECK(code(Code::unauthenticated, "contract.bad-signature") == 4);
    CHECK(code(Code::permission_denied, "agreement.foreign") == 4);
    CHECK(code(Code::unavailable, "connector.unreachable") == 5);
    CHECK(code(Code::deadline_exceeded, "connector.deadline") == 5);
    CHECK(code(Code::data_loss, "ledger.broken") == 6);
    CHECK(code(Code::invalid_argument, "idx.magic") == 6);
    CHECK(code(Code::too_large, "file.too-large") == 6);
    CHECK(code(Code::permission_denied, "file.unwritable") == 1);
    CHECK(code(Code::no_space, "disk.full") == 1);
    CHECK(code(Code::internal, "store.failed") == 1);
}

TEST_CASE("what others wrote cannot steer the terminal") {
    CHECK(commands::printable("plain é 漢 text") == "plain é 漢 text");
    CHECK(commands::printable("\x1b[2J\r\n\t\x7f") == "?[2J????");
    CHECK(commands::printable("a\xc2\x9b" "31m") == "a?31m");
    CHECK(commands::printable("\xc2") == "\xc2");
    CHECK(commands::printable("") == "");
    FakeEnvironment environment;
    environment.put("plan.toml", "numerics = \"\\u001b[2J\"\n");
    CHECK(commands::run({"plan", "check", "plan.toml"}, environment) == commands::exit_configuration);
    CHECK_FALSE(contains(environment.error, "\x1b"));
    CHECK(contains(environment.error, "?[2J"));
    CHECK_FALSE(contains(run({"simulate", "--\x1b[2J"}).error, "\x1b"));
    CHECK_FALSE(contains(run({"\x1b[2J"}).error, "\x1b"));
}

TEST_CASE("numbers at the edges of their units") {
    CHECK(commands::human_bytes(999) == "999 B");
    CHECK(commands::human_bytes(1000) == "1.0 kB");
    CHECK(commands::human_bytes(99'440) == "99.4 kB");
    CHECK(commands::human_bytes(100'000) == "100 kB");
    CHECK(commands::human_bytes(999'499) == "999 kB");
    CHECK(commands::human_bytes(999'500) == "1.0 MB");
    CHECK(commands::human_bytes(18'446'744'073'709'551'615u) == "18446744 TB");
    CHECK(commands::grouped(0) == "0");
    CHECK(commands::grouped(999) == "999");
    CHECK(commands::grouped(1000) == "1 000");
    CHECK(commands::grouped(10'324'567) == "10 324 567");
    CHECK(commands::pad("abc", 2) == "abc");
    CHECK(commands::JsonObject().str() == "{}");
    CHECK(commands::JsonObject().number("x", 1.0 / 3).number("i", 1.0 / 0.0).str() == R"({"x":0.3333333333,"i":null})");
}
