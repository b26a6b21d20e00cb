// Plans: as people write them, and as they travel.
#include "entente/plan/plan.hpp"

#include "commands/plan_file.hpp"
#include "commands/plan_toml.hpp"
#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using namespace entente;

void accepted(const plan::Plan& plan) {
    expect(plan::check(plan).ok(), "a plan that is read is a good one");
    const auto back = plan::from_canonical_bytes(plan::canonical_bytes(plan));
    expect(back.ok() && *back == plan, "a plan comes through its bytes as it was");
}

void run_text(ByteView bytes) {
    const auto plan = commands::read_plan_toml(text_of(bytes), "plan.toml");
    if (plan.ok()) accepted(*plan);
}

std::vector<Bytes> text_seeds() {
    return {bytes_of("[federation]\nid = \"digits\"\noperator = \"Zo\xc3\xab\"\n[task]\nmodel = \"cnn\"\n[training]\nepochs = 2\nbatch = 32\nlearning_rate = 0.1\n"),
            bytes_of("[round]\nrounds = 10\nmin_cohort = 2\ndeadline_s = 60\nfraction = 0.5\n[policy]\nmin_cohort_size = 2\nmax_rounds = 10\nvalid_days = 30\n"),
            bytes_of("[task.model]\ninput = [28, 28, 1]\nlayers = [\n {kind = \"conv2d\", name = \"c\", units = 8, kernel = 5}, {kind = \"max_pool2d\", pool = 2},\n"
                     " {kind = \"relu\"}, {kind = \"flatten\"}, {kind = \"dense\", name = \"out\", units = 10}]\n"),
            bytes_of("[aggregation]\nstrategy = \"scaffold\"\nbits = 8\nblock = 64\n[training.optimiser]\nkind = \"adamw\"\n"),
            bytes_of("[task.model]\ninput = [4]\nlayers = [{kind = \"dense\", name = \"out\", units = 1}]\n[task.loss]\nkind = \"binary_cross_entropy\"\n"
                     "[task.table]\nname = \"late\"\n[[task.table.columns]]\nname = \"due\"\nrole = \"time\"\n[[task.table.columns]]\nname = \"came\"\nrole = \"label\"\n"
                     "kind = \"instant\"\n[[task.table.columns]]\nname = \"kg\"\nunit = \"kg\"\nleast = 0\n[[task.table.columns]]\nname = \"site\"\nkind = \"category\"\n"
                     "categories = [\"A\", \"B\"]\n[[task.table.features]]\nkind = \"value\"\ncolumn = \"kg\"\nlogarithm = true\n[[task.table.features]]\nkind = \"one-hot\"\n"
                     "column = \"site\"\n[task.table.label]\nkind = \"later\"\ncolumn = \"came\"\n[task.table.split]\nkind = \"time\"\nat = \"2020-01-01\"\n"
                     "[task.table.scaling]\nkind = \"federated\"\n")};
}

void run_bytes(ByteView bytes) {
    const auto plan = plan::from_canonical_bytes(bytes);
    if (plan.ok()) {
        accepted(*plan);
        const Bytes again = plan::canonical_bytes(*plan);
        expect(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()), "what is read is what would be written");
    }
    static_cast<void>(commands::open_plan_envelope(bytes));
}

std::vector<Bytes> bytes_seeds() {
    std::vector<Bytes> all{plan::canonical_bytes(plan::default_digits_plan())};
    for (const Bytes& text : text_seeds()) {
        if (const auto plan = commands::read_plan_toml(text_of(text), "plan.toml"); plan.ok()) all.push_back(plan::canonical_bytes(*plan));
    }
    return all;
}

}  // namespace

Target plan() { return {"plan", run_text, text_seeds}; }
Target plan_bytes() { return {"plan_bytes", run_bytes, bytes_seeds}; }

}  // namespace fuzz
