#include "cli/command_line.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "base/files.hpp"
#include "support.hpp"

using namespace entente;

namespace {

// Sends one of the process's own outputs into a file for as long as it lives.
class Captured {
public:
    Captured(std::FILE* stream, std::filesystem::path path) : stream_(stream), path_(std::move(path)) {
        std::fflush(stream_);
        saved_ = ::dup(::fileno(stream_));
        std::FILE* file = std::fopen(path_.c_str(), "w");
        REQUIRE(file != nullptr);
        ::dup2(::fileno(file), ::fileno(stream_));
        std::fclose(file);
    }
    Captured(const Captured&) = delete;
    Captured& operator=(const Captured&) = delete;
    ~Captured() {
        std::fflush(stream_);
        ::dup2(saved_, ::fileno(stream_));
        ::close(saved_);
    }

private:
    std::FILE* stream_;
    std::filesystem::path path_;
    int saved_;
};

struct Outcome {
    int code;
    std::string out;
    std::string error;
};

Outcome run(const std::vector<std::string>& args) {
    const TemporaryFolder folder;
    int code = -1;
    {
        const Captured out(stdout, folder.path / "out");
        const Captured error(stderr, folder.path / "error");
        code = native::command_line(args);
    }
    return {code, native::read_text_file(folder.path / "out").value(), native::read_text_file(folder.path / "error").value()};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr const char* all[] = {"serve", "join", "invite", "simulate", "plan", "policy", "inspect", "export", "data", "doctor"};

}  // namespace

TEST_CASE("the overview names every command, and every command explains itself with a line that one can type") {
    const Outcome overview = run({"--help"});
    CHECK(overview.code == 0);
    for (const char* command : all) {
        CAPTURE(command);
        CHECK(contains(overview.out, "entente " + std::string(command) + " "));
        const Outcome help = run({command, "--help"});
        CHECK(help.code == 0);
        CHECK(help.error.empty());
        CHECK(contains(help.out, "entente " + std::string(command) + " "));
        CHECK(contains(help.out, "--json") != (std::string(command) == "plan" || std::string(command) == "policy" || std::string(command) == "data"));
    }
    CHECK(run({"help"}).out == overview.out);
    CHECK(run({}).code == 2);
}

TEST_CASE("a mistyped command gets the nearest, whichever half of the command line knows it") {
    const struct {
        const char* typed;
        const char* meant;
    } cases[] = {{"serv", "serve"}, {"jion", "join"}, {"invit", "invite"}, {"simulat", "simulate"}, {"dat", "data"}, {"docter", "doctor"}};
    for (const auto& c : cases) {
        const Outcome o = run({c.typed});
        CAPTURE(o.error);
        CHECK(o.code == 2);
        CHECK(contains(o.error, "did you mean \"" + std::string(c.meant) + "\"?"));
    }
    CHECK_FALSE(contains(run({"weather"}).error, "did you mean"));
}

TEST_CASE("a mistyped option gets the nearest") {
    CHECK(contains(run({"serve", "--lisen", "x"}).error, "there is no option \"--lisen\"; did you mean \"--listen\"?"));
    CHECK(contains(run({"join", "--ulr=x"}).error, "did you mean \"--url\"?"));
    CHECK(contains(run({"invite", "--partnr", "x"}).error, "did you mean \"--partner\"?"));
    CHECK(contains(run({"doctor", "--jsno"}).error, "did you mean \"--json\"?"));
    CHECK(contains(run({"simulate", "--jsno"}).error, "did you mean \"--json\"?"));
}

TEST_CASE("a partner's file is read wherever it stands among the options") {
    const TemporaryFolder folder;
    const std::string file = (folder.path / "partner.toml").string();
    put_text(file, "ulr = \"x\"\n");
    for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
             {"join", file}, {"join", "--quiet", file}, {"join", "--url", "http://127.0.0.1:1", file}, {"join", file, "--alone"}}) {
        const Outcome o = run(args);
        CAPTURE(o.error);
        CHECK(o.code == 3);
        CHECK(contains(o.error, "partner.toml:1:1: ulr: this key is not known; did you mean \"url\"?"));
    }
    CHECK(run({"join", "--quiet", (folder.path / "none.toml").string()}).code == 3);
    CHECK(run({"join", file, file}).code == 2);
}

TEST_CASE("numbers that are none, negative or too large are usage errors") {
    CHECK(run({"invite", "--partner", "a", "--valid-s", "soon"}).code == 2);
    CHECK(run({"invite", "--partner", "a", "--valid-s", "-5"}).code == 2);
    CHECK(run({"join", "--give-up-s", "99999999999"}).code == 2);
    CHECK(run({"serve", "--head-timeout-ms", "x"}).code == 2);
    CHECK(run({"invite"}).code == 2);
}

TEST_CASE("doctor answers in one JSON object") {
    const Outcome o = run({"doctor", "--json"});
    CHECK(o.code == 0);
    CHECK(o.out.front() == '{');
    CHECK(o.out.substr(o.out.size() - 2) == "}\n");
    CHECK(contains(o.out, "\"version\":"));
}

TEST_CASE("a plan that comes through a pipe is the plan, not the default") {
    const TemporaryFolder folder;
    const std::string pipe = (folder.path / "pipe").string();
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    std::thread writer([&pipe] { put_text(pipe, "[round]\nrounds = 0\n"); });
    const Outcome o = run({"plan", "check", pipe});
    writer.join();
    CHECK(o.code == 3);
    CHECK(contains(o.error, "round.rounds"));
}
