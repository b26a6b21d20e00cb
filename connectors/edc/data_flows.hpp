// A data plane under somebody else's control plane: which flow may have its bytes, and which may not any more. The same for
// both dialects of signaling.hpp; the bytes and the lookups are the host's.
//
//   DataFlows flows({.offered = …, .agreement = …, .facts = …, .grant = …, .push = …, .revoke = …});
//   flows.handle(signal, [&](Result<Flowing> now) { reply(dialect->write(signal, now->state, now->address)); });
//
// The control plane has negotiated and asks for bytes; it does not judge our terms (EDC takes what it cannot evaluate for
// satisfied). So they are asked for here: the agreement is fetched, must be readable, over this dataset and with this peer,
// must say what we offered, and our offer is evaluated at the point of transfer. Again at every start, and so when a flow is
// resumed. What ends is revoked first, known or not: after a restart the grants are still there, the flows are not.
//
// Errors: not_found "dataset.unknown" and what the host answers; permission_denied "agreement.mismatch", "policy.*";
// conflict "flow.state", "flow.other"; resource_exhausted "flow.too-many". One thread; completions run once.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include "connectors/edc/answers.hpp"
#include "connectors/edc/signaling.hpp"
#include "entente/contract/connector.hpp"
#include "entente/policy/evaluate.hpp"

namespace entente::edc {

struct Flowing {
    FlowState state = FlowState::started;
    std::optional<dsp::DataAddress> address;  // of a pull that has just started
};

class DataFlows {
public:
    struct Host {
        // The terms that the flow's dataset is offered to its peer under. not_found for datasets that are none of ours.
        std::function<Result<policy::Policy>(const Flow&)> offered;
        // By the control plane's id.
        std::function<void(const std::string& agreement, contract::Completion<AgreementRecord>)> agreement;
        std::function<policy::Facts(const Flow&)> facts;
        // From now on the flow's peer gets the bytes, under a new address: an earlier one of the process is dead.
        std::function<Result<dsp::DataAddress>(const Flow&, const AgreementRecord&)> grant;
        std::function<Status(const Flow&, const AgreementRecord&)> push;  // begins
        std::function<Status(const std::string& process)> revoke;         // nothing there is no error
    };
    explicit DataFlows(Host host) : host_(std::move(host)) {}

    void handle(const Signal& signal, contract::Completion<Flowing> completion);

private:
    void start(const Flow& flow, contract::Completion<Flowing> completion);
    Result<Flowing> begin(const Flow& flow, const AgreementRecord& record);
    Status judge(const Flow& flow, const AgreementRecord& record) const;
    void end(const std::string& process, FlowState state);

    struct Known {
        Flow flow;
        FlowState state = FlowState::prepared;
        std::uint64_t changes = 0;  // what was decided while an agreement was looked up counts
    };
    Host host_;
    std::map<std::string, Known, std::less<>> flows_;  // by process
    std::deque<std::string> ended_;                    // of those the latest are remembered
};

}  // namespace entente::edc
