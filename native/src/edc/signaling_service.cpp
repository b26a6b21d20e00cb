#include "edc/signaling_service.hpp"

#include "net/address.hpp"

namespace entente::native {
namespace {

constexpr std::uint64_t message_limit = 1024 * 1024;

bool success(int status) { return status >= 200 && status < 300; }

}  // namespace

std::shared_ptr<SignalingService> SignalingService::make(SignalingOptions options) {
    return std::shared_ptr<SignalingService>(new SignalingService(std::move(options)));
}

SignalingService::SignalingService(SignalingOptions options)
    : o_(std::move(options)),
      dialect_(edc::make_signaling(o_.dialect)),
      api_(edc::make_management_api(o_.dialect == edc::Dialect::json_ld ? "v3" : "v4")) {
    flows_ = std::make_unique<edc::DataFlows>(edc::DataFlows::Host{
        .offered = [this](const edc::Flow& flow) -> Result<policy::Policy> {
            ENTENTE_ASSIGN(const SignalingOptions::Content content, o_.content(flow));
            return content.policy;
        },
        .agreement = [this](const std::string& id, contract::Completion<edc::AgreementRecord> completion) {
            fetch_agreement(id, std::move(completion));
        },
        .facts = o_.facts,
        .grant = [this](const edc::Flow& flow, const edc::AgreementRecord& record) { return grant(flow, record); },
        .push = [](const edc::Flow& flow, const edc::AgreementRecord&) -> Status {
            return Error{Code::invalid_argument, "signaling.push", "data flow " + flow.process + ": expected a pull, found a push"};
        },
        .revoke = [this](const std::string& process) { return o_.data->revoke(process); }});
}

Result<dsp::DataAddress> SignalingService::grant(const edc::Flow& flow, const edc::AgreementRecord& record) {
    ENTENTE_ASSIGN(const SignalingOptions::Content content, o_.content(flow));
    Grant grant;
    grant.transfer = flow.process;
    grant.agreement = record.wire_id;
    grant.peer = flow.peer;
    grant.blob = content.blob;
    grant.size_bytes = content.size_bytes;
    return o_.data->grant(grant);
}

void SignalingService::fetch_agreement(const std::string& id, contract::Completion<edc::AgreementRecord> completion) {
    const edc::Call call = api_->read(edc::Thing::agreement, id);
    OutboundRequest ask;
    ask.method = call.method;
    ask.url = o_.management + call.path;
    if (!o_.key.empty()) ask.headers.emplace_back("X-Api-Key", o_.key);
    ask.allowed_origins = o_.origins;
    o_.outbound->send(std::move(ask), [post = o_.post, weak = weak_from_this(), id, completion = std::move(completion)](Result<OutboundResponse> answer) {
        post([weak, id, completion, answer = std::move(answer)] {
            if (!weak.lock()) return;
            if (!answer.ok()) return completion(answer.error());
            if (!success(answer->status)) return completion(edc::error_of(answer->status, answer->body, "reading the agreement " + id));
            completion(edc::read_agreement(answer->body));
        });
    });
}

void SignalingService::register_with_edc(std::function<void(Status)> registered) {
    const edc::Signaling::Registration registration = dialect_->registration(o_.id, o_.address, o_.source_type, {"HttpData-PULL"});
    OutboundRequest ask;
    ask.method = registration.method;
    ask.url = o_.control + registration.path;
    ask.body = registration.body;
    ask.allowed_origins = o_.origins;
    o_.outbound->send(std::move(ask), [post = o_.post, control = o_.control, registered = std::move(registered)](Result<OutboundResponse> answer) {
        post([registered, control, answer = std::move(answer)] {
            if (!answer.ok()) return registered(answer.error());
            if (answer->status == 404 || answer->status == 405) {
                return registered(Error{Code::invalid_argument, "edc.control",
                                        control + ": expected EDC's control API, found something else (HTTP status " + std::to_string(answer->status) + ")"});
            }
            registered(success(answer->status) ? done() : Status(edc::error_of(answer->status, answer->body, "registering as data plane")));
        });
    });
}

bool SignalingService::serves(std::string_view path) const {
    return path.starts_with(o_.root) && (path.size() == o_.root.size() || path[o_.root.size()] == '/');
}

http::BodyRule SignalingService::body_rule(const http::Request& request) const {
    return {request.method == "POST" ? http::BodyKind::small : http::BodyKind::none, request.method == "POST" ? message_limit : 0, false};
}

void SignalingService::handle(const http::Request& request, http::Reply reply) {
    const auto from = read_address(request.remote);
    if (!from.ok() || !from->is_loopback()) {
        return reply(http::problem(403, "signaling.remote", "expected the control plane on this machine, found " + request.remote));
    }
    auto signal = dialect_->read(request.method, std::string_view(request.path).substr(o_.root.size()), request.body);
    if (!signal.ok()) return reply(http::problem(signal.error()));
    o_.post([weak = weak_from_this(), signal = std::move(*signal), reply = std::move(reply)] {
        const auto self = weak.lock();
        if (!self) return reply(http::problem(503, "server.stopping", "the data plane is going down"));
        self->flows_->handle(signal, [self, signal, reply](const Result<edc::Flowing>& now) {
            if (!now.ok()) return reply(http::problem(now.error()));
            const std::string body = self->dialect_->write(signal, now->state, now->address);
            reply(body.empty() ? http::json("{}") : http::json(body));
        });
    });
}

}  // namespace entente::native
