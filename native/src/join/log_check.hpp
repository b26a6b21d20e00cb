// A partner keeps an eye on the coordinator's log: at each poll the checkpoint must go on where the last one ended.
//
//   ENTENTE_ASSIGN(LogCheck check, LogCheck::open(http, state_folder, member));
//   ENTENTE_TRY(check.look());              // "log.fork" ends everything; anything else is tried again at the next poll
//
// Where the plan waits for witnesses, what has been found to go on is cosigned in the participant's name.
//
// In the state folder: log-checkpoint, the last one; after a fork also log-fork, the note that contradicts it.
#pragma once

#include <filesystem>
#include <memory>

#include "connectors/hub/http_client.hpp"
#include "entente/proof/log_watch.hpp"
#include "join/membership.hpp"

namespace entente::native {

class LogCheck {
public:
    // A checkpoint that is there and cannot be read is an error: to begin without it would be to trust whatever comes.
    static Result<LogCheck> open(std::shared_ptr<hub::HttpClient> http, std::filesystem::path state_folder, const Membership& member);
    // data_loss "log.fork", and errors of the way there.
    Status look();

private:
    LogCheck(std::shared_ptr<hub::HttpClient> http, std::filesystem::path state_folder, const Membership& member, std::string kept);
    Status keep();
    void cosign();

    std::shared_ptr<hub::HttpClient> http_;
    std::filesystem::path folder_;
    proof::LogWatch watch_;
    std::string participant_;
    bool witness_ = false;                  // it is wanted as one
    std::string cosigned_;                  // the checkpoint that it has cosigned last
};

}  // namespace entente::native
