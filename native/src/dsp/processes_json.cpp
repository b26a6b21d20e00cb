#include "dsp/processes_json.hpp"

#include <algorithm>
#include <vector>

#include "commands/text.hpp"

namespace entente::native {

using commands::JsonObject;
using dsp::word;

namespace {

std::string history_json(const dsp::Process& p) {
    std::string list;
    for (const dsp::Passage& passage : p.history) {
        list += (list.empty() ? "" : ",") + JsonObject()
                                                .whole("at_ms", static_cast<std::uint64_t>(passage.at_ms))
                                                .text("from", to_string(passage.sender))
                                                .text("message", type_of(passage.kind))
                                                .str();
    }
    return "[" + list + "]";
}

JsonObject common(const dsp::Process& p, std::string_view state) {
    JsonObject o;
    o.text("pid", p.pid).text("peer_pid", p.peer_pid).text("peer", p.peer).text("role", to_string(p.role)).text("state", state);
    o.whole("created_ms", static_cast<std::uint64_t>(p.created_ms)).text("code", p.code);
    o.text("reason", p.reasons.empty() ? std::string() : p.reasons.front()).text("last_error", p.last_error);
    o.whole("waiting", p.outbox.size()).raw("history", history_json(p));
    return o;
}

std::string json_of(const dsp::Negotiation& n) { return common(n, word(n.state)).text("dataset", n.dataset).str(); }
std::string json_of(const dsp::TransferProcess& t) {
    return common(t, word(t.state)).text("agreement", t.agreement_id).text("format", t.format).str();
}

template <class P>
std::string latest(const std::map<std::string, P, std::less<>>& all, std::size_t most) {
    std::vector<const P*> list;
    for (const auto& [pid, process] : all) list.push_back(&process);
    std::sort(list.begin(), list.end(), [](const P* a, const P* b) { return a->created_ms != b->created_ms ? a->created_ms > b->created_ms : a->pid < b->pid; });
    std::string text;
    for (std::size_t i = 0; i < std::min(most, list.size()); ++i) text += (i == 0 ? "" : ",") + json_of(*list[i]);
    return "[" + text + "]";
}

}  // namespace

std::string processes_json(const dsp::Node& node, std::size_t most) {
    return JsonObject().raw("negotiations", latest(node.negotiations(), most)).raw("transfers", latest(node.transfers(), most)).str();
}

}  // namespace entente::native
