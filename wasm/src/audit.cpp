// A round checked in a page, out of what the coordinator shows: the page fetches what is wanted, and this says whether it holds
// (core: entente/round/audit.hpp, log_audit.hpp).
#include "entente/round/audit.hpp"

#include <algorithm>

#include "entente/round/log_audit.hpp"
#include "json.hpp"
#include "objects.hpp"

namespace entente::wasm {
namespace {

struct AuditObject final : Object {
    std::shared_ptr<PlanObject> plan;
    std::string note;
    std::uint64_t size = 0;  // that the note is signed over
    std::vector<round::Entry> ledger;
    std::map<std::string, Bytes> tiles;               // by path
    std::map<Digest, std::shared_ptr<const Bytes>> blobs;

    // Envelopes that computing the round again takes.
    [[nodiscard]] std::string wanted(std::uint64_t round) const {
        std::vector<std::pair<Digest, bool>> blobs_wanted;  // of an update?
        const round::RoundClosed* closed = nullptr;
        std::map<std::string, Digest> updates;
        std::set<std::string> gone;
        const round::ModelPublished* model = nullptr;
        for (const round::Entry& entry : ledger) {
            if (const auto* m = std::get_if<round::ModelPublished>(&entry.record.body)) {
                if (m->round == round) model = m;
                if (closed != nullptr && m->round == round + 1) blobs_wanted.emplace_back(m->blob, false);
            }
            const auto* update = std::get_if<round::UpdateAccepted>(&entry.record.body);
            if (update != nullptr && update->round == round) updates[update->participant] = update->blob;
            if (const auto* c = std::get_if<round::RoundClosed>(&entry.record.body); c != nullptr && c->round == round) closed = c;
            const auto* deleted = std::get_if<round::UpdatesDeleted>(&entry.record.body);
            if (deleted != nullptr && deleted->round == round) gone.insert(deleted->participants.begin(), deleted->participants.end());
        }
        if (model != nullptr) blobs_wanted.emplace_back(model->blob, false);
        if (model != nullptr && !model->memory.is_zero()) blobs_wanted.emplace_back(model->memory, false);
        const bool whole = closed != nullptr && std::none_of(closed->participants.begin(), closed->participants.end(), [&](const std::string& id) { return gone.count(id) > 0; });
        if (whole) {
            for (const std::string& id : closed->participants) blobs_wanted.emplace_back(updates[id], true);
        }
        return json_list(blobs_wanted, [](const auto& b) { return Json().text("blob", to_hex(b.first)).flag("update", b.second).done(); });
    }

    [[nodiscard]] std::string run(std::uint64_t round, bool updates) const {
        std::string problems;
        const auto tell = [&problems](const round::Problem& p) {
            problems += (problems.empty() ? "" : ",") + Json().text("subject", p.subject).text("code", p.code).text("sentence", p.sentence).number("sequence", p.sequence).done();
        };
        round::LogAuditOptions log_options{.federation = plan->plan.federation.id, .coordinator = plan->coordinator};
        log_options.read = [this](const proof::Tile& tile) -> Result<Bytes> {
            const auto it = tiles.find(proof::path_of(tile));
            if (it == tiles.end()) return Error{Code::not_found, "log.no-tile", "it could not be fetched"};
            return it->second;
        };
        log_options.on_problem = tell;
        round::LogAudit log(std::move(log_options));
        log.read_bundles(size);
        round::AuditOptions audit{.plan = plan->plan, .coordinator = plan->coordinator, .blobs = {}, .leaf_of = log.leaf_of()};
        audit.blobs = [this](const Digest& blob) -> Result<std::shared_ptr<contract::ByteSource>> {
            const auto it = blobs.find(blob);
            if (it == blobs.end()) return Error{Code::not_found, "blob.none", "the envelope " + short_hex(blob) + " could not be fetched"};
            return contract::make_source(it->second);
        };
        audit.only_round = round;
        audit.other_models = false;
        audit.updates = updates;
        audit.on_problem = tell;
        std::string found = "null";
        audit.on_round = [&](const round::RoundCheck& c) {
            if (c.round != round) return;
            found = Json().text("outcome", to_string(c.outcome)).flag("receipt", c.receipt).number("weight", c.weight)
                        .raw("participants", json_list(c.participants, [](const std::string& id) { return json_text(id); }))
                        .text("base_model", to_hex(c.base_model)).text("model", to_hex(c.model)).done();
        };
        round::audit(ledger, audit);
        log.check(ledger, note);
        return Json().number("records", ledger.size()).raw("round", found).raw("problems", "[" + problems + "]").done();
    }
};

}  // namespace
}  // namespace entente::wasm

