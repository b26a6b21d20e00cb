// The members of one object, each asked for with what the schema says of it. Private to this folder.
//
//   Members m("TransferStartMessage", object);
//   message.provider_pid = m.required("providerPid");
//   ENTENTE_TRY(m.status());         // the first thing that was wrong
#pragma once

#include <initializer_list>
#include <string>

#include "connectors/dsp/json.hpp"

namespace entente::dsp {

inline constexpr std::size_t max_text = 4096;       // characters of a member that is a name, a word or an address
inline constexpr std::size_t max_pid = 256;

class Members {
public:
    Members(std::string what, const Json& object) : what_(std::move(what)), object_(object) {}

    // A non-empty string of at most `limit` characters.
    std::string required(std::string_view name, std::size_t limit = max_text);
    std::string optional(std::string_view name, std::size_t limit = max_text);
    // At least one item when it is there.
    std::vector<const Json*> list(std::string_view name);
    const Json* find(std::string_view name) const { return json::find(object_, name); }
    void context();
    // The @type, its prefix ignored. Empty and an error when it is none of those.
    std::string type(std::initializer_list<std::string_view> expected);

    void fail(const std::string& sentence);
    [[nodiscard]] Status status() const { return status_; }

private:
    std::string what_;
    const Json& object_;
    Status status_ = done();
};

// An Offer or Agreement inside a message: its schema, not its meaning (that is policy's).
Status check_policy_schema(const Json& policy, std::string_view type);

}  // namespace entente::dsp
