#include "commands/usage.hpp"

#include <algorithm>

#include <CLI/App.hpp>

#include "commands/nearest.hpp"
#include "commands/text.hpp"

namespace entente::commands {
namespace {

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
    const std::vector<std::string_view> names(known.begin(), known.end());
    const std::string near = nearest(word, names);
    return near.empty() ? "" : "; did you mean \"" + near + "\"?";
}

bool has(const std::vector<std::string>& known, const std::string& word) {
    return std::find(known.begin(), known.end(), word) != known.end();
}

std::vector<std::string> commands_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* sub : app.get_subcommands(nullptr)) names.push_back(sub->get_name());
    return names;
}

std::vector<std::string> options_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

}  // namespace

std::string usage_error(const CLI::App& app, const std::vector<std::string>& args, const std::string& said) {
    const CLI::App* at = &app;
    std::string path = "entente";
    std::size_t i = 0;
    for (; i < args.size(); ++i) {
        const std::vector<std::string> names = commands_of(*at);
        if (!has(names, args[i])) break;
        at = at->get_subcommand(args[i]);
        path += " " + args[i];
    }
    std::string sentence = said;
    const std::vector<std::string> below = commands_of(*at);
    if (!below.empty() && i < args.size() && !args[i].starts_with("-")) {
        sentence = "there is no command \"" + path.substr(8) + (path.size() > 8 ? " " : "") + args[i] + "\"" + suggestion(args[i], below);
    }
    const std::vector<std::string> options = options_of(*at);
    for (; i < args.size(); ++i) {
        const std::string name = args[i].substr(0, args[i].find('='));
        if (!name.starts_with("--") || name == "--" || has(options, name)) continue;
        sentence = "there is no option \"" + name + "\"" + suggestion(name, options);
        break;
    }
    return "entente: " + printable(sentence) + " (" + path + " --help shows what there is)\n";
}

}  // namespace entente::commands
