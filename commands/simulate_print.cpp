#include "commands/simulate_print.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "commands/text.hpp"

namespace entente::commands {

namespace {

constexpr std::size_t most_rows = 24;
constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

const task::Score* last_score(const memory::Federation& federation) {
    const auto& rounds = federation.rounds();
    for (auto it = rounds.rbegin(); it != rounds.rend(); ++it) {
        if (it->federated.examples > 0) return &it->federated;
    }
    return nullptr;
}

JsonObject begin(const std::string& run) {
    JsonObject json;
    if (!run.empty()) json.text("run", run);
    return json;
}

std::string duration(double seconds) {
    if (seconds < 90) return std::to_string(std::lround(std::max(seconds, 1.0))) + " s";
    if (seconds < 5400) return std::to_string(std::lround(seconds / 60)) + " min";
    return decimal(seconds / 3600, 1) + " h";
}

}  // namespace

void print_round(const memory::RoundResult& r, std::uint64_t rounds, double seconds, Environment& environment) {
    const bool scored = r.federated.examples > 0;
    std::string line = "  Round " + pad(std::to_string(r.round) + "/" + std::to_string(rounds), 8);
    line += scored ? "accuracy " + decimal(r.federated.accuracy(), 4) + "   loss " + decimal(r.federated.mean_loss(), 4)
                   : "not evaluated     train " + decimal(r.train_loss, 4);
    line += "   " + decimal(seconds, seconds < 0.95 ? 2 : 1) + " s   up " + pad(human_bytes(r.bytes_up), 8) + "   down " +
            pad(human_bytes(r.bytes_down), 8) + "   " + std::to_string(r.contributors) + " partners\n";
    environment.print(line);
}

void print_partners(const memory::Federation& federation, Environment& environment) {
    const auto view = federation.view();
    const auto& rounds = federation.rounds();
    const task::Score* together = last_score(federation);
    if (view.partners.size() > most_rows) {
        std::uint64_t up = 0;
        std::uint64_t down = 0;
        for (const memory::RoundResult& round : rounds) {
            up += round.bytes_up;
            down += round.bytes_down;
        }
        environment.print("\n  " + grouped(view.partners.size()) + " partners sent " + human_bytes(up) + " and received " +
                          human_bytes(down) + " under " + grouped(federation.agreements()) + " agreements.\n");
    } else {
        environment.print("\n  " + pad("Partner", 14) + pad("Examples", 11) + pad("Alone", 9) + pad("Together", 11) +
                          pad("Sent", 10) + pad("Received", 11) + "Agreement\n");
        for (std::size_t i = 0; i < view.partners.size(); ++i) {
            const memory::PartnerState& p = view.partners[i];
            const bool alone = !rounds.empty() && i < rounds.back().alone.size();
            environment.print("  " + pad(p.name, 14) + pad(grouped(p.examples), 11) +
                              pad(alone ? decimal(rounds.back().alone[i].accuracy(), 4) : "-", 9) +
                              pad(together == nullptr ? "-" : decimal(together->accuracy(), 4), 11) +
                              pad(human_bytes(p.bytes_up), 10) + pad(human_bytes(p.bytes_down), 11) +
                              p.update_agreement.substr(0, 12) + "\n");
        }
    }
    environment.print("\n  Model " + to_hex(federation.model_digest()) + "\n");
}

std::string round_json(const std::string& run, const memory::RoundResult& r, double seconds) {
    const bool scored = r.federated.examples > 0;
    return begin(run)
        .whole("round", r.round)
        .number("accuracy", scored ? r.federated.accuracy() : nothing)
        .number("loss", scored ? r.federated.mean_loss() : nothing)
        .number("train_loss", r.train_loss)
        .number("seconds", seconds)
        .whole("bytes_up", r.bytes_up)
        .whole("bytes_down", r.bytes_down)
        .whole("partners", r.contributors)
        .str();
}

std::string end_json(const std::string& run, const memory::Federation& federation, double seconds) {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
    const auto partners = federation.view().partners;
    for (const memory::PartnerState& p : partners) {
        up += p.bytes_up;
        down += p.bytes_down;
    }
    const task::Score* score = last_score(federation);
    return begin(run)
        .number("accuracy", score == nullptr ? 0.0 : score->accuracy())
        .whole("rounds", federation.rounds().size())
        .whole("partners", partners.size())
        .number("seconds", seconds)
        .whole("bytes_up", up)
        .whole("bytes_down", down)
        .whole("agreements", federation.agreements())
        .text("model_digest", to_hex(federation.model_digest()))
        .str();
}

double progress_fraction(const memory::Progress& p) {
    const double part = p.of == 0 ? 0.0 : static_cast<double>(p.trained) / static_cast<double>(p.of);
    return p.rounds == 0 ? 0.0 : (static_cast<double>(p.completed) + part) / static_cast<double>(p.rounds);
}

std::string progress_text(const memory::Progress& p, double seconds_left) {
    std::string text = "Round " + std::to_string(std::min(p.completed + 1, p.rounds)) + " of " + std::to_string(p.rounds) +
                       ", " + std::to_string(p.trained) + " of " + std::to_string(p.of) + " partners";
    if (std::isfinite(seconds_left)) text += ", " + duration(seconds_left) + " left";
    return text;
}

}  // namespace entente::commands
