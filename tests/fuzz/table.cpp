// A partner's file as a task's columns, rows and examples, cut in pieces: the first byte says how.
#include <algorithm>
#include <cmath>

#include "entente/task/sums.hpp"
#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using namespace entente;

task::Column column(const char* name, task::Role role, task::CellKind kind) {
    task::Column c;
    c.name = name;
    c.role = role;
    c.kind = kind;
    return c;
}

// A little of everything that a task can want of a file.
task::Task everything(bool windows) {
    using enum task::Role;
    using enum task::CellKind;
    task::Task t;
    t.name = "everything";
    t.min_rows = 1;
    t.columns = {column("line", id, category), column("lot", group, category), column("due", time, instant), column("came", label, instant),
                 column("kg", feature, number), column("site", feature, category)};
    t.columns[1].optional = true;
    t.columns[4].unit = "kg";
    t.columns[4].least = 0;
    t.columns[4].most = 1e6;
    t.columns[5].categories = {"A", "B"};
    t.columns[5].known_as = {"Werk"};
    t.features = {{.kind = task::FeatureKind::value, .column = "kg", .logarithm = true}, {.kind = task::FeatureKind::one_hot, .column = "site"},
                  {.kind = task::FeatureKind::calendar, .column = "due"}, {.kind = task::FeatureKind::same_count, .column = "lot"},
                  {.kind = task::FeatureKind::history, .column = "site"}};
    t.label = {.kind = task::LabelKind::later, .column = "came"};
    t.split = {.kind = task::SplitKind::time, .at = 1'590'969'600'000, .keep_whole = "lot"};
    t.scaling.kind = task::ScalingKind::federated;
    if (windows) t.window = {.length = 3, .stride = 1, .pad = true, .summary = {task::Summary::mean, task::Summary::slope}};
    return t;
}

Result<task::Rows> read(const task::Task& task, ByteView text, std::size_t piece) {
    task::Mapping mapping;
    mapping.dates = table::DateOrder::day_first;
    ENTENTE_ASSIGN(task::RowReader reader, task::RowReader::start(task, mapping));
    for (std::size_t at = 0; at < text.size(); at += piece) ENTENTE_TRY(reader.feed(text.subspan(at, std::min(piece, text.size() - at))));
    return reader.finish();
}

void run_table(ByteView bytes) {
    if (bytes.empty()) return;
    const unsigned choice = std::to_integer<unsigned>(bytes[0]);
    const task::Task task = everything((choice & 1u) != 0);
    expect(task::check(task).ok(), "the task is a good one");
    const auto rows = read(task, bytes.subspan(1), 1 + (choice >> 1u));
    const auto whole = read(task, bytes.subspan(1), bytes.size());
    expect(rows.ok() == whole.ok() && (rows.ok() || rows.error() == whole.error()), "the same rows, or the same error, however the bytes are cut");
    if (!rows.ok()) return;
    for (const task::Values& v : rows->columns) {
        expect(!v.present() || v.numbers.size() + v.instants.size() + v.codes.size() == rows->size, "a value for each row");
    }
    const auto prepared = task::prepare(task, *rows);
    if (!prepared.ok()) return;
    for (const task::Side* side : {&prepared->train, &prepared->test}) {
        expect(std::all_of(side->dataset.features.begin(), side->dataset.features.end(), [](float x) { return std::isfinite(x); }), "inputs are numbers");
        expect(side->dataset.labels.size() == side->last_rows.size(), "an example has a label");
    }
    const auto sums = task::sums_of(task, *rows);
    expect(sums.ok(), "what is trained on is summed up");
    const std::vector<float> digits(sums->begin(), sums->end());
    const auto own = task::read_sums(task, digits);
    expect(own.ok() && own->rows > 0 && own->positive <= own->rows, "what is given is read");
    expect(task::prepare(task, *rows, &own->statistics).ok(), "and scales");
}

std::vector<Bytes> table_seeds() {
    return {behind(0x40, as_bytes("line,lot,due,came,kg,site\n1,a,2020-01-10,2020-01-20,2,A\n2,a,2020-02-10,2020-02-10,4,B\n3,b,2020-07-01,2020-07-05,,C\n")),
            behind(0x07, as_bytes("\xef\xbb\xbfline;due;came;kg [g];Werk\r\n1;10.1.2020;20.01.20;2.000,5;A\r\n2;2020-02-10;11-Feb-20;4;B\r\n3;3/3/2020;2020-03-03 10:00;;\r\n")),
            behind(0x20, as_bytes("line\tdue\tcame\tkg\tsite\n1\t2020-01-10\t\t1e3\tK\xf6ln\n"))};
}

}  // namespace

Target table() { return {"table", run_table, table_seeds}; }

}  // namespace fuzz
