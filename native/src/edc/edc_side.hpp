// A partner's own half beside its Eclipse EDC: its exchange, its update's bytes, and the data plane through which EDC hands
// them out. On a thread of its own, on two addresses: one where the coordinator fetches bytes, and a plain one on
// loopback where EDC signals.
//
//   ENTENTE_ASSIGN(auto side, EdcSide::open({.self = "plant-b", .federation = "digits", .coordinator = "coordinator", …}));
//   ENTENTE_TRY(side->register_with_edc());
//   side->run([](hub::HubSpace& space, hub::HubSide& own) { … });       // on its thread; waits
//
// EDC negotiates for its owner and evaluates no term of ours, and anybody whom its access policy lets in may agree with it. So
// bytes go to the coordinator alone, under the acceptance that it has signed, while policy permits: asked when EDC
// starts a flow and again while bytes run. Errors of the listener and the stores, "edc.*". Thread-safety: one thread.
#pragma once

#include <filesystem>
#include <future>

#include "connectors/hub/hub_space.hpp"
#include "entente/codec/sign.hpp"
#include "store/state_store.hpp"

namespace entente::native {

struct EdcSideOptions {
    std::string self;
    std::string federation;
    std::string coordinator;
    codec::PublicKey coordinator_key;
    codec::PublicKey own_key;
    std::filesystem::path folder;
    std::string listen_address = "127.0.0.1";  // where bytes are fetched
    std::uint16_t listen_port = 0;
    std::string tls_certificate;
    std::string tls_key;
    std::string public_url;  // how the coordinator reaches it; empty: as it listens
    std::string management;  // of EDC
    std::string key;         // its X-Api-Key
    std::string control;     // of EDC
    std::vector<std::string> networks;
    std::string ca_file;
};

class EdcSide {
public:
    // Listens when it returns.
    static Result<std::unique_ptr<EdcSide>> open(EdcSideOptions options);
    ~EdcSide();

    [[nodiscard]] const std::string& origin() const;       // of the bytes
    [[nodiscard]] const std::string& source_type() const;  // of the assets that this data plane serves
    Status register_with_edc();

    template <class Work>
    auto run(Work&& work) {
        using T = decltype(work(space(), own()));
        std::promise<T> promise;
        auto answer = promise.get_future();
        post([&] { promise.set_value(work(space(), own())); });
        return answer.get();
    }
    // Small things that outlive the process, by name.
    Result<std::optional<Bytes>> note(const std::string& name);
    Status keep_note(const std::string& name, ByteView value);

private:
    struct State;
    explicit EdcSide(std::unique_ptr<State> state);
    hub::HubSpace& space();
    hub::HubSide& own();
    void post(std::function<void()> work);
    std::unique_ptr<State> state_;
};

}  // namespace entente::native
