// What a partner tells about its connector, in the request and in the store:
//
//   {"address": "https://plant-a.example:8444/dsp/2025-1"}
//   {"address": "https://edc.plant-b.example/protocol/2025-1", "kind": "edc", "data": "https://plant-b.example:8444",
//    "edc_id": "BPNL000000000001"}
//
// Errors: invalid_argument "http.json", "connector.kind". Pure.
#pragma once

#include "connectors/dsp/exchange_behaviour.hpp"

namespace entente::native {

Result<dsp::Peer> read_registration(const std::string& participant, const std::string& json);

}  // namespace entente::native
