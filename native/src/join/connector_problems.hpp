// What keeps a partner's connector and the coordinator's apart, said once on both sides: what this one sees goes to the coordinator
// with a heartbeat, what the coordinator sees is asked for.
//
//   ConnectorProblems problems(http, say);
//   problems.seen("coordinator: … (code dataset.other-terms)");     // from any thread
//   problems.tell();                                                // now and then, from the partner's
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "connectors/hub/http_client.hpp"

namespace entente::native {

class ConnectorProblems {
public:
    using Say = std::function<void(std::string_view, const std::string&)>;
    ConnectorProblems(hub::HttpClient& http, Say say) : http_(http), say_(std::move(say)) {}

    void seen(const std::string& sentence);  // the latest one counts
    void tell();

private:
    bool say_new(std::string_view what, const std::string& sentence);

    hub::HttpClient& http_;
    Say say_;
    std::mutex mutex_;
    std::string seen_;
    std::set<std::string> said_;
};

}  // namespace entente::native
