// Three companies, each with a connector of its own, on loopback.
#include <filesystem>
#include <thread>

#include "base/files.hpp"
#include "conformance/space.hpp"
#include "dsp/side.hpp"

namespace conformance {
namespace {

namespace fs = std::filesystem;
using native::DspSide;

class DspSpace final : public Space {
public:
    DspSpace() {
        std::string name = (fs::temp_directory_path() / "entente-conform-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder_ = name;
        for (const char* id : {a, b, c}) {
            const auto& key = keys_.emplace(id, make_key(id)).first->second;
            auto side = DspSide::open({.self = id, .federation = federation(), .coordinator = a, .folder = folder_ / id, .key = &key, .attempts = 4});
            REQUIRE_MESSAGE(side.ok(), (side.ok() ? "" : side.error().message));
            sides_.emplace(id, std::move(side).value());
        }
        for (auto& [id, side] : sides_) {
            for (auto& [other, peer] : sides_) {
                if (id != other) REQUIRE(side->know({other, peer->address()}, keys_.at(other).public_key()).ok());
            }
        }
    }
    ~DspSpace() override {
        sides_.clear();
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    // What is its own it offers by itself: its peers may be away.
    [[nodiscard]] Traits traits() const override { return {.disconnects = false}; }
    Connector& of(const std::string&) override { std::abort(); }
    void launch(const std::string& id, std::function<void(Connector&)> call) override { sides_.at(id)->post(std::move(call)); }
    void pump() override { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }
    const codec::SigningKey& key(const std::string& id) override { return keys_.at(id); }
    [[nodiscard]] std::int64_t now_ms() override { return native::now_ms(); }

private:
    fs::path folder_;
    std::map<std::string, codec::SigningKey> keys_;
    std::map<std::string, std::unique_ptr<DspSide>> sides_;
};

}  // namespace

std::unique_ptr<Space> make_space() { return std::make_unique<DspSpace>(); }

}  // namespace conformance
