#include "commands/data_make.hpp"

#include <algorithm>
#include <vector>

#include "commands/deal.hpp"
#include "commands/nearest.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/table/make.hpp"

namespace entente::commands {
namespace {

constexpr std::uint32_t most_partners = 1000;

Status make(const DataMakeOptions& o, Environment& environment) {
    const auto names = table::story_names();
    const auto found = std::find(names.begin(), names.end(), o.story);
    if (found == names.end()) {
        const std::string near = nearest(o.story, names);
        return Error{Code::invalid_argument, "usage.story", "expected late-deliveries, sensor-anomalies or engine-health, found \"" + o.story + "\"" +
                                                                (near.empty() ? "" : "; did you mean \"" + near + "\"?")};
    }
    if (o.partners < 1 || o.partners > most_partners) {
        return Error{Code::invalid_argument, "usage.partners", "--partners: expected 1 to " + std::to_string(most_partners) + ", found " + std::to_string(o.partners)};
    }
    table::MakeOptions making;
    making.story = static_cast<table::Story>(found - names.begin() + 1);
    making.seed = o.seed;
    making.size = o.size;
    std::string list;
    for (std::uint32_t i = 0; i < o.partners; ++i) {
        making.partner = i;
        const std::string csv = table::make_table(making);
        const std::string path = o.to + "/" + partner_id(i) + "/" + o.story + ".csv";
        ENTENTE_TRY(environment.write_file(path, as_bytes(csv)));
        const auto rows = static_cast<std::uint64_t>(std::count(csv.begin(), csv.end(), '\n') - 1);
        if (!o.json) environment.print("  " + path + "  " + grouped(rows) + " rows\n");
        list += (list.empty() ? "" : ",") + JsonObject().text("file", path).whole("rows", rows).str();
    }
    if (o.json) {
        environment.print(JsonObject().boolean("made", true).raw("files", "[" + list + "]").str() + "\n");
        return done();
    }
    const std::string task = making.story == table::Story::late_deliveries ? "late-deliveries/made.toml" : o.story + "/task.toml";
    environment.print("  Made by this program, not measured anywhere. Its task: examples/" + task + "\n");
    return done();
}

}  // namespace

int make_data(const DataMakeOptions& options, Environment& environment) {
    const Status result = make(options, environment);
    return result.ok() ? exit_done : report(result.error(), environment);
}

}  // namespace entente::commands
