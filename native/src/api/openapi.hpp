#pragma once

#include <string_view>

namespace entente::native {

std::string_view openapi_json();  // native/api/openapi.json, embedded

}  // namespace entente::native
