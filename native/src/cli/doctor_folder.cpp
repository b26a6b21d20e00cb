#include "cli/doctor_folder.hpp"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>

#include <boost/asio/io_context.hpp>

#include "base/files.hpp"
#include "cli/findings.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/policy/evaluate.hpp"
#include "identity/issuer.hpp"
#include "join/membership.hpp"
#include "net/http_client.hpp"
#include "store/state_store.hpp"

namespace entente::native {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t least_free_bytes = 1ull << 30;
constexpr std::uint64_t least_free_files = 10'000;
constexpr std::int64_t tolerable_skew_ms = 60'000;
constexpr int renew_days = 21;

class Examination {
public:
    explicit Examination(const FolderDoctor& options) : o_(options), folder_(options.folder) {}

    std::vector<Finding> run() {
        if (!is_one()) return std::move(findings_);
        disk();
        secrets();
        clock();
        if (!o_.tls_certificate.empty()) certificate();
        if (!o_.issuer.empty()) issuer();
        if (!o_.public_url.empty()) way_in();
        return std::move(findings_);
    }

private:
    void note(std::string step, bool good, std::string found, std::string todo = {}) {
        findings_.push_back({std::move(step), good, std::move(found), good ? std::string() : std::move(todo)});
    }

    bool is_one() {
        std::error_code ignored;
        const bool there = fs::exists(folder_ / "entente.db", ignored) && fs::exists(folder_ / "coordinator.key", ignored);
        note("folder", there, there ? o_.folder : "expected a coordinator's data folder, found no entente.db or no coordinator.key in " + o_.folder,
             "give the folder of entente serve --data; entente restore makes one from a copy");
        return there;
    }

    void disk() {
        struct statvfs room {};
        if (::statvfs(folder_.c_str(), &room) != 0) return note("disk", false, system_error(errno, o_.folder, false).message, "is it mounted?");
        const auto free_bytes = static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
        const bool counted = room.f_files > 0;  // some file systems have no limit
        const bool good = free_bytes >= least_free_bytes && (!counted || room.f_favail >= least_free_files);
        note("disk", good, commands::grouped(free_bytes >> 20) + " MiB free" + (counted ? ", room for " + commands::grouped(room.f_favail) + " files" : ""),
             "free at least 1 GiB and 10,000 files: without room uploads are answered 507 and rounds stand still; --keep-updates says how many rounds stay");
    }

    void secrets() {
        for (const char* name : {"coordinator.key", "entente.db"}) {
            struct stat info {};
            if (::stat((folder_ / name).c_str(), &info) != 0) continue;
            const unsigned open_to_others = std::string_view(name) == "coordinator.key" ? info.st_mode & 0077u : info.st_mode & 0022u;
            note("key modes", open_to_others == 0, std::string(name) + (open_to_others == 0 ? " is its owner's" : " may be read or written by others"),
                 "chmod 600 " + (folder_ / name).string());
        }
    }

    void clock() {
        const std::int64_t newest_ms = newest_record_ms();
        const std::int64_t behind_ms = newest_ms - now_ms();
        note("clock", behind_ms <= tolerable_skew_ms,
             behind_ms <= tolerable_skew_ms ? policy::format_instant(now_ms() / 1000 * 1000) : "it is " + std::to_string(behind_ms / 1000) + " s behind the newest record of the ledger",
             "set it: agreements and tokens bear the time");
        timex state{};
        const int said = ::adjtimex(&state);
        const bool kept = said >= 0 && said != TIME_ERROR;
        note("clock", kept, kept ? "the system keeps it in step" : "the system does not say that it is kept in step", "run an NTP service (chrony, systemd-timesyncd)");
    }

    // 0 beside a coordinator that runs: what lies there is not whole without its log.
    std::int64_t newest_record_ms() {
        std::int64_t newest = 0;
        std::error_code none;
        if (fs::file_size(folder_ / "entente.db-wal", none) > 0 && !none) return newest;
        auto store = StateStore::open_to_verify((folder_ / "entente.db").string());
        const Status read = store.ok() ? store->each_row([&newest](const LedgerRow& row, const Bytes&) { newest = std::max(newest, row.at_ms); }) : Status(store.error());
        if (!read.ok()) note("ledger", false, read.error().message, "entente verify says what is wrong with it");
        return newest;
    }

    void certificate() {
        const auto text = read_file(o_.tls_certificate, 1024 * 1024);
        if (!text.ok()) return note("certificate", false, text.error().message, "name the file that --tls-cert gives to entente serve");
        const std::unique_ptr<BIO, decltype(&BIO_free)> in(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())), BIO_free);
        const std::unique_ptr<X509, decltype(&X509_free)> first(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), X509_free);
        if (!first) return note("certificate", false, o_.tls_certificate + ": expected a PEM certificate", "it begins with -----BEGIN CERTIFICATE-----");
        int days = 0;
        int seconds = 0;
        if (X509_cmp_current_time(X509_get0_notBefore(first.get())) > 0) return note("certificate", false, "it is not valid yet", "is the clock right?");
        ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(first.get()));
        const bool over = days < 0 || seconds < 0;
        note("certificate", days >= renew_days, over ? "it has expired" : "valid for " + std::to_string(days) + " more days",
             "renew it, then kill -HUP the coordinator: it reads the new one without a restart");
    }

    void issuer() {
        boost::asio::io_context io{1};
        const auto ask = make_issuer_client(io, o_.ca_file);
        if (!ask.ok()) return note("issuer", false, ask.error().message, "give a PEM file to --ca");
        if (const Status url = check_issuer_url(o_.issuer); !url.ok()) return note("issuer", false, url.error().message, "give the URL of --issuer");
        std::optional<Result<Discovery>> found;
        discover(*ask, o_.issuer, [&found](Result<Discovery> d) { found.emplace(std::move(d)); });
        while (!found && io.run_one() > 0) {}
        const bool good = found && found->ok();
        note("issuer", good, good ? "its discovery document is there" : found ? found->error().message : "no answer", "without it nobody can sign in; check name, port, firewall and --ca");
    }

    // As partners come: through the proxy, with the certificate that is really served.
    void way_in() {
        const auto http = make_http_client({o_.public_url, o_.ca_file});
        if (!http.ok()) return note("way in", false, http.error().message, "give the URL that partners use");
        const auto answer = ask_text(**http, "GET", "/readyz", {});
        note("way in", answer.ok(), answer.ok() ? o_.public_url + " answers, and is ready" : answer.error().message,
             "does entente serve run? Then: the proxy, the firewall, the certificate");
    }

    const FolderDoctor& o_;
    fs::path folder_;
    std::vector<Finding> findings_;
};

}  // namespace

int doctor_folder(const FolderDoctor& options, commands::Environment& environment) {
    const bool good = print(Examination(options).run(), {.width = 13, .json = options.json}, environment);
    return good ? commands::exit_done : commands::exit_failed;
}

}  // namespace entente::native
