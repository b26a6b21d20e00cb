// A partner that runs an Eclipse EDC. The coordinator's HTTP API is asked for the plan and told where EDC is; everything else
// goes by EDC and the data plane beside it.
#pragma once

#include "edc/edc_connector.hpp"
#include "edc/edc_http.hpp"
#include "join/connector_problems.hpp"
#include "join/link.hpp"
#include "join/log_check.hpp"

namespace entente::native {

class EdcLink final : public Link {
public:
    using Say = std::function<void(std::string_view, const std::string&)>;
    EdcLink(const PartnerConfig& config, std::shared_ptr<hub::HttpClient> http, Say say)
        : c_(config), http_(std::move(http)), say_(std::move(say)), problems_(*http_, say_) {}

    Result<Membership> enter() override;
    contract::Connector& connector() override { return *connector_; }
    Result<contract::HubView> watch(std::uint64_t cursor, std::int64_t wait_ms, const contract::CallOptions& options) override;
    Status check_log() override { return log_ ? log_->look() : done(); }
    void idle() override {}
    void heartbeat(const std::string& json) override;

private:
    Status open_side(const Membership& member);
    Status connect(const Membership& member, const std::string& coordinator);

    const PartnerConfig& c_;
    std::shared_ptr<hub::HttpClient> http_;
    std::optional<LogCheck> log_;
    Say say_;
    ConnectorProblems problems_;
    std::string key_;
    std::unique_ptr<EdcSide> side_;
    std::unique_ptr<EdcHttp> edc_http_;
    std::unique_ptr<EdcConnector> connector_;
};

}  // namespace entente::native
