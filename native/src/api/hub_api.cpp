// A partner's mailbox. Each call acts in the name of the token's owner and of nobody else.
#include <algorithm>

#include "api/app.hpp"
#include "api/json_body.hpp"
#include "commands/text.hpp"
#include "server/connector_registration.hpp"
#include "proof/withdrawal.hpp"
#include "server/dsp_mailbox.hpp"

namespace entente::native {

using http::binary;
using http::json;
using http::no_content;
using http::problem;
using http::Response;

namespace {

constexpr std::size_t longest_problem_bytes = 1'000;

ByteView bytes_of(const std::string& body) { return as_bytes(std::string_view(body)); }

std::optional<std::uint64_t> digits(std::string_view text) {
    if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    return std::stoull(std::string(text));
}

std::uint64_t number_of(const http::Request& request, const std::string& key) {
    const auto it = request.query.find(key);
    return it == request.query.end() ? 0 : digits(it->second).value_or(0);
}

struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

// "bytes=100-199", "bytes=100-" or "bytes=-100", the last hundred. One that begins behind the end, or is empty, has
// first > last; anything else is answered whole, as RFC 9110 allows.
std::optional<Range> range_of(std::string_view header, std::uint64_t size) {
    if (!header.starts_with("bytes=") || size == 0) return std::nullopt;
    header.remove_prefix(6);
    const std::size_t hyphen = header.find('-');
    if (hyphen == std::string_view::npos) return std::nullopt;
    const auto first = digits(header.substr(0, hyphen));
    const auto last = digits(header.substr(hyphen + 1));
    const bool open = hyphen + 1 == header.size();
    if (hyphen == 0 && last) return Range{size - std::min(*last, size), size - 1};
    if (!first || (!last && !open) || (last && *last < *first)) return std::nullopt;
    return Range{*first, last ? std::min(*last, size - 1) : size - 1};
}

}  // namespace

void App::hub_view(Call& call) {
    if (draining_) return call.reply(problem(503, "server.draining", "the server is about to stop; come back in a moment"));
    const std::uint64_t cursor = number_of(call.request, "cursor");
    const auto wait = std::min<std::int64_t>(static_cast<std::int64_t>(number_of(call.request, "wait_ms")), longest_wait_ms);
    const std::int64_t deadline = now_ms() + wait;
    http::Reply reply = call.reply;
    o_.host.space().view_when_changed(call.who.id, cursor, deadline, call.request.gone,
                                      [reply](const contract::HubView& view) { reply(binary(contract::encode(view))); });
    o_.host.arm();
}

void App::hub_publish(Call& call) {
    auto publication = contract::decode_publication(bytes_of(call.request.body));
    if (!publication.ok()) return call.reply(problem(publication.error()));
    if (publication->asset.id != call.parameters.at(0)) {
        return call.reply(problem(400, "connector.other-asset", "the asset in the path is not the one in the body"));
    }
    const Status published = o_.host.space().publish(call.who.id, std::move(publication->asset), std::move(publication->offer));
    call.reply(published.ok() ? no_content() : problem(published.error()));
}

void App::hub_withdraw(Call& call) {
    const Status withdrawn = o_.host.space().withdraw(call.who.id, call.parameters.at(0));
    call.reply(withdrawn.ok() ? no_content() : problem(withdrawn.error()));
}

void App::hub_negotiate(Call& call) {
    const auto proposal = contract::decode_agreement(bytes_of(call.request.body));
    if (!proposal.ok()) return call.reply(problem(proposal.error()));
    const auto agreement = o_.host.space().negotiate(call.who.id, *proposal);
    call.reply(agreement.ok() ? binary(contract::encode(*agreement), 201) : problem(agreement.error()));
}

void App::hub_open(Call& call) {
    const auto request = contract::decode_transfer_request(bytes_of(call.request.body));
    if (!request.ok()) return call.reply(problem(request.error()));
    const auto transfer = o_.host.space().open(call.who.id, *request);
    call.reply(transfer.ok() ? binary(contract::encode(*transfer), 201) : problem(transfer.error()));
}

void App::hub_content(Call& call) {
    const auto transfer = o_.host.space().exchange().readable(call.who.id, call.parameters.at(0));
    if (!transfer.ok()) return call.reply(problem(transfer.error()));
    if (transfer->state != contract::TransferState::started) {
        const bool superseded = transfer->code == "transfer.superseded";
        return call.reply(problem(409, superseded ? "transfer.superseded" : "transfer.ended",
                                  superseded ? transfer->sentence : "this transfer has ended"));
    }
    if (Status holds = o_.host.space().exchange().in_force(call.who.id, *transfer, now_ms()); !holds.ok()) {
        return call.reply(problem(holds.error()));
    }
    if (Status recorded = o_.host.record_decisions(); !recorded.ok()) return call.reply(problem(recorded.error()));
    const auto content = o_.host.content_of(transfer->asset);
    if (!content || content->version != transfer->version) {
        return call.reply(problem(409, "transfer.superseded", "another version has taken its place"));
    }
    const std::uint64_t size = transfer->version.size_bytes;
    Response response;
    response.content_type = "application/octet-stream";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("Accept-Ranges", "bytes");
    std::uint64_t offset = 0;
    response.content_bytes = size;
    if (const auto range = range_of(call.request.header("range"), size)) {
        if (range->first > range->last) {
            Response bad = problem(416, "http.range", "the range begins behind the end");
            bad.headers.emplace_back("Content-Range", "bytes */" + std::to_string(size));
            return call.reply(std::move(bad));
        }
        offset = range->first;
        response.status = 206;
        response.content_bytes = range->last - range->first + 1;
        response.headers.emplace_back("Content-Range", "bytes " + std::to_string(range->first) + "-" +
                                                           std::to_string(range->last) + "/" + std::to_string(size));
    }
    auto source = o_.blobs.open_blob(content->blob, offset);
    if (!source.ok()) return call.reply(problem(source.error()));
    response.content = std::move(source).value();
    activities_[call.who.id].bytes_down += response.content_bytes;
    counters_["bytes_down"] += response.content_bytes;
    o_.host.history().sent_model(response.content_bytes);
    call.reply(std::move(response));
}

void App::hub_outcome(Call& call) {
    const auto outcome = contract::decode_outcome(bytes_of(call.request.body));
    if (!outcome.ok()) return call.reply(problem(outcome.error()));
    const Status told = o_.host.space().conclude(call.who.id, call.parameters.at(0), *outcome);
    call.reply(told.ok() ? no_content() : problem(told.error()));
}

void App::hub_heartbeat(Call& call) {
    const auto body = JsonBody::parse(call.request.body);
    if (!body.ok()) return call.reply(problem(body.error()));
    Activity& activity = activities_[call.who.id];
    activity.activity = body->text("activity").substr(0, 64);
    activity.progress = std::min(1.0, std::max(0.0, body->number("progress", 0)));
    activity.examples_per_second = std::max(0.0, body->number("examples_per_second", 0));
    if (body->has("evaluation.model")) {
        const auto model = digest_from_hex(body->text("evaluation.model"));
        const double correct = body->number("evaluation.correct", -1);
        const double examples = body->number("evaluation.examples", 0);
        const bool sane = model.ok() && correct >= 0 && correct <= examples && examples <= 1e9;
        if (sane) {
            o_.host.history().reported(*model, call.who.id, static_cast<std::uint64_t>(correct),
                                       static_cast<std::uint64_t>(examples), body->number("evaluation.loss_sum", 0));
        }
    }
    const std::string said = body->text("problem");
    DspMailbox* const connector = connector_;
    if (!said.empty() && said.size() <= longest_problem_bytes && connector != nullptr) connector->reported(call.who.id, said);
    status_changed();
    call.reply(no_content());
}

// Where the partner's own connector is; again at each of its starts.
void App::register_connector(Call& call) {
    const auto peer = read_registration(call.who.id, call.request.body);
    if (!peer.ok()) return call.reply(problem(peer.error()));
    const Account* account = o_.identity.find(call.who.id);
    DspMailbox* const connector = connector_;
    if (connector == nullptr || account == nullptr) return call.reply(problem(404, "connector.none", "this coordinator has no connector"));
    if (Status known = connector->know(*peer, account->key); !known.ok()) return call.reply(problem(known.error()));
    if (Status kept = o_.store.set_meta("connector." + call.who.id, as_bytes(std::string_view(call.request.body))); !kept.ok()) {
        return call.reply(problem(kept.error()));
    }
    call.reply(json(commands::JsonObject()
                        .text("participant", o_.host.machine().plan().federation.coordinator)
                        .text("address", connector->address())
                        .str()));
}

// A new key, signed by the former one. Asked again with the same key, as after a lost answer, nothing changes.
void App::rotate_key(Call& call) {
    const auto body = JsonBody::parse(call.request.body);
    if (!body.ok()) return call.reply(problem(body.error()));
    const auto key = codec::public_key_from_hex(body->text("public_key"));
    const auto by_key = codec::signature_from_hex(body->text("signature"));
    const auto by_former = codec::signature_from_hex(body->text("former_signature"));
    if (!key.ok() || !by_key.ok() || !by_former.ok()) {
        return call.reply(problem(400, "key.malformed", "expected public_key (64), signature and former_signature (128 hexadecimal digits each)"));
    }
    const Account* account = o_.identity.find(call.who.id);
    if (account == nullptr) return call.reply(problem(404, "identity.unknown", "no key of yours is known here"));
    if (account->key != *key) {
        const round::KeyRotated rotation{call.who.id, *key, account->key, *by_key, *by_former};
        Status rotated = round::check_rotation(o_.host.machine().plan().federation.id, rotation);
        if (rotated.ok()) rotated = o_.host.rotate(rotation);
        if (rotated.ok()) rotated = o_.identity.rekey(call.who.id, *key);
        if (!rotated.ok()) return call.reply(problem(rotated.error()));
        if (DspMailbox* const connector = connector_) connector->forget(call.who.id);
    }
    call.reply(json(commands::JsonObject().text("participant", call.who.id).text("public_key", codec::to_hex(*key)).str()));
}

void App::leave(Call& call) {
    if (Status left = o_.host.leave(call.who.id, "left by itself"); !left.ok()) return call.reply(problem(left.error()));
    if (DspMailbox* const connector = connector_) connector->forget(call.who.id);
    const Status gone = o_.identity.expel(call.who.id);
    end_listeners(call.who.id);
    if (!gone.ok()) return call.reply(problem(gone.error()));
    const auto withdrawal = withdrawal_of(o_.store, call.who.id);
    call.reply(withdrawal.ok() ? json(json_of(*withdrawal)) : problem(withdrawal.error()));
}

void App::me(Call& call) {
    commands::JsonObject body;
    body.text("participant", call.who.id).text("name", call.who.name).text("role", to_string(call.who.role));
    if (!call.who.person.empty()) body.text("person", call.who.person).boolean("joined", call.who.joined);
    if (call.who.role != Role::partner) body.boolean("reads_updates", call.who.role == Role::operator_ || o_.auditors_read_updates);
    for (const auto& p : o_.host.view().participants) {
        if (p.id != call.who.id || call.who.role != Role::partner) continue;
        body.text("standing", to_string(p.standing)).whole("contributions", p.contributions);
        body.whole("refusals", p.refusals).text("last_refusal", p.last_refusal);
    }
    DspMailbox* const connector = connector_;
    if (const auto standing = connector == nullptr ? std::nullopt : connector->standing_of(call.who.id)) {
        body.text("connector", standing->address);
        if (standing->reached_ms) body.whole("connector_reached_ms", static_cast<std::uint64_t>(*standing->reached_ms));
        if (!standing->problem.empty()) body.text("connector_problem", standing->problem);
    }
    call.reply(json(body.str()));
}

}  // namespace entente::native