using namespace entente;
using namespace entente::wasm;

extern "C" {

// `note`: the log's checkpoint, of which everything else is a part.
const Answer* ent_audit_begin(Handle plan, const char* note, std::uint32_t size) {
    return guard([&]() -> Result<Handle> {
        auto object = std::make_shared<AuditObject>();
        ENTENTE_ASSIGN(object->plan, find<PlanObject>(plan));
        object->note = text(note, size);
        ENTENTE_ASSIGN(const proof::Note read, proof::read_note(object->note));
        ENTENTE_ASSIGN(const proof::Checkpoint said, proof::check_checkpoint(read, proof::log_origin(object->plan->plan.federation.id), object->plan->coordinator));
        object->size = said.size;
        return keep(std::move(object));
    });
}

// What it takes of the log: {"records", "tiles": [paths]}.
const Answer* ent_audit_log(Handle handle) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto object, find<AuditObject>(handle));
        return entente::wasm::Json().number("records", object->size).raw("tiles", json_list(round::tiles_of(object->size), [](const proof::Tile& tile) { return json_text(proof::path_of(tile)); })).done();
    });
}

// A page of the ledger; how many records there are now.
const Answer* ent_audit_entries(Handle handle, const std::byte* page, std::uint32_t size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto object, find<AuditObject>(handle));
        ENTENTE_ASSIGN(auto entries, round::decode_entries(view(page, size)));
        for (round::Entry& entry : entries) {
            if (object->ledger.size() < object->size) object->ledger.push_back(std::move(entry));
        }
        return std::to_string(object->ledger.size());
    });
}

const Answer* ent_audit_tile(Handle handle, const char* path, std::uint32_t path_size, const std::byte* bytes, std::uint32_t size) {
    return guard([&]() -> Result<Done> {
        ENTENTE_ASSIGN(const auto object, find<AuditObject>(handle));
        const ByteView tile = view(bytes, size);
        object->tiles[std::string(text(path, path_size))].assign(tile.begin(), tile.end());
        return Done{};
    });
}

// [{"blob", "update"}] that computing the round again takes.
const Answer* ent_audit_wanted(Handle handle, double round) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto object, find<AuditObject>(handle));
        return object->wanted(static_cast<std::uint64_t>(round));
    });
}

const Answer* ent_audit_blob(Handle handle, const char* digest, std::uint32_t digest_size, const std::byte* bytes, std::uint32_t size) {
    return guard([&]() -> Result<Done> {
        ENTENTE_ASSIGN(const auto object, find<AuditObject>(handle));
        ENTENTE_ASSIGN(const Digest named, digest_from_hex(text(digest, digest_size)));
        const ByteView blob = view(bytes, size);
        object->blobs[named] = std::make_shared<const Bytes>(blob.begin(), blob.end());
        return Done{};
    });
}

// updates = 0: they cannot be read here. {"records", "round": {…} or null, "problems": [{"subject", "code", "sentence", "sequence"}]}.
// The envelopes are forgotten.
const Answer* ent_audit_run(Handle handle, double round, std::uint32_t updates) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto object, find<AuditObject>(handle));
        const std::string report = object->run(static_cast<std::uint64_t>(round), updates != 0);
        object->blobs.clear();
        return report;
    });
}

}  // extern "C"
