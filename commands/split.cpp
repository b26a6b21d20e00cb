#include "commands/split.hpp"

#include "commands/digits.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/data/idx.hpp"

namespace entente::commands {
namespace {

Status write_pair(const std::string& prefix, const data::IdxPair& pair, Environment& environment) {
    ENTENTE_TRY(environment.write_file(prefix + "-images-idx3-ubyte", pair.images));
    return environment.write_file(prefix + "-labels-idx1-ubyte", pair.labels);
}

Status split(const SplitOptions& o, Environment& environment) {
    ENTENTE_ASSIGN(const DigitsFolder digits, read_digits_folder(o.from, environment));
    ENTENTE_ASSIGN(const data::Partition shares, deal(digits.train->labels, o.deal, o.seed));
    std::string list;
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const std::string folder = o.to + "/" + partner_id(i);
        ENTENTE_ASSIGN(const data::IdxPair pair, data::write_idx_pair(*digits.train, shares[i]));
        ENTENTE_TRY(write_pair(folder + "/train", pair, environment));
        if (digits.test) {
            // The public test set is everybody's yardstick; it is nobody's data.
            ENTENTE_ASSIGN(const data::IdxPair test, data::write_idx_pair(*digits.test, {}));
            ENTENTE_TRY(write_pair(folder + "/t10k", test, environment));
        }
        if (!o.json) environment.print("  " + folder + "  " + grouped(shares[i].size()) + " examples\n");
        list += (list.empty() ? "" : ",") +
                JsonObject().text("folder", folder).whole("examples", shares[i].size()).str();
    }
    if (o.json) environment.print(JsonObject().raw("shares", "[" + list + "]").str() + "\n");
    return done();
}

}  // namespace

int split_data(const SplitOptions& options, Environment& environment) {
    const Status result = split(options, environment);
    return result.ok() ? exit_done : report(result.error(), environment);
}

}  // namespace entente::commands
