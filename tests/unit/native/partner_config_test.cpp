#include "join/partner_config.hpp"

#include <doctest/doctest.h>

#include "cli/native_environment.hpp"
#include "support.hpp"

using namespace entente;
using native::PartnerConfig;

namespace {

struct File {
    TemporaryFolder folder;
    native::NativeEnvironment environment;
    PartnerConfig config;

    Status read(std::string_view text) {
        put_text(folder.path / "partner.toml", text);
        return native::read_partner_toml((folder.path / "partner.toml").string(), config, environment);
    }
    std::string in_folder(const char* name) const { return (folder.path / name).string(); }
};

// The variable for as long as it lives; what was there before comes back.
class Variable {
public:
    explicit Variable(const char* value) {
        if (const char* old = std::getenv(name)) before_ = old;
        had_ = std::getenv(name) != nullptr;
        value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
    }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { had_ ? ::setenv(name, before_.c_str(), 1) : ::unsetenv(name); }

private:
    static constexpr const char* name = "ENTENTE_JOIN_CODE";
    std::string before_;
    bool had_ = false;
};

}  // namespace

TEST_CASE("threads are all there are unless the file says how many") {
    File f;
    REQUIRE(f.read("threads = 3").ok());
    CHECK(f.config.threads == 3);
    CHECK(File().config.threads == 0);
    for (const char* wrong : {"threads = 0", "threads = 65", "threads = \"two\""}) CHECK_FALSE(f.read(wrong).ok());
}

TEST_CASE("every key is read; paths are relative to the file, absolute ones stay") {
    File file;
    REQUIRE(file.read("url = \"https://fl.example.org\"\ndata = \"mnist\"\nstate = \"/var/plant-a\"\ncode_file = \"code.txt\"\n"
                      "ca = \"../ca.pem\"\naccepted_by = \"Ada Novák\"\nalone = true\n")
                .ok());
    CHECK(file.config.url == "https://fl.example.org");
    CHECK(file.config.data_folder == file.in_folder("mnist"));
    CHECK(file.config.state_folder == "/var/plant-a");
    CHECK(file.config.code_file == file.in_folder("code.txt"));
    CHECK(file.config.ca_file == file.in_folder("../ca.pem"));
    CHECK(file.config.accepted_by == "Ada Novák");
    CHECK(file.config.alone);
}

TEST_CASE("a connector of one's own") {
    File file;
    REQUIRE(file.read("connector = \"dsp\"\nlisten = \"0.0.0.0:8444\"\npublic_url = \"https://plant-a.example:8444\"\n"
                      "tls_cert = \"cert.pem\"\ntls_key = \"key.pem\"\nnetwork = \"10.0.0.0/8\"\n")
                .ok());
    CHECK(file.config.connector == "dsp");
    CHECK(file.config.listen == "0.0.0.0:8444");
    CHECK(file.config.public_url == "https://plant-a.example:8444");
    CHECK(file.config.tls_certificate == file.in_folder("cert.pem"));
    CHECK(file.config.tls_key == file.in_folder("key.pem"));
    CHECK(file.config.networks == std::vector<std::string>{"10.0.0.0/8"});
}

TEST_CASE("what the file does not say stays, and a dash is standard input") {
    File file;
    file.config.url = "before";
    REQUIRE(file.read("code_file = \"-\"\nca = \"\"\n").ok());
    CHECK(file.config.url == "before");
    CHECK(file.config.state_folder == "entente-partner");
    CHECK(file.config.code_file == "-");
    CHECK(file.config.ca_file.empty());
}

TEST_CASE("wrong types, unknown keys, doubles and what is no TOML are refused with file and line") {
    const struct {
        const char* text;
        const char* reason;
        const char* says;
    } cases[] = {
        {"url = 7\n", "partner.wrong-type", "partner.toml:1:7: url: expected text in quotes, found 7"},
        {"\ndata = [\"a\"]\n", "partner.wrong-type", "partner.toml:2:"},
        {"state = true\n", "partner.wrong-type", "found true"},
        {"code_file = 1.5\n", "partner.wrong-type", "code_file"},
        {"ca = {}\n", "partner.wrong-type", "found a table"},
        {"accepted_by = 2026-11-25\n", "partner.wrong-type", "found a date or time"},
        {"alone = \"yes\"\n", "partner.wrong-type", "expected true or false"},
        {"aceepted_by = \"x\"\n", "partner.unknown-key", "did you mean \"accepted_by\"?"},
        {"[url]\n", "partner.wrong-type", "url"},
        {"token = \"x\"\n", "partner.unknown-key", "token"},
        {"url = \"a\"\nurl = \"b\"\n", "partner.toml", "partner.toml:2:"},
        {"url = \n", "partner.toml", "partner.toml:1:"},
        {"url = \"\xff\"\n", "partner.toml", "partner.toml:1:"},
    };
    for (const auto& c : cases) {
        File file;
        const Status read = file.read(c.text);
        CAPTURE(c.text);
        REQUIRE_FALSE(read.ok());
        CHECK(read.error().reason == c.reason);
        CAPTURE(read.error().message);
        CHECK(read.error().message.find(c.says) != std::string::npos);
    }
    File file;
    CHECK(file.read(std::string(2'000'000, '#')).error().reason == "file.too-large");
    CHECK(native::read_partner_toml(file.in_folder("none.toml"), file.config, file.environment).error().reason == "file.missing");
}

TEST_CASE("a join code is read from its file or the variable, without what surrounds it") {
    const TemporaryFolder folder;
    PartnerConfig config;
    {
        const Variable none(nullptr);
        CHECK(native::read_join_code(config).value().empty());
    }
    const Variable variable(" ABCD-EFGH-JKLM\n");
    CHECK(native::read_join_code(config).value() == "ABCD-EFGH-JKLM");
    config.code_file = (folder.path / "code").string();
    CHECK(native::read_join_code(config).error().reason == "file.missing");
    put_text(config.code_file, "\r\n\t NOPQ-RSTU-VWXY \r\n");
    CHECK(native::read_join_code(config).value() == "NOPQ-RSTU-VWXY");
    put_text(config.code_file, " \n");
    CHECK(native::read_join_code(config).value().empty());
    put_text(config.code_file, std::string(5000, 'A'));
    CHECK(native::read_join_code(config).error().reason == "file.too-large");
}

TEST_CASE("an EDC has a table of its own") {
    File file;
    REQUIRE(file.read("connector = \"edc\"\n[edc]\nmanagement = \"http://127.0.0.1:8181/management\"\ncontrol = \"http://127.0.0.1:8182/control\"\n"
                      "protocol = \"https://edc.example/protocol/2025-1\"\nkey_file = \"edc.key\"\nparticipant = \"BPNL1\"\n")
                .ok());
    CHECK(file.config.connector == "edc");
    CHECK(file.config.edc.management == "http://127.0.0.1:8181/management");
    CHECK(file.config.edc.control == "http://127.0.0.1:8182/control");
    CHECK(file.config.edc.protocol == "https://edc.example/protocol/2025-1");
    CHECK(file.config.edc.participant == "BPNL1");
    CHECK(file.config.edc.key_file == file.in_folder("edc.key"));
    CHECK_FALSE(File().read("[edc]\nkey = \"secret\"\n").ok());
}
