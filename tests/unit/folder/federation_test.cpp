// The real machines over the folder, each with nothing but its key, its data and the directory, to a finished model:
// the same one as over memory.
#include <deque>
#include <numeric>

#include "connectors/memory/federation.hpp"
#include "entente/nn/training.hpp"
#include "world.hpp"

using namespace folder_test;
namespace co = round::coordinator;
namespace pa = round::participant;

namespace {

// Two classes that a line separates.
std::shared_ptr<const data::Dataset> points(std::uint32_t n) {
    auto set = std::make_shared<data::Dataset>();
    set->example_shape = {2};
    set->classes = 2;
    Philox random(derive_key(1, 0, {}, Purpose::test));
    for (std::uint32_t i = 0; i < n; ++i) {
        const float x = 2 * random.uniform() - 1;
        const float y = 2 * random.uniform() - 1;
        set->features.insert(set->features.end(), {x, y});
        set->labels.push_back(x + 0.5f * y > 0 ? 1u : 0u);
    }
    return set;
}

const std::vector<std::string> ids{"plant-a", "plant-b", "plant-c"};

plan::Plan small_plan() {
    plan::Plan plan = plan::default_digits_plan();
    plan.federation.id = "demo";
    plan.task.classes = 2;
    plan.task.model = {{2}, {nn::dense("hidden", 8), nn::relu(), nn::dense("out", 2)}};
    plan.training.learning_rate = 0.3f;
    plan.round.rounds = 3;
    return plan;
}

std::vector<std::uint32_t> rows_of(std::size_t partner) {
    std::vector<std::uint32_t> rows(60);
    std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(60 * partner));
    return rows;
}

class Coordinator {
public:
    Coordinator(Folder& folder, const plan::Plan& plan)
        : f_(folder), connector_(folder.start(plan.federation.coordinator, ids)),
          machine_(round::Coordinator::create(plan, key_of(plan.federation.coordinator)).value()) {
        send(co::Started{f_.now_ms});
        for (const std::string& id : ids) send(co::Joined{id, id, key_of(id).public_key(), f_.now_ms});
    }
    void step() {
        for (const std::string& id : ids) send(co::Seen{id, f_.now_ms});
        connector_->poll();
        auto view = connector_->view(soon());
        REQUIRE(view.ok());
        send(co::Watched{std::move(view->catalog), std::move(view->own_agreements), f_.now_ms});
        REQUIRE_FALSE(machine_.failure());
    }
    [[nodiscard]] co::View view() const { return machine_.view(); }
    std::size_t agreements = 0;
    std::size_t accepted = 0;

private:
    void send(co::Event event) {
        for (co::Command& command : machine_.handle(std::move(event))) queue_.push_back(std::move(command));
        if (busy_) return;
        busy_ = true;
        while (!queue_.empty()) {
            co::Command command = std::move(queue_.front());
            queue_.pop_front();
            std::visit([this](auto& c) { on(c); }, command);
        }
        busy_ = false;
    }
    void on(co::Persist& c) {
        if (std::holds_alternative<round::AgreementConcluded>(c.record.body)) ++agreements;
        if (std::holds_alternative<round::UpdateAccepted>(c.record.body)) ++accepted;
    }
    void on(co::KeepStaged& c) { kept_ = c.token; }
    void on(co::DropStaged&) {}
    void on(co::DeleteUpdates&) {}
    void on(co::EndAgreement&) {}  // both sides of a folder see by themselves that it has run out
    void on(co::StoreBlob& c) { blob_ = c.bytes; }
    void on(co::LoadBlob&) {}
    void on(co::OfferModel& c) {
        connector_->publish(c.asset, c.offer, soon(), [](const Result<Done>& r) { REQUIRE(r.ok()); });
    }
    void on(co::PublishModel& c) {
        connector_->deliver(c.asset, c.version, make_source(*blob_), soon(), [](const Result<Done>& r) { REQUIRE(r.ok()); });
    }
    void on(co::Negotiate& c) {  // answered when the participant has looked
        connector_->negotiate(c.proposal, soon(), [this, who = c.participant](Result<Agreement> r) { send(co::Negotiated{who, std::move(r), f_.now_ms}); });
    }
    void on(co::Retrieve& c) {
        BoundedSink sink(c.limit_bytes);
        auto transfer = ask<Transfer>([&](auto end) { connector_->transfer(c.request, sink, soon(), end); });
        const auto source = make_source(sink.take());
        const std::uint64_t token = next_token_++;
        const bool arrived = transfer.ok();
        // Handled here and now: the machine reads the source before handle() returns.
        for (co::Command& command : machine_.handle(co::Retrieved{c.participant, std::move(transfer), token, arrived ? source.get() : nullptr, f_.now_ms})) {
            std::visit([this](auto& x) { on(x); }, command);
        }
        if (kept_ == token) send(co::Stored{token, f_.now_ms});
    }
    void on(co::Conclude& c) {
        connector_->conclude(c.transfer, c.outcome, soon(), [](const Result<Done>& r) { REQUIRE(r.ok()); });
    }

