// How long what a round has counted stays stored: until nothing needs it, or its agreement's duty to delete falls due.
#include <limits>

#include "coordinator_impl.hpp"

namespace entente::round {

using namespace coordinator;

namespace {

constexpr std::int64_t open_end = std::numeric_limits<std::int64_t>::max();

std::int64_t later(std::int64_t at_ms, std::int64_t by_ms) { return by_ms > open_end - at_ms ? open_end : at_ms + by_ms; }

}  // namespace

void Coordinator::Impl::keep(const UpdateAccepted& record) {
    const auto duty = retention_ms.find(record.agreement);
    stored[{record.round, record.participant}] = {record.blob, duty == retention_ms.end() ? 0 : duty->second, open_end};
    if (!memory_blob.is_zero()) memories[record.round] = memory_blob;
}

// Its sum is made, or will never be. Only to verify it are its updates of use.
void Coordinator::Impl::round_over(std::uint64_t number, std::int64_t at_ms, bool with_result) {
    for (auto& [whose, update] : stored) {
        if (whose.first != number) continue;
        const bool wanted = with_result && kept_rounds > 0 && !members[whose.second].left;
        update.until_ms = wanted ? later(at_ms, update.retention_ms) : at_ms;
    }
}

void Coordinator::Impl::delete_due(std::int64_t now_ms) {
    if (failure) return;
    std::map<std::uint64_t, std::pair<std::vector<Digest>, std::vector<std::string>>> due;  // by round
    for (const auto& [whose, update] : stored) {
        const bool enough = update.until_ms != open_end && whose.first < round && round - whose.first > kept_rounds;
        if (!enough && update.until_ms > now_ms) continue;
        due[whose.first].first.push_back(update.blob);
        due[whose.first].second.push_back(whose.second);
    }
    for (auto& [number, what] : due) {
        for (const std::string& id : what.second) stored.erase({number, id});
        emit(DeleteUpdates{std::move(what.first)});
        persist(now_ms, UpdatesDeleted{number, std::move(what.second)});
    }
    drop_memories();
}

void Coordinator::Impl::drop_memories() {
    std::set<Digest> in_use{memory_blob};
    for (auto it = memories.begin(); it != memories.end();) {
        const auto first = stored.lower_bound({it->first, std::string()});
        const bool kept = first != stored.end() && first->first.first == it->first;
        if (kept) in_use.insert(it->second);
        it = kept ? std::next(it) : memories.erase(it);
    }
    DeleteUpdates command;
    for (auto it = stored_memories.begin(); it != stored_memories.end();) {
        const bool stays = in_use.count(*it) > 0;
        if (!stays) command.blobs.push_back(*it);
        it = stays ? std::next(it) : stored_memories.erase(it);
    }
    if (!command.blobs.empty()) emit(std::move(command));
}

}  // namespace entente::round
