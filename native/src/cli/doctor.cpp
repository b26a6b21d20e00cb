#include "cli/doctor.hpp"

#include <openssl/crypto.h>
#include <sodium.h>
#include <sqlite3.h>
#include <zstd.h>

#include <thread>

#include <boost/version.hpp>

#include "api/web_pages.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "entente/base/json_text.hpp"
#include "entente/tensor/kernels.hpp"

#ifndef ENTENTE_VERSION
#define ENTENTE_VERSION "0.1.0"
#endif

namespace entente::native {

int doctor(bool json, commands::Environment& environment) {
    std::string kernel_names;
    std::string kernel_json;
    for (const kernels::Table* table : kernels::available()) {
        kernel_names += (kernel_names.empty() ? "" : ", ") + std::string(table->name);
        kernel_json += (kernel_json.empty() ? "" : ",") + json_text(table->name);
    }
    const std::string boost = std::to_string(BOOST_VERSION / 100000) + "." + std::to_string(BOOST_VERSION / 100 % 1000);
    const unsigned threads = std::thread::hardware_concurrency();
    if (json) {
        commands::JsonObject body;
        body.text("version", ENTENTE_VERSION).raw("kernels", "[" + kernel_json + "]").text("kernel", kernels::active().name);
        body.whole("threads", threads).text("openssl", OpenSSL_version(OPENSSL_VERSION)).text("sqlite", sqlite3_libversion());
        body.text("zstd", ZSTD_versionString()).text("sodium", sodium_version_string()).text("boost", boost);
        body.whole("web_files", embedded_web_files().size());
        environment.print(body.str() + "\n");
        return commands::exit_done;
    }
    const auto row = [&environment](std::string_view name, const std::string& value) {
        environment.print("  " + commands::pad(name, 13) + value + "\n");
    };
    row("Entente", ENTENTE_VERSION);
    row("Kernels", kernel_names + "   in use: " + std::string(kernels::active().name));
    row("Threads", std::to_string(threads));
    row("OpenSSL", OpenSSL_version(OPENSSL_VERSION));
    row("SQLite", sqlite3_libversion());
    row("zstd", ZSTD_versionString());
    row("libsodium", sodium_version_string());
    row("Boost", boost);
    row("Web pages", embedded_web_files().empty() ? "not built into this binary" : std::to_string(embedded_web_files().size()) + " files");
    return commands::exit_done;
}

}  // namespace entente::native
