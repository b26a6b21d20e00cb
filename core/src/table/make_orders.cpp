// late-deliveries: order lines of a buyer, whose suppliers, routes and seasons make them late.
#include <array>
#include <cmath>

#include "entente/table/instant.hpp"
#include "table/make.hpp"

namespace entente::table {
namespace {

constexpr std::size_t suppliers = 12;
constexpr std::array<std::string_view, 3> modes{"air", "truck", "ocean"};
constexpr std::array<double, 3> transit_days{6, 12, 40};
constexpr std::array<double, 3> mode_effect{-0.4, 0.0, 0.7};
constexpr std::array<std::string_view, 5> products{"valves", "pumps", "controllers", "seals", "cables"};
constexpr std::array<double, 5> product_price{180, 950, 420, 12, 35};
constexpr std::int64_t first_day = 17167;       // 2017-01-01
constexpr double days_in_all = 4 * 365.25;      // to the end of 2020
constexpr double disruption_day = 2.2 * 365.25;  // from then on the ocean is slow, and supplier 3 has trouble

struct World {
    std::array<double, suppliers> effect;  // of a supplier on the logit of being late: the same for every buyer
    std::array<double, suppliers> phase;   // of its season, in turns of a year
};

World world_of(const MakeOptions& o) {
    World w;
    Philox random = world_draws(o, 1);
    for (double& x : w.effect) x = 1.1 * random.normal();
    for (double& x : w.phase) x = random.uniform_double();
    return w;
}

struct Line {
    std::size_t supplier = 0, mode = 0, product = 0;
    double quantity = 1, promised = 1, day = 0;
};

double logit_of(const World& w, double level, const Line& l) {
    double z = level + w.effect[l.supplier] + mode_effect[l.mode];
    z += 0.35 * (math::log(l.quantity) - 5.0);
    z += 0.9 * sine(l.day / 365.25 + w.phase[l.supplier]);
    // Promised sooner than the route takes.
    z += 1.6 * logistic((transit_days[l.mode] + 8.0 - l.promised) / 3.0);
    if (l.day >= disruption_day) z += (l.mode == 2 ? 0.9 : 0.0) + (l.supplier == 3 ? 1.5 : 0.0);
    return z;
}

}  // namespace

std::string make_orders(const MakeOptions& o, std::uint32_t size) {
    const World w = world_of(o);
    Philox own = draws(o, "orders", 0);
    const std::vector<double> of_supplier = shares(own, suppliers, 1.2);
    const std::vector<double> of_mode = shares(own, modes.size(), 0.8);
    const std::vector<double> of_product = shares(own, products.size(), 0.8);
    const double level = -3.4 + 0.4 * own.normal();
    const double order_size = 5.0 + 0.6 * own.normal();
    const std::string prefix = "P" + std::to_string(o.partner + 1) + "-";
    std::string out = "line,shipment,order,ordered,scheduled,delivered,supplier,mode,product,quantity,value,freight\n";
    std::uint32_t shipment = 0, order = 0;
    Line l;
    for (std::uint32_t i = 0; i < size; ++i) {
        Philox random = draws(o, "orders", i + 1);
        // Two of five lines come with the shipment of the line before: one truck, late for all of them.
        const bool together = i > 0 && random.uniform_double() < 0.4;
        if (!together) {
            ++shipment;
            order += random.uniform_double() < 0.7 ? 1u : 0u;
            l.supplier = pick(random, of_supplier);
            l.mode = pick(random, of_mode);
            l.day = days_in_all * static_cast<double>(i) / static_cast<double>(size) + 10.0 * random.uniform_double();
            l.promised = std::floor(transit_days[l.mode] * (1.0 + 0.25 * random.normal()) + 12.0 + 6.0 * random.normal());
            if (l.promised < 3) l.promised = 3;
        }
        l.product = pick(random, of_product);
        l.quantity = std::floor(1.0 + math::exp(order_size + random.normal()));
        Philox fate = draws(o, "fate", shipment);
        const bool late = fate.uniform_double() < logistic(logit_of(w, level, l));
        const double delay = late ? 1.0 + std::floor(exponential(fate, 9.0)) : -std::floor(exponential(fate, 2.5));
        const auto at = [&l](double days) { return format_instant((first_day + static_cast<std::int64_t>(l.day) + static_cast<std::int64_t>(days)) * ms_per_day); };
        const double value = l.quantity * product_price[l.product] * (1.0 + 0.1 * random.normal());
        const double freight = value * 0.01 * transit_days[0] / transit_days[l.mode] * (late ? 1.6 : 1.0);
        out += prefix + std::to_string(i + 1) + "," + prefix + "S" + std::to_string(shipment) + "," + prefix + "O" + std::to_string(order) + "," + at(0) + "," +
               at(l.promised) + "," + at(l.promised + (delay < 1.0 - l.promised ? 1.0 - l.promised : delay)) + ",supplier " + std::to_string(l.supplier + 1) + "," +
               std::string(modes[l.mode]) + "," + std::string(products[l.product]) + "," + measured(l.quantity) + "," + measured(std::floor(value > 1 ? value : 1)) + "," +
               measured(std::floor(freight)) + "\n";
    }
    return out;
}

}  // namespace entente::table
