#include "server/history.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "commands/text.hpp"
#include "entente/base/json_text.hpp"
#include "entente/round/participant.hpp"

namespace entente::native {

std::string to_json(const RoundHistory& r) {
    std::string contributors;
    for (const std::string& id : r.contributors) contributors += (contributors.empty() ? "" : ",") + json_text(id);
    commands::JsonObject json;
    json.whole("round", r.round).raw("contributors", "[" + contributors + "]");
    const auto known = [&json](const char* key, const std::optional<double>& value) {
        if (value) {
            json.number(key, *value);
        } else {
            json.raw(key, "null");
        }
    };
    known("accuracy", r.accuracy);
    known("loss", r.loss);
    known("metric", r.metric);
    json.number("seconds", r.seconds).number("overhead_ms", r.overhead_ms);
    json.whole("bytes_up", r.bytes_up).whole("bytes_down", r.bytes_down);
    return json.text("model_digest", r.model_digest).str();
}

void History::record(const round::Record& record) {
    if (const auto* accepted = std::get_if<round::UpdateAccepted>(&record.body)) {
        bytes_up_ += accepted->size_bytes;
        for (const codec::Measure& m : accepted->measures) {
            if (m.name == "train.ms") longest_training_ms_ = std::max(longest_training_ms_, m.value);
            if (m.name == round::participant::measure_metric) measured(*accepted, m.value);
        }
    } else if (const auto* closed = std::get_if<round::RoundClosed>(&record.body)) {
        closed_ = closed->round;
        contributors_ = closed->participants;
    } else if (std::get_if<round::RoundOpened>(&record.body) != nullptr && visible_at_ms_ == 0) {
        visible_at_ms_ = monotonic_ms();
    } else if (std::get_if<round::RoundAbandoned>(&record.body) != nullptr) {
        longest_training_ms_ = 0;
        visible_at_ms_ = 0;
    }
}

void History::model_visible(const Digest& model, std::int64_t now_ms) {
    if (closed_) {
        RoundHistory& r = rounds_[*closed_];
        r.round = *closed_;
        r.contributors = std::move(contributors_);
        const double wall_ms = visible_at_ms_ == 0 ? 0.0 : static_cast<double>(now_ms - visible_at_ms_);
        r.seconds = wall_ms / 1000.0;
        r.overhead_ms = std::max(0.0, wall_ms - longest_training_ms_);
        r.bytes_up = bytes_up_;
        r.bytes_down = bytes_down_;
        r.model_digest = to_hex(model);
        changed_[r.round] = true;
        closed_.reset();
        bytes_up_ = 0;
        bytes_down_ = 0;
    }
    longest_training_ms_ = 0;
    visible_at_ms_ = now_ms;
}

// An update is trained on the model that the round before its own came to.
void History::measured(const round::UpdateAccepted& update, double metric) {
    const auto after = rounds_.lower_bound(update.base_round);
    if (after == rounds_.begin()) return;
    RoundHistory& round = std::prev(after)->second;
    auto& all = metrics_[round.round];
    all[update.participant] = metric;
    double sum = 0;
    for (const auto& [id, value] : all) sum += value;
    round.metric = sum / static_cast<double>(all.size());
    changed_[round.round] = true;
    while (metrics_.size() > 8) metrics_.erase(metrics_.begin());
}

RoundHistory* History::of_model(const std::string& digest) {
    for (auto& [number, round] : rounds_) {
        if (round.model_digest == digest) return &round;
    }
    return nullptr;
}

void History::scored(const Digest& model, const task::Score& score) {
    RoundHistory* round = of_model(to_hex(model));
    if (round == nullptr) return;
    reports_.erase(to_hex(model));
    round->accuracy = score.accuracy();
    round->loss = score.mean_loss();
    changed_[round->round] = true;
}

void History::reported(const Digest& model, const std::string& participant, std::uint64_t correct, std::uint64_t examples,
                       double loss_sum) {
    const std::string digest = to_hex(model);
    RoundHistory* round = of_model(digest);
    if (round == nullptr || examples == 0 || correct > examples) return;
    if (round->accuracy && reports_.count(digest) == 0) return;  // scored by the coordinator
    Reported& reported = reports_[digest];
    reported.counts[participant] = {correct, examples};
    reported.losses[participant] = loss_sum;
    std::uint64_t all_correct = 0;
    std::uint64_t all = 0;
    double loss = 0;
    for (const auto& [id, count] : reported.counts) {
        all_correct += count.first;
        all += count.second;
        loss += reported.losses[id];
    }
    round->accuracy = static_cast<double>(all_correct) / static_cast<double>(all);
    round->loss = loss / static_cast<double>(all);
    changed_[round->round] = true;
    while (reports_.size() > 8) reports_.erase(reports_.begin());
}

std::string History::json(bool with_names) const {
    std::map<std::uint64_t, std::string> all = stored_;
    for (const auto& [number, round] : rounds_) all[number] = to_json(round);
    constexpr std::string_view names = "\"contributors\":[";  // ids hold no bracket
    std::string out;
    for (auto& [number, text] : all) {
        const std::size_t start = text.find(names);
        if (!with_names && start != std::string::npos) {
            const std::size_t first = start + names.size();
            text.erase(first, text.find(']', first) - first);
        }
        out += (out.empty() ? "" : ",") + text;
    }
    return "[" + out + "]";
}

std::map<std::uint64_t, std::string> History::take_changes() {
    std::map<std::uint64_t, std::string> changes;
    for (const auto& [number, unused] : changed_) changes[number] = to_json(rounds_[number]);
    changed_.clear();
    return changes;
}

std::vector<double> History::overheads_ms() const {
    std::vector<double> all;
    for (const auto& [number, round] : rounds_) all.push_back(round.overhead_ms);
    return all;
}

}  // namespace entente::native
