// A name for a partner's rows; who neither has nor guesses all of them learns nothing from it.
#pragma once

#include "entente/base/bytes.hpp"
#include "entente/task/rows.hpp"

namespace entente::commands {

// SHA-256 of the rows as the task reads them, so that the file's delimiter, encoding and units do not matter. Of each column that the file
// has, in the task's order: u32 length and bytes of its name; then of each row a number as binary64 (missing: 7ff8000000000000), an
// instant as i64 in ms (missing: the least), a category as u32 length and bytes (missing: ffffffff). All little-endian.
Digest digest_of_rows(const task::Task& task, const task::Rows& rows);

}  // namespace entente::commands
