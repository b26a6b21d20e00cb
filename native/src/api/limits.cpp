// How often each may ask. Who says who it is counts by itself, so that two hundred partners behind one address do not share; all
// others count by their address, and a token that is not good costs ten requests.
#include "api/app.hpp"

namespace entente::native {

using http::Request;
using http::Response;

std::optional<Response> App::too_often(http::RateLimits& limits, const std::string& key, double cost) {
    const std::int64_t wait_ms = limits.take(key, monotonic_ms(), cost);
    if (wait_ms == 0) return std::nullopt;
    ++limited_;
    const std::string seconds = std::to_string((wait_ms + 999) / 1000);
    Response response = http::problem(429, "rate.limited", "too many requests; come again in " + seconds + " s");
    for (auto& [name, value] : response.headers) {
        if (name == "Retry-After") value = seconds;
    }
    return response;
}

std::optional<Response> App::stranger_too_often(const Request& request, double cost) {
    return too_often(address_limits_, http::address_key(remote_of(request)), cost);
}

std::optional<Response> App::member_too_often(const Principal& who) {
    const bool partner = who.role == Role::partner;
    return too_often(partner_limits_, std::string(to_string(who.role)) + " " + (partner || who.person.empty() ? who.id : who.person));
}

std::optional<Response> App::too_often_unasked(const Request& request) {
    if (!request.bearer.empty() && !looks_like_jwt(request.bearer)) {
        if (const auto who = o_.identity.authenticate(request.bearer, now_ms(), request.certificate); who.ok()) return member_too_often(*who);
    }
    return stranger_too_often(request);
}

std::string App::remote_of(const Request& request) const {
    if (!o_.behind_proxy) return request.remote;
    const std::string forwarded = request.header("x-forwarded-for");
    const std::size_t comma = forwarded.rfind(',');
    const std::string last = comma == std::string::npos ? forwarded : forwarded.substr(comma + 1);
    const std::size_t first = last.find_first_not_of(' ');
    return first == std::string::npos ? request.remote : last.substr(first, last.find_last_not_of(' ') - first + 1);
}

}  // namespace entente::native
