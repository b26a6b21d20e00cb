// Digits folders: reading, dealing, splitting.
#include <doctest/doctest.h>

#include <set>

#include "commands/deal.hpp"
#include "commands/digits.hpp"
#include "commands/run.hpp"
#include "digits_files.hpp"

using namespace entente;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A disk that is full after some writes.
struct FullDisk : WithDigits {
    int writes_left = 3;
    Status write_file(const std::string& path, ByteView bytes) override {
        if (writes_left-- <= 0) return Error{Code::no_space, "disk.full", path + ": No space left on device"};
        return WithDigits::write_file(path, bytes);
    }
};

}  // namespace

TEST_CASE("a split gives every picture to one partner with its label, and the test set to all") {
    WithDigits environment;
    REQUIRE(commands::run({"data", "split", "--from", "mnist", "--to", "shares", "--partners", "3", "--partition", "shards"},
                          environment) == commands::exit_done);
    std::multiset<int> pictures;
    for (int p = 1; p <= 3; ++p) {
        const std::string folder = "shares/partner-" + std::to_string(p);
        const Bytes& images = environment.files[folder + "/train-images-idx3-ubyte"];
        const Bytes& labels = environment.files[folder + "/train-labels-idx1-ubyte"];
        REQUIRE(images.size() == 16 + 40 * 784);
        REQUIRE(labels.size() == 8 + 40);
        for (std::size_t i = 0; i < 40; ++i) {
            const int number = std::to_integer<int>(images[16 + 784 * i]);
            pictures.insert(number);
            CHECK(number % 10 == std::to_integer<int>(labels[8 + i]));
        }
        CHECK(environment.files[folder + "/t10k-images-idx3-ubyte"] == environment.files["mnist/t10k-images-idx3-ubyte"]);
    }
    CHECK(pictures.size() == 120);
    CHECK(std::set<int>(pictures.begin(), pictures.end()).size() == 120);
}

TEST_CASE("a split with the plan's seed deals what a simulation deals; its last line is JSON when asked") {
    WithDigits environment;
    REQUIRE(commands::run({"data", "split", "--from", "mnist", "--to", "s", "--partners", "4", "--seed", "6", "--json"},
                          environment) == commands::exit_done);
    CHECK(environment.out ==
          "{\"shares\":[{\"folder\":\"s/partner-1\",\"examples\":30},{\"folder\":\"s/partner-2\",\"examples\":30},"
          "{\"folder\":\"s/partner-3\",\"examples\":30},{\"folder\":\"s/partner-4\",\"examples\":30}]}\n");
    const auto digits = commands::read_digits_folder("mnist", environment).value();
    const auto shares = commands::deal(digits.train->labels, {.partners = 4}, 6).value();
    const Bytes& images = environment.files["s/partner-3/train-images-idx3-ubyte"];
    for (std::size_t i = 0; i < 30; ++i) CHECK(std::to_integer<std::uint32_t>(images[16 + 784 * i]) == shares[2][i]);
}

TEST_CASE("a split that cannot be says why and writes nothing") {
    const struct {
        std::vector<std::string> more;
        int code;
        const char* says;
    } cases[] = {
        {{"--partition", "fair"}, commands::exit_usage, "found \"fair\""},
        {{"--partners", "0"}, commands::exit_bad_data, "partition.participants"},
        {{"--partners", "121"}, commands::exit_bad_data, "partition.participants"},
        {{"--partners", "4", "--examples", "3"}, commands::exit_bad_data, "partition.participants"},
        {{"--partners", "61", "--partition", "shards"}, commands::exit_bad_data, "partition.shards"},
        {{"--partition", "shards:0.5"}, commands::exit_usage, "found \"shards:0.5\""},
        {{"--partition", "iid:2"}, commands::exit_usage, "found \"iid:2\""},
        {{"--partition", "quantity:"}, commands::exit_usage, "found \"quantity:\""},
        {{"--partition", "shards:50"}, commands::exit_bad_data, "partition.shards"},
        {{"--partition", "dirichlet:0"}, commands::exit_bad_data, "partition.alpha"},
        {{"--partition", "quantity:-1"}, commands::exit_bad_data, "partition.alpha"},
        {{"--partition", "dirichlet", "--alpha", "0"}, commands::exit_bad_data, "partition.alpha"},
        {{"--partition", "dirichlet", "--alpha", "nan"}, commands::exit_bad_data, "partition.alpha"},
    };
    for (const auto& c : cases) {
        WithDigits environment;
        const std::size_t before = environment.files.size();
        std::vector<std::string> args{"data", "split", "--from", "mnist", "--to", "shares"};
        args.insert(args.end(), c.more.begin(), c.more.end());
        CAPTURE(c.says);
        CHECK(commands::run(args, environment) == c.code);
        CAPTURE(environment.error);
        CHECK(contains(environment.error, c.says));
        CHECK(environment.files.size() == before);
    }
}

