#include "entente/table/make.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "entente/codec/sha256.hpp"
#include "unit/task/tables.hpp"

using namespace entente;
using table::Story;

namespace {

std::string digest(const std::string& text) { return short_hex(codec::sha256(as_bytes(text))); }

}  // namespace

// The same bytes natively and as WebAssembly: the digests of our own output, so that no machine drifts from another.
TEST_CASE("what is made is the same everywhere, and another for each partner and seed") {
    for (const Story story : {Story::late_deliveries, Story::sensor_anomalies, Story::engine_health}) {
        const std::string csv = table::make_table({story, 0, 1, 40});
        CHECK(csv == table::make_table({story, 0, 1, 40}));
        CHECK(csv != table::make_table({story, 1, 1, 40}));
        CHECK(csv != table::make_table({story, 0, 2, 40}));
    }
    CHECK(digest(table::make_table({Story::late_deliveries, 2, 7, 100})) == "a442d136");
    CHECK(digest(table::make_table({Story::sensor_anomalies, 2, 7, 600})) == "6d332363");
    CHECK(digest(table::make_table({Story::engine_health, 2, 7, 2})) == "6c9bc2f8");
}

TEST_CASE("a made order's line has what late deliveries are made of, and partners differ") {
    task::Task t;
    t.name = "made";
    t.columns = {tables::column("scheduled", task::Role::time, task::CellKind::instant), tables::column("delivered", task::Role::label, task::CellKind::instant),
                 tables::column("mode", task::Role::feature, task::CellKind::category)};
    t.columns[2].categories = {"air", "truck", "ocean"};
    t.columns[2].unknown = task::Unknown::refuse;
    t.features = {{.kind = task::FeatureKind::one_hot, .column = "mode"}};
    t.label = {.kind = task::LabelKind::later, .column = "delivered"};
    std::vector<double> rates, oceans;
    for (std::uint32_t partner = 0; partner < 5; ++partner) {
        const auto p = tables::prepared(t, table::make_table({Story::late_deliveries, partner, 1, 0}));
        REQUIRE(p.ok());
        const data::Dataset& d = p->train.dataset;
        CHECK(d.size() == 1500);
        double late = 0, late_air = 0, air = 0, late_ocean = 0, ocean = 0;
        for (std::size_t i = 0; i < d.size(); ++i) {
            late += d.labels[i];
            air += d.example(i)[0];
            late_air += d.example(i)[0] * static_cast<float>(d.labels[i]);
            ocean += d.example(i)[2];
            late_ocean += d.example(i)[2] * static_cast<float>(d.labels[i]);
        }
        rates.push_back(late / 1500);
        oceans.push_back(ocean / 1500);
        CHECK(rates.back() > 0.03);
        CHECK(rates.back() < 0.5);
        if (air > 100 && ocean > 100) CHECK(late_ocean / ocean > late_air / air);
    }
    const auto [few, many] = std::minmax_element(oceans.begin(), oceans.end());
    CHECK(*many - *few > 0.2);
}
