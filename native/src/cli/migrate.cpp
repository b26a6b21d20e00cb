#include "cli/migrate.hpp"

#include <filesystem>

#include "cli/key_file.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/plan/plan.hpp"
#include "proof/manifest.hpp"
#include "store/folder_lock.hpp"
#include "store/format.hpp"
#include "store/state_store.hpp"

namespace entente::native {
namespace {

namespace fs = std::filesystem;

// A coordinator's, or that of a partner with a connector of its own.
Result<fs::path> database_in(const fs::path& folder) {
    std::error_code ignored;
    for (const char* name : {"entente.db", "exchange.db", "connector/exchange.db"}) {
        if (fs::exists(folder / name, ignored)) return folder / name;
    }
    return Error{Code::not_found, "migrate.no-folder", folder.string() + ": expected a coordinator's data folder, or that of a partner with a connector of its own; found no database in it"};
}

// Nothing is written, unless its process was killed.
Result<std::int64_t> format_in(const fs::path& path) {
    std::error_code ignored;
    const bool closed = !fs::exists(path.string() + "-wal", ignored);
    ENTENTE_ASSIGN(Database database, closed ? Database::open_as_it_is(path.string()) : Database::open(path.string()));
    return format_of(database, path.string());
}

// The list of files that a coordinator left. It is signed anew only over files that were what the old one says.
class List {
public:
    static Result<List> read(const fs::path& folder, const fs::path& database) {
        List list(folder);
        std::error_code ignored;
        if (!fs::exists(folder / "manifest", ignored)) return list;
        ENTENTE_ASSIGN(StateStore store, StateStore::open_to_verify(database.string()));  // with a list it was closed
        ENTENTE_ASSIGN(const auto plan_bytes, store.meta("plan"));
        if (!plan_bytes) return list;
        ENTENTE_ASSIGN(const plan::Plan plan, plan::from_canonical_bytes(*plan_bytes));
        ENTENTE_ASSIGN(const codec::SigningKey key, load_or_make_key(folder / "coordinator.key"));
        std::string first;
        check_manifest(folder, plan.federation.id, key.public_key(), [&first](const std::string& path, const std::string& sentence) {
            if (first.empty()) first = path + ": " + sentence;
        });
        if (!first.empty()) return Error{Code::data_loss, "migrate.changed", folder.string() + ": " + first + "; nothing was changed (entente verify names all)"};
        list.federation_ = plan.federation.id;
        return list;
    }
    Status drop() const { return federation_.empty() ? done() : drop_manifest(folder_); }
    Status write() const {
        if (federation_.empty()) return done();
        ENTENTE_ASSIGN(const codec::SigningKey key, load_or_make_key(folder_ / "coordinator.key"));
        return write_manifest(folder_, federation_, key);
    }

private:
    explicit List(fs::path folder) : folder_(std::move(folder)) {}
    fs::path folder_;
    std::string federation_;  // empty: there is none
};

// Returns the format that it was in.
Result<std::int64_t> move(const fs::path& folder, std::int64_t to) {
    ENTENTE_ASSIGN(const fs::path path, database_in(folder));
    ENTENTE_ASSIGN(const FolderLock lock, FolderLock::take(folder));
    ENTENTE_ASSIGN(const List list, List::read(folder, path));
    ENTENTE_ASSIGN(const std::int64_t found, format_in(path));
    if (to == 0 || to == found) return found;
    ENTENTE_TRY(list.drop());
    {
        ENTENTE_ASSIGN(Database database, Database::open(path.string()));
        ENTENTE_TRY(move_format(database, found, to));
    }
    ENTENTE_TRY(list.write());
    return found;
}

}  // namespace

int migrate(const MigrateOptions& o, commands::Environment& environment) {
    const auto was = move(o.folder, o.to);
    if (!was.ok()) return commands::report(was.error(), environment);
    const std::int64_t now = o.to == 0 ? *was : o.to;
    if (o.json) {
        environment.print(commands::JsonObject().text("folder", o.folder).whole("format", static_cast<std::uint64_t>(now)).whole("was", static_cast<std::uint64_t>(*was)).str() + "\n");
        return commands::exit_done;
    }
    environment.print("  Format       " + std::to_string(now) + (now == *was ? "" : "   (was " + std::to_string(*was) + "; nothing is lost)") + "\n");
    if (now < newest_format) environment.print("  Next         the release that has format " + std::to_string(now) + "; this one takes the folder to format " + std::to_string(newest_format) + " when it starts\n");
    return commands::exit_done;
}

}  // namespace entente::native
