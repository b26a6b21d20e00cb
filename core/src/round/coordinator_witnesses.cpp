// Partners as witnesses: the next round opens when so many of them as the plan wants have cosigned the log with the receipt of the
// last one. So the coordinator cannot show two histories and go on with both.
#include "coordinator_impl.hpp"

namespace entente::round {

using namespace coordinator;

void Coordinator::Impl::on(Cosigned& e) {
    if (find(e.participant) == nullptr) return;
    std::uint64_t& last = cosigned[e.participant];
    last = std::max(last, std::min(e.round, receipt_round));
    advance(e.now_ms);
}

std::uint32_t Coordinator::Impl::cosigners() const {
    return static_cast<std::uint32_t>(std::count_if(cosigned.begin(), cosigned.end(), [this](const auto& c) { return c.second >= receipt_round; }));
}

bool Coordinator::Impl::unwitnessed() const { return phase == Phase::waiting && receipt_round > 0 && cosigners() < plan.round.witnesses; }

std::string Coordinator::Impl::witness_sentence() const {
    const std::uint32_t have = cosigners();
    return "Round " + std::to_string(round) + " opens when " + std::to_string(plan.round.witnesses) + (plan.round.witnesses == 1 ? " partner has" : " partners have") +
           " cosigned the log with the receipt of round " + std::to_string(receipt_round) + ", or in at most " + std::to_string(plan.round.deadline_s) + " s; " +
           (have == 0 ? "nobody has" : std::to_string(have) + (have == 1 ? " has" : " have")) + " yet.";
}

}  // namespace entente::round
