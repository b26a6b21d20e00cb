#include "net/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <span>

namespace entente::native {
namespace {

constexpr std::size_t max_url_bytes = 4096;

Error bad_url(const char* reason, const std::string& expected) { return {Code::invalid_argument, reason, "address: expected " + expected}; }

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

bool is_name(std::string_view host) {
    if (host.empty() || host.size() > 253 || host.front() == '.' || host.back() == '.' || host.front() == '-') return false;
    return std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    });
}

// Digits alone, at most `largest`.
bool read_number(std::string_view text, unsigned largest, unsigned& value) {
    if (text.empty() || text.size() > 5) return false;
    value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return false;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value <= largest;
}

// The first `bits` bits of `address` are those of `base`.
bool matches(std::span<const std::uint8_t> address, std::span<const std::uint8_t> base, unsigned bits) {
    for (std::size_t i = 0; bits > 0; ++i) {
        const unsigned here = std::min(bits, 8u);
        const unsigned mask = (0xffu << (8 - here)) & 0xffu;
        if ((address[i] & mask) != (base[i] & mask)) return false;
        bits -= here;
    }
    return true;
}

struct Block {
    std::array<std::uint8_t, 16> base;
    unsigned bits;
};

// The special-purpose registries of RFC 6890, as far as they are not reachable from everywhere.
constexpr Block special_v4[] = {
    {{0}, 8}, {{10}, 8}, {{100, 64}, 10}, {{127}, 8}, {{169, 254}, 16}, {{172, 16}, 12}, {{192, 0, 0}, 24}, {{192, 0, 2}, 24},
    {{192, 88, 99}, 24}, {{192, 168}, 16}, {{198, 18}, 15}, {{198, 51, 100}, 24}, {{203, 0, 113}, 24}, {{224}, 4}, {{240}, 4},
};
// Inside 2000::/3, the only block that is global at all.
constexpr Block special_v6[] = {
    {{0x20, 0x01}, 23}, {{0x20, 0x01, 0x0d, 0xb8}, 32}, {{0x20, 0x02}, 16}, {{0x3f, 0xff}, 20},
};
constexpr Block global_v6{{0x20}, 3};

template <std::size_t N>
bool in_any(const std::array<std::uint8_t, 16>& bytes, const Block (&blocks)[N]) {
    return std::any_of(std::begin(blocks), std::end(blocks), [&](const Block& b) { return matches(bytes, b.base, b.bits); });
}

Result<std::uint16_t> read_port(std::string_view text, bool tls) {
    unsigned port = tls ? 443 : 80;
    if (!text.empty() && (!read_number(text.substr(1), 65'535, port) || port == 0)) {
        return bad_url("url.port", "a port between 1 and 65535, found \"" + std::string(text.substr(1, 8)) + "\"");
    }
    return static_cast<std::uint16_t>(port);
}

}  // namespace

std::string Url::authority() const {
    std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
    if (port != (tls ? 443 : 80)) out += ":" + std::to_string(port);
    return out;
}

std::string Url::origin() const { return (tls ? "https://" : "http://") + authority(); }

Result<Url> read_url(std::string_view text) {
    if (text.size() > max_url_bytes) return bad_url("url.too-long", "at most 4096 characters, found " + std::to_string(text.size()));
    const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (!printable || text.find_first_of("\\\"<>^`{|}#") != std::string_view::npos) {
        return bad_url("url.characters", "a URL of printable ASCII without a fragment");
    }
    Url url;
    const std::string scheme = lower(text.substr(0, 8));
    if (scheme.starts_with("https://")) {
        text.remove_prefix(8);
    } else if (scheme.starts_with("http://")) {
        text.remove_prefix(7);
        url.tls = false;
    } else {
        return bad_url("url.scheme", "https://host[:port]/path, found \"" + std::string(text.substr(0, 40)) + "\"");
    }
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    const std::string_view authority = text.substr(0, end);
    const std::string_view target = text.substr(end);
    if (!target.empty()) url.target = (target.front() == '/' ? "" : "/") + std::string(target);
    if (authority.find('@') != std::string_view::npos) return bad_url("url.user", "no user or password in it");

    std::string_view port;
    if (authority.starts_with('[')) {
        const std::size_t bracket = authority.find(']');
        if (bracket == std::string_view::npos) return bad_url("url.host", "a closing bracket after the IPv6 address");
        const auto literal = read_address(authority.substr(1, bracket - 1));
        if (!literal.ok() || !literal->v6) return bad_url("url.host", "an IPv6 address in brackets");
        url.host = lower(authority.substr(1, bracket - 1));
        port = authority.substr(bracket + 1);
        if (!port.empty() && port.front() != ':') return bad_url("url.host", "a port or a path after the brackets");
    } else {
        const std::size_t colon = std::min(authority.find(':'), authority.size());
        url.host = lower(authority.substr(0, colon));
        port = authority.substr(colon);
        if (!is_name(url.host)) return bad_url("url.host", "a host name or address, found \"" + url.host.substr(0, 80) + "\"");
    }
    ENTENTE_ASSIGN(url.port, read_port(port, url.tls));
    return url;
}

bool IpAddress::is_loopback() const noexcept {
    static constexpr Block v4{{127}, 8};
    static constexpr Block v6_one{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128};
    const Block& block = v6 ? v6_one : v4;
    return matches(bytes, block.base, block.bits);
}

bool IpAddress::is_multicast() const noexcept { return v6 ? bytes[0] == 0xff : (bytes[0] & 0xf0) == 0xe0; }

bool IpAddress::is_global() const noexcept {
    if (!v6) return !in_any(bytes, special_v4);
    return matches(bytes, global_v6.base, global_v6.bits) && !in_any(bytes, special_v6);
}

Result<IpAddress> read_address(std::string_view text) {
    const std::string copy(text.substr(0, 64));
    IpAddress address;
    if (inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) return address;
    address.v6 = true;
    if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
    return Error{Code::invalid_argument, "url.address", "expected an IP address, found \"" + copy + "\""};
}

Result<Networks> Networks::read(const std::vector<std::string>& texts) {
    Networks networks;
    for (const std::string& text : texts) {
        const std::size_t slash = text.find('/');
        const auto base = read_address(text.substr(0, slash));
        Network network;
        const bool good = base.ok() && slash != std::string::npos &&
                          read_number(std::string_view(text).substr(slash + 1), base->v6 ? 128 : 32, network.prefix_bits);
        if (!good) {
            return Error{Code::invalid_argument, "config.network", "expected a network such as 10.20.0.0/16, found \"" + text + "\""};
        }
        network.base = *base;
        networks.list_.push_back(network);
    }
    return networks;
}

bool Networks::contain(const IpAddress& address) const noexcept {
    return std::any_of(list_.begin(), list_.end(), [&](const Network& n) {
        return n.base.v6 == address.v6 && matches(address.bytes, n.base.bytes, n.prefix_bits);
    });
}

bool may_connect(const IpAddress& address, const Networks& opened) noexcept {
    return !address.is_multicast() && (address.is_global() || opened.contain(address));
}

}  // namespace entente::native
