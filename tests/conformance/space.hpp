// A data space with three participants, as the conformance cases see it: plant-a provides, plant-b consumes, plant-c
// must see nothing of it. Each connector's fixture implements it; cases.cpp holds what every connector promises.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "entente/codec/sha256.hpp"
#include "entente/contract/connector.hpp"

namespace conformance {

using namespace entente;
using namespace entente::contract;

inline constexpr const char* a = "plant-a";
inline constexpr const char* b = "plant-b";
inline constexpr const char* c = "plant-c";

// Where connectors may differ within the contract.
struct Traits {
    std::uint64_t large_bytes = 64 * 1024 * 1024;  // of the large content
    bool waits = true;         // wait() really waits; memory, whose time is simulated, answers at once
    bool own_cursor = true;    // the cursor stands still when others do what one may not see
    bool streams = true;       // content need not lie in memory
    bool disconnects = true;   // the peer can be made unreachable
};

class Space {
public:
    virtual ~Space() = default;
    [[nodiscard]] virtual Traits traits() const { return {}; }
    [[nodiscard]] virtual std::string federation() const { return "conform"; }
    virtual Connector& of(const std::string& id) = 0;
    virtual const codec::SigningKey& key(const std::string& id) = 0;
    [[nodiscard]] virtual std::int64_t now_ms() = 0;
    // Runs a call that may wait: here and now, or where it may block.
    virtual void launch(const std::string& id, std::function<void(Connector&)> call) { call(of(id)); }
    // Lets what waits go on for a moment.
    virtual void pump() {}
    // The peers go away and come back; what was acknowledged is still there.
    virtual void disconnect() {}
    virtual void reconnect() {}
};

std::unique_ptr<Space> make_space();

// What a call completed with, and how often.
template <class T>
class Call {
public:
    using Body = std::function<void(Connector&, Completion<T>)>;

    Call(Space& space, const std::string& id, Body body) : space_(space) {
        auto state = state_;
        space.launch(id, [state, body = std::move(body)](Connector& connector) {
            body(connector, [state](Result<T> r) {
                if (!state->result) state->result.emplace(std::move(r));
                ++state->count;
            });
        });
    }
    Result<T> finish() {
        for (int i = 0; i < 100'000 && state_->count == 0; ++i) space_.pump();
        for (int i = 0; i < 3; ++i) space_.pump();
        REQUIRE(state_->count == 1);
        return *state_->result;
    }

private:
    struct State {
        std::optional<Result<T>> result;
        std::atomic<int> count = 0;
    };
    Space& space_;
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

template <class T>
Result<T> ask(Space& space, const std::string& id, typename Call<T>::Body body) {
    return Call<T>(space, id, std::move(body)).finish();
}

inline codec::SigningKey make_key(const std::string& id) {
    const Digest seed = codec::sha256(as_bytes("conformance " + id));
    return codec::SigningKey(std::span<const std::byte, 32>(seed.bytes));
}

}  // namespace conformance
