// The production connector as a plain company's: it agrees to what it offers, verifies what it asked for, serves and fetches.
//
//   dsp_peer --participant plant-a --data DIR [--port N] [--offer DATASET=FILE]... [--rules JSON] [--peer ID=ADDRESS]... [--open N] [--copies N]
//            [--origin ID=URL]... [--federation IRI] [--issuer URL]
//
// --issuer: connectors show tokens of this identity provider (client: the participant, secret: its id + "-secret") instead of mock ones.
//
// Driven and watched over paths of its own, each a POST with a JSON object:
//   /control/negotiations {peer, dataset, offer}      /control/transfers {peer, agreement, format}
//   /control/act {pid, send}                          /control/state {}
#include <algorithm>
#include <cstdio>

#include "base/files.hpp"
#include "commands/text.hpp"
#include "connectors/dsp/words.hpp"
#include "connectors/dsp/writer.hpp"
#include "entente/base/json.hpp"
#include "entente/policy/evaluate.hpp"
#include "entente/policy/odrl.hpp"
#include "loopback_host.hpp"
#include "net/download.hpp"

using namespace entente;
using namespace entente::native;
using commands::JsonObject;
using dsp::Kind;
using dsp::Role;

namespace {

constexpr std::uint64_t largest = 4ull << 30;

// What a peer sends us goes to disk as it comes, and has a name when it is whole.
struct Received final : contract::ByteSink {
    explicit Received(BlobStore::Upload file) : upload(std::move(file)) {}
    BlobStore::Upload upload;
    Status append(ByteView piece) override { return upload.append(piece); }
};

struct Offered {
    Digest blob;
    std::uint64_t size = 0;
};

std::string text_of(const std::string& json, const char* name) {
    const auto object = read_json(json);
    const Json* member = object.ok() ? object->find(name) : nullptr;
    return member != nullptr ? member->text : std::string();
}

std::optional<Kind> kind_of(const std::string& word) {
    if (word == "suspension") return Kind::transfer_suspension;
    if (word == "start") return Kind::transfer_start;
    if (word == "completion") return Kind::transfer_completion;
    if (word == "termination") return Kind::transfer_termination;
    if (word == "negotiation-termination") return Kind::negotiation_termination;
    return std::nullopt;
}

class Company final : public dsp::Behaviour {
public:
    Company(interop::LoopbackHost& host, std::string participant, std::string rules)
        : host_(host), participant_(std::move(participant)), rules_(std::move(rules)) {}

    std::map<std::string, Offered> offered;
    std::map<std::string, std::string> peers;  // id -> base address
    std::multimap<std::string, std::string> origins;  // id -> where else it is reached: another company's data plane
    std::string federation;                           // whose terms are judged; empty: none are

    std::vector<std::string> origins_of(const std::string& peer) const {
        std::vector<std::string> all;
        if (const auto it = peers.find(peer); it != peers.end()) all.push_back(it->second);
        for (auto [it, end] = origins.equal_range(peer); it != end; ++it) all.push_back(it->second);
        return all;
    }
    Status admit_address(const std::string& peer, const std::string& address) override {
        ENTENTE_ASSIGN(const Url url, read_url(address));
        return check_origin(url, origins_of(peer));
    }
    Found catalogue(const std::string&, const dsp::CatalogueFilter& filter) override {
        Found found;
        for (const auto& [id, content] : offered) {
            if (filter.dataset && *filter.dataset != id) continue;
            if (found.total++ < filter.offset || found.datasets.size() >= filter.limit) continue;
            found.datasets.push_back({id, {offer_of(id)}, {std::string(dsp::format_pull), std::string(dsp::format_push)}, {}, {}});
        }
        return found;
    }
    Status admit(const dsp::Negotiation& proposed) override {
        if (offered.contains(proposed.dataset) && text_of(proposed.offer, "@id") == "offer:" + proposed.dataset) return done();
        return Error{Code::not_found, "dsp.no-dataset", "expected an offer of ours, found another"};
    }
    Status admit(const dsp::TransferProcess& proposed) override {
        if (!dataset_under(proposed.agreement_id, proposed.peer).empty()) return done();
        return Error{Code::not_found, "dsp.no-agreement", "expected an agreement of yours, found none"};
    }
    Status admit_agreement(const dsp::Negotiation& n) override {
        if (federation.empty()) return done();
        ENTENTE_ASSIGN(policy::Odrl agreed, policy::read_odrl(n.agreement));
        // An EDC has dropped it on the way.
        if (agreed.policy.profiles.empty()) agreed.policy.profiles = {std::string(policy::profile)};
        policy::Facts facts;
        facts.federation = federation;
        facts.cohort = 3;
        return policy::evaluate(agreed.policy, policy::Point::negotiation, facts).status();
    }

