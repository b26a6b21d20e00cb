// What a federation's exchange offers, as datasets of the Dataspace Protocol, and back.
//
//   Dataset d = to_dataset(entry, {"HttpData-PULL"});
//   ENTENTE_ASSIGN(contract::CatalogEntry entry, read_entry(d));
//
// A dataset bears its offer twice: as ODRL, which any connector reads, and as the provider has signed it. Both must say
// the same. What is new (round, digest, size) is visible without a transfer. Errors: invalid_argument "dataset.*". Pure.
#pragma once

#include "connectors/dsp/catalogue.hpp"
#include "connectors/dsp/message.hpp"
#include "connectors/dsp/terms.hpp"
#include "entente/contract/wire.hpp"

namespace entente::dsp {

// Names of members below words.hpp's `ns`.
namespace member {
inline constexpr const char* federation = "federation";
inline constexpr const char* kind = "kind";  // "global-model" | "update-stream"
inline constexpr const char* provider = "provider";
inline constexpr const char* round = "round";
inline constexpr const char* digest = "digest";
inline constexpr const char* size = "size";
inline constexpr const char* lots = "lots";
inline constexpr const char* signed_offer = "signedOffer";
inline constexpr const char* acceptance = "acceptance";  // of a contract request; of a dataset behind an EDC
inline constexpr const char* outcome = "outcome";        // of a completion: what the consumer says about it
// Beside an EDC, which carries no members of ours in messages: datasets bear what those would have borne.
inline constexpr const char* profile = "profile";    // of the policy
inline constexpr const char* view = "view";          // what the coordinator's books say about the partner's updates
inline constexpr const char* accepted = "accepted";  // the id of the partner's acceptance, once the coordinator has read it
}  // namespace member

Dataset to_dataset(const contract::CatalogEntry& entry, std::vector<std::string> formats);
// The signature of the offer is verified; whose key it is is for the caller to ask.
Result<contract::CatalogEntry> read_entry(const Dataset& dataset, Profile profile = Profile::kept);

// The offer's ODRL, as a catalogue shows it.
std::string odrl_of(const contract::Offer& offer);

using Extensions = std::map<std::string, std::string>;
// With a contract request: the consumer's signed acceptance.
Extensions acceptance_of(const contract::Agreement& agreement);
Result<contract::Agreement> read_acceptance(const Extensions& extensions);
// In a dataset that an EDC reads: the agreements and transfers of the reader's own updates, the latest of them.
Extensions view_of(contract::HubView view);
Result<contract::HubView> read_view(const Extensions& properties);
// With a completion: the consumer's verdict, which the protocol's own members have no place for.
Extensions outcome_of(const contract::Outcome& outcome);
Result<contract::Outcome> read_outcome(const Extensions& extensions);
// With a transfer request: exactly which version is wanted.
Extensions version_of(const contract::Version& version);
Result<contract::Version> read_version(const Extensions& extensions);

}  // namespace entente::dsp
