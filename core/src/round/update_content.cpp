#include "update_content.hpp"

#include "entente/aggregate/sparse.hpp"

namespace entente::round {
namespace {

// Every number. What is kept moves by what was sent: the rounded numbers of the second part.
Result<UpdateContent> dense(const plan::Plan& plan, std::span<const float> delta, std::span<const float> settled,
                            PhiloxKey key) {
    const aggregate::FixedPoint& grid = plan.aggregation.grid;
    if (settled.empty()) {
        ENTENTE_ASSIGN(aggregate::QuantisedContent content, aggregate::quantise_and_pack(delta, grid, key));
        return UpdateContent{std::move(content.bytes), content.clipped, {}};
    }
    ENTENTE_ASSIGN(const aggregate::Quantised quantised, aggregate::quantise(delta, grid, key));
    UpdateContent out{aggregate::pack(quantised.values, grid), quantised.clipped, {settled.begin(), settled.end()}};
    const std::vector<float> sent = aggregate::dequantise(quantised.values, grid);
    for (std::size_t i = 0; i < settled.size(); ++i) out.kept[i] += sent[settled.size() + i];
    return out;
}

// The largest of this difference and of what was left of those before.
Result<UpdateContent> sparse(const plan::Plan& plan, std::vector<float> delta, std::span<const float> settled, PhiloxKey key) {
    const aggregate::SparseForm form = plan::sparse_form(plan);
    for (std::size_t i = 0; i < delta.size(); ++i) delta[i] += settled[i];
    ENTENTE_ASSIGN(const aggregate::SparseUpdate update, aggregate::sparsify(delta, form, key));
    return UpdateContent{aggregate::pack(update.numbers, form), update.clipped, std::move(delta)};
}

}  // namespace

Result<UpdateContent> make_content(const plan::Plan& plan, std::vector<float> delta, std::span<const float> settled,
                                   PhiloxKey key) {
    if (plan::is_sparse(plan)) return sparse(plan, std::move(delta), settled, key);
    return dense(plan, delta, settled, key);
}

}  // namespace entente::round