    Folder& f_;
    std::unique_ptr<FolderConnector> connector_;
    round::Coordinator machine_;
    std::deque<co::Command> queue_;
    bool busy_ = false;
    std::shared_ptr<const Bytes> blob_;
    std::uint64_t next_token_ = 1;
    std::uint64_t kept_ = 0;
};

class Partner {
public:
    Partner(Folder& folder, const plan::Plan& plan, std::size_t number, std::shared_ptr<const data::Dataset> data)
        : f_(folder), plan_(plan), id_(ids.at(number)), rows_(rows_of(number)), data_(std::move(data)),
          connector_(folder.start(id_, {plan.federation.coordinator})),
          machine_(round::Participant::create({plan, id_, key_of(id_), key_of(plan.federation.coordinator).public_key(), id_}).value()) {
        send(pa::Started{f_.now_ms});
    }
    void step() {
        connector_->poll();
        if (!watching_) return;
        watching_ = false;
        auto view = connector_->view(soon());
        REQUIRE(view.ok());
        send(pa::Watched{std::move(view->catalog), view->own_version, std::move(view->own_agreements), std::move(view->own_transfers), f_.now_ms});
    }
    [[nodiscard]] pa::View view() const { return machine_.view(); }
    std::optional<Status> outcome;

private:
    void send(pa::Event event) {
        for (pa::Command& command : machine_.handle(std::move(event))) std::visit([this](auto& c) { on(c); }, command);
    }
    template <class Answer>
    std::function<void(Result<Done>)> answer() {
        return [this](const Result<Done>& r) { r.ok() ? send(Answer{}) : send(pa::Failed{r.error(), f_.now_ms}); };
    }
    void on(pa::OfferUpdates& c) { connector_->publish(c.asset, c.offer, soon(), answer<pa::Offered>()); }
    void on(pa::Watch&) { watching_ = true; }
    void on(pa::Wait& c) {
        f_.now_ms += c.ms;
        send(pa::Waited{f_.now_ms});
    }
    void on(pa::Negotiate& c) {
        connector_->negotiate(c.proposal, soon(), [this](Result<Agreement> r) {
            r.ok() ? send(pa::Agreed{std::move(r).value()}) : send(pa::Failed{r.error(), f_.now_ms});
        });
    }
    void on(pa::Fetch& c) {
        BoundedSink sink(c.limit_bytes);
        auto transfer = ask<Transfer>([&](auto end) { connector_->transfer(c.request, sink, soon(), end); });
        transfer.ok() ? send(pa::Fetched{std::move(transfer).value(), sink.take()}) : send(pa::Failed{transfer.error(), f_.now_ms});
    }
    void on(pa::Conclude& c) {
        connector_->conclude(c.transfer, c.outcome, soon(), [](const Result<Done>& r) { REQUIRE(r.ok()); });
    }
    void on(pa::Train& c) {
        auto training = nn::LocalTraining::start(plan_.task.model, plan::training_options(plan_, c.round, id_), *data_, rows_, *c.parameters).value();
        if (c.correction) REQUIRE(training.correct(*c.correction).ok());
        while (!training.finished()) REQUIRE(training.step(1'000).ok());
        pa::Trained trained;
        trained.parameters.assign(training.parameters().begin(), training.parameters().end());
        trained.examples = training.rows();
        trained.steps = training.steps();
        trained.mean_loss = training.mean_loss();
        send(std::move(trained));
    }
    void on(pa::KeepState&) { send(pa::Kept{}); }
    void on(pa::Deliver& c) { connector_->deliver(c.asset, c.version, make_source(*c.envelope), soon(), answer<pa::Delivered>()); }
    void on(pa::Finish& c) { outcome = c.outcome; }
    void on(pa::Notice&) {}

    Folder& f_;
    plan::Plan plan_;
    std::string id_;
    std::vector<std::uint32_t> rows_;
    std::shared_ptr<const data::Dataset> data_;
    std::unique_ptr<FolderConnector> connector_;
    round::Participant machine_;
    bool watching_ = false;
};

Digest over_memory(const plan::Plan& plan, const std::shared_ptr<const data::Dataset>& data) {
    memory::FederationOptions o;
    o.plan = plan;
    o.train = data;
    o.evaluation = data;
    for (std::size_t i = 0; i < ids.size(); ++i) o.partners.push_back({ids[i], ids[i], rows_of(i)});
    auto federation = memory::Federation::create(std::move(o)).value();
    for (int i = 0; i < 1'000 && federation.advance(1'000).value(); ++i) {
    }
    REQUIRE(federation.view().finished);
    return federation.model_digest();
}

}  // namespace

