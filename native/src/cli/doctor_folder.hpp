// entente doctor folder DIR: what will stop this coordinator, before it does, with what to do.
//
//   entente doctor folder entente-data
//   entente doctor folder entente-data --tls-cert c.pem --issuer https://id.example/realms/entente --public-url https://fl.example
//
// Room on the disk, the modes of what is secret, the clock against the ledger and the system's own word, the certificate's
// dates, and whether issuer and public address answer. Only reads, and may run beside the coordinator.
#pragma once

#include <string>

#include "commands/environment.hpp"

namespace entente::native {

struct FolderDoctor {
    std::string folder;
    std::string tls_certificate;
    std::string issuer;
    std::string public_url;
    std::string ca_file;
    bool json = false;
};

// exit_done when everything is well, exit_failed otherwise.
int doctor_folder(const FolderDoctor& options, commands::Environment& environment);

}  // namespace entente::native
