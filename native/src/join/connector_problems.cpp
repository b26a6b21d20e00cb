#include "join/connector_problems.hpp"

#include <utility>

#include "api/json_body.hpp"
#include "commands/text.hpp"
#include "join/membership.hpp"

namespace entente::native {
namespace {

constexpr std::size_t most_sentences = 1'000;

}  // namespace

void ConnectorProblems::seen(const std::string& sentence) {
    const std::lock_guard lock(mutex_);
    seen_ = sentence;
}

void ConnectorProblems::tell() {
    std::string seen;
    {
        const std::lock_guard lock(mutex_);
        seen = std::exchange(seen_, {});
    }
    if (say_new("Connector", seen)) {
        const std::string body = commands::JsonObject().text("activity", "waiting").text("problem", seen).str();
        const auto told = ask_text(http_, "POST", "/api/v1/hub/heartbeat", body);
        static_cast<void>(told);
    }
    const auto me = ask_text(http_, "GET", "/api/v1/me", {});
    const auto json = me.ok() ? JsonBody::parse(*me) : Result<JsonBody>(me.error());
    if (json.ok() && json->has("connector_problem")) say_new("Coordinator", json->text("connector_problem"));
}

bool ConnectorProblems::say_new(std::string_view what, const std::string& sentence) {
    if (sentence.empty() || said_.size() >= most_sentences || !said_.insert(sentence).second) return false;
    say_(what, sentence);
    return true;
}

}  // namespace entente::native
