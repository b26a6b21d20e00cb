#include "cli/ledger.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "base/files.hpp"
#include "cli/key_file.hpp"
#include "cli/token.hpp"
#include "entente/round/evidence.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/base/json.hpp"
#include "join/membership.hpp"
#include "proof/evidence.hpp"

namespace entente::native {
namespace {

using commands::Environment;
using commands::JsonObject;
using commands::pad;
using commands::printable;

constexpr std::uint64_t page = 1'000;
constexpr std::uint64_t page_by_http = 200;  // a response has a limit

// Where evidence comes from: one page of it for one partner, as JSON.
class Source {
public:
    virtual ~Source() = default;
    virtual Result<std::vector<std::string>> partners() = 0;
    virtual Result<std::string> evidence(const std::string& partner, std::uint64_t after) = 0;
};

class FolderSource final : public Source {
public:
    static Result<std::unique_ptr<Source>> open(const std::filesystem::path& folder) {
        std::error_code ignored;
        if (!std::filesystem::exists(folder / "entente.db", ignored)) {
            return Error{Code::not_found, "ledger.no-folder", folder.string() + ": expected a coordinator's data folder, found no entente.db in it"};
        }
        if (const auto size = std::filesystem::file_size(folder / "entente.db-wal", ignored); !ignored && size > 0) {
            return Error{Code::conflict, "ledger.in-use", folder.string() + ": its coordinator runs, or was killed: ask it by its URL, or start and stop it once"};
        }
        ENTENTE_ASSIGN(StateStore store, StateStore::open_to_verify((folder / "entente.db").string()));
        ENTENTE_ASSIGN(const auto activated, store.entries_of_kind("federation.activated"));
        ENTENTE_ASSIGN(const auto plan_bytes, store.meta("plan"));
        if (activated.empty() || !plan_bytes) return Error{Code::not_found, "ledger.empty", folder.string() + ": no federation has begun here"};
        ENTENTE_ASSIGN(const plan::Plan plan, plan::from_canonical_bytes(*plan_bytes));
        if (!std::filesystem::exists(folder / "coordinator.key", ignored)) {
            return Error{Code::not_found, "ledger.no-key", folder.string() + ": without coordinator.key no record can be opened; ask the coordinator by its URL"};
        }
        ENTENTE_ASSIGN(codec::SigningKey key, load_or_make_key(folder / "coordinator.key"));
        const codec::PublicKey coordinator = key.public_key();
        ENTENTE_ASSIGN(auto log, TransparencyLog::open({folder / "log", plan.federation.id, std::move(key)}));
        return std::unique_ptr<Source>(new FolderSource(std::move(store), std::move(log), coordinator));
    }

    Result<std::vector<std::string>> partners() override {
        ENTENTE_ASSIGN(const auto admitted, store_.entries_of_kind("participant.admitted"));
        std::vector<std::string> ids;
        for (const round::Entry& entry : admitted) {
            const auto& who = std::get<round::ParticipantAdmitted>(entry.record.body);
            if (std::find(ids.begin(), ids.end(), who.participant) == ids.end()) ids.push_back(who.participant);
        }
        return ids;
    }

    Result<std::string> evidence(const std::string& partner, std::uint64_t after) override {
        ENTENTE_ASSIGN(const auto all, partners());
        if (std::find(all.begin(), all.end(), partner) == all.end()) return Error{Code::not_found, "ledger.no-partner", "the ledger knows no partner " + partner};
        return evidence_json(store_, *log_, coordinator_, partner, after, page);
    }

private:
    FolderSource(StateStore store, std::unique_ptr<TransparencyLog> log, const codec::PublicKey& coordinator)
        : store_(std::move(store)), log_(std::move(log)), coordinator_(coordinator) {}
    StateStore store_;
    std::unique_ptr<TransparencyLog> log_;
    codec::PublicKey coordinator_;
};

class UrlSource final : public Source {
public:
    static Result<std::unique_ptr<Source>> open(const LedgerOptions& o) {
        ENTENTE_ASSIGN(auto http, http_with_token({o.source, o.ca_file}, o.token_file, "the operator's or auditor's token"));
        return std::unique_ptr<Source>(new UrlSource(std::move(http)));
    }

