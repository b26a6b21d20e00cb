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

namespace {

struct Kernels {
    std::string names;
    std::string json;
    std::string in_use;  // empty when there are none
};

Kernels kernels_of(kernels::Numerics numerics) {
    Kernels found;
    for (const kernels::Table* table : kernels::available(numerics)) {
        found.names += (found.names.empty() ? "" : ", ") + std::string(table->name);
        found.json += (found.json.empty() ? "" : ",") + json_text(table->name);
    }
    if (const kernels::Table* table = kernels::find(numerics)) found.in_use = table->name;
    return found;
}

}  // namespace

int doctor(bool json, commands::Environment& environment) {
    const Kernels portable = kernels_of(kernels::Numerics::portable);
    const Kernels fused = kernels_of(kernels::Numerics::fused);
    const std::string boost = std::to_string(BOOST_VERSION / 100000) + "." + std::to_string(BOOST_VERSION / 100 % 1000);
    const unsigned threads = std::thread::hardware_concurrency();
    if (json) {
        commands::JsonObject body;
        body.text("version", ENTENTE_VERSION).raw("kernels", "[" + portable.json + "]").text("kernel", portable.in_use);
        body.raw("fused_kernels", "[" + fused.json + "]").text("fused_kernel", fused.in_use);
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
    row("Kernels", portable.names + "   in use: " + portable.in_use + " (ENTENTE_KERNELS chooses another)");
    row("  fused", fused.in_use.empty() ? "none: this machine has no fused multiply-add" : fused.names + "   in use: " + fused.in_use);
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
