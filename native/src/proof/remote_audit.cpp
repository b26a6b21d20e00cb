#include "proof/remote_audit.hpp"

#include <algorithm>

#include "entente/round/evidence.hpp"
#include "commands/plan_file.hpp"
#include "entente/base/json.hpp"
#include "entente/codec/merkle.hpp"
#include "entente/round/log_audit.hpp"

namespace entente::native {
namespace {

constexpr std::uint64_t most_ledger_bytes = 1024 * 1024 * 1024;
constexpr std::uint64_t most_page_bytes = 64 * 1024 * 1024;
constexpr std::uint64_t most_document_bytes = 1024 * 1024;
constexpr std::uint64_t evidence_page = 200;

// 0 where there is none.
std::uint64_t whole_of(const Json* member) {
    const bool good = member != nullptr && !member->text.empty() && member->text.size() <= 18 && member->text.find_first_not_of("0123456789") == std::string::npos;
    return good ? std::stoull(member->text) : 0;
}

class RemoteAuditor {
public:
    explicit RemoteAuditor(const RemoteAudit& options) : o_(options) {}

    Result<RemoteReport> run() {
        progress(0, "the plan");
        ENTENTE_ASSIGN(const Json me, document("/api/v1/me"));
        const Json* role = me.find("role");
        const Json* reads = me.find("reads_updates");
        report_.role = role != nullptr ? role->text : std::string();
        report_.updates = reads != nullptr && reads->text == "true";
        ENTENTE_ASSIGN(const Bytes envelope, ask("/api/v1/plan", most_document_bytes));
        ENTENTE_ASSIGN(plan_, commands::open_plan_envelope(envelope, &report_.coordinator));
        if (o_.key && *o_.key != report_.coordinator) {
            return Error{Code::unauthenticated, "verify.other-key", "expected the coordinator's key " + codec::to_hex(*o_.key) + ", found " + codec::to_hex(report_.coordinator)};
        }
        report_.federation = plan_.federation.id;
        report_.plan = plan::digest_of(plan_);
        ENTENTE_ASSIGN(note_, text("/api/v1/log/checkpoint"));
        ENTENTE_ASSIGN(const proof::Note note, proof::read_note(note_));
        ENTENTE_ASSIGN(const proof::Checkpoint head, proof::check_checkpoint(note, proof::log_origin(report_.federation), report_.coordinator));
        report_.signed_records = head.size;
        ENTENTE_TRY(report_.role == "partner" ? check_own(head) : check_all(head.size));
        return std::move(report_);
    }

private:
    void tell(const round::Problem& problem) {
        ++report_.problems;
        if (o_.on_problem) o_.on_problem(problem);
    }
    void tell(const std::string& subject, const Error& error) { tell({0, subject, error.reason, error.message}); }
    void progress(double fraction, const std::string& what) {
        if (o_.on_progress) o_.on_progress(fraction, what);
    }

    Result<Bytes> ask(const std::string& target, std::uint64_t limit) {
        hub::HttpRequest request;
        request.target = target;
        request.response_limit = limit;
        ENTENTE_ASSIGN(hub::HttpResponse response, o_.http.send(request, nullptr, {}));
        ENTENTE_TRY(hub::error_of(response));
        return std::move(response.body);
    }

    Result<std::string> text(const std::string& target, std::uint64_t limit = most_document_bytes) {
        ENTENTE_ASSIGN(const Bytes bytes, ask(target, limit));
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }

    Result<Json> document(const std::string& target) {
        ENTENTE_ASSIGN(const std::string body, text(target));
        return read_json(body, {.bytes = most_document_bytes, .depth = 16});
    }

    Result<Bytes> tile(const proof::Tile& tile) { return ask("/api/v1/log/" + proof::path_of(tile), most_document_bytes); }