    Result<std::vector<std::string>> partners() override {
        ENTENTE_ASSIGN(const std::string text, ask_text(*http_, "GET", "/api/v1/status", {}));
        ENTENTE_ASSIGN(const Json status, read_json(text, {.bytes = 64 * 1024 * 1024, .depth = 16}));
        std::vector<std::string> ids;
        const Json* list = status.find("participants");
        for (const Json& participant : list != nullptr ? list->items : std::vector<Json>{}) {
            if (const Json* id = participant.find("id")) ids.push_back(id->text);
        }
        return ids;
    }

    Result<std::string> evidence(const std::string& partner, std::uint64_t after) override {
        const bool plain = !partner.empty() && partner.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
        if (!plain) return Error{Code::invalid_argument, "usage.partner", "--partner: expected an id of a-z, 0-9 and hyphens"};
        return ask_text(*http_, "GET", "/api/v1/evidence?participant=" + partner + "&after=" + std::to_string(after) + "&limit=" + std::to_string(page_by_http), {});
    }

private:
    explicit UrlSource(std::shared_ptr<hub::HttpClient> http) : http_(std::move(http)) {}
    std::shared_ptr<hub::HttpClient> http_;
};

Result<std::unique_ptr<Source>> open_source(const LedgerOptions& o) {
    return is_url(o.source) ? UrlSource::open(o) : FolderSource::open(o.source);
}

// Every page of a partner's evidence, each proof in it checked; the pages go to `each`.
Result<std::vector<round::Record>> records_of(Source& source, const std::string& partner, const std::function<void(const std::string&)>& each) {
    std::vector<round::Record> all;
    std::uint64_t after = 0;
    do {
        ENTENTE_ASSIGN(const std::string text, source.evidence(partner, after));
        ENTENTE_ASSIGN(round::EvidenceReport report, round::check_evidence(text, {}));
        std::move(report.records.begin(), report.records.end(), std::back_inserter(all));
        if (each) each(text);
        ENTENTE_ASSIGN(const Json root, read_json(text, {.bytes = 256 * 1024 * 1024, .depth = 16}));
        const Json* next = root.find("next");
        after = next != nullptr && next->text.size() <= 18 && !next->text.empty() ? std::stoull(next->text) : 0;
    } while (after != 0);
    return all;
}

struct Account {
    std::vector<const contract::Agreement*> agreements;
    std::vector<const round::UpdateRefused*> refusals;
    std::vector<const round::PolicyDecided*> denials;
    std::vector<std::uint64_t> rounds;  // in which an update of it was counted
    std::uint64_t updates_fetched = 0;
    std::uint64_t models_fetched = 0;
    bool left = false;
};

Account account_of(const std::string& partner, const std::vector<round::Record>& records) {
    Account account;
    std::set<std::string> of_updates;
    for (const round::Record& record : records) {
        if (const auto* a = std::get_if<round::AgreementConcluded>(&record.body)) {
            account.agreements.push_back(&a->agreement);
            if (a->agreement.offer.offer.assigner == partner) of_updates.insert(a->agreement.id);
        }
    }
    for (const round::Record& record : records) {
        if (const auto* d = std::get_if<round::PolicyDecided>(&record.body)) {
            if (!d->permitted) {
                account.denials.push_back(d);
            } else if (d->point == policy::Point::transfer) {
                ++(of_updates.count(d->agreement) > 0 ? account.updates_fetched : account.models_fetched);
            }
        }
        if (const auto* u = std::get_if<round::UpdateAccepted>(&record.body)) account.rounds.push_back(u->round);
        if (const auto* r = std::get_if<round::UpdateRefused>(&record.body)) account.refusals.push_back(r);
        if (std::holds_alternative<round::ParticipantLeft>(record.body)) account.left = true;
        if (std::holds_alternative<round::ParticipantAdmitted>(record.body)) account.left = false;
    }
    return account;
}

std::string json_of(const std::string& partner, const Account& a) {
    const auto list = [](const auto& items, const auto& write) {
        std::string out;
        for (const auto* item : items) out += (out.empty() ? "" : ",") + write(*item);
        return "[" + out + "]";
    };
    JsonObject object;
    object.text("partner", partner).boolean("left", a.left);
    object.raw("agreements", list(a.agreements, [](const contract::Agreement& g) {
        return JsonObject().text("id", g.id).text("asset", g.offer.offer.asset).text("assigner", g.offer.offer.assigner)
            .whole("agreed_at_ms", static_cast<std::uint64_t>(g.acceptance.agreed_at_ms)).str();
    }));
    std::string rounds;
    for (const std::uint64_t round : a.rounds) rounds += (rounds.empty() ? "" : ",") + std::to_string(round);
    object.whole("updates_counted", a.rounds.size()).raw("rounds", "[" + rounds + "]").whole("updates_fetched", a.updates_fetched).whole("models_fetched", a.models_fetched);
    object.raw("refusals", list(a.refusals, [](const round::UpdateRefused& r) {
        return JsonObject().whole("round", r.round).text("code", r.code).text("sentence", r.sentence).str();
    }));
    object.raw("denials", list(a.denials, [](const round::PolicyDecided& d) {
        return JsonObject().whole("round", d.round).text("point", policy::to_string(d.point)).text("code", d.code).text("sentence", d.sentence).str();
    }));
    return object.str();
}

Status show_all(Source& source, const LedgerOptions& o, Environment& environment) {
    ENTENTE_ASSIGN(const std::vector<std::string> partners, source.partners());
    if (!o.json) environment.print("  " + pad("Partner", 24) + pad("agreements", 12) + pad("updates in", 12) + pad("refused", 9) + pad("models out", 12) + "denied\n");
    for (const std::string& partner : partners) {
        ENTENTE_ASSIGN(const std::vector<round::Record> records, records_of(source, partner, {}));
        const Account a = account_of(partner, records);
        if (o.json) {
            environment.print(json_of(partner, a) + "\n");
            continue;
        }
        const auto cell = [](std::uint64_t n, std::size_t width) { return pad(commands::grouped(n), width); };
        environment.print("  " + pad(printable(partner), 24) + cell(a.agreements.size(), 12) + cell(a.rounds.size(), 12) + cell(a.refusals.size(), 9) +
                          cell(a.models_fetched, 12) + commands::grouped(a.denials.size()) + (a.left ? "   has left" : "") + "\n");
        for (const contract::Agreement* g : a.agreements) environment.print("    " + g->id + "   " + printable(g->offer.offer.asset) + "\n");
        std::string rounds;
        for (const std::uint64_t round : a.rounds) rounds += (rounds.empty() ? "    its updates are in the models of rounds " : ", ") + std::to_string(round);
        if (!rounds.empty()) environment.print(rounds + "\n");
        for (const round::UpdateRefused* r : a.refusals) environment.print("    round " + std::to_string(r->round) + " refused: " + printable(r->sentence) + " (code " + r->code + ")\n");
        for (const round::PolicyDecided* d : a.denials) environment.print("    round " + std::to_string(d->round) + " denied at " + std::string(policy::to_string(d->point)) + ": " + printable(d->sentence) + " (code " + d->code + ")\n");
    }
    return done();
}

Status run(const LedgerOptions& o, Environment& environment) {
    ENTENTE_ASSIGN(const auto source, open_source(o));
    if (o.partner.empty()) return show_all(*source, o, environment);
    // A page a line; one page, as nearly all are, is one JSON document.
    ENTENTE_TRY(records_of(*source, o.partner, [&environment](const std::string& text) { environment.print(text + "\n"); }));
    return done();
}

}  // namespace

int ledger(const LedgerOptions& options, commands::Environment& environment) {
    const Status ended = run(options, environment);
    return ended.ok() ? commands::exit_done : commands::report(ended.error(), environment);
}

}  // namespace entente::native
