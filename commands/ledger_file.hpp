// A ledger as one file: "ENTL", the link of the last entry (32 bytes; zeros when there is none), then each entry as a
// little-endian u32 length and its canonical bytes. A chain alone would not notice that its end is missing.
#pragma once

#include <vector>

#include "entente/round/journal.hpp"

namespace entente::commands {

Bytes write_ledger_file(const std::vector<round::Entry>& entries);
bool is_ledger_file(ByteView bytes) noexcept;
// Checks every link. data_loss "ledger.malformed", "ledger.broken".
Result<std::vector<round::Entry>> read_ledger_file(ByteView bytes);

}  // namespace entente::commands
