#include "cli/findings.hpp"

#include "commands/text.hpp"

namespace entente::native {

bool print(const std::vector<Finding>& findings, FindingsForm form, commands::Environment& environment) {
    bool good = true;
    std::string list;
    for (const Finding& f : findings) {
        good = good && f.good;
        if (form.json) {
            list += (list.empty() ? "" : ",") + commands::JsonObject().text("step", f.step).boolean("good", f.good).text("found", f.found).text("todo", f.todo).str();
            continue;
        }
        environment.print("  " + std::string(f.good ? "✓ " : "✗ ") + commands::pad(f.step, form.width) + commands::printable(f.found) + "\n");
        if (!f.todo.empty()) environment.print("    " + commands::pad("", form.width) + "→ " + f.todo + "\n");
    }
    if (form.json) environment.print(commands::JsonObject().boolean("good", good).raw("steps", "[" + list + "]").str() + "\n");
    return good;
}

}  // namespace entente::native
