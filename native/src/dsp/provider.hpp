// The provider's half beside the exchange: what the protocol has brought about is written down there (an agreement, a
// transfer, its end), and what the exchange has ended is ended towards the peer.
//
//   DspProvider provider({.space = space, .service = *service, .data = *data_plane, .blob_of = …});
//   options.on_step = [&](const dsp::Step& step) { provider.heard(step); };
//   space.on_change([&] { provider.settle(); });
//   provider.resume();                     // after a restart: what was heard but not answered
//
// Everything it does is a function of the stored process and of the exchange, so hearing a step twice changes nothing.
// On the strand of the space and the service.
#pragma once

#include <set>

#include "connectors/hub/hub_space.hpp"
#include "dsp/service.hpp"

namespace entente::native {

class DspProvider {
public:
    struct Options {
        hub::HubSpace& space;
        DspService& service;
        DataPlane& data;
        // Where the bytes of a version lie. not_found "connector.no-content".
        std::function<Result<Digest>(const std::string& asset, const contract::Version& version)> blob_of;
    };
    explicit DspProvider(Options options) : o_(std::move(options)) {}

    void heard(const dsp::Step& step);
    void settle();
    void resume();
    // For DataPlaneOptions::permit: is this transfer still running in the exchange?
    [[nodiscard]] Status permitted(const Grant& grant) const;

private:
    void heard(const dsp::Negotiation& n);
    void heard(const dsp::TransferProcess& t, const dsp::Step& step);
    void start(const dsp::TransferProcess& t);
    Result<dsp::DataAddress> address_for(const dsp::TransferProcess& t);
    void refuse(const std::string& pid, const Error& why);
    void conclude(const dsp::TransferProcess& t, const contract::Outcome& outcome);

    Options o_;
    std::set<std::string> running_;  // pids of transfers that the exchange knows
};

}  // namespace entente::native
