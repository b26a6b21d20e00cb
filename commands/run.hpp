// The part of the command line that needs no sockets, threads or clocks of its own:
//
//   entente simulate [plan.toml] ...    entente plan check|show FILE    entente inspect FILE    entente export FILE
//
//   int code = commands::run({"plan", "check", "plan.toml"}, environment);
//
// Exit codes (one table, exit_code()): 0 done, 1 failed, 2 usage, 3 configuration, 4 refused by policy, 5 peer
// unreachable, 6 bad data, 130 interrupted and able to go on. With --json the last line on standard output is one object.
#pragma once

#include <string>
#include <vector>

#include "commands/environment.hpp"

namespace entente::commands {

enum ExitCode : int { exit_done = 0, exit_failed = 1, exit_usage = 2, exit_configuration = 3, exit_policy = 4,
                      exit_unreachable = 5, exit_bad_data = 6, exit_interrupted = 130 };

int exit_code(const Error& error) noexcept;

// True for the names that run() knows.
bool knows(const std::string& command);

// args[0] is the command's name.
int run(const std::vector<std::string>& args, Environment& environment);

// "entente: sentence (code reason)" on standard error; returns the exit code.
int report(const Error& error, Environment& environment);

}  // namespace entente::commands
