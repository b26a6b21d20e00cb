// How a partner reaches its federation: by HTTP to the coordinator's hub, or through a folder and no network at all.
//
//   auto link = make_link(config, say);
//   ENTENTE_ASSIGN(Membership member, link->enter());       // once, first
//   auto view = link->watch(cursor, 25'000, options);
//   link->connector().negotiate(proposal, options, done);  while (!answered) link->idle();
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "entente/contract/wire.hpp"
#include "join/membership.hpp"

namespace entente::native {

class Link {
public:
    virtual ~Link() = default;
    // Errors of become_member(); unavailable while the coordinator, or its plan in the folder, is not there yet.
    virtual Result<Membership> enter() = 0;
    virtual contract::Connector& connector() = 0;
    // Everything that the partner may see, as soon as the cursor is another one or after wait_ms.
    virtual Result<contract::HubView> watch(std::uint64_t cursor, std::int64_t wait_ms, const contract::CallOptions& options) = 0;
    // Lets calls that complete later go on for a moment.
    virtual void idle() = 0;
    // Does the coordinator's log go on where this partner saw it end? data_loss "log.fork"; other errors say that it could not be
    // asked now. Where there is no way to ask (a folder): done.
    virtual Status check_log() { return done(); }
    // Says that this partner is alive, and what it does; lost ones do not matter.
    virtual void heartbeat(const std::string& json) = 0;
};

// `stopping` is asked while something is waited for. invalid_argument "config.link" unless exactly one of url and
// folder is given.
Result<std::unique_ptr<Link>> make_link(const PartnerConfig& config, std::function<bool()> stopping,
                                        std::function<void(std::string_view, const std::string&)> say);

}  // namespace entente::native
