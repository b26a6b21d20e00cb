// The space is `entente serve` as a child process on loopback, and three partners who joined it.
#include <arpa/inet.h>
#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "api/json_body.hpp"
#include "base/files.hpp"
#include "conformance/space.hpp"
#include "connectors/hub/hub_client.hpp"
#include "join/membership.hpp"
#include "net/http_client.hpp"

extern char** environ;

namespace conformance {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    ::close(fd);
    return ntohs(address.sin_port);
}

// One partner: its calls run one after another on a thread of its own, since they block.
struct Partner {
    codec::SigningKey key;
    std::unique_ptr<hub::HubClient> connector;
    std::thread calling;
};

class HubSpace final : public Space {
public:
    HubSpace() {
        std::string name = (fs::temp_directory_path() / "entente-conform-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
        std::ofstream(folder_ / "plan.toml") << "[federation]\nid = \"conform\"\n[task]\nmodel = \"cnn\"\n";
        url_ = "http://127.0.0.1:" + std::to_string(port_);
        reconnect();
        for (const char* id : {a, b, c}) join(id);
    }
    ~HubSpace() override {
        for (auto& [id, partner] : partners_) {
            if (partner.calling.joinable()) partner.calling.join();
        }
        end(SIGKILL);
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    // As large as the plan allows an update to be.
    [[nodiscard]] Traits traits() const override { return {.large_bytes = 3 * 1024 * 1024}; }
    Connector& of(const std::string& id) override { return *partners_.at(id).connector; }
    const codec::SigningKey& key(const std::string& id) override { return partners_.at(id).key; }
    [[nodiscard]] std::int64_t now_ms() override { return native::now_ms(); }
    void launch(const std::string& id, std::function<void(Connector&)> call) override {
        Partner& partner = partners_.at(id);
        if (partner.calling.joinable()) partner.calling.join();
        partner.calling = std::thread([&partner, call = std::move(call)] { call(*partner.connector); });
    }
    void pump() override { std::this_thread::sleep_for(1ms); }

    void disconnect() override { end(SIGTERM); }
    void reconnect() override {
        const std::vector<std::string> words{ENTENTE_BINARY, "serve", "--plan", (folder_ / "plan.toml").string(), "--data",
                                             (folder_ / "server").string(), "--listen", "127.0.0.1:" + std::to_string(port_),
                                             "--operator-token-file", (folder_ / "token").string(), "--json"};
        std::vector<char*> arguments;
        for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        const std::string log = (folder_ / "server.log").string();
        ::posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
        const int failed = ::posix_spawn(&server_, ENTENTE_BINARY, &actions, nullptr, arguments.data(), environ);
        ::posix_spawn_file_actions_destroy(&actions);
        REQUIRE(failed == 0);
        auto http = native::make_http_client({url_, {}}).value();
        for (int i = 0; i < 3'000; ++i) {
            if (native::ask_text(*http, "GET", "/readyz", {}).ok()) return;
            std::this_thread::sleep_for(10ms);
        }
        FAIL("the server did not become ready: " << native::read_text_file(folder_ / "server.log").value());
    }

private:
    void end(int signal) {
        if (server_ <= 0) return;
        ::kill(server_, signal);
        ::waitpid(server_, nullptr, 0);
        server_ = 0;
    }

    void join(const std::string& id) {
        auto token = native::read_text_file(folder_ / "token").value();
        auto operator_http = native::make_http_client({url_, {}}).value();
        operator_http->set_token(token.substr(0, token.find_first_of(" \r\n")));
        const auto answer = native::ask_text(*operator_http, "POST", "/api/v1/invitations", "{\"participant\":\"" + id + "\"}");
        REQUIRE(answer.ok());
        const std::string code_file = (folder_ / (id + ".code")).string();
        std::ofstream(code_file) << native::JsonBody::parse(*answer)->text("code");

        native::PartnerConfig config;
        config.url = url_;
        config.state_folder = (folder_ / id).string();
        config.code_file = code_file;
        auto http = native::make_http_client({url_, {}}).value();
        auto member = native::become_member(config, *http);
        REQUIRE(member.ok());
        partners_.emplace(id, Partner{std::move(member->key), std::make_unique<hub::HubClient>(http), {}});
    }

    fs::path folder_;
    int port_ = free_port();
    std::string url_;
    pid_t server_ = 0;
    std::map<std::string, Partner> partners_;
};

}  // namespace

std::unique_ptr<Space> make_space() { return std::make_unique<HubSpace>(); }

}  // namespace conformance
