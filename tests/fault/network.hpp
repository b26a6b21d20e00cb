// A federation over a network that drops, doubles, delays and reorders, whose participants and coordinator are killed and
// started again: the real state machines and the real books in one thread, with virtual time, all of it drawn from one seed.
//
//   fault::Verdict verdict = fault::run(4711);
//   if (!verdict.violations.empty()) …            // the same seed runs the same way
//
// After some minutes the faults end; then the federation has to come to its end. What must hold is told by violations:
//
// I1  no update is counted twice: one acceptance for a participant, a round and a model that it was trained on
// I2  no acknowledged update is lost: it is on the ledger before it is acknowledged, and what is there as accepted is in its
//     round's model, or its round was abandoned
// I3  a retry is told what the first try was told: one verdict for a transfer, and whoever was judged is told
// I4  each model is what its accepted updates give, bit for bit, and never another one for the same round
// I5  each round has a receipt that holds; where the plan wants witnesses, none opens before they have cosigned the last one, or the
//     ledger says so
// I8  no round is begun behind the last one that the agreements permit
// I9  with everybody healthy and the network whole, the rounds end
// I10 what is stored at the end is what the ledger names
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fault {

struct Verdict {
    std::vector<std::string> violations;
    std::uint64_t rounds = 0;        // that ended with a model
    std::uint64_t abandoned = 0;
    std::uint64_t refused = 0;       // updates
    std::uint64_t calls = 0;         // of participants
    std::uint64_t lost = 0;          // requests and answers
    std::uint64_t doubled = 0;
    std::uint64_t kills = 0;
    std::int64_t virtual_ms = 0;
    std::uint64_t digest = 0;        // of all that happened: equal for equal seeds
};

Verdict run(std::uint64_t seed, bool trace = false);

}  // namespace fault
