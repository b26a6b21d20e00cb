#include "server/connector_registration.hpp"

#include "api/json_body.hpp"

namespace entente::native {

Result<dsp::Peer> read_registration(const std::string& participant, const std::string& json) {
    ENTENTE_ASSIGN(const JsonBody body, JsonBody::parse(json));
    const std::string kind = body.text("kind");
    if (!kind.empty() && kind != "entente" && kind != "edc") {
        return Error{Code::invalid_argument, "connector.kind", "connector: expected the kind entente or edc, found \"" + kind.substr(0, 40) + "\""};
    }
    if (kind != "edc") return dsp::Peer{participant, body.text("address")};
    return dsp::Peer{participant, body.text("address"), true, body.text("data"), body.text("edc_id")};
}

}  // namespace entente::native
