#include "cli/leave.hpp"

#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/base/json.hpp"
#include "join/membership.hpp"
#include "net/http_client.hpp"

namespace entente::native {
namespace {

// [1,2,3,5] -> "1 to 3, 5"; what is no number is left out.
std::string spans_of(const Json* list) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;
    for (const Json& item : list != nullptr ? list->items : std::vector<Json>{}) {
        if (item.text.empty() || item.text.size() > 18 || item.text.find_first_not_of("0123456789") != std::string::npos) continue;
        const std::uint64_t round = std::stoull(item.text);
        if (!spans.empty() && spans.back().second + 1 == round) spans.back().second = round;
        else spans.emplace_back(round, round);
    }
    std::string out;
    for (const auto& [first, last] : spans) out += (out.empty() ? "" : ", ") + std::to_string(first) + (last > first ? " to " + std::to_string(last) : "");
    return out;
}

Result<std::string> tell(const PartnerConfig& config) {
    if (config.url.empty()) return Error{Code::invalid_argument, "config.url", "leave: expected the coordinator's url, in partner.toml or as --url; a partner by folder tells its operator"};
    ENTENTE_ASSIGN(const PartnerState state, read_partner_state(config.state_folder));
    ENTENTE_ASSIGN(const auto http, make_http_client({config.url, config.ca_file, config.tls_certificate, config.tls_key}));
    http->set_token(state.token);
    return ask_text(*http, "POST", "/api/v1/leave", "{}");
}

}  // namespace

int leave(const PartnerConfig& config, NativeEnvironment& environment) {
    const auto answer = tell(config);
    if (!answer.ok()) return commands::report(answer.error(), environment);
    const auto said = read_json(*answer);
    if (!said.ok()) return commands::report(said.error(), environment);
    if (config.json) {
        environment.print(*answer + "\n");
        return commands::exit_done;
    }
    const std::string rounds = spans_of(said->find("rounds"));
    const std::string deleted = spans_of(said->find("deleted"));
    const Json* counting = said->find("counting");
    environment.print("  Left         the agreements have ended; nothing more is sent or accepted\n");
    environment.print(rounds.empty() ? "  Rounds       no model has an update of yours in it\n" : "  Rounds       your updates are in the models of rounds " + rounds + ", and stay in them\n");
    if (!deleted.empty()) environment.print("  Deleted      your updates of rounds " + deleted + " are stored no more; the ledger says so\n");
    if (counting != nullptr && counting->text != "0") environment.print("  Counting     your update of round " + commands::printable(counting->text) + " is deleted when that round ends\n");
    return commands::exit_done;
}

}  // namespace entente::native
