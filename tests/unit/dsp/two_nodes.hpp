// Two connectors on one clock and a network that the test commands: messages are delivered, lost, doubled or held back,
// and either side may be killed and restarted from what it had stored.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connectors/dsp/node.hpp"

namespace dsp_test {

using namespace entente;
using namespace entente::dsp;

inline const std::string rules = R"("permission":[{"action":"use","constraint":[{"leftOperand":"https://w3id.org/entente/policy/purpose","operator":"eq","rightOperand":"urn:fl:federation:42"}]}])";
inline const std::string offer = R"({"@id":"offer-1","@type":"Offer","profile":"https://w3id.org/entente/policy/v1",)" + rules + "}";
inline const std::string dataset_id = "urn:fl:42:a:updates";

// Agrees to what it offers, verifies what it asked for, starts transfers and completes them when told to.
class Plain : public Behaviour {
public:
    explicit Plain(std::string participant) : participant_(std::move(participant)) {}

    Status admit_address(const std::string&, const std::string& address) override {
        if (address.starts_with("http://")) return done();
        return Error{Code::permission_denied, "dsp.callback", "expected an address of the peer"};
    }
    Found catalogue(const std::string&, const CatalogueFilter& filter) override {
        if (filter.dataset && *filter.dataset != dataset_id) return {};
        return {{{dataset_id, {offer}, {"HttpData-PULL"}, {}, {}}}, 1};
    }
    Status admit(const Negotiation& proposed) override {
        if (proposed.dataset == dataset_id) return done();
        return Error{Code::not_found, "dsp.no-dataset", "no such dataset"};
    }
    Status admit(const TransferProcess& proposed) override {
        if (proposed.agreement_id == "agreement-1") return done();
        return Error{Code::not_found, "dsp.no-agreement", "no such agreement"};
    }
    Status admit_agreement(const Negotiation&) override { return done(); }

    std::vector<Act> next(const Negotiation& n, Kind kind, Cause cause) override {
        log.push_back({n.pid, kind, cause});
        if (cause == Cause::failed) return {};
        if (n.role == Role::provider && kind == Kind::contract_request) {
            return {{.send = Kind::agreement, .policy = agreement(n)}};
        }
        if (n.role == Role::consumer && kind == Kind::agreement) return {{.send = Kind::verification}};
        if (n.role == Role::provider && kind == Kind::verification) return {{.send = Kind::finalization}};
        return {};
    }
    std::vector<Act> next(const TransferProcess& t, Kind kind, Cause cause) override {
        log.push_back({t.pid, kind, cause});
        if (cause == Cause::failed || t.role != Role::provider) return {};
        const bool starts = kind == Kind::transfer_request || (kind == Kind::transfer_start && t.resuming && cause == Cause::received);
        if (!starts || !starts_by_itself) return {};
        return {{.send = Kind::transfer_start,
                 .address = DataAddress{"https://w3id.org/idsa/v4.1/HTTP", "http://a/data", "token-" + std::to_string(++tokens), "bearer"}}};
    }

    std::function<std::string(std::string)> tamper = [](std::string text) { return text; };
    struct Heard {
        std::string pid;
        Kind kind;
        Cause cause;
    };
    std::vector<Heard> log;
    int tokens = 0;
    bool starts_by_itself = true;  // else the test says when

private:
    std::string agreement(const Negotiation& n) {
        return tamper(agreement_over(n.offer, {"agreement-1", n.dataset, participant_, n.peer, "2026-11-23T11:00:00Z"}).value());
    }
    std::string participant_;
};

struct Side {
    Side(std::string participant, std::string address) : behaviour(participant), name(std::move(participant)), base(std::move(address)) { start(); }