TEST_CASE("a full disk ends a split with its reason") {
    FullDisk environment;
    CHECK(commands::run({"data", "split", "--from", "mnist", "--to", "shares"}, environment) == commands::exit_failed);
    CHECK(contains(environment.error, "disk.full"));
    CHECK(contains(environment.error, "shares/partner-"));
}

TEST_CASE("a digits folder needs its training files; test files may be absent but not damaged") {
    FakeEnvironment environment;
    put_digits(environment, "train", 20);
    CHECK(commands::read_digits_folder("mnist", environment)->test == nullptr);
    put_digits(environment, "t10k", 10);
    CHECK(commands::read_digits_folder("mnist", environment)->test->size() == 10);
    environment.files["mnist/t10k-images-idx3-ubyte"].pop_back();
    const auto damaged = commands::read_digits_folder("mnist", environment);
    REQUIRE_FALSE(damaged.ok());
    CHECK(damaged.error().reason == "idx.truncated");
    CHECK(contains(damaged.error().message, "mnist/t10k-"));
    environment.files.erase("mnist/train-labels-idx1-ubyte");
    CHECK(contains(commands::read_digits_folder("mnist", environment).error().message, "mnist/train-labels-idx1-ubyte"));
}

TEST_CASE("only the first examples are dealt when so many are asked for, and more than there are is all") {
    std::vector<std::uint32_t> labels(50, 0);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::uint32_t>(i % 10);
    for (const std::uint32_t examples : {0u, 7u, 50u, 5000u}) {
        std::set<std::uint32_t> rows;
        const auto shares = commands::deal(labels, {.partners = 2, .examples = examples}, 1).value();
        for (const auto& share : shares) rows.insert(share.begin(), share.end());
        const std::size_t expected = examples == 7 ? 7 : 50;
        CHECK(rows.size() == expected);
        CHECK(*rows.rbegin() == expected - 1);
    }
    CHECK(commands::partner_id(0) == "partner-1");
    CHECK(commands::partner_name(11) == "Partner 12");
}

TEST_CASE("a simulation refuses what it cannot do before it trains") {
    const struct {
        std::vector<std::string> args;
        int code;
        const char* says;
    } cases[] = {
        {{"simulate"}, commands::exit_usage, "--data: expected a folder"},
        {{"simulate", "none.toml", "--data", "mnist"}, commands::exit_failed, "none.toml"},
        {{"simulate", "bad.toml", "--data", "mnist"}, commands::exit_configuration, "bad.toml:1:"},
        {{"simulate", "--data", "mnist", "--rounds", "0"}, commands::exit_configuration, "round.rounds"},
        {{"simulate", "--data", "mnist", "--rounds", "4294967295"}, commands::exit_configuration, "round.rounds"},
        {{"simulate", "--data", "mnist", "--partners", "0"}, commands::exit_bad_data, "partition.participants"},
        {{"simulate", "--data", "mnist", "--partition", "x"}, commands::exit_usage, "--partition"},
        {{"simulate", "--data", "only-train"}, commands::exit_failed, "t10k-images-idx3-ubyte"},
    };
    for (const auto& c : cases) {
        WithDigits environment;
        put_digits(environment, "train", 20, "only-train");
        environment.put("bad.toml", "trainin = 1\n");
        CHECK(commands::run(c.args, environment) == c.code);
        CAPTURE(environment.error);
        CAPTURE(c.says);
        CHECK(contains(environment.error, c.says));
        CHECK(environment.out.empty());
    }
}
