#include "connectors/edc/data_flows.hpp"

#include "entente/policy/odrl.hpp"

namespace entente::edc {
namespace {

constexpr std::size_t max_flows = 10'000;
constexpr std::size_t remembered = 1'000;  // ended ones

bool over(FlowState state) { return state == FlowState::completed || state == FlowState::terminated; }

Error mismatch(const std::string& what, const std::string& expected, const std::string& found) {
    return {Code::permission_denied, "agreement.mismatch", "agreement: expected " + what + " " + expected + ", found " + found.substr(0, 256)};
}

}  // namespace

void DataFlows::handle(const Signal& signal, contract::Completion<Flowing> completion) {
    const std::string& process = signal.flow.process;
    const auto it = flows_.find(process);
    const auto conflict = [&](const char* expected) {
        return Error{Code::conflict, "flow.state",
                     "data flow " + process + ": expected " + expected + ", found " + (it == flows_.end() ? "none" : std::string(word(it->second.state)))};
    };
    switch (signal.verb) {
        case Verb::check: return completion(Flowing{});
        case Verb::status:
            if (it == flows_.end()) return completion(Error{Code::not_found, "flow.unknown", "no data flow " + process});
            return completion(Flowing{it->second.state, {}});
        case Verb::prepare:
        case Verb::start:
            if (it != flows_.end() && over(it->second.state)) return completion(conflict("one that is not over"));
            if (it != flows_.end() && !(it->second.flow == signal.flow)) {
                return completion(Error{Code::conflict, "flow.other", "data flow " + process + ": expected what it was begun with, found something else"});
            }
            if (it == flows_.end() && flows_.size() >= max_flows) {
                return completion(Error{Code::resource_exhausted, "flow.too-many", "expected at most " + std::to_string(max_flows) + " data flows"});
            }
            if (signal.verb == Verb::start) return start(signal.flow, std::move(completion));
            flows_.try_emplace(process, Known{signal.flow, FlowState::prepared});
            return completion(Flowing{flows_.at(process).state, {}});
        case Verb::resume:
            if (it == flows_.end() || it->second.state != FlowState::suspended) return completion(conflict("SUSPENDED"));
            return start(Flow(it->second.flow), std::move(completion));
        case Verb::suspend:
        case Verb::terminate:
        case Verb::complete: {
            // Before anything else, whatever we remember: no more bytes.
            if (const Status revoked = host_.revoke(process); !revoked.ok()) return completion(revoked.error());
            const FlowState to = signal.verb == Verb::suspend    ? FlowState::suspended
                                 : signal.verb == Verb::complete ? FlowState::completed
                                                                 : FlowState::terminated;
            if (it != flows_.end() && !over(it->second.state)) {
                if (to == FlowState::suspended) {
                    it->second.state = to;
                    ++it->second.changes;
                } else {
                    end(process, to);
                }
            }
            return completion(Flowing{to, {}});
        }
    }
}

void DataFlows::end(const std::string& process, FlowState state) {
    Known& known = flows_.at(process);
    known.state = state;
    ++known.changes;
    ended_.push_back(process);
    if (ended_.size() <= remembered) return;
    flows_.erase(ended_.front());
    ended_.pop_front();
}

void DataFlows::start(const Flow& flow, contract::Completion<Flowing> completion) {
    Known& known = flows_.try_emplace(flow.process, Known{flow, FlowState::prepared}).first->second;
    const std::uint64_t changes = ++known.changes;
    host_.agreement(flow.agreement, [this, flow, changes, completion = std::move(completion)](const Result<AgreementRecord>& record) {
        const auto it = flows_.find(flow.process);
        // Ended, suspended or started anew while the agreement was on its way: that counts.
        if (it == flows_.end() || it->second.changes != changes) {
            return completion(Error{Code::conflict, "flow.state", "data flow " + flow.process + ": something else was said meanwhile"});
        }
        Result<Flowing> begun = record.ok() ? begin(flow, *record) : Result<Flowing>(record.error());
        if (begun.ok()) {
            it->second.state = begun->state;
            return completion(std::move(begun));
        }
        // What ran under an earlier start does not go on under terms that no longer hold.
        const Status revoked = host_.revoke(flow.process);
        if (it->second.state == FlowState::prepared) {
            flows_.erase(it);
        } else {
            it->second.state = FlowState::suspended;
        }
        completion(revoked.ok() ? std::move(begun) : Result<Flowing>(revoked.error()));
    });
}

Result<Flowing> DataFlows::begin(const Flow& flow, const AgreementRecord& record) {
    ENTENTE_TRY(judge(flow, record));
    if (flow.push_to) {
        ENTENTE_TRY(host_.push(flow, record));
        return Flowing{FlowState::started, {}};
    }
    ENTENTE_ASSIGN(dsp::DataAddress address, host_.grant(flow, record));
    return Flowing{FlowState::started, std::move(address)};
}

Status DataFlows::judge(const Flow& flow, const AgreementRecord& record) const {
    ENTENTE_ASSIGN(const policy::Policy offered, host_.offered(flow));
    ENTENTE_ASSIGN(const policy::Odrl agreed, policy::read_odrl(record.policy));
    if (agreed.frame.target != flow.dataset) return mismatch("one over", flow.dataset, agreed.frame.target);
    if (record.consumer != flow.peer) return mismatch("one with", flow.peer, record.consumer);
    // The profile is lost on EDC's way, and ours: what was offered has one.
    if (!policy::same_terms(without_profile(agreed.policy), without_profile(offered))) {
        return mismatch("the terms that we offer for", flow.dataset, "others");
    }
    return policy::evaluate(offered, policy::Point::transfer, host_.facts(flow)).status();
}

}  // namespace entente::edc