    std::vector<dsp::Act> next(const dsp::Negotiation& n, Kind kind, dsp::Cause cause) override {
        if (cause != dsp::Cause::received) return {};
        if (kind == Kind::contract_request) {
            return {{.send = Kind::agreement,
                     .policy = dsp::agreement_over(n.offer, {n.pid + ":agreement", n.dataset, participant_, n.peer, "2026-11-23T11:00:00Z"}).value()}};
        }
        if (kind == Kind::agreement) return {{.send = Kind::verification}};
        if (kind == Kind::verification) return {{.send = Kind::finalization}};
        return {};
    }
    std::vector<dsp::Act> next(const dsp::TransferProcess&, Kind, dsp::Cause) override { return {}; }

    // After a step was stored, and once for each open transfer after a restart.
    void look_at(const dsp::TransferProcess& t) {
        if (!t.outbox.empty()) return;
        const bool asked = t.state == dsp::TransferState::requested || (t.state == dsp::TransferState::started && t.resuming);
        if (t.role == Role::provider && asked) return serve(t);
        if (t.state != dsp::TransferState::started || t.resuming) return;
        if (t.role == Role::provider && t.format == dsp::format_push) return push(t);
        if (t.role == Role::consumer && t.format == dsp::format_pull && t.address) fetch(t);
    }

    Status received(const Grant& grant, const Digest& blob) {
        got_[grant.transfer] = to_hex(blob);
        return done();
    }

    std::string state() const {
        std::string processes;
        const auto add = [&processes](const dsp::Process& p, const char* kind, std::string_view state, const std::string& more) {
            JsonObject o;
            o.text("pid", p.pid).text("peerPid", p.peer_pid).text("kind", kind).text("role", to_string(p.role)).text("state", state);
            o.text("code", p.code).text("lastError", p.last_error).text("reason", p.reasons.empty() ? "" : p.reasons.front()).whole("passages", p.history.size()).whole("waiting", p.outbox.size());
            o.text("agreement", more);
            processes += (processes.empty() ? "" : ",") + o.str();
        };
        for (const auto& [pid, n] : host_.service().node().negotiations()) add(n, "negotiation", dsp::word(n.state), text_of(n.agreement, "@id"));
        for (const auto& [pid, t] : host_.service().node().transfers()) add(t, "transfer", dsp::word(t.state), t.agreement_id);
        JsonObject got;
        for (const auto& [pid, digest] : got_) got.text(pid, digest);
        return JsonObject().raw("processes", "[" + processes + "]").raw("received", got.str()).str();
    }

    std::string offer_of(const std::string& dataset) const {
        return R"({"@id":"offer:)" + dataset + R"(","@type":"Offer",)" + rules_.substr(1);
    }

private:
    std::string dataset_under(const std::string& agreement, const std::string& peer) const {
        for (const auto& [pid, n] : host_.service().node().negotiations()) {
            if (n.peer == peer && n.role == Role::provider && text_of(n.agreement, "@id") == agreement) return n.dataset;
        }
        return {};
    }

