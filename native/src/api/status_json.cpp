// The one picture of where the federation stands: /api/v1/status and the frames of /ws.
#include "api/app.hpp"
#include "commands/text.hpp"

namespace entente::native {

using commands::JsonObject;
using round::coordinator::Phase;

std::string status_sentence(const round::coordinator::View& view, const plan::Plan& plan, std::int64_t now_ms) {
    switch (view.phase) {
        case Phase::restoring: return "Reading the ledger after a restart.";
        case Phase::waiting: return view.waiting_for;
        case Phase::finished:
            return "All " + std::to_string(view.rounds) + " rounds are done; the final model is published.";
        case Phase::collecting: break;
    }
    const std::int64_t left_s = std::max<std::int64_t>(0, (view.deadline_ms - now_ms) / 1000);
    const std::uint32_t goal = plan.round.goal > 0 ? plan.round.goal : view.expected;
    const std::string deadline = std::to_string(left_s) + " s";
    return "Round " + std::to_string(view.round) + " of " + std::to_string(view.rounds) + ". " + std::to_string(view.delivered) +
           " of " + std::to_string(goal) + (goal == 1 ? " partner has" : " partners have") +
           " delivered; it closes when all have, or in " + deadline + ".";
}

std::string App::participant_json(const round::coordinator::ParticipantView& p) const {
    JsonObject row;
    row.text("id", p.id).text("name", p.name).text("standing", to_string(p.standing));
    row.whole("last_seen_ms", static_cast<std::uint64_t>(p.last_seen_ms)).whole("contributions", p.contributions);
    row.whole("refusals", p.refusals).text("last_refusal", p.last_refusal).whole("bytes_up", p.bytes_up);
    const auto it = activities_.find(p.id);
    const Activity activity = it == activities_.end() ? Activity{} : it->second;
    row.whole("bytes_down", activity.bytes_down).text("update_agreement", p.update_agreement);
    row.text("model_agreement", p.model_agreement).text("activity", activity.activity);
    return row.number("progress", activity.progress).number("examples_per_second", activity.examples_per_second).str();
}

std::string App::status_json(const Principal& who) const {
    const auto view = o_.host.view();
    const plan::Plan& plan = o_.host.machine().plan();
    std::string participants;
    for (const auto& p : view.participants) {
        // A partner sees the others in numbers only.
        if (who.role == Role::partner && p.id != who.id) continue;
        participants += (participants.empty() ? "" : ",") + participant_json(p);
    }
    std::string history = o_.host.history().json(who.role != Role::partner);
    JsonObject body;
    body.text("type", "status").text("phase", to_string(view.phase)).whole("round", view.round);
    body.whole("completed", view.completed).whole("rounds", view.rounds);
    body.whole("opened_at_ms", static_cast<std::uint64_t>(std::max<std::int64_t>(view.opened_at_ms, 0)));
    body.whole("deadline_ms", static_cast<std::uint64_t>(std::max<std::int64_t>(view.deadline_ms, 0)));
    body.whole("expected", view.expected).whole("delivered", view.delivered);
    body.text("sentence", status_sentence(view, plan, now_ms())).text("model_digest", to_hex(view.model));
    body.whole("model_bytes", view.model_bytes).whole("partners", view.participants.size());
    body.boolean("stalled", o_.host.stalled());
    // What "metric" is in the history.
    if (const auto& table = plan.task.table; table && !table->metrics.empty()) {
        body.text("metric", task::metric_names()[static_cast<std::size_t>(table->metrics.front()) - 1]);
    }
    return body.raw("participants", "[" + participants + "]").raw("history", history).str();
}

}  // namespace entente::native