    void start() {
        NodeOptions o;
        o.participant = name;
        o.address = base;
        o.new_id = [this] { return "urn:uuid:" + name + "-" + std::to_string(++ids); };
        node = std::make_unique<Node>(std::move(o), behaviour);
        for (const auto& [pid, row] : negotiations) node->restore(decode_negotiation(row).value());
        for (const auto& [pid, row] : transfers) node->restore(decode_transfer(row).value());
    }
    // Stored, then done.
    void carry_out(const Step& step) {
        if (step.negotiation) negotiations[step.negotiation->pid] = encode(*step.negotiation);
        if (step.transfer) transfers[step.transfer->pid] = encode(*step.transfer);
        ++stored;
        node->commit(step);
    }

    Plain behaviour;
    std::string name;
    std::string base;
    std::unique_ptr<Node> node;
    std::map<std::string, Bytes> negotiations;  // what the disk holds
    std::map<std::string, Bytes> transfers;
    int ids = 0;
    int stored = 0;
};

enum class Fate { deliver, lose_request, lose_answer, twice };

struct World {
    Side a{"plant-a", "http://a/dsp"};  // provider
    Side b{"plant-b", "http://b/dsp"};  // consumer
    std::int64_t now = 1'000'000;
    std::function<Fate(const Due&)> fate = [](const Due&) { return Fate::deliver; };
    std::vector<std::string> posted;

    Side& at(const std::string& url) { return url.starts_with(a.base) ? a : b; }
    Side& from(const std::string& url) { return url.starts_with(a.base) ? b : a; }

    Answer post(const Due& due) {
        Side& to = at(due.url);
        const Step step = to.node->receive({"POST", due.url.substr(to.base.size()), from(due.url).name, due.body, 0}, now);
        to.carry_out(step);
        to.node->answered(step);
        return step.answer;
    }
    void carry(Side& side, const Due& due) {
        posted.push_back(due.url);
        const Fate f = fate(due);
        Reply reply{0, {}, "the network is down"};
        if (f != Fate::lose_request) {
            Answer answer = post(due);
            if (f == Fate::twice) answer = post(due);
            if (f != Fate::lose_answer) reply = {answer.status, answer.body, {}};
        }
        side.carry_out(side.node->sent(due, reply, now));
    }
    // Until nothing more is due, however far the clock has to go, within `limit_ms`.
    void run(std::int64_t limit_ms = 30'000) {
        const std::int64_t end = now + limit_ms;
        for (;;) {
            bool any = false;
            for (Side* side : {&a, &b}) {
                for (const Due& due : side->node->due(now)) {
                    carry(*side, due);
                    any = true;
                }
                while (const auto step = side->node->expire(now)) {
                    side->carry_out(*step);
                    any = true;
                }
            }
            if (any) continue;
            const auto next_a = a.node->next_ms(), next_b = b.node->next_ms();
            if (!next_a && !next_b) return;
            const std::int64_t when = std::min(next_a.value_or(end + 1), next_b.value_or(end + 1));
            if (when > end) return;
            now = std::max(when, now + 1);
        }
    }

    std::string negotiate() {
        const auto step = b.node->request(Node::NegotiationRequest{"plant-a", a.base, dataset_id, offer, {}}, now);
        REQUIRE(step.ok());
        b.carry_out(*step);
        return step->negotiation->pid;
    }
    std::string transfer() {
        const auto step = b.node->request(Node::TransferWish{"plant-a", a.base, "agreement-1", "HttpData-PULL", {}, {}}, now);
        REQUIRE(step.ok());
        b.carry_out(*step);
        return step->transfer->pid;
    }
    void say(Side& side, const std::string& pid, Kind kind) {
        const auto step = side.node->act(pid, {.send = kind, .code = "", .reasons = {}}, now);
        REQUIRE(step.ok());
        side.carry_out(*step);
    }
    static const Negotiation& only(const std::map<std::string, Negotiation, std::less<>>& all) {
        REQUIRE(all.size() == 1);
        return all.begin()->second;
    }
    static const TransferProcess& only(const std::map<std::string, TransferProcess, std::less<>>& all) {
        REQUIRE(all.size() == 1);
        return all.begin()->second;
    }
};

}  // namespace dsp_test
