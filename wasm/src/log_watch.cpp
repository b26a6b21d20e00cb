// What a page remembers of the coordinator's log (core: entente/proof/log_watch.hpp).
#include "entente/proof/log_watch.hpp"

#include <algorithm>

#include "json.hpp"
#include "objects.hpp"

namespace entente::wasm {
namespace {

struct LogWatchObject final : Object {
    explicit LogWatchObject(proof::LogWatch watch_in) : watch(std::move(watch_in)) {}
    proof::LogWatch watch;
};

}  // namespace
}  // namespace entente::wasm

using namespace entente;
using namespace entente::wasm;

extern "C" {

// `key`: the coordinator's, in hexadecimal digits. `kept`: what ent_log_last said last time; empty at first.
const Answer* ent_log_watch(const char* federation, std::uint32_t federation_size, const char* key, std::uint32_t key_size, const char* kept, std::uint32_t size) {
    return guard([&]() -> Result<Handle> {
        ENTENTE_ASSIGN(const auto coordinator, codec::public_key_from_hex(text(key, key_size)));
        return keep(std::make_shared<LogWatchObject>(proof::LogWatch(proof::log_origin(text(federation, federation_size)), coordinator, text(kept, size))));
    });
}

// The consistency proof that is wanted, {"from", "to"}; {} when there is nothing to prove.
const Answer* ent_log_see(Handle watch, const char* note, std::uint32_t size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto object, find<LogWatchObject>(watch));
        ENTENTE_ASSIGN(const auto wanted, object->watch.see(text(note, size)));
        Json json;
        if (wanted) json.number("from", wanted->from).number("to", wanted->to);
        return json.done();
    });
}

// Its hashes, 32 bytes each.
const Answer* ent_log_prove(Handle watch, const std::byte* hashes, std::uint32_t size) {
    return guard([&]() -> Result<Done> {
        ENTENTE_ASSIGN(const auto object, find<LogWatchObject>(watch));
        std::vector<Digest> path(std::min<std::uint32_t>(size / 32, 65));
        for (std::size_t i = 0; i < path.size(); ++i) std::copy_n(hashes + 32 * i, 32, path[i].bytes.begin());
        return object->watch.prove(path);
    });
}

// What was seen last, cosigned in the participant's name: a signed note. `time_s`: since 1970.
const Answer* ent_log_cosign(Handle watch, const char* name, std::uint32_t name_size, const std::byte* seed, std::uint32_t seed_size, double time_s) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto object, find<LogWatchObject>(watch));
        ENTENTE_ASSIGN(const codec::SigningKey key, signing_key(seed, seed_size));
        ENTENTE_ASSIGN(proof::Note note, proof::read_note(object->watch.last()));
        proof::cosign(note, text(name, name_size), key, static_cast<std::int64_t>(time_s));
        return proof::write_note(note);
    });
}

const Answer* ent_log_last(Handle watch) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto object, find<LogWatchObject>(watch));
        return object->watch.last();
    });
}

}  // extern "C"
