#include "commands/policy_explain.hpp"

#include <algorithm>

#include "commands/plan_file.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/contract/contract.hpp"
#include "entente/policy/evaluate.hpp"
#include "entente/policy/odrl.hpp"

namespace entente::commands {
namespace {

using policy::Odrl;

constexpr std::uint64_t limit_bytes = 16 * 1024 * 1024;

bool is_url(const std::string& source) { return source.starts_with("http://") || source.starts_with("https://"); }

bool looks_like_json(ByteView bytes) {
    const auto first = std::find_if(bytes.begin(), bytes.end(), [](std::byte b) {
        return b != std::byte{' '} && b != std::byte{'\n'} && b != std::byte{'\r'} && b != std::byte{'\t'};
    });
    return first != bytes.end() && *first == std::byte{'{'};
}

Result<std::vector<Odrl>> policies_of_plan(const std::string& file, Environment& environment) {
    ENTENTE_ASSIGN(const plan::Plan plan, read_plan_file(file, environment));
    const std::string& id = plan.federation.id;
    std::vector<Odrl> both(2);
    both[0].frame = {"Offer", "offer:" + id + ":PARTNER:updates", contract::update_stream_asset(id, "PARTNER"), "", "", ""};
    both[0].policy = plan::update_policy(plan);
    both[1].frame = {"Offer", "offer:" + id + ":global", contract::global_model_asset(id), "", "", ""};
    both[1].policy = plan::model_policy(plan);
    return both;
}

Result<std::vector<Odrl>> policies_of(const std::string& source, Environment& environment) {
    const bool remote = is_url(source);
    auto bytes = remote ? environment.fetch(source, limit_bytes) : environment.read_file(source, limit_bytes);
    if (!bytes.ok()) return bytes.error();
    if (!remote && !looks_like_json(*bytes)) return policies_of_plan(source, environment);
    auto found = policy::read_odrl_document({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    if (found.ok()) return found;
    return error_in(source, found.error());
}

std::string json_of(const Odrl& odrl, const policy::Verdict& verdict) {
    std::string terms;
    for (const policy::Term& term : policy::explain(odrl.policy)) {
        terms += (terms.empty() ? "" : ",") + JsonObject()
                                                  .text("sentence", term.sentence)
                                                  .text("operand", term.operand)
                                                  .text("value", term.value)
                                                  .boolean("enforced", term.enforced)
                                                  .text("code", term.code)
                                                  .text("reason", term.reason)
                                                  .str();
    }
    return JsonObject()
        .text("type", odrl.frame.type)
        .text("id", odrl.frame.id)
        .text("target", odrl.frame.target)
        .boolean("enforced", verdict.permitted)
        .text("code", verdict.code)
        .raw("terms", "[" + terms + "]")
        .str();
}

std::string words_of(const Odrl& odrl, const policy::Verdict& verdict) {
    const policy::JsonFrame& frame = odrl.frame;
    std::string text = printable(frame.type.empty() ? "Policy" : frame.type);
    if (!frame.id.empty()) text += " " + printable(frame.id);
    if (!frame.target.empty()) text += " over " + printable(frame.target);
    text += "\n";
    for (const policy::Term& term : policy::explain(odrl.policy)) {
        text += (term.enforced ? "  enforced  " : "  refused   ") + printable(term.sentence) + "\n";
        if (!term.enforced) text += "            " + printable(term.reason) + " (" + term.code + ")\n";
    }
    return text + (verdict.permitted ? "  This software agrees to these terms and enforces each of them.\n"
                                     : "  This software does not agree to this: what it cannot enforce it refuses as a whole (" + verdict.code + ").\n");
}

}  // namespace

int explain_policy(const std::string& source, bool json, Environment& environment) {
    const auto policies = policies_of(source, environment);
    if (!policies.ok()) return report(policies.error(), environment);
    bool all = true;
    std::string objects;
    std::string text;
    for (const Odrl& odrl : *policies) {
        const policy::Verdict verdict = policy::check_shape(odrl.policy);
        all = all && verdict.permitted;
        if (json) {
            objects += (objects.empty() ? "" : ",") + json_of(odrl, verdict);
        } else {
            text += (text.empty() ? "" : "\n") + words_of(odrl, verdict);
        }
    }
    environment.print(json ? JsonObject().boolean("enforced", all).raw("policies", "[" + objects + "]").str() + "\n" : text);
    return all ? exit_done : exit_policy;
}

}  // namespace entente::commands
