#include "conformance/space.hpp"
#include "connectors/memory/memory_connector.hpp"

namespace conformance {
namespace {

class MemorySpace final : public Space {
public:
    MemorySpace() {
        for (const char* id : {a, b, c}) {
            auto [it, added] = keys_.emplace(id, make_key(id));
            REQUIRE(space_->exchange().admit(id, it->second.public_key()).ok());
            connectors_.emplace(id, std::make_unique<memory::MemoryConnector>(space_, id));
        }
    }
    [[nodiscard]] Traits traits() const override {
        return {.large_bytes = 8 * 1024 * 1024, .waits = false, .own_cursor = false, .streams = false, .disconnects = false};
    }
    Connector& of(const std::string& id) override { return *connectors_.at(id); }
    const codec::SigningKey& key(const std::string& id) override { return keys_.at(id); }
    [[nodiscard]] std::int64_t now_ms() override { return now_ms_; }

private:
    std::int64_t now_ms_ = 1'800'000'000'000;
    std::shared_ptr<memory::Space> space_ = std::make_shared<memory::Space>("conform", [this] { return now_ms_; });
    std::map<std::string, codec::SigningKey> keys_;
    std::map<std::string, std::unique_ptr<memory::MemoryConnector>> connectors_;
};

}  // namespace

std::unique_ptr<Space> make_space() { return std::make_unique<MemorySpace>(); }

}  // namespace conformance
