// The web pages: built into the binary, or read from a folder while they are developed.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "http/message.hpp"

namespace entente::native {

// One embedded file; the compressed forms are empty when they would not be smaller.
struct WebFile {
    std::string_view path;  // "/join.html"
    std::string_view content_type;
    std::string_view etag;
    std::string_view plain;
    std::string_view gzip;
    std::string_view brotli;
};

std::span<const WebFile> embedded_web_files();  // generated (native/cmake/embed_web.py)

// `folder` empty: the embedded pages. "/" is index.html, "/join" join.html, "/demo" demo.html.
// `sign_in_origin`: the identity provider's, which the pages may ask for tokens; empty: none.
http::Response web_page(const http::Request& request, const std::filesystem::path& folder, const std::string& sign_in_origin);

}  // namespace entente::native
