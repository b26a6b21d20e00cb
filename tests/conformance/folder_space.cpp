// The space is a temporary directory; time is the fixture's own.
#include <unistd.h>

#include <filesystem>

#include "conformance/space.hpp"
#include "connectors/folder/folder_connector.hpp"

namespace conformance {
namespace {

namespace fs = std::filesystem;

class FolderSpace final : public Space {
public:
    FolderSpace() {
        std::string name = (fs::temp_directory_path() / "entente-conform-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        root_ = name;
        fs::create_directory(root_ / "share");
        for (const char* id : {a, b, c}) keys_.emplace(id, make_key(id));
        open();
    }
    ~FolderSpace() override {
        connectors_.clear();
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }
    Connector& of(const std::string& id) override { return *connectors_.at(id); }
    const codec::SigningKey& key(const std::string& id) override { return keys_.at(id); }
    [[nodiscard]] std::int64_t now_ms() override { return now_ms_; }
    void pump() override {
        now_ms_ += 50;
        for (auto& [id, connector] : connectors_) connector->poll();
    }
    void disconnect() override { fs::rename(root_ / "share", root_ / "away"); }
    // And all processes have been started anew in the meantime.
    void reconnect() override {
        fs::rename(root_ / "away", root_ / "share");
        connectors_.clear();
        open();
    }

private:
    void open() {
        for (const char* id : {a, b, c}) {
            auto shelf = folder::Shelf::open({.root = (root_ / "share").string(), .federation = "conform", .self = id,
                                              .key = make_key(id), .now_ms = [this] { return now_ms_; }, .crash = {}});
            REQUIRE(shelf.ok());
            for (const char* peer : {a, b, c}) REQUIRE(shelf->admit(peer, keys_.at(peer).public_key()).ok());
            connectors_.emplace(id, std::make_unique<folder::FolderConnector>(std::move(shelf).value()));
        }
    }

    std::int64_t now_ms_ = 1'800'000'000'000;
    fs::path root_;
    std::map<std::string, codec::SigningKey> keys_;
    std::map<std::string, std::unique_ptr<folder::FolderConnector>> connectors_;
};

}  // namespace

std::unique_ptr<Space> make_space() { return std::make_unique<FolderSpace>(); }

}  // namespace conformance
