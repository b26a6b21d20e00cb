#include "join/partner_config.hpp"

#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "base/files.hpp"
#include "commands/toml_table.hpp"

namespace entente::native {

namespace {

std::string strip(std::string text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

Status read_partner_toml(const std::string& path, PartnerConfig& config, commands::Environment& environment) {
    static_cast<void>(environment);
    ENTENTE_ASSIGN(const std::string text, read_text_file(path));
    ENTENTE_ASSIGN(commands::TomlTable root, commands::parse_toml(text, path, "partner"));
    root.text("url", config.url);
    root.text("accepted_by", config.accepted_by);
    root.text("partner", config.participant);
    root.text("connector", config.connector);
    root.text("listen", config.listen);
    root.text("public_url", config.public_url);
    root.text("issuer", config.issuer);
    root.text("client_id", config.client_id);
    root.text("company_claim", config.company_claim);
    if (root.has("network")) root.text("network", config.networks.emplace_back());
    root.text("coordinator_key", config.coordinator_key);
    root.boolean("alone", config.alone);
    root.number("threads", config.threads, 1u, 64u);
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    const auto file = [&root, &folder](std::string_view key, std::string& target) {
        if (!root.has(key)) {
            root.text(key, target);
            return;
        }
        root.text(key, target);
        if (!target.empty() && target != "-") target = (folder / target).string();
    };
    file("data", config.data_folder);
    file("mapping", config.mapping_file);
    file("state", config.state_folder);
    file("folder", config.folder);
    file("code_file", config.code_file);
    file("ca", config.ca_file);
    file("tls_cert", config.tls_certificate);
    file("tls_key", config.tls_key);
    file("client_secret_file", config.client_secret_file);
    commands::TomlTable edc = root.table("edc");
    edc.text("management", config.edc.management);
    edc.text("control", config.edc.control);
    edc.text("protocol", config.edc.protocol);
    edc.text("participant", config.edc.participant);
    edc.text("key_file", config.edc.key_file);
    if (edc.has("key_file") && !config.edc.key_file.empty()) config.edc.key_file = (folder / config.edc.key_file).string();
    return root.finish();
}

Result<std::string> read_join_code(const PartnerConfig& config) {
    if (config.code_file == "-") {
        std::string line;
        std::getline(std::cin, line);
        return strip(line);
    }
    if (!config.code_file.empty()) {
        ENTENTE_ASSIGN(std::string text, read_text_file(config.code_file, 4096));
        return strip(std::move(text));
    }
    const char* variable = std::getenv("ENTENTE_JOIN_CODE");
    return strip(variable == nullptr ? std::string() : std::string(variable));
}

}  // namespace entente::native
