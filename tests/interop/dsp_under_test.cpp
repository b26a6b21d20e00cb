// The production connector with the compatibility kit's decisions, for script/interop tck.
//
//   dsp_under_test --data DIR --kit http://localhost:8083 [--listen 127.0.0.1] [--port N]
//
// Beside the protocol it has the kit's two webhooks: POST /tck/negotiations/requests and /tck/transfers/requests.
#include <cstdio>

#include "kit_script.hpp"
#include "loopback_host.hpp"

using namespace entente;
using namespace entente::native;

namespace {

constexpr const char* participant = "CONNECTOR_UNDER_TEST";
constexpr const char* kit = "TCK_PARTICIPANT";

auto answering(http::Reply reply) {
    return [reply = std::move(reply)](const Result<std::string>& pid) { reply(pid.ok() ? http::json("{}") : http::problem(pid.error())); };
}

}  // namespace

int main(int count, char** arguments) {
    const auto options = interop::read_options(count, arguments);
    auto opened = interop::LoopbackHost::open({.participant = participant,
                                               .listen = interop::option(options, "--listen", "127.0.0.1"),
                                               .port = static_cast<std::uint16_t>(std::stoul(interop::option(options, "--port", "0"))),
                                               .folder = interop::option(options, "--data", "."),
                                               .audiences = {"any"},
                                               .attempts = 5});  // the kit takes a message that comes too late for one of its next test
    if (!opened.ok()) {
        std::fprintf(stderr, "dsp_under_test: %s\n", opened.error().message.c_str());
        return 1;
    }
    interop::LoopbackHost& host = **opened;
    const std::string kit_origin = interop::option(options, "--kit", "http://localhost:8083");
    interop::KitScript script(participant, kit, kit_origin, host.origin() + "/dsp/data/none");
    host.origins_of = [&](const std::string& peer) { return peer == kit ? std::vector<std::string>{kit_origin} : std::vector<std::string>(); };
    host.controls["/tck/negotiations/requests"] = [&](interop::LoopbackHost::Members& m, http::Reply reply) {
        const std::string offer = R"({"@id":")" + m["offerId"] + R"(","@type":"Offer","permission":[{"action":"use"}]})";
        host.service().negotiate({m["providerId"], m["connectorAddress"], m["datasetId"], offer, {}}, answering(std::move(reply)));
    };
    host.controls["/tck/transfers/requests"] = [&](interop::LoopbackHost::Members& m, http::Reply reply) {
        host.service().transfer({m["providerId"], m["connectorAddress"], m["agreementId"], m["format"], {}, {}}, answering(std::move(reply)));
    };
    return host.run(script);
}
