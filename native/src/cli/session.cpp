#include "cli/session.hpp"

#include <sys/stat.h>

#include <thread>

#include <boost/asio/io_context.hpp>

#include "base/files.hpp"
#include "cli/key_file.hpp"
#include "commands/text.hpp"

namespace entente::native {
namespace {

constexpr const char* file_name = "/session.json";
constexpr std::int64_t margin_ms = 30'000;
constexpr std::uint64_t limit_bytes = 64 * 1024;

// The identity provider, asked by somebody who waits for the answer.
class Waiting {
public:
    explicit Waiting(const Session& session) : session_(session) {}

    Status open() {
        ENTENTE_TRY(check_issuer_url(session_.issuer));
        ENTENTE_ASSIGN(ask_, make_issuer_client(io_, session_.ca_file));
        if (!session_.client_secret_file.empty()) {
            ENTENTE_ASSIGN(client_.secret, read_secret(session_.client_secret_file));
        }
        client_.id = session_.client_id;
        ENTENTE_ASSIGN(found_, until_done<Discovery>([this](auto done) { discover(ask_, session_.issuer, done); }));
        if (!found_.token_endpoint.empty()) return done();
        return Error{Code::data_loss, "issuer.malformed", "identity provider: expected a token_endpoint in its discovery document"};
    }

    Result<TokenGrant> by_secret() {
        return until_done<TokenGrant>([this](auto done) { client_credentials(ask_, found_.token_endpoint, client_, wanted(), now_ms(), done); });
    }

    Result<TokenGrant> renew(const std::string& refresh_token) {
        return until_done<TokenGrant>([&](auto done) { refresh(ask_, found_.token_endpoint, client_, refresh_token, now_ms(), done); });
    }

    Result<TokenGrant> by_device(const std::function<void(const DeviceCode&)>& say) {
        if (found_.device_authorization_endpoint.empty()) {
            return Error{Code::invalid_argument, "config.issuer", session_.issuer + " gives no device codes; sign in with --client-secret-file"};
        }
        ENTENTE_ASSIGN(DeviceCode code, until_done<DeviceCode>([this](auto done) {
            begin_device(ask_, found_.device_authorization_endpoint, client_, wanted(), now_ms(), done);
        }));
        say(code);
        while (now_ms() < code.expires_at_ms) {
            std::this_thread::sleep_for(std::chrono::milliseconds(code.interval_ms));
            ENTENTE_ASSIGN(const auto grant, until_done<std::optional<TokenGrant>>([&](auto done) {
                poll_device(ask_, found_.token_endpoint, client_, code, now_ms(), done);
            }));
            if (grant) return *grant;
        }
        return Error{Code::unauthenticated, "login.expired", "nobody has confirmed the code in time; run entente login again"};
    }

private:
    [[nodiscard]] Wanted wanted() const { return {session_.scope, session_.resource}; }

    template <class T, class Start>
    Result<T> until_done(Start start) {
        std::optional<Result<T>> got;
        start(std::function<void(Result<T>)>([&got](Result<T> result) { got.emplace(std::move(result)); }));
        io_.restart();
        while (!got && io_.run_one() > 0) {}
        if (got) return std::move(*got);
        return Error{Code::internal, "login.lost", "the identity provider's answer was lost"};
    }

    const Session& session_;
    boost::asio::io_context io_{1};
    AskIssuer ask_;
    OidcClient client_;
    Discovery found_;
};

Result<std::optional<Session>> read_session(const std::string& path) {
    const auto text = read_text_file(path, limit_bytes);
    if (!text.ok() && text.error().code == Code::not_found) return std::optional<Session>();
    if (!text.ok()) return text.error();
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && (info.st_mode & 0077u) != 0) {
        return Error{Code::permission_denied, "login.too-open", path + ": others may read this token; run chmod 600 on it"};
    }
    const auto json = read_json(*text, {.bytes = limit_bytes, .depth = 4});
    if (!json.ok()) return Error{Code::data_loss, "login.malformed", path + ": expected what entente login has written; run it again"};
    Session session;
    for (auto [name, member] : {std::pair{"url", &Session::url}, {"issuer", &Session::issuer}, {"client_id", &Session::client_id},
                                {"client_secret_file", &Session::client_secret_file}, {"scope", &Session::scope},
                                {"resource", &Session::resource}, {"ca_file", &Session::ca_file}}) {
        session.*member = text_claim(*json, name);
    }
    session.grant.access_token = text_claim(*json, "access_token");
    session.grant.refresh_token = text_claim(*json, "refresh_token");
    session.grant.expires_at_ms = time_claim(*json, "expires_at_s").value_or(0) * 1000;
    return std::optional<Session>(std::move(session));
}

std::string without_slash(const std::string& url) { return url.ends_with('/') ? url.substr(0, url.size() - 1) : url; }

}  // namespace

Result<Session> sign_in(Session wanted, const std::function<void(const DeviceCode&)>& say) {
    Waiting issuer(wanted);
    ENTENTE_TRY(issuer.open());
    auto grant = wanted.client_secret_file.empty() ? issuer.by_device(say) : issuer.by_secret();
    if (!grant.ok()) return grant.error();
    Session session = std::move(wanted);
    session.grant = std::move(grant).value();
    for (std::string* path : {&session.client_secret_file, &session.ca_file}) {
        if (!path->empty()) *path = std::filesystem::absolute(*path).string();  // the next command may run elsewhere
    }
    return session;
}

Status write_session(const std::string& folder, const Session& s) {
    ENTENTE_TRY(make_directory(folder));
    const std::string text = commands::JsonObject()
                                 .text("url", s.url)
                                 .text("issuer", s.issuer)
                                 .text("client_id", s.client_id)
                                 .text("client_secret_file", s.client_secret_file)
                                 .text("scope", s.scope)
                                 .text("resource", s.resource)
                                 .text("ca_file", s.ca_file)
                                 .text("access_token", s.grant.access_token)
                                 .text("refresh_token", s.grant.refresh_token)
                                 .whole("expires_at_s", static_cast<std::uint64_t>(s.grant.expires_at_ms / 1000))
                                 .str();
    return write_file(folder + file_name, as_bytes(std::string_view(text)), 0600);
}

Result<std::optional<std::string>> session_token(const std::string& folder, const std::string& url) {
    ENTENTE_ASSIGN(std::optional<Session> session, read_session(folder + file_name));
    if (!session) return std::optional<std::string>();
    if (without_slash(session->url) != without_slash(url)) {
        return Error{Code::permission_denied, "login.other-coordinator",
                     folder + ": this token is for " + session->url + ", not for " + url + "; nothing was sent"};
    }
    if (session->grant.expires_at_ms - margin_ms > now_ms()) return std::optional<std::string>(session->grant.access_token);
    if (session->client_secret_file.empty() && session->grant.refresh_token.empty()) {
        return Error{Code::unauthenticated, "login.expired", "the token has expired; run entente login again"};
    }
    Waiting issuer(*session);
    ENTENTE_TRY(issuer.open());
    auto grant = session->client_secret_file.empty() ? issuer.renew(session->grant.refresh_token) : issuer.by_secret();
    if (!grant.ok()) return grant.error();
    session->grant = std::move(grant).value();
    ENTENTE_TRY(write_session(folder, *session));
    return std::optional<std::string>(session->grant.access_token);
}

}  // namespace entente::native
