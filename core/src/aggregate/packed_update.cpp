#include "entente/aggregate/packed_update.hpp"

#include <string>

namespace entente::aggregate {

Result<PackedUpdate> PackedUpdate::of(Bytes content, const FixedPoint& grid, std::uint64_t values) {
    if (content.size() != grid.content_bytes(values)) {
        return Error{Code::invalid_argument, "update.shape",
                     "update: expected the " + std::to_string(grid.content_bytes(values)) + " bytes of " + std::to_string(values) +
                         " parameters, found " + std::to_string(content.size())};
    }
    ENTENTE_TRY(check_packed(content, grid, values));
    return PackedUpdate(std::move(content), grid, values);
}

}  // namespace entente::aggregate
