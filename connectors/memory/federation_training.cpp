// What takes time in a simulated federation: training, and scoring what came of it.
#include <algorithm>
#include <numeric>

#include "connectors/memory/federation_impl.hpp"

namespace entente::memory {

namespace participant = round::participant;

bool Federation::Impl::training() const {
    return std::any_of(partners.begin(), partners.end(), [](const Partner& p) { return p.job.has_value(); });
}

bool Federation::Impl::busy() const {
    const auto runs = [](const auto& training) { return training && !training->finished(); };
    return std::any_of(partners.begin(), partners.end(),
                       [&runs](const Partner& p) { return runs(p.training) || runs(p.alone_training); });
}

Status Federation::Impl::start_job(Partner& partner) {
    const auto options_of_round = plan::training_options(options.plan, partner.job->round, partner.setup.id);
    const nn::ModelSpec& model = options.plan.task.model;
    ENTENTE_ASSIGN(partner.training, nn::LocalTraining::start(model, options_of_round, *options.train, partner.setup.rows,
                                                              *partner.job->parameters));
    // One budget for both: as many epochs alone as in the federation.
    if (options.alone && partner.alone_round < partner.job->round) {
        partner.alone_round = partner.job->round;
        ENTENTE_ASSIGN(partner.alone_training, nn::LocalTraining::start(model, options_of_round, *options.train,
                                                                        partner.setup.rows, partner.alone));
    }
    return done();
}

namespace {

// Federated first, then alone. Touches nothing but this partner, so partners can train at the same time.
void train_partner(Partner& partner, std::uint32_t max_batches) {
    if (partner.training && !partner.training->finished()) {
        auto report = partner.training->step(max_batches);
        if (!report.ok()) {
            partner.outcome = report.error();
            return;
        }
        partner.loss = report->mean_loss;
    } else if (partner.alone_training && !partner.alone_training->finished()) {
        if (auto report = partner.alone_training->step(max_batches); !report.ok()) partner.outcome = report.error();
    }
}

}  // namespace

Status Federation::Impl::train(std::uint32_t max_batches) {
    executor->run(partners.size(), [this, max_batches](std::size_t i, unsigned) {
        if (partners[i].job && partners[i].outcome.ok()) train_partner(partners[i], max_batches);
    });
    for (const Partner& partner : partners) ENTENTE_TRY(Status(partner.outcome));
    return done();
}

Status Federation::Impl::report_trained() {
    // All arrive together, in the order that the options ask for: what the fold makes of it must not differ.
    for (const std::size_t i : arrival_order(coordinator->view().round)) {
        Partner& partner = partners[i];
        if (!partner.job) continue;
        partner.job.reset();
        participant::Trained trained;
        const auto parameters = partner.training->parameters();
        trained.parameters.assign(parameters.begin(), parameters.end());
        trained.examples = partner.training->rows();
        trained.steps = partner.training->steps();
        trained.mean_loss = partner.training->mean_loss();
        partner.training.reset();
        if (partner.alone_training) {
            const auto alone = partner.alone_training->parameters();
            partner.alone.assign(alone.begin(), alone.end());
            partner.alone_training.reset();
        }
        send(partner, std::move(trained));
    }
    return done();
}

std::vector<std::size_t> Federation::Impl::arrival_order(std::uint64_t round) const {
    std::vector<std::uint32_t> order(partners.size());
    std::iota(order.begin(), order.end(), 0u);
    if (options.shuffle_arrivals) {
        Philox random(derive_key(*options.shuffle_arrivals, round, {}, Purpose::simulate));
        random.shuffle(order);
    }
    return {order.begin(), order.end()};
}

Status Federation::Impl::score_round() {
    const auto view_now = coordinator->view();
    if (view_now.completed <= scored) return done();
    scored = view_now.completed;

    RoundResult result;
    result.round = view_now.completed;
    const std::size_t jobs = 1 + (options.alone ? partners.size() : 0);
    std::vector<Result<task::Score>> scores(jobs, Result<task::Score>(task::Score{}));
    executor->run(jobs, [&](std::size_t i, unsigned) {
        const auto parameters = i == 0 ? coordinator->parameters() : std::span<const float>(partners[i - 1].alone);
        scores[i] = task::evaluate(options.plan.task.model, parameters, *options.evaluation, {}, options.plan.task.loss);
    });
    for (std::size_t i = 0; i < jobs; ++i) {
        ENTENTE_ASSIGN(task::Score score, std::move(scores[i]));
        if (i == 0) {
            result.federated = std::move(score);
        } else {
            result.alone.push_back(std::move(score));
        }
    }
    std::uint64_t up = 0;
    std::uint64_t down = 0;
    for (const Partner& partner : partners) {
        up += partner.bytes_up;
        down += partner.bytes_down;
    }
    result.bytes_up = up - up_before;
    result.bytes_down = down - down_before;
    up_before = up;
    down_before = down;
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
