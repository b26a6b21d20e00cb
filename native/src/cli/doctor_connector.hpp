// entente doctor connector URL|partner.toml: why two connectors do not find each other, step by step, with what to do.
//
//   entente doctor connector https://plant-a.example:8444
//   entente doctor connector partner.toml
//
// Asks the peer what anybody may ask: its name, its certificate, its version document, its clock, and whether the protocol's
// paths answer a stranger in the protocol's own words. Sends no token and begins nothing. A partner, by its file, examines its
// coordinator so, and asks it, as itself, how it finds the partner's own connector or EDC: is that one reached from there?
#pragma once

#include <string>
#include <vector>

#include "commands/environment.hpp"

namespace entente::native {

struct ConnectorDoctor {
    std::string url;  // or a file that ends in .toml
    std::string ca_file;
    std::vector<std::string> networks;  // private ones that may be asked, "10.0.0.0/8"
    bool json = false;
};

// exit_done when everything is well, exit_unreachable when nobody answers, exit_failed otherwise.
int doctor_connector(const ConnectorDoctor& options, commands::Environment& environment);

}  // namespace entente::native
