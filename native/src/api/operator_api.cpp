// What operator and auditor may ask, and what everybody who takes part may see.
#include "api/app.hpp"
#include "api/json_body.hpp"
#include "commands/export_model.hpp"
#include "commands/text.hpp"
#include "proof/evidence.hpp"
#include "entente/base/json_text.hpp"
#include "entente/policy/evaluate.hpp"
#include "server/dsp_mailbox.hpp"

namespace entente::native {

using commands::JsonObject;
using http::json;
using http::problem;

namespace {

constexpr std::uint64_t largest_page = 1'000;
constexpr double longest_validity_s = 365.0 * 24 * 3600;
constexpr std::size_t longest_reason = 200;
constexpr double usual_validity_s = 7.0 * 24 * 3600;

std::uint64_t number_of(const http::Request& request, const std::string& key, std::uint64_t otherwise) {
    const auto it = request.query.find(key);
    if (it == request.query.end() || it->second.empty() || it->second.size() > 18) return otherwise;
    if (it->second.find_first_not_of("0123456789") != std::string::npos) return otherwise;
    return std::stoull(it->second);
}

std::string terms_json(const policy::Policy& policy) {
    std::string terms;
    for (const policy::Term& term : policy::explain(policy)) {
        terms += (terms.empty() ? "" : ",") +
                 JsonObject().text("sentence", term.sentence).text("operand", term.operand).text("value", term.value).boolean("enforced", term.enforced).str();
    }
    return "[" + terms + "]";
}

// As a participant's connector sees it in a catalogue.
std::string entry_json(const contract::CatalogEntry& entry) {
    const contract::Offer& offer = entry.offer.offer;
    policy::JsonFrame frame;
    frame.id = offer.id;
    frame.target = entry.asset.id;
    frame.assigner = offer.assigner;
    JsonObject body;
    body.text("dataset", entry.asset.id).text("provider", entry.asset.provider);
    body.text("kind", entry.asset.kind == contract::AssetKind::global_model ? "global-model" : "update-stream");
    if (entry.version) {
        body.whole("round", entry.version->round).whole("bytes", entry.version->size_bytes).text("digest", to_hex(entry.version->content));
    }
    return body.raw("terms", terms_json(offer.policy)).raw("odrl", policy::to_odrl_json(offer.policy, frame)).str();
}

std::string agreement_json(const contract::Agreement& agreement, const std::string& assignee) {
    const contract::Offer& offer = agreement.offer.offer;
    policy::JsonFrame frame;
    frame.type = "Agreement";
    frame.id = agreement.id;
    frame.target = offer.asset;
    frame.assigner = offer.assigner;
    frame.assignee = assignee;
    frame.timestamp = policy::format_instant(agreement.acceptance.agreed_at_ms / 1000 * 1000);
    JsonObject body;
    body.text("id", agreement.id).text("asset", offer.asset).text("assigner", offer.assigner).text("assignee", assignee);
    body.whole("agreed_at_ms", static_cast<std::uint64_t>(agreement.acceptance.agreed_at_ms));
    body.text("accepted_by", agreement.acceptance.accepted_by).raw("terms", terms_json(offer.policy));
    return body.raw("odrl", policy::to_odrl_json(offer.policy, frame)).str();
}

}  // namespace

void App::status(Call& call) { call.reply(json(status_json(call.who))); }

void App::invite(Call& call) {
    const auto body = JsonBody::parse(call.request.body);
    if (!body.ok()) return call.reply(problem(body.error()));
    const std::string role_text = body->text("role");
    const auto role = role_from(role_text.empty() ? "partner" : role_text);
    if (!role) return call.reply(problem(400, "join.role", "role: expected partner or auditor, found \"" + role_text + "\""));
    const double valid_s = body->number("valid_s", usual_validity_s);
    if (!(valid_s >= 1 && valid_s <= longest_validity_s)) {
        return call.reply(problem(400, "join.validity", "valid_s: expected 1 second to 365 days"));
    }
    const std::string participant = body->text("participant");
    if (participant == o_.host.machine().plan().federation.coordinator) {
        return call.reply(problem(409, "join.taken", participant + " is the coordinator itself; choose another id"));
    }
    auto invited = o_.identity.invite(participant, body->text("name"), *role, static_cast<std::int64_t>(valid_s), now_ms());
    if (!invited.ok()) return call.reply(problem(invited.error()));
    call.reply(json(JsonObject()
                        .text("participant", participant)
                        .text("code", invited->code)
                        .text("link", o_.origin + "/join#code=" + invited->code)
                        .text("expires_at", policy::format_instant(invited->expires_at_ms / 1000 * 1000))
                        .str(),
                    201));
}

std::string ledger_row_json(const LedgerRow& row) {
    JsonObject entry;
    entry.whole("sequence", row.sequence).whole("at_ms", static_cast<std::uint64_t>(row.at_ms));
    entry.text("kind", row.kind).text("summary", row.summary);
    if (!row.participant.empty()) entry.text("participant", row.participant);
    return entry.text("digest", to_hex(row.digest)).str();
}

void App::ledger(Call& call) {
    const std::uint64_t after = number_of(call.request, "after", 0);
    const std::uint64_t limit = std::clamp<std::uint64_t>(number_of(call.request, "limit", 100), 1, largest_page);
    const auto rows = o_.store.ledger_page(after, limit);
    if (!rows.ok()) return call.reply(problem(rows.error()));
    std::string entries;
    for (const LedgerRow& row : *rows) entries += (entries.empty() ? "" : ",") + ledger_row_json(row);
    const std::uint64_t next = rows->empty() ? after : rows->back().sequence;
    call.reply(json(JsonObject().raw("entries", "[" + entries + "]").whole("next", next).str()));
}

// What goes on with partners that have connectors of their own.
void App::connector(Call& call) {
    DspMailbox* const mailbox = connector_;
    if (mailbox == nullptr) return call.reply(problem(404, "connector.none", "this coordinator has no connector"));
    const plan::Plan& plan = o_.host.machine().plan();
    const contract::Exchange& exchange = o_.host.space().exchange();
    // What everybody is offered by the coordinator, and the coordinator by everybody.
    auto offered = exchange.catalog({}, {.kind = contract::AssetKind::global_model, .asset = {}}).entries;
    for (auto& entry : exchange.catalog(plan.federation.coordinator, {.kind = contract::AssetKind::update_stream, .asset = {}}).entries) {
        offered.push_back(std::move(entry));
    }
    std::string catalogue;
    for (const contract::CatalogEntry& entry : offered) catalogue += (catalogue.empty() ? "" : ",") + entry_json(entry);
    call.reply(json(mailbox->json("[" + catalogue + "]")));
}

void App::agreements(Call& call) {
    const plan::Plan& plan = o_.host.machine().plan();
    const auto participants = o_.host.view().participants;
    // The global model is offered to whoever takes part; the key that accepted says who it was.
    const auto owners = owners_of_keys(o_.store);
    if (!owners.ok()) return call.reply(problem(owners.error()));
    const auto assignee_of = [&](const contract::Agreement& agreement) {
        if (!agreement.offer.offer.assignee.empty()) return agreement.offer.offer.assignee;
        const auto owner = owners->find(codec::to_hex(agreement.assignee_key));
        return owner == owners->end() ? std::string() : owner->second;
    };
    std::string all;
    const auto add = [&](const std::string& provider, const std::string& asset) {
        const auto found = o_.host.space().exchange().agreements(provider, asset);
        if (!found.ok()) return;
        for (const contract::Agreement& agreement : *found) {
            all += (all.empty() ? "" : ",") + agreement_json(agreement, assignee_of(agreement));
        }
    };
    add(plan.federation.coordinator, contract::global_model_asset(plan.federation.id));
    for (const auto& p : participants) add(p.id, contract::update_stream_asset(plan.federation.id, p.id));
    call.reply(json("[" + all + "]"));
}

Result<Bytes> App::model_envelope() const {
    const auto content = o_.host.content_of(contract::global_model_asset(o_.host.machine().plan().federation.id));
    if (!content) return Error{Code::not_found, "model.none", "no model has been published yet"};
    return read_file(o_.blobs.path_of(content->blob), content->version.size_bytes);
}

void App::model(Call& call) {
    const auto envelope = model_envelope();
    if (!envelope.ok()) return call.reply(problem(envelope.error()));
    call.reply(http::binary(*envelope));
}

void App::model_safetensors(Call& call) {
    const auto envelope = model_envelope();
    if (!envelope.ok()) return call.reply(problem(envelope.error()));
    const auto file = commands::envelope_as_safetensors(*envelope);
    if (!file.ok()) return call.reply(problem(file.error()));
    http::Response response = http::binary(*file);
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"model.safetensors\"");
    call.reply(std::move(response));
}

void App::remove_participant(Call& call) {
    const std::string& id = call.parameters.at(0);
    if (Status gone = o_.identity.expel(id); !gone.ok()) return call.reply(problem(gone.error()));
    if (Status left = o_.host.leave(id, "removed by the operator"); !left.ok()) return call.reply(problem(left.error()));
    if (DspMailbox* const connector = connector_) connector->forget(id);
    end_listeners(id);
    call.reply(http::no_content());
}

void App::suspend_participant(Call& call) {
    const auto body = JsonBody::parse(call.request.body.empty() ? "{}" : call.request.body);
    if (!body.ok()) return call.reply(problem(body.error()));
    const std::string reason = body->text("reason");
    if (reason.size() > longest_reason) return call.reply(problem(400, "participant.reason", "reason: expected at most 200 bytes"));
    const Status suspended = o_.host.suspend(call.parameters.at(0), reason.empty() ? "no reason was given" : reason);
    call.reply(suspended.ok() ? http::no_content() : problem(suspended.error()));
}

void App::resume_participant(Call& call) {
    const Status resumed = o_.host.resume(call.parameters.at(0));
    call.reply(resumed.ok() ? http::no_content() : problem(resumed.error()));
}

}  // namespace entente::native
