// Every key of a plan, with every kind of value that it must not have.
#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "commands/plan_toml.hpp"

using namespace entente;

namespace {

enum class Kind { text, whole, real, choice, flag };

struct Key {
    const char* section;  // "" is the top
    const char* name;
    Kind kind;
};

// docs/plan.md lists the same.
constexpr std::array keys{
    Key{"", "numerics", Kind::text},
    Key{"federation", "id", Kind::text},
    Key{"federation", "name", Kind::text},
    Key{"federation", "operator", Kind::text},
    Key{"federation", "coordinator", Kind::text},
    Key{"federation", "purpose", Kind::text},
    Key{"task", "kind", Kind::text},
    Key{"task", "classes", Kind::whole},
    Key{"task", "model", Kind::choice},
    Key{"training", "epochs", Kind::whole},
    Key{"training", "batch", Kind::whole},
    Key{"training", "slices", Kind::whole},
    Key{"training", "learning_rate", Kind::real},
    Key{"task.loss", "kind", Kind::choice},
    Key{"task.loss", "delta", Kind::real},
    Key{"task.loss", "quantile", Kind::real},
    Key{"training", "optimiser", Kind::choice},
    Key{"training", "momentum", Kind::real},
    Key{"training", "nesterov", Kind::flag},
    Key{"training", "beta1", Kind::real},
    Key{"training", "beta2", Kind::real},
    Key{"training", "epsilon", Kind::real},
    Key{"training", "clip_norm", Kind::real},
    Key{"training", "schedule", Kind::choice},
    Key{"training", "warmup_rounds", Kind::whole},
    Key{"training", "step_rounds", Kind::whole},
    Key{"training", "step_factor", Kind::real},
    Key{"training", "cosine_floor", Kind::real},
    Key{"training", "weight_decay", Kind::real},
    Key{"training", "proximal_mu", Kind::real},
    Key{"training", "seed", Kind::whole},
    Key{"aggregation", "strategy", Kind::text},
    Key{"aggregation", "server_learning_rate", Kind::real},
    Key{"aggregation", "server_momentum", Kind::real},
    Key{"aggregation", "server_second_moment", Kind::real},
    Key{"aggregation", "server_adaptivity", Kind::real},
    Key{"aggregation", "weighting", Kind::choice},
    Key{"aggregation", "max_weight", Kind::whole},
    Key{"aggregation", "max_participants", Kind::whole},
    Key{"aggregation", "bits", Kind::whole},
    Key{"aggregation", "scale_log2", Kind::whole},
    Key{"aggregation", "block", Kind::whole},
    Key{"aggregation", "top", Kind::real},
    Key{"round", "rounds", Kind::whole},
    Key{"round", "min_cohort", Kind::whole},
    Key{"round", "goal", Kind::whole},
    Key{"round", "fraction", Kind::real},
    Key{"round", "over_selection", Kind::real},
    Key{"round", "max_staleness", Kind::whole},
    Key{"round", "staleness_exponent", Kind::real},
    Key{"round", "witnesses", Kind::whole},
    Key{"round", "deadline_s", Kind::whole},
    Key{"round", "presence_s", Kind::whole},
    Key{"policy", "min_cohort_size", Kind::whole},
    Key{"policy", "max_rounds", Kind::whole},
    Key{"policy", "valid_days", Kind::whole},
    Key{"policy", "valid_from", Kind::text},
    Key{"policy", "valid_until", Kind::text},
    Key{"policy", "redistribution", Kind::flag},
    Key{"policy", "delete_after_days", Kind::whole},
};

std::string line_of(const Key& key, const std::string& value) {
    const std::string section = key.section;
    return (section.empty() ? "" : "[" + section + "]\n") + key.name + " = " + value + "\n";
}

std::string path_of(const Key& key) {
    const std::string section = key.section;
    return (section.empty() ? "" : section + ".") + key.name;
}

Error error_of(const std::string& text) {
    const auto plan = commands::read_plan_toml(text, "p.toml");
    return plan.ok() ? Error{Code::internal, "no error", "no error"} : plan.error();
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<std::string> wrong_values(Kind kind) {
    if (kind == Kind::flag) return {"1", "0.0", "\"true\"", "[]", "{}", "2026-11-25"};
    std::vector<std::string> wrong{"true", "[]", "[1, 2]", "2026-11-25", "07:30:00"};
    if (kind != Kind::choice) wrong.push_back("{}");
    if (kind == Kind::text || kind == Kind::choice) wrong.insert(wrong.end(), {"1", "1.5", "nan"});
    if (kind == Kind::whole) wrong.insert(wrong.end(), {"\"1\"", "1.0", "nan", "inf", "-inf"});
    if (kind == Kind::real) wrong.insert(wrong.end(), {"\"0.1\""});
    return wrong;
}

}  // namespace

TEST_CASE("every key refuses every other type, with its place, its path, what was expected and what was found") {
    for (const Key& key : keys) {
        for (const std::string& value : wrong_values(key.kind)) {
            const std::string text = line_of(key, value);
            const Error error = error_of(text);
            CAPTURE(text);
            CAPTURE(error.message);
            CHECK(error.reason == "plan.wrong-type");
            CHECK(error.code == Code::invalid_argument);
            CHECK(contains(error.message, *key.section == 0 ? "p.toml:1:" : "p.toml:2:"));
            CHECK(contains(error.message, path_of(key) + ": expected "));
            CHECK(contains(error.message, ", found "));
        }
    }
}

TEST_CASE("no number is taken from outside its range: negative, past 64 bits, not finite") {
    for (const Key& key : keys) {
        std::vector<std::string> outside;
        if (key.kind == Kind::whole) outside = {"-1", "-9223372036854775808", "9223372036854775807"};
        if (key.kind == Kind::real) outside = {"-0.5", "nan", "-nan", "inf", "-inf", "1e39", "-1e39", "1e308"};
        for (const std::string& value : outside) {
            if (std::string(key.name) == "seed" && value[0] == '9') continue;  // any seed is a seed
            const std::string text = line_of(key, value);
            CAPTURE(text);
            const Error error = error_of(text);
            CHECK(error.code == Code::invalid_argument);
            CHECK(error.reason != "no error");
        }
        if (key.kind == Kind::whole) CHECK(error_of(line_of(key, "9223372036854775808")).reason == "plan.toml");
    }
}

TEST_CASE("a letter too many in any key or section is refused, and the right name is told") {
    for (const Key& key : keys) {
        Key wrong = key;
        const std::string name = std::string(key.name) + "x";
        wrong.name = name.c_str();
        const Error error = error_of(line_of(wrong, "1"));
        CAPTURE(error.message);
        CHECK(error.reason == "plan.unknown-key");
        CHECK(contains(error.message, "did you mean \"" + std::string(key.name) + "\"?"));
    }
    for (const char* section : {"federation", "task", "training", "aggregation", "round", "policy"}) {
        const Error error = error_of("[" + std::string(section) + "s]\n");
        CAPTURE(error.message);
        CHECK(error.reason == "plan.unknown-key");
        CHECK(contains(error.message, "did you mean \"" + std::string(section) + "\"?"));
    }
}

TEST_CASE("a name that is like no other gets the whole list") {
    const Error error = error_of("[training]\nwhatever_else = 1\n");
    CHECK(contains(error.message, "expected one of epochs, batch, slices, learning_rate"));
    CHECK(contains(error.message, "p.toml:2:1"));
}

TEST_CASE("the same key or section twice is refused at the second") {
    for (const Key& key : keys) {
        const std::string value = key.kind == Kind::text || key.kind == Kind::choice ? "\"x\"" : "1";
        const std::string line = std::string(key.name) + " = " + value + "\n";
        const Error error = error_of((*key.section == 0 ? "" : "[" + std::string(key.section) + "]\n") + line + line);
        CAPTURE(key.name);
        CHECK(error.reason == "plan.toml");
        CHECK(contains(error.message, *key.section == 0 ? "p.toml:2:" : "p.toml:3:"));
    }
    CHECK(error_of("[training]\nepochs = 1\n[training]\nbatch = 2\n").reason == "plan.toml");
}

TEST_CASE("a table in a list's place, and a list in a table's, are refused") {
    CHECK(error_of("[[training]]\nepochs = 1\n").reason == "plan.wrong-type");
    CHECK(error_of("[training.epochs]\nx = 1\n").reason == "plan.wrong-type");
    CHECK(error_of("[task.model]\ninput = [4]\n[task.model.layers]\nkind = \"relu\"\n").reason == "plan.wrong-type");
    CHECK(error_of("[task.model]\ninput = 4\n").reason == "plan.wrong-type");
    CHECK(error_of("[task.model]\ninput = [4.5]\n").reason == "plan.wrong-type");
    CHECK(error_of("[task.model]\ninput = [-1]\n").reason == "plan.wrong-type");
    CHECK(error_of("[task.model]\ninput = [4294967296]\n").reason == "plan.wrong-type");
    CHECK(error_of("[task.model]\ninput = [4]\nlayers = [1]\n").reason == "plan.wrong-type");
}

TEST_CASE("a layer's keys are looked at as closely as the others") {
    const std::string head = "[task.model]\ninput = [4]\n[[task.model.layers]]\nkind = \"dense\"\nname = \"a\"\n";
    CHECK(contains(error_of(head + "units = \"many\"\n").message, "task.model.layers[0].units"));
    CHECK(contains(error_of(head + "unit = 3\n").message, "did you mean \"units\"?"));
    CHECK(contains(error_of(head + "same_padding = 1\n").message, "expected true or false, found 1"));
    CHECK(error_of(head + "units = -3\n").reason == "plan.out-of-range");
    CHECK(error_of(head + "units = 0\n").code == Code::invalid_argument);
    CHECK(error_of(head + "units = 4294967295\n").code == Code::invalid_argument);
    const std::string second = head + "units = 3\n[[task.model.layers]]\nkind = \"relux\"\n";
    CHECK(contains(error_of(second).message, "task.model.layers[1].kind"));
}

TEST_CASE("class weights are a list of numbers") {
    const std::string head = "[task.loss]\nkind = \"cross_entropy\"\nclass_weights = ";
    CHECK(error_of(head + "[1, 2.5, 1, 1, 1, 1, 1, 1, 1, 0]\n").reason == "no error");
    CHECK(error_of(head + "3\n").reason == "plan.wrong-type");
    CHECK(error_of(head + "[\"1\"]\n").reason == "plan.wrong-type");
    CHECK(error_of(head + "[true]\n").reason == "plan.wrong-type");
    CHECK(error_of(head + "[1, 2]\n").reason == "plan.loss");
    CHECK(error_of(head + "[nan, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n").reason == "plan.loss");
    CHECK(contains(error_of("[task.loss]\nkind = \"hubber\"\n").message, "did you mean \"huber\"?"));
    CHECK(contains(error_of("[training]\noptimiser = \"adamv\"\n").message, "did you mean \"adam"));
    CHECK(contains(error_of("[training]\nschedule = \"cosinus\"\n").message, "did you mean \"cosine\"?"));
}

TEST_CASE("a large file, a long line and ten thousand layers end with an answer") {
    CHECK(error_of("# " + std::string(4'000'000, 'x') + "\n").reason == "no error");
    CHECK(error_of("[federation]\nname = \"" + std::string(1'000'000, 'n') + "\"\n").code == Code::invalid_argument);
    std::string layers = "[task.model]\ninput = [10]\n";
    for (int i = 0; i < 10'000; ++i) layers += "[[task.model.layers]]\nkind = \"relu\"\n";
    CHECK(error_of(layers).reason != "no error");
    std::string many;
    for (int i = 0; i < 20'000; ++i) many += "k" + std::to_string(i) + " = 1\n";
    CHECK(error_of(many).reason == "plan.unknown-key");
}

TEST_CASE("text that is not UTF-8 is refused wherever it stands") {
    for (const char* bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\x80"}) {
        const std::string piece = bad;
        CHECK(error_of("[federation]\nname = \"" + piece + "\"\n").reason == "plan.toml");
        CHECK(error_of("# " + piece + "\n").reason == "plan.toml");
        CHECK(error_of(piece).reason == "plan.toml");
    }
}
