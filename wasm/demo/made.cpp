// The offline demo on tables that it makes itself: the three stories of entente/table/make.hpp, under the plan and task files that
// `entente simulate` reads.
#include <algorithm>

#include "commands/plan_file.hpp"
#include "commands/tables.hpp"
#include "demo_object.hpp"
#include "entente/table/make.hpp"
#include "json.hpp"

namespace entente::wasm {
namespace {

constexpr const char* plan_file = "plan.toml";
constexpr const char* task_file = "task.toml";

// Files that are texts in here, and nothing else of the world.
class MadeFiles final : public commands::Environment {
public:
    MadeFiles(std::string_view plan, std::string_view task, table::Story story) : plan_(plan), task_(task), story_(story) {}

    // The partner's number is its table's name; the plan names its task file as it likes.
    Result<Bytes> read_file(const std::string& path, std::uint64_t) override {
        if (path == plan_file) return to_bytes(plan_);
        if (path.ends_with(".toml")) return to_bytes(task_);
        return to_bytes(table::make_table({.story = story_, .partner = static_cast<std::uint32_t>(path[0] - '0')}));
    }
    Result<Bytes> read_data(const std::string& path, std::uint64_t limit_bytes) override { return read_file(path, limit_bytes); }
    Status write_file(const std::string&, ByteView) override { return done(); }
    Status remove_file(const std::string&) override { return done(); }
    void print(std::string_view) override {}
    void print_error(std::string_view) override {}
    void progress(double, std::string_view) override {}
    std::int64_t now_ms() override { return 0; }
    Executor& executor(unsigned) override { return inline_executor(); }

private:
    static Bytes to_bytes(std::string_view text) {
        const ByteView view = as_bytes(text);
        return {view.begin(), view.end()};
    }

    std::string_view plan_, task_;
    table::Story story_;
};

class MadeScores final : public DemoScores {
public:
    explicit MadeScores(commands::Tables tables) : tables_(std::move(tables)) {}

    Status take(const memory::Federation& federation) override {
        if (federation.rounds().size() <= rounds_) return done();
        rounds_ = federation.rounds().size();
        std::vector<commands::TableModel> together(1), alone;
        together.front().parameters = copy(federation.parameters());
        for (std::size_t i = 0; i < tables_.partners.size(); ++i) alone.push_back({copy(federation.alone(i)), std::nullopt});
        ENTENTE_ASSIGN(const std::string of_all, scores(together));
        ENTENTE_ASSIGN(const std::string of_each, scores(alone));
        json_ += (json_.empty() ? "" : ",") + Json().number("round", rounds_).raw("together", of_all).raw("alone", of_each).done();
        return done();
    }

    [[nodiscard]] std::string json() const override {
        const auto metric = [](task::Metric m) {
            return Json().text("name", task::metric_names()[static_cast<std::size_t>(m) - 1]).flag("lower", task::lower_is_better(m)).done();
        };
        const auto partner = [](const task::Prepared& p) {
            const auto& labels = p.train.dataset.labels;
            Json o;
            o.number("train", p.train.dataset.size()).number("test", p.test.dataset.size());
            if (!labels.empty()) o.number("positive", std::count(labels.begin(), labels.end(), 1u));
            return o.done();
        };
        const bool shares = tables_.task.scaling.kind == task::ScalingKind::federated;
        return Json().text("task", tables_.task.name).raw("metrics", json_list(tables_.task.metrics, metric))
            .raw("partners", json_list(tables_.partners, partner))
            .number("shared", shares ? tables_.partners.front().statistics.all.mean.size() : 0).raw("rounds", "[" + json_ + "]").done();
    }

private:
    static std::vector<float> copy(std::span<const float> values) { return {values.begin(), values.end()}; }

    // Of each partner with rows behind the split, and last of all of them.
    Result<std::string> scores(const std::vector<commands::TableModel>& models) const {
        ENTENTE_ASSIGN(const std::vector<task::Predictions> said, commands::predict_tables(tables_, models));
        return json_list(commands::score_tables(tables_, said), [](const commands::TableScore& s) {
            const auto value = [](const std::optional<double>& v) { return v ? json_number(*v) : std::string("null"); };
            return Json().text("who", s.who).raw("metrics", json_list(s.metrics, value)).done();
        });
    }

    commands::Tables tables_;
    std::size_t rounds_ = 0;
    std::string json_;
};

Result<std::shared_ptr<DemoObject>> create(MadeFiles& files, const DemoSetting& setting) {
    memory::FederationOptions options;
    plan::Plan& plan = options.plan;
    ENTENTE_ASSIGN(plan, commands::read_plan_file(plan_file, files));
    if (!plan.task.table) return Error{Code::invalid_argument, "demo.task", "plan: expected a task on tables, found " + plan.task.kind};
    // The rows come scaled: no round gathers statistics.
    plan.task.table->scaling.kind = task::ScalingKind::local;
    ENTENTE_TRY(use_setting(plan, setting));
    commands::TablesOptions read{.task_file = task_file};
    for (std::uint32_t i = 0; i < setting.partners; ++i) read.files.push_back(std::to_string(i));
    ENTENTE_ASSIGN(commands::Tables tables, commands::read_tables(read, files));
    for (std::size_t i = 0; i < tables.partners.size(); ++i) {
        tables.names[i] = companies[i].name;
        options.partners.push_back({companies[i].id, companies[i].name, tables.shares[i]});
    }
    options.train = tables.train;
    options.evaluation = tables.test;
    options.alone = true;
    options.evaluate_every = plan.round.rounds;  // by loss; MadeScores says more
    const plan::Plan kept = plan;
    ENTENTE_ASSIGN(auto federation, memory::Federation::create(std::move(options)));
    auto object = std::make_shared<DemoObject>(std::move(federation));
    object->plan = kept;
    object->scores = std::make_unique<MadeScores>(std::move(tables));
    return object;
}

}  // namespace
}  // namespace entente::wasm

using namespace entente;
using namespace entente::wasm;

extern "C" {

// The locales that come with the reader of task files would ask for it, and a page has no environment.
char* getenv(const char*) { return nullptr; }

// `plan` and `task` are files as in examples/; `story` is the number of a table::Story.
const Answer* ent_demo_made(const char* plan, std::uint32_t plan_size, const char* task, std::uint32_t task_size, std::uint32_t story,
                            std::uint32_t partners, std::uint32_t epochs, std::uint32_t min_cohort) {
    return guard([&]() -> Result<Handle> {
        if (story < 1 || story > table::story_names().size()) {
            return Error{Code::invalid_argument, "demo.story", "story: expected 1 to 3, found " + std::to_string(story)};
        }
        MadeFiles files(text(plan, plan_size), text(task, task_size), static_cast<table::Story>(story));
        ENTENTE_ASSIGN(auto demo, create(files, {partners, epochs, min_cohort, 0}));
        return keep(std::move(demo));
    });
}

}  // extern "C"
