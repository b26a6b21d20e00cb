// connectors/edc against a running EDC, for tests/interop/edc: one call a line.
//
//   edc_driver --management URL --key KEY --participant ID --peer ID --peer-address URL --origins URL,URL
//
// Reads "COMMAND ARGUMENT…" from standard input and answers each with a line of JSON: {"ok":…} or {"error":reason,"message":…}.
#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>

#include "base/files.hpp"
#include "connectors/dsp/json.hpp"
#include "connectors/edc/edc_client.hpp"
#include "edc/edc_http.hpp"
#include "entente/codec/sha256.hpp"
#include "entente/policy/odrl.hpp"

namespace {

using namespace entente;
namespace json = dsp::json;

class Driver {
public:
    Driver(edc::EdcClient& client, edc::Peer peer, std::int64_t now_ms) : client_(client), peer_(std::move(peer)) {
        facts_.federation = "urn:fl:federation:demo";
        facts_.cohort = 3;
        facts_.round = 1;
        facts_.now_ms = facts_.agreed_at_ms = now_ms;
    }

    Result<Json> run(const std::string& command, const std::vector<std::string>& arguments) {
        const auto argument = [&](std::size_t i) { return i < arguments.size() ? arguments[i] : std::string(); };
        if (command == "connect") {
            ENTENTE_TRY(client_.connect());
            return json::string(client_.version());
        }
        if (command == "publish") return publish(argument(0), argument(1), argument(2));
        if (command == "withdraw") return nothing(client_.withdraw(argument(0)));
        if (command == "catalogue") return catalogue();
        if (command == "negotiate") return negotiate(argument(0));
        if (command == "pull") return pulled(client_.pull(peer_, agreement_));
        if (command == "fetch") return fetch();
        if (command == "push") {
            ENTENTE_ASSIGN(const std::string id, client_.push(peer_, agreement_, argument(0)));
            return json::string(id);
        }
        if (command == "suspend") return nothing(client_.suspend(pull_.transfer, "a pause"));
        if (command == "resume") return pulled(client_.resume(pull_.transfer));
        if (command == "terminate") return nothing(client_.terminate(pull_.transfer, "received"));
        return Error{Code::invalid_argument, "driver.command", command};
    }

private:
    static Result<Json> nothing(Status status) {
        if (!status.ok()) return status.error();
        return json::string("done");
    }
    Result<Json> publish(const std::string& asset, const std::string& source, const std::string& policy_file) {
        ENTENTE_ASSIGN(const Bytes text, native::read_file(policy_file, 64 * 1024));
        ENTENTE_ASSIGN(const policy::Odrl odrl, policy::read_odrl(std::string_view(reinterpret_cast<const char*>(text.data()), text.size())));
        return nothing(client_.publish({asset, odrl.policy, {{"round", "7"}}, source}));
    }
    Result<Json> catalogue() {
        ENTENTE_ASSIGN(datasets_, client_.catalogue(peer_));
        std::vector<std::string> ids;
        for (const dsp::Dataset& dataset : datasets_) ids.push_back(dataset.id);
        return json::strings(ids);
    }
    Result<Json> negotiate(const std::string& id) {
        ENTENTE_TRY(catalogue());
        for (const dsp::Dataset& dataset : datasets_) {
            if (dataset.id != id) continue;
            ENTENTE_ASSIGN(agreement_, client_.negotiate(peer_, dataset, facts_));
            return json::object({{"wire", agreement_.wire_id}, {"local", agreement_.local_id}});
        }
        return Error{Code::not_found, "driver.dataset", id};
    }
    Result<Json> pulled(Result<edc::Pull> pull) {
        if (!pull.ok()) return pull.error();
        pull_ = *pull;
        return json::string(pull_.address.endpoint);
    }
    Result<Json> fetch() {
        struct Hashing final : contract::ByteSink {
            codec::Sha256 hash;
            Status append(ByteView piece) override {
                hash.update(piece);
                return done();
            }
        } sink;
        ENTENTE_TRY(client_.fetch(pull_, sink));
        return json::string(to_hex(sink.hash.finish()));
    }

    edc::EdcClient& client_;
    edc::Peer peer_;
    policy::Facts facts_;
    std::vector<dsp::Dataset> datasets_;
    edc::EdcAgreement agreement_;
    edc::Pull pull_;
};

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts;
    std::istringstream in(text);
    for (std::string part; std::getline(in, part, at);) parts.push_back(part);
    return parts;
}

}  // namespace

int main(int count, char** arguments) {
    std::map<std::string, std::string> options;
    for (int i = 1; i + 1 < count; i += 2) options[arguments[i]] = arguments[i + 1];
    auto http = native::EdcHttp::make({.origins = split(options["--origins"], ','), .loopback = true, .opened_networks = {}, .ca_file = {}});
    if (!http.ok()) {
        std::fprintf(stderr, "edc_driver: %s\n", http.error().message.c_str());
        return 1;
    }
    edc::EdcClient client({.management = options["--management"], .key = options["--key"], .participant = options["--participant"], .version = {}}, **http);
    Driver driver(client, {options["--peer"], options["--peer-address"]}, (*http)->now_ms());
    for (std::string line; std::getline(std::cin, line);) {
        std::vector<std::string> words = split(line, ' ');
        if (words.empty()) continue;
        const std::string command = words.front();
        words.erase(words.begin());
        const auto answer = driver.run(command, words);
        Json o = json::object({});
        if (answer.ok()) {
            json::put(o, "ok", *answer);
        } else {
            json::put(o, "error", json::string(answer.error().reason));
            json::put(o, "message", json::string(answer.error().message));
        }
        std::cout << write_json(o) << std::endl;
    }
    return 0;
}
