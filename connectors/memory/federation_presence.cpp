// Who is there: everybody joins once; after that the machines of those that a round asks.
#include <algorithm>
#include <numeric>

#include "connectors/memory/federation_impl.hpp"
#include "entente/codec/sha256.hpp"

namespace entente::memory {

namespace coordinator = round::coordinator;
namespace participant = round::participant;

namespace {

// Keys of a simulation: reproducible, and of no worth outside it.
codec::SigningKey simulated_key(const plan::Plan& plan, std::string_view id) {
    const std::string text = "entente simulation " + plan.federation.id + " " + std::string(id);
    const Digest seed = codec::sha256(as_bytes(text));
    return codec::SigningKey(std::span<const std::byte, codec::SigningKey::seed_bytes>(seed.bytes));
}

}  // namespace

Status Federation::Impl::set_up() {
    const plan::Plan& plan = options.plan;
    ENTENTE_ASSIGN(auto machine, round::Coordinator::create(plan, simulated_key(plan, plan.federation.coordinator), lanes));
    coordinator = std::make_unique<round::Coordinator>(std::move(machine));
    space = std::make_shared<Space>(plan.federation.id, [this] { return now_ms; });
    coordinator_key = simulated_key(plan, plan.federation.coordinator).public_key();
    record_decisions();
    ENTENTE_TRY(space->exchange().admit(plan.federation.coordinator, coordinator_key));
    coordinator_connector = std::make_unique<MemoryConnector>(space, plan.federation.coordinator);
    partners.reserve(options.partners.size());
    for (PartnerSetup& setup : options.partners) {
        index.emplace(setup.id, partners.size());
        Partner& partner = partners.emplace_back();
        if (options.alone) partner.alone = plan::initial_parameters(plan);
        partner.setup = std::move(setup);
    }
    return done();
}

// Everybody joins before the first round opens, so that its lot is drawn among all.
Status Federation::Impl::begin() {
    send(coordinator::Started{now_ms});
    for (std::size_t i = 0; i < partners.size(); ++i) {
        const PartnerSetup& setup = partners[i].setup;
        const codec::PublicKey key = simulated_key(options.plan, setup.id).public_key();
        ENTENTE_TRY(space->exchange().admit(setup.id, key));
        send(coordinator::Joined{setup.id, setup.name, key, now_ms});
        present.push_back(i);
        ENTENTE_TRY(take_seat(partners[i]));
    }
    return done();
}

// A machine that knows what its partner has agreed to and kept.
Status Federation::Impl::take_seat(Partner& partner) {
    const plan::Plan& plan = options.plan;
    participant::Options member{plan, partner.setup.id, simulated_key(plan, partner.setup.id), coordinator_key, partner.setup.name};
    for (const std::string& id : {partner.update_agreement, partner.model_agreement}) {
        if (const auto* held = space->exchange().agreement(id)) member.agreements.push_back(*held);
    }
    member.state = partner.state;
    member.beside_coordinator = !options.check_everything;
    ENTENTE_ASSIGN(auto machine, round::Participant::create(std::move(member)));
    partner.seat = std::make_unique<Seat>(std::move(machine), MemoryConnector(space, partner.setup.id));
    send(partner, participant::Started{now_ms});
    return done();
}

// Whom the open round asks gets a seat; whom it does not, and who has nothing left to do, gives his up.
Status Federation::Impl::seat_those_asked() {
    const auto version = space->exchange().current(contract::global_model_asset(options.plan.federation.id));
    if (!version || coordinator->summary().phase != coordinator::Phase::collecting) return done();
    const auto asked = [&](std::size_t i) {
        return plan::lot_of(options.plan, version->round, partners[i].setup.id) <= version->lots;
    };
    std::erase_if(present, [&](std::size_t i) {
        const bool leaves = partners[i].seat->idle() && !asked(i);
        if (leaves) partners[i].seat.reset();
        return leaves;
    });
    if (version->round == seated_round) return done();
    seated_round = version->round;
    trained = 0;
    present.clear();
    for (std::size_t i = 0; i < partners.size(); ++i) {
        if (!partners[i].seat && asked(i)) ENTENTE_TRY(take_seat(partners[i]));
        if (partners[i].seat) present.push_back(i);
    }
    return done();
}

void Federation::Impl::be_seen() {
    // Virtual time moves little: once in half the time of presence is enough.
    if (seen_ms != 0 && now_ms - seen_ms < std::int64_t{500} * options.plan.round.presence_s) return;
    seen_ms = now_ms;
    for (const Partner& partner : partners) send(coordinator::Seen{partner.setup.id, now_ms});
}

std::vector<std::size_t> Federation::Impl::arrival_order(std::uint64_t round) const {
    std::vector<std::size_t> order = present;
    if (options.shuffle_arrivals) {
        std::vector<std::uint32_t> deck(order.size());
        std::iota(deck.begin(), deck.end(), 0u);
        Philox random(derive_key(*options.shuffle_arrivals, round, {}, Purpose::simulate));
        random.shuffle(deck);
        for (std::size_t k = 0; k < deck.size(); ++k) order[k] = present[deck[k]];
    }
    return order;
}

}  // namespace entente::memory