    void serve(const dsp::TransferProcess& t) {
        const Offered& content = offered.at(dataset_under(t.agreement_id, t.peer));
        dsp::Act act{.send = Kind::transfer_start};
        if (t.format == dsp::format_pull) {
            const auto address = host_.data().grant({Grant::Way::pull, t.pid, t.agreement_id, t.peer, content.blob, content.size, 0});
            if (!address.ok()) return end(t.pid, Kind::transfer_termination, address.error().reason);
            act.address = *address;
        }
        host_.service().act(t.pid, act, [](const Result<std::string>&) {});
    }

    void end(const std::string& pid, Kind kind, const std::string& code) {
        dsp::Act act{.send = kind, .code = code};
        host_.service().act(pid, act, [](const Result<std::string>&) {});
    }

    void fetch(const dsp::TransferProcess& t) {
        // After a resumption there is a new address; what still runs from the old one counts no more.
        const std::string run = t.pid + t.address->authorization;
        if (!running_.insert(run).second) return;
        auto file = host_.blobs().begin(0);
        if (!file.ok()) return end(t.pid, Kind::transfer_termination, file.error().reason);
        auto sink = std::make_shared<Received>(std::move(file).value());
        Download wish{.url = t.address->endpoint, .authorization = t.address->authorization, .allowed_origins = origins_of(t.peer),
                      .limit_bytes = largest, .attempts = 8, .sink = sink};
        download(host_.outbound(), std::move(wish), [this, pid = t.pid, run, sink](const Result<Downloaded>& result) {
            auto digest = std::make_shared<Result<Digest>>(result.ok() ? sink->upload.finish() : Result<Digest>(result.error()));
            host_.post([this, pid, run, digest] {
                running_.erase(run);
                const auto& now = host_.service().node().transfers().at(pid);
                if (now.state != dsp::TransferState::started || now.resuming || run != pid + now.address->authorization) return;
                if (!digest->ok()) return end(pid, Kind::transfer_termination, digest->error().reason);
                got_[pid] = to_hex(**digest);
                end(pid, Kind::transfer_completion, "");
            });
        });
    }

