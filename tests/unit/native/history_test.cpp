#include "server/history.hpp"

#include <doctest/doctest.h>

#include "entente/round/participant.hpp"

using namespace entente;

namespace {

void close(native::History& history, std::uint64_t round) {
    round::RoundClosed closed;
    closed.round = round;
    closed.participants = {"a", "b"};
    history.record({0, closed});
    Digest model{};
    model.bytes[0] = static_cast<std::byte>(round);
    history.model_visible(model, 1000);
}

void accept(native::History& history, std::uint64_t base_round, const std::string& participant, double metric) {
    round::UpdateAccepted update;
    update.round = update.base_round = base_round;
    update.participant = participant;
    update.measures = {{round::participant::measure_metric, metric}};
    history.record({0, update});
}

}  // namespace

TEST_CASE("a metric is the mean of the partners', and belongs to the model that their updates began with") {
    native::History history;
    accept(history, 1, "a", 0.5);  // of the first model, which no round has made
    close(history, 1);
    close(history, 3);  // 2 was abandoned
    accept(history, 4, "a", 0.5);
    accept(history, 4, "b", 0.25);
    accept(history, 4, "b", 1.0);  // once more, after a refusal
    CHECK(history.json(true).find(R"("round":1,"contributors":["a","b"],"accuracy":null,"loss":null,"metric":null)") != std::string::npos);
    CHECK(history.json(true).find(R"("round":3,"contributors":["a","b"],"accuracy":null,"loss":null,"metric":0.75)") != std::string::npos);
    CHECK(history.take_changes().count(3) == 1);
}
