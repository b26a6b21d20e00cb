#include "commands/ledger_file.hpp"

#include <algorithm>

namespace entente::commands {

namespace {
constexpr std::string_view magic = "ENTL";
}

Bytes write_ledger_file(const std::vector<round::Entry>& entries) {
    const ByteView start = as_bytes(magic);
    Bytes out(start.begin(), start.end());
    const Digest head = entries.empty() ? Digest{} : round::link_of(entries.back());
    out.insert(out.end(), head.bytes.begin(), head.bytes.end());
    for (const round::Entry& entry : entries) {
        const Bytes bytes = round::encode_entry(entry);
        append_le(out, static_cast<std::uint32_t>(bytes.size()));
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
}

bool is_ledger_file(ByteView bytes) noexcept {
    const ByteView start = as_bytes(magic);
    return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
}

Result<std::vector<round::Entry>> read_ledger_file(ByteView bytes) {
    const Error malformed{Code::data_loss, "ledger.malformed", "ledger: the file ends in the middle of an entry"};
    if (!is_ledger_file(bytes)) return malformed;
    Digest head;
    if (bytes.size() < magic.size() + head.bytes.size()) return malformed;
    ByteView left = bytes.subspan(magic.size());
    std::copy_n(left.begin(), head.bytes.size(), head.bytes.begin());
    left = left.subspan(head.bytes.size());
    std::vector<round::Entry> entries;
    while (!left.empty()) {
        if (left.size() < 4) return malformed;
        const auto size = read_le<std::uint32_t>(left);
        left = left.subspan(4);
        if (size > left.size()) return malformed;
        ENTENTE_ASSIGN(round::Entry entry, round::decode_entry(left.first(size)));
        left = left.subspan(size);
        const std::optional<round::Entry> previous =
            entries.empty() ? std::nullopt : std::optional<round::Entry>(entries.back());
        ENTENTE_TRY(round::check_link(previous, entry));
        entries.push_back(std::move(entry));
    }
    const Digest found = entries.empty() ? Digest{} : round::link_of(entries.back());
    if (found != head) {
        return Error{Code::data_loss, "ledger.broken",
                     "ledger: expected it to end with the link " + to_hex(head) + ", found " + to_hex(found)};
    }
    return entries;
}

}  // namespace entente::commands
