#include "cli/verify.hpp"

#include <filesystem>

#include "base/files.hpp"
#include "cli/token.hpp"
#include "entente/round/evidence.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/base/json.hpp"
#include "entente/base/json_text.hpp"
#include "proof/folder_audit.hpp"
#include "proof/remote_audit.hpp"

namespace entente::native {
namespace {

using commands::Environment;
using commands::JsonObject;
using commands::pad;
using commands::printable;

constexpr std::uint64_t most_file_bytes = 256 * 1024 * 1024;

std::string_view sentence_of(round::Recomputed outcome) {
    switch (outcome) {
        case round::Recomputed::same: return "computed again: the same, bit for bit";
        case round::Recomputed::deleted: return "its updates were deleted as agreed; not computed again";
        case round::Recomputed::not_asked: return "not computed again";
        case round::Recomputed::unreadable: return "its updates are not for this token to read; not computed again";
        case round::Recomputed::wrong: return "DOES NOT HOLD";
    }
    return "";
}

// What was damaged may be no text any more, and must not make damaged text of what is said about it.
std::string safe(const std::string& text) {
    std::string out = printable(text);
    if (read_json(json_text(out), {.bytes = 1024 * 1024, .depth = 1}).ok()) return out;
    for (char& c : out) {
        if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
    return out;
}

class Printer {
public:
    Printer(const VerifyOptions& options, Environment& environment) : o_(options), environment_(environment) {}

    void problem(const round::Problem& p) {
        if (o_.json) {
            JsonObject line;
            line.text("event", "problem").text("subject", safe(p.subject)).text("code", p.code).text("sentence", safe(p.sentence));
            if (p.sequence > 0) line.whole("sequence", p.sequence);
            return environment_.print(line.str() + "\n");
        }
        environment_.progress(0, "");
        environment_.print("  Problem      " + safe(p.subject) + ": " + safe(p.sentence) + " (code " + p.code + ")\n");
    }

    void round(const round::RoundCheck& c) {
        std::string names;
        for (const std::string& name : c.participants) names += (names.empty() ? "" : ", ") + safe(name);
        if (o_.json) {
            JsonObject line;
            line.text("event", "round").whole("round", c.round).text("outcome", to_string(c.outcome)).boolean("receipt", c.receipt);
            line.text("participants", names).whole("weight", c.weight).text("base_model", to_hex(c.base_model));
            return environment_.print(line.text("model", to_hex(c.model)).str() + "\n");
        }
        if (c.outcome == round::Recomputed::not_asked) return;
        environment_.progress(0, "");
        environment_.print("  " + pad("Round " + std::to_string(c.round), 13) + names + ": " + short_hex(c.base_model) + " -> " + short_hex(c.model) + "   " +
                           std::string(sentence_of(c.outcome)) + (c.receipt ? ", receipt signed" : ", NO RECEIPT") + "\n");
    }

    int folder() {
        FolderAudit audit{.folder = o_.what};
        if (o_.round > 0) audit.only_round = static_cast<std::uint64_t>(o_.round);
        audit.on_problem = [this](const round::Problem& p) { problem(p); };
        audit.on_round = [this](const round::RoundCheck& c) { round(c); };
        audit.on_progress = [this](double fraction, const std::string& what) { environment_.progress(fraction, what); };
        audit.executor = &environment_.executor(0);
        const auto report = audit_folder(audit);
        if (!report.ok()) return commands::report(report.error(), environment_);
        const FolderReport& r = *report;
        environment_.progress(0, "");
        if (o_.json) {
            JsonObject line;
            line.text("event", "result").boolean("holds", r.problems == 0).whole("problems", r.problems).text("federation", r.federation);
            line.text("plan_digest", to_hex(r.plan)).text("coordinator_key", codec::to_hex(r.coordinator)).whole("records", r.records);
            line.whole("signed_records", r.signed_records).whole("blobs", r.blobs).whole("rounds", r.rounds).whole("recomputed", r.recomputed);
            environment_.print(line.boolean("manifest", r.manifest).str() + "\n");
        } else {
            environment_.print("  Federation   " + printable(r.federation) + "   plan " + short_hex(r.plan) + ", coordinator's key " + codec::to_hex(r.coordinator) + "\n");
            environment_.print("  Ledger       " + commands::grouped(r.records) + " records, the log's checkpoint signed over " + commands::grouped(r.signed_records) + "\n");
            environment_.print("  Rounds       " + std::to_string(r.rounds) + " with a model, " + std::to_string(r.recomputed) + " computed again\n");
            environment_.print("  Files        " + std::to_string(r.blobs) + " envelopes; " +
                               (r.manifest ? "the others compared with the list that the coordinator left\n"
                                           : "no list of the others: the coordinator was not stopped in order, and what its databases hold beside the ledger is not covered\n"));
            environment_.print(r.problems == 0 ? "  Result       everything holds\n" : "  Result       " + std::to_string(r.problems) + (r.problems == 1 ? " problem\n" : " problems\n"));
        }
        return r.problems == 0 ? commands::exit_done : commands::exit_bad_data;
    }

    int url() {
        const auto report = remote();
        if (!report.ok()) return commands::report(report.error(), environment_);
        const RemoteReport& r = *report;
        environment_.progress(0, "");
        if (o_.json) {
            JsonObject line;
            line.text("event", "result").boolean("holds", r.problems == 0).whole("problems", r.problems).text("federation", r.federation).text("role", r.role);
            line.text("plan_digest", to_hex(r.plan)).text("coordinator_key", codec::to_hex(r.coordinator)).whole("records", r.records);
            line.whole("signed_records", r.signed_records).whole("rounds", r.rounds).whole("recomputed", r.recomputed);
            environment_.print(line.boolean("updates_readable", r.updates).str() + "\n");
        } else {
            const bool partner = r.role == "partner";
            environment_.print("  Federation   " + printable(r.federation) + "   plan " + short_hex(r.plan) + "\n");
            environment_.print("  Signed by    " + codec::to_hex(r.coordinator) + (o_.key.empty() ? "   (as it says itself; --key compares)\n" : "\n"));
            environment_.print("  Ledger       " + commands::grouped(r.records) + (partner ? " records of yours" : " records") + ", the log's checkpoint signed over " + commands::grouped(r.signed_records) + "\n");
            environment_.print("  Rounds       " + std::to_string(r.rounds) + " with a model, " + std::to_string(r.recomputed) + " computed again\n");
            environment_.print(r.problems == 0 ? "  Result       everything that this token may see holds\n" : "  Result       " + std::to_string(r.problems) + (r.problems == 1 ? " problem\n" : " problems\n"));
        }
        return r.problems == 0 ? commands::exit_done : commands::exit_bad_data;
    }

    int file() {
        const auto report = check();
        if (!report.ok()) return commands::report(report.error(), environment_);
        if (o_.json) {
            JsonObject line;
            line.text("event", "result").boolean("holds", true).text("coordinator_key", codec::to_hex(report->coordinator));
            line.whole("records", report->records.size()).whole("unproved", report->unproved);
            if (report->checkpoint) line.whole("log_size", report->checkpoint->size);
            if (report->receipt) line.raw("receipt", proof::payload_of(*report->receipt));
            environment_.print(line.str() + "\n");
            return commands::exit_done;
        }
        if (report->receipt) {
            const proof::Receipt& r = *report->receipt;
            environment_.print("  Receipt      round " + std::to_string(r.round) + " of " + printable(r.federation) + ": " + std::to_string(r.updates) + " updates, weight " +
                               commands::grouped(r.weight) + ", by " + printable(r.rule) + ": " + short_hex(r.base_model) + " -> " + short_hex(r.model) + "\n");
        } else {
            environment_.print("  Evidence     of " + printable(report->participant) + "\n");
        }
        environment_.print("  Signed by    " + codec::to_hex(report->coordinator) + (o_.key.empty() ? "   (as the file says; --key compares)\n" : "\n"));
        if (report->checkpoint) environment_.print("  Log          in its first " + commands::grouped(report->checkpoint->size) + " records\n");
        for (const round::Record& record : report->records) environment_.print("  " + pad(round::kind_of(record), 20) + " " + printable(round::summary_of(record)) + "\n");
        environment_.print(report->unproved == 0 ? "  Result       everything in it holds\n"
                                                 : "  Result       it holds; " + std::to_string(report->unproved) + " of its records no checkpoint covered yet\n");
        return commands::exit_done;
    }

private:
    Result<std::optional<codec::PublicKey>> key() const {
        if (o_.key.empty()) return std::optional<codec::PublicKey>();
        ENTENTE_ASSIGN(const codec::PublicKey known, codec::public_key_from_hex(o_.key));
        return std::optional(known);
    }

    Result<RemoteReport> remote() {
        ENTENTE_ASSIGN(const auto known, key());
        ENTENTE_ASSIGN(const auto http, http_with_token({o_.what, o_.ca_file}, o_.token_file, "a token of the operator, an auditor or a partner"));
        RemoteAudit audit{.http = *http, .key = known};
        if (o_.round > 0) audit.only_round = static_cast<std::uint64_t>(o_.round);
        audit.on_problem = [this](const round::Problem& p) { problem(p); };
        audit.on_round = [this](const round::RoundCheck& c) { round(c); };
        audit.on_progress = [this](double fraction, const std::string& what) { environment_.progress(fraction, what); };
        audit.executor = &environment_.executor(0);
        return audit_remote(audit);
    }

    Result<round::EvidenceReport> check() {
        ENTENTE_ASSIGN(const auto known, key());
        ENTENTE_ASSIGN(const std::string text, read_text_file(o_.what, most_file_bytes));
        auto report = round::check_evidence(text, known);
        if (report.ok() || report.error().reason != "json.malformed") return report;
        // Evidence of many records is a page a line.
        std::optional<round::EvidenceReport> all;
        for (std::string_view rest = text; !rest.empty();) {
            const std::string_view line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), line.size() + 1));
            if (line.empty()) continue;
            ENTENTE_ASSIGN(round::EvidenceReport page, round::check_evidence(line, known));
            if (!all) {
                all = std::move(page);
                continue;
            }
            if (page.receipt || page.participant != all->participant || page.coordinator != all->coordinator) {
                return Error{Code::data_loss, "evidence.mixed", "evidence: expected pages of one participant and one coordinator, found another's"};
            }
            all->checkpoint = page.checkpoint;
            all->unproved += page.unproved;
            std::move(page.records.begin(), page.records.end(), std::back_inserter(all->records));
        }
        if (!all) return report;
        return *std::move(all);
    }

    const VerifyOptions& o_;
    Environment& environment_;
};

}  // namespace

int verify(const VerifyOptions& options, commands::Environment& environment) {
    Printer printer(options, environment);
    if (is_url(options.what)) return printer.url();
    std::error_code ignored;
    return std::filesystem::is_directory(options.what, ignored) ? printer.folder() : printer.file();
}

}  // namespace entente::native