    Status read_ledger(std::uint64_t size) {
        std::uint64_t bytes = 0;
        while (ledger_.size() < size) {
            progress(0.3 * static_cast<double>(ledger_.size()) / static_cast<double>(size), "the ledger");
            const std::uint64_t left = size - ledger_.size();
            ENTENTE_ASSIGN(const Bytes page, ask("/api/v1/ledger/entries?after=" + std::to_string(ledger_.size()) + "&limit=" + std::to_string(std::min<std::uint64_t>(left, 1'000)), most_page_bytes));
            ENTENTE_ASSIGN(auto entries, round::decode_entries(page));
            if (entries.empty() || entries.size() > left) {
                tell("ledger", {Code::data_loss, "ledger.short", "the log is signed over " + std::to_string(size) + " records, " + std::to_string(ledger_.size()) + " are shown"});
                return done();
            }
            bytes += page.size();
            if (bytes > most_ledger_bytes) return Error{Code::too_large, "verify.too-long", "the ledger is longer than 1 GiB: verify a copy of the data folder"};
            std::move(entries.begin(), entries.end(), std::back_inserter(ledger_));
        }
        return done();
    }

    // Operator and auditor: the same as of a folder, but for files that no record names.
    Status check_all(std::uint64_t size) {
        ENTENTE_TRY(read_ledger(size));
        report_.records = ledger_.size();
        round::LogAuditOptions log_options{.federation = report_.federation, .coordinator = report_.coordinator};
        log_options.read = [this](const proof::Tile& t) { return tile(t); };
        log_options.on_problem = [this](const round::Problem& p) { tell(p); };
        round::LogAudit log(std::move(log_options));
        log.read_bundles(size);
        round::AuditOptions audit{.plan = plan_, .coordinator = report_.coordinator, .blobs = {}, .leaf_of = log.leaf_of()};
        const std::uint64_t limit = std::max(plan::envelope_limit(plan::update_limits(plan_)), plan::envelope_limit(plan::model_limits(plan_)));
        audit.blobs = [this, limit](const Digest& blob) -> Result<std::shared_ptr<contract::ByteSource>> {
            ENTENTE_ASSIGN(Bytes bytes, ask("/api/v1/blobs/" + to_hex(blob), limit));
            return contract::make_source(std::move(bytes));
        };
        audit.only_round = o_.only_round;
        audit.other_models = false;
        audit.updates = report_.updates;
        audit.executor = o_.executor;
        audit.on_problem = [this](const round::Problem& p) { tell(p); };
        std::uint64_t rounds = 0;
        audit.on_round = [this, &rounds](const round::RoundCheck& check) {
            progress(0.3 + 0.6 * std::min(1.0, static_cast<double>(++rounds) / plan_.round.rounds), "round " + std::to_string(check.round));
            if (o_.on_round) o_.on_round(check);
        };
        const round::AuditResult result = round::audit(ledger_, audit);
        report_.rounds = result.rounds;
        report_.recomputed = result.recomputed;
        progress(0.9, "the log");
        log.check(ledger_, note_);
        return done();
    }

    // A partner: the tree's hashes lead to the signed root; receipts, and its own part of them; its own records.
    Status check_own(const proof::Checkpoint& head) {
        codec::MerkleFrontier tree;
        for (const proof::Tile& t : round::tiles_of(head.size)) {
            if (t.entries || t.level > 0) continue;
            progress(0.4 * static_cast<double>(tree.leaves()) / static_cast<double>(head.size), "the log");
            ENTENTE_ASSIGN(const Bytes hashes, tile(t));
            if (hashes.size() != t.width * sizeof(Digest)) {
                tell(proof::path_of(t), {Code::data_loss, "tile.size", "it has not the size that it should have"});
                return done();
            }
            for (std::size_t at = 0; at < hashes.size(); at += sizeof(Digest)) {
                Digest leaf;
                std::copy_n(hashes.begin() + static_cast<std::ptrdiff_t>(at), sizeof(Digest), leaf.bytes.begin());
                tree.add(leaf);
            }
        }
        if (tree.root() != head.root) tell("checkpoint", {Code::data_loss, "log.other-history", "its tiles lead to another root than it signs"});
        ENTENTE_ASSIGN(const Json federation, document("/api/v1/federation"));
        const std::uint64_t now = std::min(whole_of(federation.find("round")), std::uint64_t{plan_.contract.max_rounds} + plan_.round.rounds);
        for (std::uint64_t round = 1; round <= now; ++round) {
            progress(0.4 + 0.4 * static_cast<double>(round) / static_cast<double>(now), "round " + std::to_string(round));
            if (o_.only_round && *o_.only_round != round) continue;
            check_own_round(round);
        }
        return check_evidence();
    }

    void check_own_round(std::uint64_t round) {
        const std::string subject = "round " + std::to_string(round) + ": receipt";
        const auto found = text("/api/v1/receipts/" + std::to_string(round), most_page_bytes);
        if (!found.ok() && found.error().reason == "receipt.none") return;
        const auto good = found.ok() ? round::check_evidence(*found, report_.coordinator) : Result<round::EvidenceReport>(found.error());
        if (!good.ok()) return tell(subject, good.error());
        if (!good->receipt || good->receipt->round != round || good->receipt->plan != report_.plan) return tell(subject, {Code::data_loss, "receipt.other", "it is another round's"});
        ++report_.rounds;
        round::RoundCheck check{round, round::Recomputed::unreadable, {}, good->receipt->weight, good->receipt->base_model, good->receipt->model, true};
        for (const round::Record& record : good->records) {
            if (const auto* update = std::get_if<round::UpdateAccepted>(&record.body)) check.participants.push_back(update->participant);
        }
        if (o_.on_round) o_.on_round(check);
    }

    Status check_evidence() {
        for (std::uint64_t after = 0;;) {
            progress(0.9, "your records");
            ENTENTE_ASSIGN(const std::string page, text("/api/v1/evidence?after=" + std::to_string(after) + "&limit=" + std::to_string(evidence_page), most_page_bytes));
            const auto good = round::check_evidence(page, report_.coordinator);
            if (!good.ok()) {
                tell("evidence after record " + std::to_string(after), good.error());
                return done();
            }
            report_.records += good->records.size();
            ENTENTE_ASSIGN(const Json root, read_json(page, {.bytes = most_page_bytes, .depth = 16}));
            const std::uint64_t to = whole_of(root.find("next"));
            if (to <= after) return done();
            after = to;
        }
    }

    const RemoteAudit& o_;
    RemoteReport report_;
    plan::Plan plan_;
    std::string note_;
    std::vector<round::Entry> ledger_;
};

}  // namespace

Result<RemoteReport> audit_remote(const RemoteAudit& options) { return RemoteAuditor(options).run(); }

}  // namespace entente::native