TEST_CASE("a federation over a folder comes to the same model as over memory, also when its partners are killed") {
    const plan::Plan plan = small_plan();
    const auto data = points(180);
    const Digest expected = over_memory(plan, data);
    for (const int killed_every : {0, 4}) {
        Folder f;
        Coordinator coordinator(f, plan);
        std::vector<std::unique_ptr<Partner>> partners;
        for (std::size_t i = 0; i < ids.size(); ++i) partners.push_back(std::make_unique<Partner>(f, plan, i, data));
        int turns = 0;
        const auto finished = [&] { return std::all_of(partners.begin(), partners.end(), [](const auto& p) { return p->outcome.has_value(); }); };
        for (; turns < 200 && !finished(); ++turns) {
            f.now_ms += 1'000;
            // One whose process is replaced goes on with its key and what lies in the folder.
            const std::size_t unlucky = static_cast<std::size_t>(turns) % ids.size();
            if (killed_every > 0 && turns % killed_every == 3 && !partners[unlucky]->outcome) {
                partners[unlucky] = std::make_unique<Partner>(f, plan, unlucky, data);
            }
            coordinator.step();
            for (auto& p : partners) p->step();
        }
        REQUIRE(finished());
        CHECK(coordinator.view().phase == co::Phase::finished);
        CHECK(coordinator.view().completed == 3);
        CHECK(coordinator.view().model == expected);
        CHECK(coordinator.agreements == 6);
        CHECK(coordinator.accepted == 9);
        for (auto& p : partners) {
            CHECK(p->outcome->ok());
            if (killed_every == 0) CHECK(p->view().contributions == 3);
        }
    }
}

TEST_CASE("a fraction of the partners is the same fraction over a folder and over memory") {
    plan::Plan plan = small_plan();
    plan.round.fraction = 0.5f;
    plan.round.rounds = 4;
    const auto data = points(180);
    Folder f;
    Coordinator coordinator(f, plan);
    std::vector<std::unique_ptr<Partner>> partners;
    for (std::size_t i = 0; i < ids.size(); ++i) partners.push_back(std::make_unique<Partner>(f, plan, i, data));
    for (int turns = 0; turns < 200 && coordinator.view().phase != co::Phase::finished; ++turns) {
        f.now_ms += 1'000;
        coordinator.step();
        for (auto& p : partners) p->step();
    }
    REQUIRE(coordinator.view().phase == co::Phase::finished);
    CHECK(coordinator.accepted == 8);
    CHECK(coordinator.view().model == over_memory(plan, data));
}
