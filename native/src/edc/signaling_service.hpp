// Our data plane under a company's own Eclipse EDC: EDC negotiates and answers the data space, the bytes and the terms are
// ours. connectors/edc/data_flows.hpp on sockets.
//
//   auto service = SignalingService::make({.post = on_strand, .outbound = outbound, .data = data_plane, …});
//   service->register_with_edc([](Status registered) { … });
//
// Its messages bear no credentials in EDC's dialect: whoever reaches these paths can have our bytes sent. They are served
// to this machine alone; EDC on another one needs a tunnel. Pull alone is offered: a push is refused by name.
// Thread-safety: handle() from any thread; everything else on the strand that `post` leads to.
#pragma once

#include "connectors/edc/data_flows.hpp"
#include "connectors/edc/management_api.hpp"
#include "dsp/data_plane.hpp"
#include "net/outbound.hpp"

namespace entente::native {

struct SignalingOptions {
    std::function<void(std::function<void()>)> post;
    std::shared_ptr<Outbound> outbound;
    std::shared_ptr<DataPlane> data;
    edc::Dialect dialect = edc::Dialect::json_ld;
    std::string id = "entente";                // ours, in EDC
    std::string source_type = "HttpData";      // of the assets that it serves
    std::string root = "/signaling/dataflows";
    std::string address;                       // where `root` is reached by EDC
    std::string management;                    // of EDC's APIs: where agreements are read,
    std::string key;                           // its X-Api-Key,
    std::string control;                       // and where data planes register
    std::vector<std::string> origins;          // of both

    struct Content {
        policy::Policy policy;  // as it was published
        Digest blob;
        std::uint64_t size_bytes = 0;
    };
    // What the flow's peer may have of its dataset; not_found for what is none of ours.
    std::function<Result<Content>(const edc::Flow&)> content;
    std::function<policy::Facts(const edc::Flow&)> facts;
};

class SignalingService : public std::enable_shared_from_this<SignalingService> {
public:
    static std::shared_ptr<SignalingService> make(SignalingOptions options);

    // Repeating it is no error. EDC then looks whether we are there, and sends flows within seconds.
    void register_with_edc(std::function<void(Status)> registered);

    [[nodiscard]] bool serves(std::string_view path) const;
    [[nodiscard]] http::BodyRule body_rule(const http::Request& request) const;
    void handle(const http::Request& request, http::Reply reply);

private:
    explicit SignalingService(SignalingOptions options);
    void fetch_agreement(const std::string& id, contract::Completion<edc::AgreementRecord> completion);
    Result<dsp::DataAddress> grant(const edc::Flow& flow, const edc::AgreementRecord& record);

    SignalingOptions o_;
    std::unique_ptr<edc::Signaling> dialect_;
    std::unique_ptr<edc::ManagementApi> api_;
    std::unique_ptr<edc::DataFlows> flows_;
};

}  // namespace entente::native
