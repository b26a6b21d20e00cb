// What takes time in a simulated federation: opening models, training, sealing updates, and scoring what came of it.
#include <algorithm>
#include <numeric>

#include "connectors/memory/federation_impl.hpp"

namespace entente::memory {

namespace participant = round::participant;

namespace {

constexpr std::size_t score_rows = 500;  // of one unit; fixed, since the sum of losses is added unit by unit

}  // namespace

bool Federation::Impl::has_work() const {
    return std::any_of(present.begin(), present.end(), [this](std::size_t i) { return partners[i].seat->has_work(); });
}

// Whose turn it is: all, in step; or the next few in the order of arrival, enough to keep every lane busy.
std::vector<std::size_t> Federation::Impl::choose(std::uint32_t max_batches) const {
    std::vector<std::size_t> turn;
    const std::uint64_t enough = std::uint64_t{std::max(1u, max_batches)} * lanes.width();
    const plan::TrainingTerms& terms = options.plan.training;
    std::uint64_t batches = 0;
    for (const std::size_t i : arrival_order(coordinator->summary().round)) {
        if (!partners[i].seat->has_work()) continue;
        // A multiple of the lanes, so that none waits for the last.
        if (options.partner_by_partner && batches >= enough && turn.size() % lanes.width() == 0) break;
        turn.push_back(i);
        batches += std::uint64_t{terms.epochs} * ((partners[i].setup.rows.size() + terms.batch - 1) / terms.batch);
    }
    return turn;
}

Status Federation::Impl::work(std::uint32_t max_batches) {
    const std::vector<std::size_t> turn = choose(max_batches);
    for (const std::size_t i : turn) {
        if (partners[i].seat->fetch) fetch(partners[i]);
    }
    // One unit is the coordinator and everybody who does not train: it touches none of those who do.
    lanes.train(turn.size() + 1, [&](std::size_t unit, unsigned) {
        if (unit == 0) {
            if (trained_last.empty()) return;
            carry_out_trained();
            while (exchange()) {
            }
            return;
        }
        Partner& partner = partners[turn[unit - 1]];
        if (partner.outcome.ok()) work_on(partner, max_batches);
    });
    if (const auto& failure = coordinator->failure()) return *failure;
    for (const std::size_t i : present) ENTENTE_TRY(Status(partners[i].outcome));
    trained_last = turn;
    return done();
}

void Federation::Impl::carry_out_trained() {
    for (const std::size_t i : std::exchange(trained_last, {})) {
        carry_out(partners[i], std::exchange(partners[i].seat->outbox, {}));
    }
}

Status Federation::Impl::start_job(Partner& partner) const {
    Seat& seat = *partner.seat;
    const auto options_of_round = plan::training_options(options.plan, seat.job->round, partner.setup.id);
    const nn::ModelSpec& model = options.plan.task.model;
    // Its rows alone: what a training checks and touches does not grow with everybody's data.
    seat.rows = options.train.gather(partner.setup.rows);
    ENTENTE_ASSIGN(seat.training,
                   nn::LocalTraining::start(model, options_of_round, seat.rows, {}, *seat.job->parameters));
    if (seat.job->correction) ENTENTE_TRY(seat.training->correct(*seat.job->correction));
    // One budget for both: as many epochs alone as in the federation.
    if (options.alone && partner.alone_round < seat.job->round) {
        partner.alone_round = seat.job->round;
        ENTENTE_ASSIGN(seat.alone_training,
                       nn::LocalTraining::start(model, options_of_round, seat.rows, {}, partner.alone));
    }
    return done();
}

namespace {

void take(Seat& seat, participant::Commands commands) {
    for (participant::Command& command : commands) {
        if (auto* train = std::get_if<participant::Train>(&command)) {
            seat.job = std::move(*train);
        } else {
            seat.outbox.push_back(std::move(command));
        }
    }
}

// Federated first, then alone; true when both are at their end.
Result<bool> train(Partner& partner, std::uint32_t max_batches) {
    Seat& seat = *partner.seat;
    if (!seat.training->finished()) {
        ENTENTE_ASSIGN(const nn::StepReport report, seat.training->step(max_batches));
        partner.loss = report.mean_loss;
    } else if (seat.alone_training && !seat.alone_training->finished()) {
        ENTENTE_ASSIGN([[maybe_unused]] const nn::StepReport report, seat.alone_training->step(max_batches));
    }
    return seat.training->finished() && (!seat.alone_training || seat.alone_training->finished());
}

participant::Trained finish_training(Partner& partner) {
    Seat& seat = *partner.seat;
    participant::Trained trained;
    trained.parameters = seat.training->take_parameters();
    trained.examples = seat.training->rows();
    trained.steps = seat.training->steps();
    trained.mean_loss = seat.training->mean_loss();
    if (seat.alone_training) {
        const auto alone = seat.alone_training->parameters();
        partner.alone.assign(alone.begin(), alone.end());
    }
    partner.loss = trained.mean_loss;
    seat.training.reset();
    seat.alone_training.reset();
    seat.rows = {};
    seat.job.reset();
    return trained;
}

}  // namespace

// Touches nothing but this partner, so partners can work at the same time. What its machine wants done beyond that
// waits in its outbox.
void Federation::Impl::work_on(Partner& partner, std::uint32_t max_batches) const {
    Seat& seat = *partner.seat;
    if (seat.fetched) {
        take(seat, seat.machine.handle(*std::exchange(seat.fetched, std::nullopt)));
    }
    if (!seat.job) return;
    if (!seat.training) {
        if (auto started = start_job(partner); !started.ok()) {
            partner.outcome = started.error();
            return;
        }
    }
    for (;;) {
        const auto at_end = train(partner, max_batches);
        if (!at_end.ok()) {
            partner.outcome = at_end.error();
            return;
        }
        if (*at_end) break;
        if (!options.partner_by_partner) return;
    }
    take(seat, seat.machine.handle(finish_training(partner)));
}

Result<task::Score> Federation::Impl::score(std::span<const float> parameters) const {
    const std::size_t rows = options.evaluation.size();
    const std::size_t units = (rows + score_rows - 1) / score_rows;
    std::vector<Result<task::Score>> scores(units, Result<task::Score>(task::Score{}));
    lanes.run(units, [&](std::size_t unit, unsigned) {
        std::vector<std::uint32_t> part(std::min(score_rows, rows - unit * score_rows));
        std::iota(part.begin(), part.end(), static_cast<std::uint32_t>(unit * score_rows));
        scores[unit] = task::evaluate(options.plan.task.model, parameters, options.evaluation.gather(part), {},
                                      options.plan.task.loss);
    });
    task::Score sum;
    for (Result<task::Score>& part : scores) {
        ENTENTE_ASSIGN(const task::Score score, std::move(part));
        sum.add(score);
    }
    return sum;
}

Result<std::vector<task::Score>> Federation::Impl::score_partners() const {
    std::vector<Result<task::Score>> scores(partners.size(), Result<task::Score>(task::Score{}));
    lanes.run(partners.size(), [&](std::size_t i, unsigned) {
        scores[i] = task::evaluate(options.plan.task.model, coordinator->parameters(),
                                   options.train.gather(partners[i].setup.rows), {}, options.plan.task.loss);
    });
    std::vector<task::Score> all;
    for (Result<task::Score>& score : scores) {
        ENTENTE_ASSIGN(task::Score one, std::move(score));
        all.push_back(std::move(one));
    }
    return all;
}

Status Federation::Impl::score_round() {
    const std::uint64_t completed = coordinator->summary().completed;
    if (completed <= scored) return done();
    scored = completed;

    RoundResult result;
    result.round = completed;
    if (completed % std::max(1u, options.evaluate_every) == 0 || completed == options.plan.round.rounds) {
        ENTENTE_ASSIGN(result.federated, score(coordinator->parameters()));
        for (const Partner& partner : partners) {
            if (!options.alone) break;
            ENTENTE_ASSIGN(task::Score alone, score(partner.alone));
            result.alone.push_back(std::move(alone));
        }
    }
    result.bytes_up = std::exchange(bytes_up, 0);
    result.bytes_down = std::exchange(bytes_down, 0);
    result.train_loss = loss_examples == 0 ? 0 : loss_sum / static_cast<double>(loss_examples);
    loss_sum = 0;
    loss_examples = 0;
    for (auto it = ledger.rbegin(); it != ledger.rend(); ++it) {
        if (const auto* closed = std::get_if<round::RoundClosed>(&it->record.body)) {
            result.contributors = static_cast<std::uint32_t>(closed->participants.size());
            break;
        }
    }
    results.push_back(std::move(result));
    return done();
}

}  // namespace entente::memory
