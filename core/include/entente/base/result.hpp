// Errors are values: a function that can fail returns Result<T> (or Status), never throws, never prints.
//
//   Result<Plan> plan = read_plan(text);
//   if (!plan) return plan.error();               // pass it on unchanged
//   use(plan.value());
//
// An Error carries three things: a Code that maps to one HTTP status and one exit code, a stable dotted
// `reason` that programs and translations may rely on ("update.stale-base"), and a sentence for a person that
// says what was expected and what was found.
//
// Thread-safety: a Result is a plain value; share it as you would share a std::string.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace entente {

// When to use which (and the HTTP status it becomes):
enum class Code {
    invalid_argument,    // 400  the input is wrong whatever the state: malformed, out of range, wrong shape
    unauthenticated,     // 401  who is asking is not known: no token, bad signature
    permission_denied,   // 403  known, but may not: another partner's asset, a term of the contract
    not_found,           // 404
    conflict,            // 409  right in itself, wrong in this state: stale base model, duplicate, closed round
    gone,                // 410  existed once and will not come back: an expired agreement, a used join code
    too_large,           // 413  beyond a limit that the plan or the server sets
    resource_exhausted,  // 429  try again later: quota, too many at once
    unavailable,         // 503  the peer cannot be reached or is shutting down
    no_space,            // 507  the disk is full: nothing was stored
    deadline_exceeded,   // 504
    cancelled,           // 499
    data_loss,           // 500  stored bytes are damaged
    internal,            // 500  our own bug; never the answer to bad input
};

std::string_view to_string(Code code) noexcept;
int http_status(Code code) noexcept;

struct [[nodiscard]] Error {
    Code code = Code::internal;
    std::string reason;   // stable, dotted, lower case: "frame.truncated", "policy.denied"
    std::string message;  // one sentence: what was expected, what was found

    friend bool operator==(const Error&, const Error&) = default;
};

struct Done {
    friend bool operator==(const Done&, const Done&) = default;
};

// A value or the Error that prevented it. Reading the wrong side is a programmer's error and aborts.
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}       // NOLINT(google-explicit-constructor)
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}   // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return ok(); }

    T& value() & { return require<0>(state_); }
    const T& value() const& { return require<0>(state_); }
    T&& value() && { return std::move(require<0>(state_)); }
    const Error& error() const& { return require<1>(state_); }
    Error&& error() && { return std::move(require<1>(state_)); }

    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }

private:
    template <std::size_t I, class V>
    static auto& require(V& state) {
        if (state.index() != I) std::abort();
        return *std::get_if<I>(&state);
    }
    std::variant<T, Error> state_;
};

using Status = Result<Done>;
inline Status done() { return Status(Done{}); }

}  // namespace entente

// Returns the error of `expression` from the enclosing function, if there is one.
#define ENTENTE_TRY(expression)                                        \
    do {                                                               \
        if (auto entente_try_ = (expression); !entente_try_.ok()) {    \
            return std::move(entente_try_).error();                    \
        }                                                              \
    } while (false)

#define ENTENTE_CONCAT_INNER(a, b) a##b
#define ENTENTE_CONCAT(a, b) ENTENTE_CONCAT_INNER(a, b)

// ENTENTE_ASSIGN(auto plan, read_plan(text));   declares `plan`, or returns the error.
#define ENTENTE_ASSIGN(target, expression) \
    ENTENTE_ASSIGN_IMPL(ENTENTE_CONCAT(entente_result_, __LINE__), target, expression)
#define ENTENTE_ASSIGN_IMPL(result, target, expression)    \
    auto result = (expression);                            \
    if (!result.ok()) return std::move(result).error();    \
    target = std::move(result).value()