    void push(const dsp::TransferProcess& t) {
        if (!running_.insert(t.pid).second || !t.address) return;
        const Offered& content = offered.at(dataset_under(t.agreement_id, t.peer));
        auto file = host_.blobs().open_blob(content.blob);
        if (!file.ok()) return end(t.pid, Kind::transfer_termination, file.error().reason);
        OutboundRequest request{.url = t.address->endpoint, .content_type = "application/octet-stream", .content = std::move(file).value(),
                                .content_bytes = content.size, .allowed_origins = origins_of(t.peer), .timeout_ms = 600'000};
        host_.outbound()->send(std::move(request), [this, pid = t.pid](const Result<OutboundResponse>& answer) {
            const bool good = answer.ok() && answer->status >= 200 && answer->status < 300;
            host_.post([this, pid, good] {
                running_.erase(pid);
                end(pid, good ? Kind::transfer_completion : Kind::transfer_termination, good ? "" : "push.failed");
            });
        });
    }

    interop::LoopbackHost& host_;
    std::string participant_;
    std::string rules_;
    std::set<std::string> running_;
    std::map<std::string, std::string> got_;  // what came, by transfer
};

Status read_company(const std::multimap<std::string, std::string>& options, Company& company, BlobStore& blobs) {
    for (const auto& [name, value] : options) {
        const std::size_t equals = value.find('=');
        if (name == "--peer" && equals != std::string::npos) company.peers[value.substr(0, equals)] = value.substr(equals + 1);
        if (name == "--origin" && equals != std::string::npos) company.origins.emplace(value.substr(0, equals), value.substr(equals + 1));
        if (name == "--federation") company.federation = value;
        if (name != "--offer" || equals == std::string::npos) continue;
        ENTENTE_ASSIGN(const auto source, open_file(value.substr(equals + 1)));
        ENTENTE_ASSIGN(BlobStore::Upload upload, blobs.begin(0));
        ENTENTE_TRY(upload.take(*source));
        const std::uint64_t size = upload.size();
        ENTENTE_ASSIGN(const Digest blob, upload.finish());
        company.offered[value.substr(0, equals)] = {blob, size};
    }
    // The same content again and again under other names: a large catalogue.
    const std::size_t copies = std::stoul(interop::option(options, "--copies", "0"));
    if (copies == 0 || company.offered.empty()) return done();
    const Offered first = company.offered.begin()->second;
    for (std::size_t i = 0; i < copies; ++i) company.offered["copy-" + std::to_string(i)] = first;
    return done();
}

void add_controls(interop::LoopbackHost& host, Company& company) {
    using Members = interop::LoopbackHost::Members;
    const auto answering = [](http::Reply reply) {
        return [reply = std::move(reply)](const Result<std::string>& pid) {
            reply(pid.ok() ? http::json(JsonObject().text("pid", *pid).str()) : http::problem(pid.error()));
        };
    };
    host.controls["/control/negotiations"] = [&, answering](Members& m, http::Reply reply) {
        const std::string offer = m["offer"].empty() ? company.offer_of(m["dataset"]) : m["offer"];
        host.service().negotiate({m["peer"], company.peers[m["peer"]], m["dataset"], offer, {}}, answering(std::move(reply)));
    };
    host.controls["/control/transfers"] = [&, answering](Members& m, http::Reply reply) {
        std::optional<dsp::DataAddress> push_to;
        if (m["format"] == dsp::format_push) {
            // Its pid is not known yet: the address bears a name of its own.
            auto address = host.data().grant({Grant::Way::push, new_urn(), m["agreement"], m["peer"], {}, largest, 0});
            if (!address.ok()) return reply(http::problem(address.error()));
            push_to = *address;
        }
        host.service().transfer({m["peer"], company.peers[m["peer"]], m["agreement"], m["format"], push_to, {}}, answering(std::move(reply)));
    };
    host.controls["/control/act"] = [&, answering](Members& m, http::Reply reply) {
        const auto kind = kind_of(m["send"]);
        if (!kind) return reply(http::problem(400, "control.send", "no such message"));
        host.service().act(m["pid"], {.send = *kind, .code = m["code"]}, answering(std::move(reply)));
    };
    host.controls["/control/state"] = [&](Members&, const http::Reply& reply) { reply(http::json(company.state())); };
}

}  // namespace

int main(int count, char** arguments) {
    const auto options = interop::read_options(count, arguments);
    const std::string participant = interop::option(options, "--participant", "plant-a");
    const auto fail = [](const Error& error) {
        std::fprintf(stderr, "dsp_peer: %s\n", error.message.c_str());
        return 1;
    };
    auto opened = interop::LoopbackHost::open({.participant = participant,
                                               .port = static_cast<std::uint16_t>(std::stoul(interop::option(options, "--port", "0"))),
                                               .folder = interop::option(options, "--data", "."),
                                               .issuer = interop::option(options, "--issuer", ""),
                                               .secret = participant + "-secret",
                                               .open_per_peer = std::stoul(interop::option(options, "--open", "100")),
                                               .push_limit_bytes = largest});
    if (!opened.ok()) return fail(opened.error());
    interop::LoopbackHost& host = **opened;
    Company company(host, participant, interop::option(options, "--rules", R"({"permission":[{"action":"use"}]})"));
    if (const Status good = read_company(options, company, host.blobs()); !good.ok()) return fail(good.error());
    host.origins_of = [&](const std::string& peer) { return company.origins_of(peer); };
    host.on_received = [&](const Grant& grant, const Digest& blob) { return company.received(grant, blob); };
    host.on_step = [&](const dsp::Step& step) {
        if (step.transfer) host.post([&, pid = step.transfer->pid] { company.look_at(host.service().node().transfers().at(pid)); });
    };
    add_controls(host, company);
    return host.run(company, [&] {
        for (const auto& [pid, transfer] : host.service().node().transfers()) company.look_at(transfer);
    });
}
