// What a control plane says to its data plane, in the two dialects of Data Plane Signaling, as one set of values.
//
//   const auto dialect = make_signaling(Dialect::json_ld);                  // EDC 0.14 and 0.15
//   ENTENTE_ASSIGN(const Signal signal, dialect->read("POST", "/start", body));
//   reply(dialect->write(signal, FlowState::started, address));
//
// json_ld is measured with EDC 0.15.1 and 0.14.0; plain (EDC from 0.18 on, and the specification of the Eclipse Dataspace Working
// Group) is written after its message tables, never run against a control plane: experimental. Its asynchronous answers
// (202 and a callback) are not built: every answer is the final one. The consumer's side of it is not built either.
//
// Errors: base/json.hpp's, invalid_argument "signaling.message", not_found "signaling.path". Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/dsp/message.hpp"
#include "entente/base/result.hpp"

namespace entente::edc {

enum class Dialect : std::uint8_t { json_ld, plain };

enum class Verb : std::uint8_t {
    check,      // are you there?
    prepare,    // a transfer will come
    start,      // also what resumes a suspended flow in json_ld
    suspend,
    resume,
    terminate,  // ended for good; in json_ld this is how a completed transfer ends, too
    complete,
    status,
};

enum class FlowState : std::uint8_t { prepared, started, suspended, completed, terminated };
std::string_view word(FlowState state) noexcept;  // "STARTED"

// One transfer's bytes, as the control plane asks for them.
struct Flow {
    std::string process;    // the control plane's id of the transfer
    std::string agreement;  // its id of the agreement: with EDC the local one
    std::string dataset;
    std::string peer;       // participant id of the consumer
    std::optional<dsp::DataAddress> push_to;

    friend bool operator==(const Flow&, const Flow&) = default;
};

struct Signal {
    Verb verb = Verb::check;
    std::string message;  // its id, where it has one
    Flow flow;            // prepare, start: all of it; others: the process alone

    friend bool operator==(const Signal&, const Signal&) = default;
};

class Signaling {
public:
    virtual ~Signaling() = default;
    // `path`: below the registered address, decoded.
    [[nodiscard]] virtual Result<Signal> read(std::string_view method, std::string_view path, std::string_view body) const = 0;
    // The body of a 200 to `signal`; empty where none is wanted.
    [[nodiscard]] virtual std::string write(const Signal& signal, FlowState state, const std::optional<dsp::DataAddress>& address) const = 0;
    // What registers a data plane at `address` under `id` for assets of this source type ("HttpData") and these formats
    // ("HttpData-PULL"): method, path below the control plane's API, and body.
    struct Registration {
        std::string method;
        std::string path;
        std::string body;
    };
    [[nodiscard]] virtual Registration registration(const std::string& id, const std::string& address, const std::string& source_type,
                                                    const std::vector<std::string>& formats) const = 0;
};

std::unique_ptr<Signaling> make_signaling(Dialect dialect);

}  // namespace entente::edc
