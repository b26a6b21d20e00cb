#include "cli/backup.hpp"

#include "commands/run.hpp"
#include "commands/text.hpp"
#include "proof/backup.hpp"

namespace entente::native {
namespace {

int told(const Result<BackupReport>& report, const BackupOptions& o, const std::string& next, commands::Environment& environment) {
    if (!report.ok()) return commands::report(report.error(), environment);
    if (o.json) {
        environment.print(commands::JsonObject()
                              .text("federation", report->federation)
                              .text("folder", o.to)
                              .whole("records", report->records)
                              .whole("envelopes", report->blobs)
                              .whole("bytes", report->bytes)
                              .str() + "\n");
        return commands::exit_done;
    }
    environment.print("  Federation   " + commands::printable(report->federation) + "\n");
    environment.print("  Copied       " + commands::grouped(report->records) + " records, " + commands::grouped(report->blobs) + " envelopes, " +
                      commands::grouped(report->bytes) + " bytes to " + o.to + "\n");
    environment.print("  Next         " + next + "\n");
    return commands::exit_done;
}

}  // namespace

int backup(const BackupOptions& o, commands::Environment& environment) {
    return told(back_up(o.from, o.to), o, "keep it as safe as the folder: the coordinator's private key is in it. entente verify " + o.to + " checks it", environment);
}

int restore_backup(const BackupOptions& o, commands::Environment& environment) {
    return told(restore(o.from, o.to), o, "entente serve --data " + o.to + ". Partners that saw later records see that they are gone, and stop (docs/reliability.md)", environment);
}

}  // namespace entente::native
