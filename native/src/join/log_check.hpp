// A partner keeps an eye on the coordinator's log: at each poll the checkpoint must go on where the last one ended.
//
//   LogCheck check(http, state_folder, federation, coordinator_key);
//   ENTENTE_TRY(check.look());              // "log.fork" ends everything; anything else is tried again at the next poll
//
// In the state folder: log-checkpoint, the last one; after a fork also log-fork, the note that contradicts it.
#pragma once

#include <filesystem>
#include <memory>

#include "connectors/hub/http_client.hpp"
#include "entente/proof/log_watch.hpp"

namespace entente::native {

class LogCheck {
public:
    LogCheck(std::shared_ptr<hub::HttpClient> http, std::filesystem::path state_folder, const std::string& federation, const codec::PublicKey& coordinator);
    // data_loss "log.fork", and errors of the way there.
    Status look();

private:
    Status keep();

    std::shared_ptr<hub::HttpClient> http_;
    std::filesystem::path folder_;
    proof::LogWatch watch_;
};

}  // namespace entente::native
