// Addresses that strangers gave us: a URL with one reading, and what kind of address a name has led to. Pure.
//
//   ENTENTE_ASSIGN(const Url url, read_url("https://plant-a.example:8443/dsp/2025-1"));
//   url.origin();                                   // "https://plant-a.example:8443"
//   ENTENTE_ASSIGN(const Networks ours, Networks::read({"10.20.0.0/16"}));
//   may_connect(address, ours);                     // global, or in one of ours
//
// Refused in a URL, invalid_argument "url.*": another scheme, user and password, a fragment, anything but printable
// ASCII, an empty or malformed host, port 0, more than 4096 characters.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/result.hpp"

namespace entente::native {

struct Url {
    bool tls = true;
    std::string host;  // lower case; an IPv6 address without its brackets
    std::uint16_t port = 443;
    std::string target = "/";  // path and query

    // scheme://host[:port], the port left out where it is the scheme's own: two URLs of one origin give the same text.
    [[nodiscard]] std::string origin() const;
    // As the Host field names it.
    [[nodiscard]] std::string authority() const;
};

Result<Url> read_url(std::string_view text);

// IPv4 in its four bytes, IPv6 in sixteen.
struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};
    bool v6 = false;

    [[nodiscard]] bool is_loopback() const noexcept;
    // Reachable over the internet, and by nothing that stands for another address: not private, shared, link-local,
    // loopback, multicast, reserved, documentation, v4-mapped, NAT64, 6to4 or Teredo (RFC 6890 and its registries).
    [[nodiscard]] bool is_global() const noexcept;
    [[nodiscard]] bool is_multicast() const noexcept;
};
Result<IpAddress> read_address(std::string_view text);

// Networks that the operator has opened, such as "127.0.0.0/8", "::1/128" or "10.20.0.0/16".
class Networks {
public:
    // invalid_argument "config.network".
    static Result<Networks> read(const std::vector<std::string>& texts);
    [[nodiscard]] bool contain(const IpAddress& address) const noexcept;

private:
    struct Network {
        IpAddress base;
        unsigned prefix_bits = 0;
    };
    std::vector<Network> list_;
};

// Multicast never; otherwise what is global or in `opened`.
bool may_connect(const IpAddress& address, const Networks& opened) noexcept;

}  // namespace entente::native
