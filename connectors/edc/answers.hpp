// What an EDC's Management API answers, read by the last segment of each member's name: its versions, and the modules in
// one version, differ in how much of a name they write.
//
//   ENTENTE_ASSIGN(const Progress progress, read_progress(body));
//   if (progress.state == "FINALIZED") use(progress.agreement);
//
// Errors of the readers: base/json.hpp's, and unavailable "edc.answer" with what was expected and found. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "connectors/dsp/message.hpp"
#include "connectors/edc/management_api.hpp"

namespace entente::edc {

// The @id of what was created.
Result<std::string> read_id(std::string_view body);

// A negotiation or transfer.
struct Progress {
    std::string state;      // "REQUESTED", "FINALIZED", "STARTED", "TERMINATED"
    std::string error;      // errorDetail
    std::string agreement;  // of a negotiation that is final: the local id
};
Result<Progress> read_progress(std::string_view body);

// EDC has two ids for an agreement: the one both connectors know, on the wire, and one of its own for its own calls.
struct AgreementRecord {
    std::string local_id;
    std::string wire_id;  // 0.14.0 knows one id only: the same
    std::string provider;
    std::string consumer;
    std::string policy;   // ODRL, as EDC wrote it
};
Result<AgreementRecord> read_agreement(std::string_view body);

// The end-point data reference of a pull.
Result<dsp::DataAddress> read_address(std::string_view body);

// Does the answer to reading `asset` (or one of the others) say what we would create? By what we write; EDC may say more.
bool says(std::string_view body, const Asset& asset);
bool same_source(std::string_view body, const Asset& asset);
bool says(std::string_view body, const PolicyDefinition& definition);
bool says(std::string_view body, const ContractDefinition& definition);

// A refusal with EDC's own words; `what`: "creating the asset urn:…". Reasons: "edc.refused" (400), "edc.credentials"
// (401, 403), "edc.not-found" (404), "edc.conflict" (409), "edc.peer" (502: the other connector), "edc.failed" (others).
Error error_of(int status, std::string_view body, const std::string& what);

// As policies pass through EDC they lose their profile. (0.14.0, 0.15.1: obligations and prohibitions stay.)
policy::Policy without_profile(policy::Policy policy);

}  // namespace entente::edc
