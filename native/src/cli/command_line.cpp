#include "cli/command_line.hpp"

#include <array>
#include <cstdlib>
#include <optional>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/backup.hpp"
#include "cli/doctor.hpp"
#include "cli/doctor_connector.hpp"
#include "cli/doctor_folder.hpp"
#include "dsp/peer_identity.hpp"
#include "cli/invite.hpp"
#include "cli/leave.hpp"
#include "cli/ledger.hpp"
#include "cli/login.hpp"
#include "cli/migrate.hpp"
#include "cli/native_environment.hpp"
#include "cli/serve.hpp"
#include "cli/verify.hpp"
#include "commands/nearest.hpp"
#include "commands/run.hpp"
#include "commands/text.hpp"
#include "commands/usage.hpp"
#include "entente/tensor/kernels.hpp"
#include "join/join.hpp"
#include "join/key_rotation.hpp"
#include "store/format.hpp"

namespace entente::native {
namespace {

constexpr std::array<std::string_view, 19> names{"serve", "join", "leave", "key", "invite", "login", "verify", "ledger", "backup", "restore", "migrate", "simulate", "plan", "policy", "inspect", "export", "data", "score", "doctor"};

constexpr std::string_view overview = R"(Entente: federated learning under contract

  entente serve --data folder                    run a federation
  entente invite --partner plant-a               make a one-time join code (ENTENTE_TOKEN holds the operator's token)
  entente login --issuer URL                     sign in at an identity provider, instead of codes and tokens
  entente join partner.toml                      take part with your own data, which stays with you
  entente leave partner.toml                     end your agreements; which models your updates are in
  entente key rotate --state plant-a             a partner takes a new key, which its former one signs
  entente verify FOLDER|URL|RECEIPT              does it hold: files, ledger, log, receipts, and each round's sum
  entente ledger FOLDER|URL                      agreements, uses and refusals by partner; one partner's evidence
  entente backup --data folder -o copy           a copy of a coordinator's folder, while it serves
  entente restore copy --data folder             a data folder from such a copy
  entente migrate folder                         in which format it is; --to N before an older release takes it over
  entente simulate --data mnist --partners 3     a whole federation in one process
  entente plan check|show plan.toml              is this plan good, and what does it say
  entente policy explain FILE|URL                a contract as sentences: what is enforced here, what refused, and why
  entente inspect FILE                           what an envelope or a ledger says, and whether it holds
  entente export model.entf -o model.safetensors --plan plan.toml
  entente score model.entente rows.csv           what a model says of your own rows: alerts, and why
  entente data split --from mnist --to shares    deal a data set to partners
  entente doctor                                 what this machine offers
  entente doctor connector URL|partner.toml      why a peer's connector is not found
  entente doctor folder FOLDER                   what will stop a coordinator: disk, clock, key modes, certificate

Every command has --help and --json. Exit codes: 0 done, 1 failed, 2 usage, 3 configuration, 4 refused by policy,
5 peer unreachable, 6 bad data, 130 interrupted.
)";

struct Line {
    CLI::App app{"Entente: federated learning under contract", "entente"};
    ServeOptions serve;
    PartnerConfig partner;
    std::string partner_file;
    InviteOptions invite;
    LoginOptions login;
    VerifyOptions verify;
    LedgerOptions ledger;
    KeyRotation rotation;
    bool rotation_json = false;
    BackupOptions backup;
    BackupOptions restore{.from = {}, .to = "entente-data"};
    MigrateOptions migrate;
    bool doctor_json = false;
    bool scope_given() { return app.get_subcommand("login")->count("--scope") > 0; }
    ConnectorDoctor connector;
    FolderDoctor folder;
};

void declare(Line& line) {
    line.app.require_subcommand(1);
    CLI::App* serve = line.app.add_subcommand("serve", "The coordinator.\n\n  entente serve --data folder\n"
                                                       "  entente serve --plan plan.toml --listen 0.0.0.0:8443 --tls-cert c.pem --tls-key k.pem\n");
    ServeOptions& s = line.serve;
    serve->add_option("--plan", s.plan_file, "Plan (TOML); without it the folder's, or the default digits plan");
    serve->add_option("--data", s.data_folder, "Folder for everything that is kept (entente-data)");
    serve->add_option("--listen", s.listen, "Address and port (127.0.0.1:8443; port 0 takes a free one)");
    serve->add_option("--tls-cert", s.tls_certificate, "PEM certificate chain");
    serve->add_option("--tls-key", s.tls_key, "PEM private key");
    serve->add_option("--client-ca", s.client_ca, "PEM certificates: partners may show client certificates of these authorities, and their tokens are then bound to them");
    serve->add_flag("--behind-proxy", s.behind_proxy, "A proxy in front does TLS");
    serve->add_option("--public-url", s.public_url, "How partners reach it, for join links");
    serve->add_option("--evaluate", s.evaluate_folder, "Folder with t10k IDX files: score every model");
    serve->add_option("--sample", s.sample_folder, "Folder with IDX files that browser partners may try");
    serve->add_option("--web-dir", s.web_folder, "Serve the pages from this folder instead of the binary (development)");
    serve->add_option("--keep-updates", s.keep_updates, "Rounds for which counted updates stay stored, within their agreements' retention; all or none (10)");
    serve->add_flag("--auditors-read-updates", s.auditors_read_updates, "Auditors may fetch stored updates, to compute rounds again; otherwise only the operator may");
    serve->add_option("--operator-token-file", s.operator_token_file, "Also write the operator's token there, mode 600");
    serve->add_option("--folder", s.folder, "Also serve partners without a network through this shared folder");
    serve->add_option("--folder-partners", s.folder_partners, "File with a line for each of them: id and public key");
    serve->add_option("--network", s.networks, "A private network with partners' connectors, such as 10.0.0.0/8");
    serve->add_option("--ca", s.ca_file, "PEM certificates of partners' connectors to trust instead of the system's");
    serve->add_option("--issuer", s.issuer, "An OpenID Connect issuer whose tokens are accepted beside join codes");
    serve->add_option("--audience", s.audience, "With --issuer: what its tokens must be made out to (entente-api)");
    serve->add_option("--roles-claim", s.roles_claim, "With --issuer: where roles stand (realm_access.roles)");
    serve->add_option("--company-claim", s.company_claim, "With --issuer: where a partner's participant stands (participant_id)");
    serve->add_option("--client-id", s.client_id, "With --client-secret-file: as which client the own connector signs in (coordinator)");
    serve->add_option("--client-secret-file", s.client_secret_file, "With --issuer: it vouches for connectors too; file with the own client's secret, mode 600");
    serve->add_option("--web-client", s.web_client, "With --issuer: client id of the web pages (entente-web)");
    serve->add_option("--web-scope", s.web_scope, "With --issuer: scopes that the pages ask for (openid)");
    serve->add_flag(mock_option, s.mock_identity, "Believe partners' EDCs who they say they are (EDC's mock identity). For tests");
    serve->add_option("--rate-partner", s.partner_rate, "Requests a second from each who says who it is, and ten times as many at once; 0: any (500)")->check(CLI::NonNegativeNumber);
    serve->add_option("--rate-address", s.address_rate, "Requests a second from each address otherwise, and twenty times as many at once; 0: any (200)")->check(CLI::NonNegativeNumber);
    serve->add_option("--token-life-s", s.token_life_s, "Seconds for which a partner's token stays good unused (30 days)")->check(CLI::PositiveNumber);
    serve->add_option("--head-timeout-ms", s.head_timeout_ms, "Time for a request's head (15000)");
    serve->add_option("--body-grace-ms", s.body_grace_ms, "Time for a body before its rate counts (30000)");
    serve->add_flag("--json", s.json, "One JSON object a line");
    serve->add_flag("--quiet", s.quiet, "Nothing but the start");

    CLI::App* join = line.app.add_subcommand("join", "A partner.\n\n  entente join partner.toml\n"
                                                     "  ENTENTE_JOIN_CODE=… entente join --url https://fl.example.org --data mnist --state plant-a\n");
    PartnerConfig& p = line.partner;
    join->add_option("file", line.partner_file, "partner.toml; flags outweigh it");
    join->add_option("--url", p.url, "The coordinator");
    join->add_option("--data", p.data_folder, "Folder with IDX files, or a table where the plan has a task on tables; it stays here");
    join->add_option("--mapping", p.mapping_file, "Of a table: from its columns and units to those of the task (TOML)");
    join->add_option("--state", p.state_folder, "Folder for key and token (entente-partner)");
    join->add_option("--code-file", p.code_file, "File with the join code; - is standard input");
    join->add_option("--ca", p.ca_file, "PEM certificates to trust instead of the system's");
    join->add_option("--folder", p.folder, "A shared folder instead of --url: no network at all");
    join->add_option("--partner", p.participant, "With --folder: the own id, as the operator has entered it");
    join->add_option("--coordinator-key", p.coordinator_key, "With --folder: the coordinator's public key, which serve shows");
    join->add_option("--connector", p.connector, "dsp: a connector of its own, which speaks the Dataspace Protocol; edc: an Eclipse EDC, as [edc] in the file says");
    join->add_option("--listen", p.listen, "With --connector: address and port (127.0.0.1:0)");
    join->add_option("--public-url", p.public_url, "With --connector: how the coordinator reaches it");
    join->add_option("--tls-cert", p.tls_certificate, "PEM certificate chain: shown to a coordinator that asks for client certificates, and with --connector to its peers");
    join->add_option("--tls-key", p.tls_key, "PEM private key of it");
    join->add_option("--network", p.networks, "With --connector: a private network that it may call, such as 10.0.0.0/8");
    join->add_option("--issuer", p.issuer, "With --connector dsp: an OpenID Connect issuer that vouches for connectors, as the coordinator's --issuer");
    join->add_option("--client-id", p.client_id, "With --issuer: the own client there");
    join->add_option("--client-secret-file", p.client_secret_file, "With --issuer: file with its secret, mode 600");
    join->add_option("--accepted-by", p.accepted_by, "Who accepts the contract");
    join->add_option("--give-up-s", p.give_up_s, "End when the coordinator is away for so long (0: never)");
    join->add_option("--threads", p.threads, "That train together; all there are, unless said. The result is the same")->check(CLI::Range(1, 64));
    join->add_flag("--alone", p.alone, "At the end train alone too, for comparison");
    join->add_flag("--json", p.json, "On standard output one JSON object at the end; the rest goes to standard error");
    join->add_flag("--quiet", p.quiet, "Say nothing");

    CLI::App* leave = line.app.add_subcommand("leave", "Ends a partner's agreements: what is stored of its updates is deleted, and the rounds that they are in are named.\n\n"
                                                       "  entente leave partner.toml\n");
    leave->add_option("file", line.partner_file, "partner.toml; flags outweigh it");
    leave->add_option("--url", p.url, "The coordinator");
    leave->add_option("--state", p.state_folder, "Folder with key and token (entente-partner)");
    leave->add_option("--ca", p.ca_file, "PEM certificates to trust instead of the system's");
    leave->add_option("--tls-cert", p.tls_certificate, "PEM certificate chain, as entente join has it");
    leave->add_option("--tls-key", p.tls_key, "PEM private key of it");
    leave->add_flag("--json", p.json, "One JSON object");

    CLI::App* key = line.app.add_subcommand("key", "A partner's key.\n\n  entente key rotate --state plant-a\n");
    key->require_subcommand(1);
    CLI::App* rotate = key->add_subcommand("rotate", "A new key, signed by the former one, which counts no more from then on. Stop entente join first.\n\n"
                                                     "  entente key rotate --state plant-a\n");
    rotate->add_option("--state", line.rotation.state_folder, "Folder for key and token (entente-partner)");
    rotate->add_option("--url", line.rotation.url, "The coordinator, when it is elsewhere now");
    rotate->add_option("--ca", line.rotation.ca_file, "PEM certificates to trust instead of the system's");
    rotate->add_option("--tls-cert", line.rotation.tls_certificate, "PEM certificate chain, as entente join has it");
    rotate->add_option("--tls-key", line.rotation.tls_key, "PEM private key of it");
    rotate->add_flag("--json", line.rotation_json, "One JSON object");

    CLI::App* invite = line.app.add_subcommand("invite", "A one-time join code.\n\n  ENTENTE_TOKEN=op_… entente invite --partner plant-a\n");
    InviteOptions& i = line.invite;
    invite->add_option("--partner", i.participant, "The partner's id: a-z, 0-9 and hyphens")->required();
    invite->add_option("--name", i.name, "Its name, for people");
    invite->add_option("--role", i.role, "partner or auditor (partner)");
    invite->add_option("--url", i.url, "The coordinator (http://127.0.0.1:8443)");
    invite->add_option("--ca", i.ca_file, "PEM certificates to trust instead of the system's");
    invite->add_option("--token-file", i.token_file, "The operator's token; or the variable ENTENTE_TOKEN");
    invite->add_option("--state", i.state_folder, "Folder where entente login has signed in (entente-operator)");
    invite->add_option("--valid-s", i.valid_s, "Seconds until the code expires (7 days)")->check(CLI::NonNegativeNumber);
    invite->add_flag("--json", i.json, "One JSON object");

    CLI::App* login = line.app.add_subcommand("login", "Signs in at an identity provider; invite and join then need no token and no code.\n\n"
                                                       "  entente login --url https://fl.example.org --issuer https://id.example/realms/entente\n"
                                                       "  entente login --issuer URL --client-id plant-a --client-secret-file secret --state plant-a\n");
    LoginOptions& l = line.login;
    login->add_option("--issuer", l.wanted.issuer, "The OpenID Connect issuer, which the operator names")->required();
    login->add_option("--url", l.wanted.url, "The coordinator, which alone gets the token (http://127.0.0.1:8443)");
    login->add_option("--client-id", l.wanted.client_id, "As which client (entente-device)");
    login->add_option("--client-secret-file", l.wanted.client_secret_file, "For machines: file with the client's secret, mode 600; without it a person confirms a code");
    login->add_option("--scope", l.wanted.scope, "Scopes to ask for (openid; none with a secret)");
    login->add_option("--resource", l.wanted.resource, "What the token shall be made out to, where the issuer wants to be told (RFC 8707)");
    login->add_option("--state", l.state_folder, "Folder that keeps the token, mode 600: the partner's (entente-operator)");
    login->add_option("--ca", l.wanted.ca_file, "PEM certificates to trust instead of the system's");
    login->add_flag("--json", l.json, "One JSON object a line");

    CLI::App* verify = line.app.add_subcommand("verify", "Does it hold? A coordinator's data folder, a running coordinator, a receipt, or evidence.\n\n  entente verify entente-data\n  ENTENTE_TOKEN=au_… entente verify https://fl.example.org\n"
                                                         "  entente verify entente-data --round 7\n  entente verify receipt-7.json --key 03a107bf…\n");
    VerifyOptions& v = line.verify;
    verify->add_option("what", v.what, "The data folder of a stopped coordinator; a coordinator's URL; or a file with a receipt or evidence")->required();
    verify->add_option("--round", v.round, "Of a folder or URL: compute only this round again")->check(CLI::PositiveNumber);
    verify->add_option("--key", v.key, "Of a file or URL: the coordinator's public key, as serve shows it");
    verify->add_option("--token-file", v.token_file, "With a URL: the operator's, an auditor's or a partner's token; or the variable ENTENTE_TOKEN");
    verify->add_option("--ca", v.ca_file, "With a URL: PEM certificates to trust instead of the system's");
    verify->add_flag("--json", v.json, "One JSON object a line");

    CLI::App* ledger = line.app.add_subcommand("ledger", "Agreements, uses and refusals by partner, each record proved.\n\n  entente ledger entente-data\n"
                                                         "  ENTENTE_TOKEN=op_… entente ledger https://fl.example.org\n  entente ledger entente-data --partner plant-a > plant-a.json\n");
    LedgerOptions& b = line.ledger;
    ledger->add_option("source", b.source, "The data folder of a stopped coordinator, or a coordinator's URL")->required();
    ledger->add_option("--partner,--evidence", b.partner, "Export this partner's evidence as JSON, which entente verify checks: its own records and no others");
    ledger->add_option("--token-file", b.token_file, "With a URL: the operator's or auditor's token; or the variable ENTENTE_TOKEN");
    ledger->add_option("--ca", b.ca_file, "With a URL: PEM certificates to trust instead of the system's");
    ledger->add_flag("--json", b.json, "One JSON object a partner");

    CLI::App* backup = line.app.add_subcommand("backup", "A copy of a coordinator's data folder, made while it serves; it has the private key.\n\n"
                                                         "  entente backup --data entente-data -o copies/monday\n");
    backup->add_option("--data", line.backup.from, "The data folder (entente-data)");
    backup->add_option("-o,--output", line.backup.to, "A folder that is not there yet")->required();
    backup->add_flag("--json", line.backup.json, "One JSON object");
    CLI::App* restore = line.app.add_subcommand("restore", "A data folder from a copy, which is verified first.\n\n  entente restore copies/monday --data entente-data\n");
    restore->add_option("copy", line.restore.from, "What entente backup has made")->required();
    restore->add_option("--data", line.restore.to, "A folder that is not there yet (entente-data)");
    restore->add_flag("--json", line.restore.json, "One JSON object");

    CLI::App* migrate = line.app.add_subcommand("migrate", "In which format a folder is, of a coordinator that was stopped or of a partner with a connector of its own;\nand into another one. A newer release does that by itself when it starts; before an older one, say --to.\n\n"
                                                           "  entente migrate entente-data --to 3\n");
    migrate->add_option("folder", line.migrate.folder, "Its folder")->required();
    migrate->add_option("--to", line.migrate.to, "The format, as the other release names it")->check(CLI::Range(oldest_format, newest_format));
    migrate->add_flag("--json", line.migrate.json, "One JSON object");

    CLI::App* doctor = line.app.add_subcommand("doctor", "Versions, kernels and what may be missing.\n\n  entente doctor --json\n");
    doctor->add_flag("--json", line.doctor_json, "One JSON object");
    CLI::App* peer = doctor->add_subcommand("connector", "Why a peer's connector is not found, step by step, with what to do.\n\n"
                                                         "  entente doctor connector https://plant-a.example:8444\n"
                                                         "  entente doctor connector partner.toml      also the way back, from the coordinator\n");
    peer->add_option("url", line.connector.url, "Its address, or the file of a partner that has joined")->required();
    peer->add_option("--ca", line.connector.ca_file, "PEM certificates to trust instead of the system's");
    peer->add_option("--network", line.connector.networks, "A private network that may be asked, such as 10.0.0.0/8");
    peer->add_flag("--json", line.connector.json, "One JSON object");
    CLI::App* folder = doctor->add_subcommand("folder", "What will stop a coordinator, before it does, with what to do.\n\n"
                                                        "  entente doctor folder entente-data --tls-cert c.pem --public-url https://fl.example.org\n");
    folder->add_option("folder", line.folder.folder, "Its data folder")->required();
    folder->add_option("--tls-cert", line.folder.tls_certificate, "Its certificate: how long it is valid");
    folder->add_option("--issuer", line.folder.issuer, "The OpenID Connect issuer: does it answer");
    folder->add_option("--public-url", line.folder.public_url, "How partners reach it: does it answer there");
    folder->add_option("--ca", line.folder.ca_file, "PEM certificates to trust instead of the system's");
    folder->add_flag("--json", line.folder.json, "One JSON object");
}

// The exit code, when the line asks for nothing more than help or cannot be understood.
std::optional<int> parse(Line& line, const std::vector<std::string>& args, NativeEnvironment& environment) {
    try {
        line.app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
    } catch (const CLI::CallForHelp&) {
        const auto chosen = line.app.get_subcommands();
        environment.print(chosen.empty() ? std::string(overview) : chosen.front()->help());
        return commands::exit_done;
    } catch (const CLI::ParseError& error) {
        environment.print_error(commands::usage_error(line.app, args, error.what()));
        return commands::exit_usage;
    }
    return std::nullopt;
}

int rotate(const KeyRotation& wanted, bool json, NativeEnvironment& environment) {
    const auto rotated = rotate_key(wanted);
    if (!rotated.ok()) return commands::report(rotated.error(), environment);
    const std::string key = codec::to_hex(rotated->key);
    environment.print(json ? commands::JsonObject().text("participant", rotated->participant).text("former", codec::to_hex(rotated->former)).text("key", key).str() + "\n"
                           : "  Key          " + key + "   of " + rotated->participant + " from now on\n  Next         entente join, which makes new agreements\n");
    return commands::exit_done;
}

int parse_and_run(const std::vector<std::string>& args, NativeEnvironment& environment) {
    Line line;
    declare(line);
    if (const auto ended = parse(line, args, environment)) return *ended;
    if (line.app.got_subcommand("serve")) return serve(line.serve, environment);
    if (line.app.got_subcommand("key")) return rotate(line.rotation, line.rotation_json, environment);
    if (line.app.got_subcommand("invite")) return invite(line.invite, environment);
    if (line.app.got_subcommand("login")) {
        if (!line.login.wanted.client_secret_file.empty() && !line.scope_given()) line.login.wanted.scope.clear();
        return login(line.login, environment);
    }
    if (line.app.got_subcommand("verify")) return verify(line.verify, environment);
    if (line.app.got_subcommand("ledger")) return ledger(line.ledger, environment);
    if (line.app.got_subcommand("backup")) return backup(line.backup, environment);
    if (line.app.got_subcommand("restore")) return restore_backup(line.restore, environment);
    if (line.app.got_subcommand("migrate")) return migrate(line.migrate, environment);
    if (line.app.got_subcommand("doctor")) {
        if (!line.folder.folder.empty()) return doctor_folder(line.folder, environment);
        return line.connector.url.empty() ? doctor(line.doctor_json, environment) : doctor_connector(line.connector, environment);
    }
    const auto carry_out = line.app.got_subcommand("leave") ? leave : join;
    if (line.partner_file.empty()) return carry_out(line.partner, environment);
    // The file first, then the flags over it.
    Line again;
    declare(again);
    if (Status read = read_partner_toml(line.partner_file, again.partner, environment); !read.ok()) {
        commands::report(read.error(), environment);
        return commands::exit_configuration;
    }
    if (const auto ended = parse(again, args, environment)) return *ended;
    return carry_out(again.partner, environment);
}

}  // namespace

int command_line(const std::vector<std::string>& args) {
    NativeEnvironment environment;
    // For measurements and the proof of sameness: never changes a result.
    if (const char* kernels = std::getenv("ENTENTE_KERNELS"); kernels != nullptr) {
        if (const Status chosen = kernels::select(kernels); !chosen.ok()) return commands::report(chosen.error(), environment);
    }
    if (args.empty() || args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
        environment.print(overview);
        return args.empty() ? commands::exit_usage : commands::exit_done;
    }
    if (args[0] == "--version") return doctor(false, environment);
    if (commands::knows(args[0])) return commands::run(args, environment);
    bool known = false;
    for (const std::string_view name : names) known = known || args[0] == name;
    if (!known) {
        const std::string near = commands::nearest(args[0], names);
        environment.print_error("entente: there is no command \"" + commands::printable(args[0]) + "\"" +
                                (near.empty() ? "" : "; did you mean \"" + near + "\"?") + " (entente --help)\n");
        return commands::exit_usage;
    }
    return parse_and_run(args, environment);
}

}  // namespace entente::native
