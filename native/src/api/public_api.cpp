// What anybody may ask: health, what this federation is, and joining.
#include "api/app.hpp"
#include "api/json_body.hpp"
#include "api/openapi.hpp"
#include "commands/text.hpp"
#include "entente/base/json_text.hpp"
#include "entente/policy/evaluate.hpp"

namespace entente::native {

using commands::JsonObject;
using http::json;
using http::problem;

void App::healthz(Call& call) { call.reply(json("{\"ok\":true}")); }

void App::readyz(Call& call) {
    if (draining_) return call.reply(problem(503, "server.draining", "the server is about to stop"));
    if (o_.host.stalled()) return call.reply(problem(503, "disk.full", "the disk is full; rounds stand still until there is room"));
    call.reply(json("{\"ready\":true}"));
}

void App::metrics(Call& call) {
    const auto view = o_.host.view();
    std::string out;
    const auto gauge = [&out](std::string_view name, std::string_view help, std::string_view type, std::uint64_t value) {
        const std::string full = "entente_" + std::string(name);
        out += "# HELP " + full + " " + std::string(help) + "\n# TYPE " + full + " " + std::string(type) + "\n" + full + " " +
               std::to_string(value) + "\n";
    };
    gauge("round", "Number of the present round.", "gauge", view.round);
    gauge("rounds_completed_total", "Rounds that ended with a model.", "counter", view.completed);
    gauge("participants", "Participants that have joined.", "gauge", view.participants.size());
    gauge("updates_delivered", "Updates in the open round.", "gauge", view.delivered);
    gauge("http_requests_total", "Requests that reached the API.", "counter", counters_["requests"]);
    gauge("http_requests_limited_total", "Requests that were refused because they came too often.", "counter", limited_);
    gauge("uploads_total", "Updates received.", "counter", counters_["uploads"]);
    gauge("upload_bytes_total", "Bytes of updates received.", "counter", counters_["bytes_up"]);
    gauge("download_bytes_total", "Bytes of models sent.", "counter", counters_["bytes_down"]);
    gauge("stalled", "1 while the disk is full.", "gauge", o_.host.stalled() ? 1 : 0);
    http::Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = std::move(out);
    call.reply(std::move(response));
}

void App::openapi(Call& call) {
    http::Response response;
    response.fixed = openapi_json();
    call.reply(std::move(response));
}

void App::federation(Call& call) {
    const plan::Plan& plan = o_.host.machine().plan();
    const auto view = o_.host.view();
    std::string names;
    for (const auto& p : view.participants) {
        if (p.standing == round::coordinator::Standing::left) continue;
        names += (names.empty() ? "" : ",") + JsonObject().text("name", p.name).str();
    }
    JsonObject body;
    body.text("id", plan.federation.id).text("name", plan.federation.name).text("operator", plan.federation.operator_name);
    body.text("purpose", plan.federation.purpose).text("coordinator", plan.federation.coordinator);
    body.text("coordinator_key", codec::to_hex(o_.coordinator_key)).text("plan_digest", to_hex(plan::digest_of(plan)));
    body.whole("rounds", plan.round.rounds).whole("round", view.round).text("phase", to_string(view.phase));
    body.text("numerics", plan.numerics);
    if (!o_.sign_in.empty()) body.raw("sign_in", o_.sign_in);
    body.raw("model", JsonObject().whole("parameters", plan::parameter_count(plan)).whole("bytes", view.model_bytes).str());
    call.reply(json(body.raw("participants", "[" + names + "]").str()));
}

void App::plan(Call& call) { call.reply(http::binary(o_.plan_envelope)); }

void App::invitation(Call& call) {
    const auto body = JsonBody::parse(call.request.body);
    if (!body.ok()) return call.reply(problem(body.error()));
    const auto code = o_.identity.look_up(body->text("code"), remote_of(call.request), now_ms());
    if (!code.ok()) return call.reply(problem(code.error()));
    const plan::Plan& plan = o_.host.machine().plan();
    call.reply(json(JsonObject()
                        .text("participant", code->participant)
                        .text("name", code->name)
                        .text("role", code->role)
                        .text("federation", plan.federation.id)
                        .text("expires_at", policy::format_instant(code->expires_at_ms / 1000 * 1000))
                        .str()));
}

namespace {

// What both ways in ask for: a key, and the proof that its other half is there.
struct Joining {
    std::string code;  // empty: the identity provider vouches
    codec::PublicKey key;
    codec::Signature signature;
};

Result<Joining> read_joining(const std::string& text) {
    ENTENTE_ASSIGN(const JsonBody body, JsonBody::parse(text));
    const auto key = codec::public_key_from_hex(body.text("public_key"));
    const auto signature = codec::signature_from_hex(body.text("signature"));
    if (!key.ok() || !signature.ok()) {
        return Error{Code::invalid_argument, "join.malformed", "expected public_key (64) and signature (128 hexadecimal digits)"};
    }
    return Joining{body.text("code"), *key, *signature};
}

}  // namespace

void App::join(Call& call) {
    const auto asked = read_joining(call.request.body);
    if (!asked.ok()) return call.reply(problem(asked.error()));
    auto joined = o_.identity.redeem(asked->code, asked->key, asked->signature, remote_of(call.request), now_ms());
    answer_joined(call, joined, asked->key);
}

// A partner that the identity provider vouches for: its key goes on the books.
void App::enrol(Call& call) {
    const auto asked = read_joining(call.request.body);
    if (!asked.ok()) return call.reply(problem(asked.error()));
    const Account* known = o_.identity.find(call.who.id);
    const auto joined = o_.identity.enrol(call.who.id, known != nullptr ? known->name : call.who.id, asked->key, asked->signature, now_ms());
    answer_joined(call, joined, asked->key);
}

void App::answer_joined(Call& call, const Result<JoinCodes::Joined>& joined, const codec::PublicKey& key) {
    if (!joined.ok()) return call.reply(problem(joined.error()));
    if (Status bound = o_.identity.bind(joined->account.id, call.request.certificate); !bound.ok()) return call.reply(problem(bound.error()));
    if (joined->account.role == "partner") {
        if (Status in = o_.host.admit(joined->account.id, joined->account.name, key); !in.ok()) return call.reply(problem(in.error()));
    }
    call.reply(json(JsonObject()
                        .text("participant", joined->account.id)
                        .text("name", joined->account.name)
                        .text("role", joined->account.role)
                        .text("token", joined->token)
                        .text("coordinator_key", codec::to_hex(o_.coordinator_key))
                        .text("plan_digest", to_hex(plan::digest_of(o_.host.machine().plan())))
                        .str(),
                    201));
}

void App::sample(Call& call) {
    static const std::map<std::string, std::string> files{{"train-images", "train-images-idx3-ubyte"},
                                                          {"train-labels", "train-labels-idx1-ubyte"},
                                                          {"test-images", "t10k-images-idx3-ubyte"},
                                                          {"test-labels", "t10k-labels-idx1-ubyte"}};
    const auto it = files.find(call.parameters.at(0));
    if (it == files.end() || o_.sample_folder.empty()) {
        return call.reply(problem(404, "sample.none", "this coordinator has no sample share (--sample DIR)"));
    }
    auto bytes = read_maybe_gzip((o_.sample_folder / it->second).string(), 512 * 1024 * 1024);
    if (!bytes.ok()) return call.reply(problem(bytes.error()));
    call.reply(http::binary(*bytes));
}

}  // namespace entente::native
