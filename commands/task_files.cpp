#include "commands/task_files.hpp"

#include <algorithm>

#include "commands/task_toml.hpp"
#include "commands/text.hpp"

namespace entente::commands {
namespace {

constexpr std::uint64_t limit_bytes = 1024 * 1024;

std::string text_of(const Bytes& bytes) {
    std::string text(bytes.size(), '\0');
    std::transform(bytes.begin(), bytes.end(), text.begin(), [](std::byte b) { return static_cast<char>(b); });
    return text;
}

}  // namespace

Result<task::Task> read_task_file(const std::string& path, Environment& environment) {
    ENTENTE_ASSIGN(const Bytes bytes, environment.read_file(path, limit_bytes));
    return read_task_toml(text_of(bytes), path);
}

Result<task::Task> read_task_file(const std::string& path, const std::string& model_path, Environment& environment) {
    ENTENTE_ASSIGN(task::Task task, read_task_file(path, environment));
    if (model_path.empty()) return task;
    ENTENTE_ASSIGN(const Bytes bytes, environment.read_file(model_path, limit_bytes));
    ENTENTE_TRY(replace_model_toml(text_of(bytes), model_path, task));
    return task;
}

Result<task::Mapping> read_mapping_file(const std::string& path, const task::Task& task, Environment& environment) {
    if (path.empty()) return task::Mapping{};
    ENTENTE_ASSIGN(const Bytes bytes, environment.read_file(path, limit_bytes));
    return read_mapping_toml(text_of(bytes), path, task);
}

Result<task::Rows> read_rows_file(const std::string& path, const task::Task& task, const task::Mapping& mapping, Environment& environment) {
    ENTENTE_ASSIGN(task::RowReader reader, task::RowReader::start(task, mapping));
    Status fed = done();
    const Status read = environment.read_pieces(path, [&](ByteView piece) { return fed = reader.feed(piece); });
    if (!fed.ok()) return error_in(path, fed.error());
    if (!read.ok()) return read.error();
    auto rows = reader.finish();
    if (!rows.ok()) return error_in(path, rows.error());
    return rows;
}

}  // namespace entente::commands
