// The transparency log, receipts and evidence. Hashes are everybody's who takes part; what opens them is the operator's and
// the auditor's, and of its own records a partner's.
#include "api/app.hpp"
#include "api/json_body.hpp"
#include "commands/text.hpp"
#include "entente/base/base64.hpp"
#include "proof/evidence.hpp"

namespace entente::native {

using commands::JsonObject;
using http::json;
using http::problem;

namespace {

constexpr std::uint64_t largest_page = 1'000;
constexpr std::size_t enough_bytes = 4 * 1024 * 1024;  // of entries in one answer

std::optional<std::uint64_t> whole_of(std::string_view text) {
    if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    return std::stoull(std::string(text));
}

std::optional<std::uint64_t> whole_of(const http::Request& request, const std::string& key) {
    const auto it = request.query.find(key);
    return it == request.query.end() ? std::nullopt : whole_of(it->second);
}

http::Response plain(std::string text) {
    http::Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.body = std::move(text);
    return response;
}

}  // namespace

void App::log_checkpoint(Call& call) { call.reply(plain(o_.host.log().note())); }

void App::log_tile(Call& call) {
    const auto tile = proof::tile_from_path("tile/" + call.parameters.at(0));
    if (!tile.ok()) return call.reply(problem(404, tile.error().reason, tile.error().message));
    if (tile->entries && call.who.role == Role::partner) {
        return call.reply(problem(403, "log.entries", "the log's entries open what others have done: they are the operator's and the auditor's"));
    }
    const auto bytes = o_.host.log().tile(*tile);
    call.reply(bytes.ok() ? http::binary(*bytes) : problem(bytes.error()));
}

void App::log_consistency(Call& call) {
    const auto from = whole_of(call.request, "from");
    const auto to = whole_of(call.request, "to");
    if (!from || !to) return call.reply(problem(400, "log.sizes", "expected ?from= and ?to=, sizes of the log"));
    const auto path = o_.host.log().consistency(*from, *to);
    if (!path.ok()) return call.reply(problem(path.error()));
    std::string hashes;
    for (const Digest& hash : *path) hashes += (hashes.empty() ? "\"" : ",\"") + to_base64(hash.bytes) + "\"";
    call.reply(json(JsonObject().whole("from", *from).whole("to", *to).raw("proof", "[" + hashes + "]").str()));
}

void App::log_proof(Call& call) {
    const auto index = whole_of(call.parameters.at(0));
    if (!index) return call.reply(problem(400, "log.index", "expected the index of an entry, 0 for the first"));
    const auto proof = o_.host.log().proof_of(*index);
    call.reply(proof.ok() ? plain(proof::write_tlog_proof(*proof)) : problem(proof.error()));
}

void App::log_cosign(Call& call) {
    const Account* account = o_.identity.find(call.who.id);
    if (account == nullptr) return call.reply(problem(404, "identity.unknown", "no key of yours is known here"));
    const Status kept = o_.host.cosigned(call.request.body, call.who.id, account->key);
    call.reply(kept.ok() ? http::no_content() : problem(kept.error()));
}

void App::receipt(Call& call) {
    const auto round = whole_of(call.parameters.at(0));
    if (!round) return call.reply(problem(400, "receipt.round", "expected the number of a round"));
    const std::string whose = call.who.role == Role::partner ? call.who.id : std::string();
    const auto found = receipt_json(o_.store, o_.host.log(), o_.coordinator_key, *round, whose);
    call.reply(found.ok() ? json(*found) : problem(found.error()));
}

void App::evidence(Call& call) {
    std::string whose = call.who.id;
    if (call.who.role != Role::partner) {
        const auto asked = call.request.query.find("participant");
        if (asked == call.request.query.end()) return call.reply(problem(400, "evidence.participant", "expected ?participant=, whose evidence"));
        whose = asked->second;
    }
    if (o_.identity.find(whose) == nullptr) return call.reply(problem(404, "identity.unknown", "no participant " + whose.substr(0, 64) + " is known here"));
    const std::uint64_t limit = std::clamp<std::uint64_t>(whole_of(call.request, "limit").value_or(100), 1, largest_page);
    const auto found = evidence_json(o_.store, o_.host.log(), o_.coordinator_key, whose, whole_of(call.request, "after").value_or(0), limit);
    call.reply(found.ok() ? json(*found) : problem(found.error()));
}

void App::ledger_entries(Call& call) {
    const std::uint64_t after = whole_of(call.request, "after").value_or(0);
    const std::uint64_t limit = std::clamp<std::uint64_t>(whole_of(call.request, "limit").value_or(largest_page), 1, largest_page);
    const auto entries = o_.store.entries(after + 1, after + limit);
    if (!entries.ok()) return call.reply(problem(entries.error()));
    Bytes page;
    for (const round::Entry& entry : *entries) {
        if (page.size() >= enough_bytes) break;
        round::append_entry(page, entry);
    }
    call.reply(http::binary(page));
}

void App::blob(Call& call) {
    const auto digest = digest_from_hex(call.parameters.at(0));
    if (!digest.ok()) return call.reply(problem(400, "blob.digest", "expected the SHA-256 of an envelope, in hexadecimal digits"));
    const auto kind = ledger_blobs_.find(*digest);
    if (!kind.ok()) return call.reply(problem(kind.error()));
    if (*kind == LedgerBlobs::Kind::update && call.who.role != Role::operator_ && !o_.auditors_read_updates) {
        return call.reply(problem(403, "blob.update", "the operator does not let auditors read updates (serve --auditors-read-updates)"));
    }
    auto source = o_.blobs.open_blob(*digest);
    std::error_code failed;
    const std::uint64_t size = std::filesystem::file_size(o_.blobs.path_of(*digest), failed);
    if (!source.ok() || failed) return call.reply(problem(404, "blob.none", "the envelope " + short_hex(*digest) + " is not stored"));
    http::Response response;
    response.content_type = "application/octet-stream";
    response.headers.emplace_back("Cache-Control", "no-store");
    response.content = std::move(source).value();
    response.content_bytes = size;
    call.reply(std::move(response));
}

}  // namespace entente::native
