// What a running coordinator shows, checked from afar: signed head, tiles, ledger, receipts, and the rounds' sums where the token may
// read the updates. A partner is shown its own records alone, and each of them is checked.
//
//   RemoteAudit audit{.http = *http};                     // with the token of an operator, an auditor or a partner
//   audit.on_problem = [](const round::Problem& p) { … };
//   ENTENTE_ASSIGN(RemoteReport report, audit_remote(audit));
//
// What is checked is what the checkpoint covers that was fetched first; the coordinator goes on meanwhile. Nothing is written
// or remembered. Every answer is bounded, and the whole ledger by 1 GiB: it is held in memory. An error only where there is nothing
// to check: those of the way there; unauthenticated "verify.other-key"; too_large "verify.too-long".
#pragma once

#include "connectors/hub/http_client.hpp"
#include "entente/round/audit.hpp"

namespace entente::native {

struct RemoteAudit {
    hub::HttpClient& http;
    std::optional<codec::PublicKey> key = {};  // the coordinator's, where it is known
    std::optional<std::uint64_t> only_round = {};
    std::function<void(const round::Problem&)> on_problem = {};
    std::function<void(const round::RoundCheck&)> on_round = {};
    std::function<void(double fraction, const std::string& what)> on_progress = {};
    Executor* executor = nullptr;
};

struct RemoteReport {
    std::string role;  // "partner": its own records alone
    std::string federation;
    Digest plan;
    codec::PublicKey coordinator;
    std::uint64_t records = 0;         // that were shown and checked
    std::uint64_t signed_records = 0;  // that the checkpoint covers
    std::uint64_t rounds = 0;          // with a model
    std::uint64_t recomputed = 0;
    std::uint64_t problems = 0;
    bool updates = false;              // may be read
};

Result<RemoteReport> audit_remote(const RemoteAudit& options);

}  // namespace entente::native
