// Receipts and evidence, checked in a page (core: entente/round/evidence.hpp).
#include "entente/round/evidence.hpp"

#include "boundary.hpp"
#include "json.hpp"

namespace entente::wasm {
namespace {

std::string record_json(const round::Record& record) {
    Json json;
    json.text("kind", round::kind_of(record)).text("summary", round::summary_of(record));
    if (const auto* u = std::get_if<round::UpdateAccepted>(&record.body)) {
        json.number("round", u->round).text("participant", u->participant).text("agreement", u->agreement).text("content", to_hex(u->content)).number("weight", u->weight);
    }
    return json.done();
}

}  // namespace
}  // namespace entente::wasm

using namespace entente;
using namespace entente::wasm;

extern "C" {

// `key`: the coordinator's, in hexadecimal digits. What is in it, all of it proved.
const Answer* ent_evidence_check(const char* evidence, std::uint32_t size, const char* key, std::uint32_t key_size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto expected, codec::public_key_from_hex(text(key, key_size)));
        ENTENTE_ASSIGN(const auto report, round::check_evidence(text(evidence, size), expected));
        entente::wasm::Json json;
        json.text("participant", report.participant).number("unproved", report.unproved);
        json.number("log_size", report.checkpoint ? report.checkpoint->size : 0);
        if (report.receipt) json.raw("receipt", proof::payload_of(*report.receipt));
        return json.raw("records", json_list(report.records, record_json)).done();
    });
}

}  // extern "C"
