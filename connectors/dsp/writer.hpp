// Messages and answers as bytes, exactly as the schemas of the Dataspace Protocol 2025-1 ask: one context, no empty
// arrays, numbers as strings.
//
//   std::string body = write(message);
//
// Pure; the same message always gives the same bytes.
#pragma once

#include <string>

#include "connectors/dsp/message.hpp"
#include "connectors/dsp/reader.hpp"
#include "entente/policy/policy.hpp"

namespace entente::dsp {

// The end of a pull's address in both spellings: without EDC's own property names its consumers find no endpoint.
std::string write(const Message& message);

std::string write_negotiation_state(const ProcessState& state);
std::string write_transfer_state(const ProcessState& state);

enum class ErrorType : std::uint8_t { catalog, negotiation, transfer };
// The pids are left out when they are not known.
std::string write_error(ErrorType type, const Error& error, const std::string& provider_pid = {}, const std::string& consumer_pid = {});

// `root_path`: where the versioned path lies from where the document is served.
std::string write_versions(const std::string& path, const std::string& service_id);

// An offer as it stands in a message, out of one from a catalogue: with its target.
Result<std::string> offer_for(std::string_view offer, const std::string& target, const std::string& assigner = {});

struct AgreementFrame {
    std::string id;
    std::string target;
    std::string assigner;
    std::string assignee;
    std::string timestamp;  // "2026-11-23T11:00:00Z"
};
// The agreement over an offer: its rules unchanged. The offer is one that the reader has accepted.
Result<std::string> agreement_over(std::string_view offer, const AgreementFrame& frame);

}  // namespace entente::dsp
