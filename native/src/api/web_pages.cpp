#include "api/web_pages.hpp"

#include <array>

#include "base/files.hpp"

namespace entente::native {
namespace {

constexpr std::uint64_t limit_bytes = 64 * 1024 * 1024;

constexpr std::string_view not_built = R"html(<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Entente</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>
<h1>Entente</h1><p>The coordinator runs. Its web pages were not built into this binary: run <code>script/bootstrap</code>
and build again, or start it with <code>--web-dir web/dist</code>.</p></html>)html";

std::string file_of(const std::string& path) {
    if (path == "/") return "/index.html";
    for (const char* page : {"/join", "/demo", "/console"}) {
        if (path == page) return std::string(page) + ".html";
    }
    return path;
}

std::string_view type_of(std::string_view path) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 12> types{{
        {".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"}, {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"}, {".wasm", "application/wasm"}, {".svg", "image/svg+xml"}, {".png", "image/png"},
        {".json", "application/json"}, {".webmanifest", "application/manifest+json"}, {".ico", "image/x-icon"},
        {".txt", "text/plain; charset=utf-8"}, {".map", "application/json"}}};
    for (const auto& [ending, type] : types) {
        if (path.ends_with(ending)) return type;
    }
    return "application/octet-stream";
}

// The offline demo is one file with everything inside it, so its scripts and styles are inline.
constexpr std::string_view demo_policy =
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob: data:; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src data: blob:; worker-src blob: data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// The pages' policy, when they ask somebody else than us: for tokens, and nothing more.
void allow(http::Response& response, const std::string& name, const std::string& origin) {
    if (origin.empty() || !name.ends_with(".html") || name == "/demo.html") return;
    response.headers.emplace_back("Content-Security-Policy", http::page_policy(origin));
}

http::Response from_folder(const std::string& name, const std::filesystem::path& folder, const std::string& sign_in_origin) {
    // Names with ".." never reach the file system.
    if (name.find("..") != std::string::npos) return http::problem(404, "http.not-found", "there is nothing at " + name);
    auto bytes = read_file(folder / name.substr(1), limit_bytes);
    if (!bytes.ok()) return http::problem(404, "http.not-found", "there is nothing at " + name);
    http::Response response = http::binary(*bytes);
    response.content_type = std::string(type_of(name));
    allow(response, name, sign_in_origin);
    if (name == "/demo.html") response.headers.emplace_back("Content-Security-Policy", demo_policy);
    return response;
}

}  // namespace

http::Response web_page(const http::Request& request, const std::filesystem::path& folder, const std::string& sign_in_origin) {
    const std::string name = file_of(request.path);
    if (request.method != "GET" && request.method != "HEAD") {
        return http::problem(405, "http.method", "this path does not know the method " + request.method);
    }
    if (!folder.empty()) return from_folder(name, folder, sign_in_origin);
    for (const WebFile& file : embedded_web_files()) {
        if (file.path != name) continue;
        http::Response response;
        response.content_type = std::string(file.content_type);
        response.headers.emplace_back("ETag", file.etag);
        response.headers.emplace_back("Vary", "Accept-Encoding");
        // Files under /assets carry a hash in their name.
        response.headers.emplace_back("Cache-Control", name.starts_with("/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
        if (name == "/demo.html") response.headers.emplace_back("Content-Security-Policy", demo_policy);
        allow(response, name, sign_in_origin);
        if (request.header("if-none-match") == file.etag) {
            response.status = 304;
            return response;
        }
        const std::string accepted = request.header("accept-encoding");
        response.fixed = file.plain;
        if (!file.brotli.empty() && accepted.find("br") != std::string::npos) {
            response.fixed = file.brotli;
            response.headers.emplace_back("Content-Encoding", "br");
        } else if (!file.gzip.empty() && accepted.find("gzip") != std::string::npos) {
            response.fixed = file.gzip;
            response.headers.emplace_back("Content-Encoding", "gzip");
        }
        return response;
    }
    if (name == "/index.html" || name == "/join.html" || name == "/demo.html") {
        http::Response response;
        response.content_type = "text/html; charset=utf-8";
        response.fixed = not_built;
        return response;
    }
    return http::problem(404, "http.not-found", "there is nothing at " + request.path);
}

}  // namespace entente::native
