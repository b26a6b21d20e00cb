// Who is there: everybody all the time, or in each round those that were drawn for it.
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
    executor = options.executor != nullptr ? options.executor : &inline_executor();
    const plan::Plan& plan = options.plan;
    ENTENTE_ASSIGN(auto machine, round::Coordinator::create(plan, simulated_key(plan, plan.federation.coordinator)));
    coordinator = std::make_unique<round::Coordinator>(std::move(machine));
    space = std::make_shared<Space>(plan.federation.id, [this] { return now_ms; });
    coordinator_key = simulated_key(plan, plan.federation.coordinator).public_key();
    ENTENTE_TRY(space->exchange().admit(plan.federation.coordinator, coordinator_key));
    coordinator_connector = std::make_unique<MemoryConnector>(space, plan.federation.coordinator);
    partners.reserve(options.partners.size());
    for (PartnerSetup& setup : options.partners) {
        index.emplace(setup.id, partners.size());
        Partner& partner = partners.emplace_back();
        if (options.alone) partner.alone = plan::initial_parameters(plan);
        partner.setup = std::move(setup);
    }
    if (sampled() && plan.round.min_cohort != options.sample) {
        return Error{Code::invalid_argument, "federation.sample",
                     "sample: expected round.min_cohort to be " + std::to_string(options.sample) + ", found " +
                         std::to_string(plan.round.min_cohort)};
    }
    if (sampled() && plan.round.fraction < 1.0f) {
        return Error{Code::invalid_argument, "federation.sample",
                     "sample: the plan asks a fraction of the partners by lot already (round.fraction); expected one of the two, found both"};
    }
    if (sampled() && plan.round.deadline_s <= plan.round.presence_s) {
        return Error{Code::invalid_argument, "federation.sample",
                     "sample: expected round.deadline_s above round.presence_s, found " +
                         std::to_string(plan.round.deadline_s) + " and " + std::to_string(plan.round.presence_s)};
    }
    return done();
}

Status Federation::Impl::begin() {
    send(coordinator::Started{now_ms});
    return arrive(1);
}

std::vector<std::size_t> Federation::Impl::draw(std::uint64_t round) const {
    std::vector<std::uint32_t> deck(partners.size());
    std::iota(deck.begin(), deck.end(), 0u);
    if (sampled()) {
        Philox random(derive_key(options.plan.training.seed, round, {}, Purpose::select));
        random.shuffle(deck);
        deck.resize(options.sample);
        std::sort(deck.begin(), deck.end());
    }
    return {deck.begin(), deck.end()};
}

Status Federation::Impl::arrive(std::uint64_t round) {
    drawn_round = round;
    present = draw(round);
    trained = 0;
    const plan::Plan& plan = options.plan;
    for (const std::size_t i : present) {
        Partner& partner = partners[i];
        codec::SigningKey key = simulated_key(plan, partner.setup.id);
        if (!partner.joined) {
            ENTENTE_TRY(space->exchange().admit(partner.setup.id, key.public_key()));
            send(coordinator::Joined{partner.setup.id, partner.setup.name, key.public_key(), now_ms});
            partner.joined = true;
        }
        participant::Options member{plan, partner.setup.id, std::move(key), coordinator_key, partner.setup.name};
        for (const std::string& id : {partner.update_agreement, partner.model_agreement}) {
            if (const auto* held = space->exchange().agreement(id)) member.agreements.push_back(*held);
        }
        member.state = partner.state;
        ENTENTE_ASSIGN(auto machine, round::Participant::create(std::move(member)));
        partner.seat = std::make_unique<Seat>(std::move(machine), MemoryConnector(space, partner.setup.id));
    }
    seen_ms = 0;
    be_seen();
    for (const std::size_t i : present) send(partners[i], participant::Started{now_ms});
    return done();
}

void Federation::Impl::leave_all() {
    for (const std::size_t i : present) partners[i].seat.reset();
    present.clear();
}

void Federation::Impl::be_seen() {
    // Virtual time moves little: once in half the time of presence is enough.
    if (seen_ms != 0 && now_ms - seen_ms < std::int64_t{500} * options.plan.round.presence_s) return;
    seen_ms = now_ms;
    for (const std::size_t i : present) send(coordinator::Seen{partners[i].setup.id, now_ms});
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
