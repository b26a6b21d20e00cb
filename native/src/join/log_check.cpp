#include "join/log_check.hpp"

#include <ctime>

#include "base/files.hpp"
#include "cli/key_file.hpp"
#include "entente/base/base64.hpp"
#include "entente/base/json.hpp"

namespace entente::native {
namespace {

constexpr std::uint64_t most_bytes = 64 * 1024;

// Whatever cannot be read is no proof.
std::vector<Digest> hashes_in(const std::string& text) {
    std::vector<Digest> hashes;
    const auto root = read_json(text);
    const Json* list = root.ok() ? root->find("proof") : nullptr;
    if (list == nullptr) return hashes;
    for (const Json& item : list->items) {
        const auto bytes = from_base64(item.text);
        if (!bytes.ok() || bytes->size() != 32 || hashes.size() == 64) return {};
        std::copy(bytes->begin(), bytes->end(), hashes.emplace_back().bytes.begin());
    }
    return hashes;
}

}  // namespace

Result<LogCheck> LogCheck::open(std::shared_ptr<hub::HttpClient> http, std::filesystem::path state_folder, const Membership& member) {
    auto kept = read_text_file(state_folder / "log-checkpoint", most_bytes);
    if (!kept.ok() && kept.error().code != Code::not_found) return kept.error();
    return LogCheck(std::move(http), std::move(state_folder), member, kept.ok() ? std::move(kept).value() : std::string());
}

LogCheck::LogCheck(std::shared_ptr<hub::HttpClient> http, std::filesystem::path state_folder, const Membership& member, std::string kept)
    : http_(std::move(http)), folder_(std::move(state_folder)),
      watch_(proof::log_origin(member.plan.federation.id), member.coordinator_key, std::move(kept)), participant_(member.participant), witness_(member.plan.round.witnesses > 0) {}

Status LogCheck::keep() { return write_file(folder_ / "log-checkpoint", as_bytes(std::string_view(watch_.last())), 0600); }

Status LogCheck::look() {
    ENTENTE_ASSIGN(const std::string note, ask_text(*http_, "GET", "/api/v1/log/checkpoint", {}));
    const std::string before = watch_.last();
    const auto checked = [&]() -> Status {
        ENTENTE_ASSIGN(const auto wanted, watch_.see(note));
        if (!wanted) return done();
        const std::string path = "/api/v1/log/consistency?from=" + std::to_string(wanted->from) + "&to=" + std::to_string(wanted->to);
        ENTENTE_ASSIGN(const std::string proof, ask_text(*http_, "GET", path, {}));
        return watch_.prove(hashes_in(proof));
    }();
    if (!checked.ok() && checked.error().reason == "log.fork") {
        const Status kept = write_file(folder_ / "log-fork", as_bytes(std::string_view(watch_.other())), 0600);
        static_cast<void>(kept);  // the fork is said whether or not the disk takes its evidence
    }
    ENTENTE_TRY(checked);
    if (watch_.last() != before) ENTENTE_TRY(keep());
    cosign();
    return done();
}

// Kept first: what was cosigned is never forgotten. When it does not arrive, or another checkpoint has taken its place, the next
// poll does it.
void LogCheck::cosign() {
    if (!witness_ || watch_.last() == cosigned_) return;
    auto note = proof::read_note(watch_.last());
    const auto key = load_or_make_key(folder_ / "partner.key");
    if (!note.ok() || !key.ok()) return;
    proof::cosign(*note, participant_, *key, static_cast<std::int64_t>(std::time(nullptr)));
    if (ask_text(*http_, "POST", "/api/v1/log/cosignatures", proof::write_note(*note)).ok()) cosigned_ = watch_.last();
}

}  // namespace entente::native
