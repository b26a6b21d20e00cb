// The formats of a StateStore's database, and the steps from one to the next and back.
//
//   ENTENTE_ASSIGN(const std::int64_t found, format_of(database, path));
//   ENTENTE_TRY(move_format(database, found, newest_format));       // killed in between, it is in one of the two formats
//
// A step is one transaction and loses nothing, in either direction: what was recorded in the newer format is there in the older
// one. So a release may be taken back (entente migrate), and no acknowledged update is lost with it. Files other than the database
// have been the same in all formats.
//
// A new format: the tables as they are from now on in `schema`, its number, and a row in the table of steps.
#pragma once

#include <cstdint>
#include <string>

#include "store/sqlite.hpp"

namespace entente::native {

constexpr std::int64_t oldest_format = 3;
constexpr std::int64_t newest_format = 4;

// An empty database's tables, and its number, in one transaction.
Status make_tables(Database& database);
// data_loss "store.other-version" for a database that is not ours, or in a format that this release does not know.
Result<std::int64_t> format_of(Database& database, const std::string& path);
// REQUIRES: both between oldest_format and newest_format.
Status move_format(Database& database, std::int64_t from, std::int64_t to);

}  // namespace entente::native
