#include "commands/model_card.hpp"

#include <algorithm>
#include <map>

#include "commands/text.hpp"
#include "entente/policy/policy.hpp"

namespace entente::commands {
namespace {

constexpr std::size_t most_partners = 50;

struct Part {
    std::uint64_t rows = 0;  // the most that one update stood for
    std::uint64_t rounds = 0;
    std::uint64_t refused = 0;
    std::string agreement;
};

struct Tally {
    std::map<std::string, Part> parts;
    std::uint64_t rounds = 0;
    std::uint64_t agreements = 0;
    std::uint64_t abandoned = 0;
    std::int64_t from_ms = 0;
    std::int64_t to_ms = 0;
};

Tally read(const std::vector<round::Entry>& ledger) {
    Tally tally;
    if (ledger.empty()) return tally;
    tally.from_ms = ledger.front().record.at_ms;
    tally.to_ms = ledger.back().record.at_ms;
    for (const round::Entry& entry : ledger) {
        const round::Body& body = entry.record.body;
        if (const auto* update = std::get_if<round::UpdateAccepted>(&body)) {
            Part& part = tally.parts[update->participant];
            part.rows = std::max(part.rows, update->weight);
            part.agreement = update->agreement;
            ++part.rounds;
        } else if (const auto* refused = std::get_if<round::UpdateRefused>(&body)) {
            ++tally.parts[refused->participant].refused;
        } else if (std::holds_alternative<round::RoundClosed>(body)) {
            ++tally.rounds;
        } else if (std::holds_alternative<round::RoundAbandoned>(body)) {
            ++tally.abandoned;
        } else if (std::holds_alternative<round::AgreementConcluded>(body)) {
            ++tally.agreements;
        }
    }
    return tally;
}

std::string row(const std::string& what, const std::string& value) { return "| " + what + " | " + value + " |\n"; }

std::string model_section(const plan::Plan& plan) {
    std::string text = "\n## Model and training\n\n";
    text += "| | |\n|---|---|\n";
    std::string layers;
    for (const nn::LayerSpec& layer : plan.task.model.layers) {
        layers += (layers.empty() ? "" : " · ") + std::string(nn::to_string(layer.kind));
        if (layer.units > 0) layers += " " + std::to_string(layer.units);
    }
    text += row("layers", layers);
    text += row("parameters", grouped(plan::parameter_count(plan)) + " float32");
    text += row("local training", std::to_string(plan.training.epochs) + " epochs, batches of " +
                                      std::to_string(plan.training.batch) + ", learning rate " +
                                      decimal(static_cast<double>(plan.training.learning_rate), 4));
    text += row("seed", std::to_string(plan.training.seed));
    if (!plan.federation.purpose.empty()) text += row("purpose", plan.federation.purpose);
    text += "\n## Terms\n\n";
    for (const policy::Term& term : policy::explain(plan::model_policy(plan))) text += "- " + term.sentence + "\n";
    return text;
}

std::string ledger_section(const Tally& tally) {
    std::uint64_t rows = 0;
    for (const auto& [id, part] : tally.parts) rows += part.rows;
    std::string text = "\n## Where it comes from\n\n| | |\n|---|---|\n";
    text += row("rounds counted", std::to_string(tally.rounds));
    if (tally.abandoned > 0) text += row("rounds abandoned", std::to_string(tally.abandoned));
    text += row("data rows counted", grouped(rows));
    text += row("partners that contributed", std::to_string(tally.parts.size()));
    text += row("agreements in force", std::to_string(tally.agreements));
    text += row("from, to", policy::format_instant(tally.from_ms) + ", " + policy::format_instant(tally.to_ms));
    text += "\n| partner | rows | rounds | refused | agreement |\n|---|---|---|---|---|\n";
    std::size_t shown = 0;
    for (const auto& [id, part] : tally.parts) {
        if (shown++ == most_partners) break;
        text += "| " + id + " | " + grouped(part.rows) + " | " + std::to_string(part.rounds) + " | " +
                std::to_string(part.refused) + " | " + (part.agreement.empty() ? "-" : part.agreement) + " |\n";
    }
    if (tally.parts.size() > most_partners) {
        text += "\nAnd " + std::to_string(tally.parts.size() - most_partners) + " more; the ledger names all.\n";
    }
    return text;
}

}  // namespace

std::string model_card(const CardFacts& facts) {
    std::string text = "# Model of " + printable(facts.federation) + "\n\n| | |\n|---|---|\n";
    if (!facts.model.is_zero()) text += row("model (content digest)", "`" + to_hex(facts.model) + "`");
    if (!facts.plan.is_zero()) text += row("plan (digest)", "`" + to_hex(facts.plan) + "`");
    if (facts.score) {
        text += row("accuracy", decimal(facts.score->accuracy(), 4) + " on " + grouped(facts.score->examples) + " evaluation rows");
        text += row("loss", decimal(facts.score->mean_loss(), 4));
    } else if (facts.task == nullptr) {
        text += row("accuracy", "not known to whoever wrote this card");
    }
    if (facts.task != nullptr) text += task_section(*facts.task);
    if (facts.terms != nullptr) text += model_section(*facts.terms);
    text += facts.ledger != nullptr ? ledger_section(read(*facts.ledger))
                                    : "\n## Where it comes from\n\nNo ledger was at hand: rounds, rows and agreements are not known here.\n";
    return text;
}

}  // namespace entente::commands
