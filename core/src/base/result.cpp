#include "entente/base/result.hpp"

namespace entente {

std::string_view to_string(Code code) noexcept {
    switch (code) {
        case Code::invalid_argument: return "invalid_argument";
        case Code::unauthenticated: return "unauthenticated";
        case Code::permission_denied: return "permission_denied";
        case Code::not_found: return "not_found";
        case Code::conflict: return "conflict";
        case Code::gone: return "gone";
        case Code::too_large: return "too_large";
        case Code::resource_exhausted: return "resource_exhausted";
        case Code::unavailable: return "unavailable";
        case Code::no_space: return "no_space";
        case Code::deadline_exceeded: return "deadline_exceeded";
        case Code::cancelled: return "cancelled";
        case Code::data_loss: return "data_loss";
        case Code::internal: return "internal";
    }
    return "internal";
}

int http_status(Code code) noexcept {
    switch (code) {
        case Code::invalid_argument: return 400;
        case Code::unauthenticated: return 401;
        case Code::permission_denied: return 403;
        case Code::not_found: return 404;
        case Code::conflict: return 409;
        case Code::gone: return 410;
        case Code::too_large: return 413;
        case Code::resource_exhausted: return 429;
        case Code::unavailable: return 503;
        case Code::no_space: return 507;
        case Code::deadline_exceeded: return 504;
        case Code::cancelled: return 499;
        case Code::data_loss: return 500;
        case Code::internal: return 500;
    }
    return 500;
}

}  // namespace entente
