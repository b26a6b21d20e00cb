#include "kit_script.hpp"

#include <algorithm>
#include <optional>

#include "base/files.hpp"
#include "connectors/dsp/words.hpp"
#include "connectors/dsp/writer.hpp"
#include "dsp/service.hpp"
#include "entente/policy/evaluate.hpp"
#include "net/outbound.hpp"

namespace interop {

using namespace entente;
using namespace entente::dsp;

namespace {

// The kit needs a moment between its answer and our next message: it registers what it expects only then.
constexpr std::int64_t pause_ms = 150;

enum class When : std::uint8_t { received, acknowledged };

// In process `id`: once `kind` was received (or ours acknowledged) for the `times`-th time, this is sent.
struct Row {
    std::string_view id;
    When when;
    Kind kind;
    int times;
    Kind send;
};
constexpr auto got = When::received;
constexpr auto sent = When::acknowledged;

constexpr Row script[] = {
    // Negotiations in which we provide.
    {"ACN0101", got, Kind::contract_request, 1, Kind::contract_offer},
    {"ACN0102", got, Kind::contract_request, 1, Kind::contract_offer},
    {"ACN0102", got, Kind::contract_request, 2, Kind::negotiation_termination},
    {"ACN0103", got, Kind::contract_request, 1, Kind::contract_offer},
    {"ACN0103", got, Kind::acceptance, 1, Kind::agreement},
    {"ACN0103", got, Kind::verification, 1, Kind::finalization},
    {"ACN0104", got, Kind::contract_request, 1, Kind::agreement},
    {"ACN0104", got, Kind::verification, 1, Kind::finalization},
    {"ACN0201", got, Kind::contract_request, 1, Kind::negotiation_termination},
    {"ACN0203", got, Kind::contract_request, 1, Kind::agreement},
    {"ACN0204", got, Kind::contract_request, 1, Kind::contract_offer},
    {"ACN0205", got, Kind::contract_request, 1, Kind::contract_offer},
    {"ACN0205", sent, Kind::contract_offer, 1, Kind::negotiation_termination},
    {"ACN0206", got, Kind::contract_request, 1, Kind::contract_offer},
    {"ACN0206", got, Kind::acceptance, 1, Kind::negotiation_termination},
    {"ACN0207", got, Kind::contract_request, 1, Kind::agreement},
    {"ACN0207", got, Kind::verification, 1, Kind::negotiation_termination},
    {"ACN0301", got, Kind::contract_request, 1, Kind::agreement},
    {"ACN0301", got, Kind::verification, 1, Kind::finalization},
    {"ACN0302", got, Kind::contract_request, 1, Kind::contract_offer},
    {"ACN0303", got, Kind::contract_request, 1, Kind::contract_offer},
    {"ACN0304", got, Kind::contract_request, 1, Kind::contract_offer},
    // Negotiations in which we consume.
    {"ACNC0101", got, Kind::contract_offer, 1, Kind::acceptance},
    {"ACNC0101", got, Kind::agreement, 1, Kind::verification},
    {"ACNC0102", got, Kind::contract_offer, 1, Kind::contract_request},
    {"ACNC0103", got, Kind::contract_offer, 1, Kind::negotiation_termination},
    {"ACNC0104", got, Kind::agreement, 1, Kind::verification},
    {"ACNC0202", sent, Kind::contract_request, 1, Kind::negotiation_termination},
    {"ACNC0203", got, Kind::agreement, 1, Kind::negotiation_termination},
    {"ACNC0205", got, Kind::contract_offer, 1, Kind::acceptance},
    {"ACNC0206", got, Kind::agreement, 1, Kind::verification},
    {"ACNC0304", got, Kind::contract_offer, 1, Kind::acceptance},
    {"ACNC0305", got, Kind::contract_offer, 1, Kind::acceptance},
    {"ACNC0306", got, Kind::contract_offer, 1, Kind::acceptance},
    // Transfers in which we provide.
    {"ATP0101", got, Kind::transfer_request, 1, Kind::transfer_start},
    {"ATP0101", sent, Kind::transfer_start, 1, Kind::transfer_termination},
    {"ATP0102", got, Kind::transfer_request, 1, Kind::transfer_start},
    {"ATP0102", sent, Kind::transfer_start, 1, Kind::transfer_completion},
    {"ATP0103", got, Kind::transfer_request, 1, Kind::transfer_start},
    {"ATP0103", sent, Kind::transfer_start, 1, Kind::transfer_suspension},
    {"ATP0103", sent, Kind::transfer_suspension, 1, Kind::transfer_termination},
    {"ATP0104", got, Kind::transfer_request, 1, Kind::transfer_start},
    {"ATP0104", sent, Kind::transfer_start, 1, Kind::transfer_suspension},
    {"ATP0104", sent, Kind::transfer_suspension, 1, Kind::transfer_start},
    {"ATP0104", sent, Kind::transfer_start, 2, Kind::transfer_completion},
    {"ATP0105", got, Kind::transfer_request, 1, Kind::transfer_termination},
    {"ATP0201", got, Kind::transfer_request, 1, Kind::transfer_start},
    {"ATP0202", got, Kind::transfer_request, 1, Kind::transfer_start},
    {"ATP0203", got, Kind::transfer_request, 1, Kind::transfer_start},
    {"ATP0204", got, Kind::transfer_request, 1, Kind::transfer_start},
    {"ATP0303", got, Kind::transfer_request, 1, Kind::transfer_start},
    {"ATP0304", got, Kind::transfer_request, 1, Kind::transfer_start},
    {"ATP0305", got, Kind::transfer_request, 1, Kind::transfer_start},
    {"ATP0306", got, Kind::transfer_request, 1, Kind::transfer_start},
    // Transfers in which we consume.
    {"ATPC0201", got, Kind::transfer_start, 1, Kind::transfer_termination},
    {"ATPC0202", got, Kind::transfer_start, 1, Kind::transfer_completion},
    {"ATPC0203", got, Kind::transfer_start, 1, Kind::transfer_suspension},
    {"ATPC0203", sent, Kind::transfer_suspension, 1, Kind::transfer_termination},
    {"ATPC0204", got, Kind::transfer_start, 1, Kind::transfer_suspension},
    {"ATPC0204", sent, Kind::transfer_suspension, 1, Kind::transfer_start},
    {"ATPC0204", sent, Kind::transfer_start, 1, Kind::transfer_completion},
    {"ATPC0205", sent, Kind::transfer_request, 1, Kind::transfer_termination},
};

std::optional<Kind> answer_to(std::string_view id, const Process& p, Kind kind, Cause cause) {
    if (cause == Cause::failed) return std::nullopt;
    const When when = cause == Cause::received ? got : sent;
    const Role sender = when == got ? other(p.role) : p.role;
    const auto times = std::count_if(p.history.begin(), p.history.end(), [&](const Passage& h) { return h.kind == kind && h.sender == sender; });
    for (const Row& row : script) {
        if (row.id == id && row.when == when && row.kind == kind && row.times == times) return row.send;
    }
    return std::nullopt;
}

// "ACN0101" up to the counts of the kit's three series.
bool is_seeded(std::string_view id, std::string_view prefix, int first, int second, int third) {
    if (id.size() != prefix.size() + 4 || !id.starts_with(prefix)) return false;
    const int number = std::atoi(std::string(id.substr(prefix.size())).c_str());
    const int series = number / 100;
    const int most = series == 1 ? first : series == 2 ? second : series == 3 ? third : 0;
    return number % 100 >= 1 && number % 100 <= most;
}

bool is_dataset(std::string_view id) { return is_seeded(id, "CAT", 2, 0, 0) || is_seeded(id, "ACN", 4, 7, 4); }

}  // namespace

std::string KitScript::offer_of(const std::string& dataset) {
    return R"({"@id":"CD123:)" + dataset + R"(:456","@type":"Offer","permission":[{"action":"use"}]})";
}

Status KitScript::admit_address(const std::string&, const std::string& address) {
    ENTENTE_ASSIGN(const native::Url url, native::read_url(address));
    return native::check_origin(url, {kit_origin_});
}

Behaviour::Found KitScript::catalogue(const std::string&, const CatalogueFilter& filter) {
    Found found;
    for (const std::string id : {"CAT0101", "CAT0102"}) {
        if (filter.dataset && *filter.dataset != id) continue;
        found.datasets.push_back({id, {offer_of(id)}, {std::string(format_pull)}, {}, {}});
    }
    found.total = found.datasets.size();
    return found;
}

Status KitScript::admit(const Negotiation& proposed) {
    if (proposed.role == Role::consumer || is_dataset(proposed.dataset)) return done();
    return Error{Code::not_found, "dsp.no-dataset", "expected a dataset of the kit, found " + proposed.dataset};
}

Status KitScript::admit(const TransferProcess& proposed) {
    if (proposed.peer == kit_ && is_seeded(proposed.agreement_id, "ATP", 5, 5, 6)) return done();
    return Error{Code::not_found, "dsp.no-agreement", "expected an agreement of the kit, found " + proposed.agreement_id};
}

std::vector<Act> KitScript::next(const Negotiation& n, Kind kind, Cause cause) {
    const auto send = answer_to(n.dataset, n, kind, cause);
    if (!send) return {};
    Act act{.send = *send, .after_ms = pause_ms};
    if (*send == Kind::contract_offer || *send == Kind::contract_request) act.policy = n.offer;
    if (*send == Kind::agreement) {
        const std::string now = policy::format_instant(native::now_ms() / 1000 * 1000);
        act.policy = agreement_over(n.offer, {native::new_urn(), n.dataset, participant_, n.peer, now}).value();
    }
    return {act};
}

std::vector<Act> KitScript::next(const TransferProcess& t, Kind kind, Cause cause) {
    const auto send = answer_to(t.agreement_id, t, kind, cause);
    if (!send) return {};
    Act act{.send = *send, .after_ms = pause_ms};
    if (*send == Kind::transfer_start && t.role == Role::provider) {
        act.address = DataAddress{std::string(endpoint_http), data_endpoint_, "token", "bearer"};
    }
    return {act};
}

}  // namespace interop
