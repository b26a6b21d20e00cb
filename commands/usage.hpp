// What is wrong with a command line, for the person who typed it: which option or command does not exist, and the
// nearest that does.
//
//   catch (const CLI::ParseError& error) { environment.print_error(usage_error(app, args, error.what())); }
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace entente::commands {

// One line. `said` is the parser's own sentence, told when every name in `args` exists.
std::string usage_error(const CLI::App& app, const std::vector<std::string>& args, const std::string& said);

}  // namespace entente::commands
