// A whole content from an address that a stranger gave us, resumed where it broke: what a transfer's consumer does.
//
//   Download wish{.url = address.endpoint, .authorization = token, .allowed_origins = origins, .limit_bytes = size, .sink = sink};
//   download(outbound, std::move(wish), [](Result<Downloaded> got) { … });
//
// Breaks, silence and slowness are tried again from the last byte that arrived (RFC 9110: Range, and If-Range with the
// entity tag of the beginning), as long as something comes: `attempts` tries in a row without a byte are the end. Whether the
// content is the right one is for the sink's owner to ask: digest and signature. Memory does not depend on the size.
//
// Errors: outbound.hpp's; permission_denied "download.refused" (401, 403), not_found "download.missing" (404, 410),
// conflict "download.changed" when the content is another one than it was before the break, too_large "download.too-large",
// unavailable "download.failed" for another answer, with its text; and the sink's own.
#pragma once

#include "net/outbound.hpp"

namespace entente::native {

struct Download {
    std::string url;
    std::string authorization;                  // the field's value as it is
    std::vector<std::string> allowed_origins;
    std::uint64_t limit_bytes = 0;              // of all of it
    std::uint64_t from = 0;                     // the sink has the bytes before
    std::int64_t timeout_ms = 3'600'000;        // of all of it
    unsigned attempts = 5;
    std::int64_t first_retry_ms = 200;          // doubles each time
    std::shared_ptr<contract::ByteSink> sink;
    contract::CancelToken cancel;
};

struct Downloaded {
    std::uint64_t bytes = 0;
    std::string etag;
};

void download(const std::shared_ptr<Outbound>& outbound, Download wish, std::function<void(Result<Downloaded>)> completion);

}  // namespace entente::native
