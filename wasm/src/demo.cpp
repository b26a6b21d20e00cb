// The offline demo: a whole federation inside one page, over the memory connector.
#include "demo_object.hpp"
#include "entente/data/partition.hpp"
#include "json.hpp"

namespace entente::wasm {
namespace {

// shards 0: everybody sees everything (iid); otherwise so many shards of sorted labels each.
Result<std::shared_ptr<DemoObject>> create(const DemoSetting& setting, std::uint32_t shards, const DataObject& train, const DataObject& test) {
    memory::FederationOptions options;
    plan::Plan& plan = options.plan;
    plan = plan::default_digits_plan();
    plan.federation.name = "Offline demo";
    plan.training.batch = 16;
    ENTENTE_TRY(use_setting(plan, setting));

    data::PartitionSpec spec;
    spec.kind = shards == 0 ? data::PartitionKind::iid : data::PartitionKind::shards;
    spec.shards_per_participant = shards;
    ENTENTE_ASSIGN(auto parts, data::partition(train.data->labels, spec, setting.partners,
                                               derive_key(plan.training.seed, 0, {}, Purpose::partition)));
    std::vector<std::string> balance;
    for (std::uint32_t i = 0; i < setting.partners; ++i) {
        std::vector<std::uint32_t> classes(train.data->classes);
        for (const std::uint32_t row : parts[i]) ++classes[train.data->labels[row]];
        balance.push_back(json_list(classes, [](std::uint32_t n) { return std::to_string(n); }));
        options.partners.push_back({companies[i].id, companies[i].name, std::move(parts[i])});
    }
    options.train = train.data;
    options.evaluation = test.data;
    options.alone = true;
    const plan::Plan kept = plan;
    ENTENTE_ASSIGN(auto federation, memory::Federation::create(std::move(options)));
    auto object = std::make_shared<DemoObject>(std::move(federation));
    object->plan = kept;
    object->balance = std::move(balance);
    return object;
}

std::string view_json(const DemoObject& demo) {
    const auto v = demo.federation.view();
    std::size_t index = 0;
    return Json().text("sentence", v.sentence).flag("finished", v.finished)
        .text("phase", to_string(v.coordinator.phase)).number("round", v.coordinator.round)
        .number("completed", v.coordinator.completed).number("rounds", v.coordinator.rounds)
        .text("waiting_for", v.coordinator.waiting_for)
        .text("model", to_hex(demo.federation.model_digest())).number("model_bytes", v.coordinator.model_bytes)
        .raw("partners", json_list(v.partners, [&](const memory::PartnerState& p) {
                 std::string_view standing = "admitted";
                 for (const auto& c : v.coordinator.participants) {
                     if (c.id == p.id) standing = to_string(c.standing);
                 }
                 return Json().text("id", p.id).text("name", p.name).number("examples", p.examples)
                     .text("activity", p.activity).text("standing", standing).number("progress", p.progress)
                     .number("loss", p.loss).number("bytes_up", p.bytes_up).number("bytes_down", p.bytes_down)
                     .text("update_agreement", p.update_agreement).text("model_agreement", p.model_agreement)
                     .raw("balance", demo.balance.empty() ? "[]" : demo.balance[index++]).done();
             }))
        .done();
}

struct EntryWriter {
    Json& json;
    void operator()(const round::UpdateAccepted& r) const {
        json.text("participant", r.participant).text("agreement", r.agreement).number("round", r.round)
            .number("size", r.size_bytes).number("weight", r.weight).text("digest", to_hex(r.content));
    }
    void operator()(const round::UpdateRefused& r) const {
        json.text("participant", r.participant).number("round", r.round).text("code", r.code).text("digest", to_hex(r.content));
    }
    void operator()(const round::ModelPublished& r) const {
        json.number("round", r.round).number("size", r.size_bytes).flag("final", r.final).text("digest", to_hex(r.content));
    }
    void operator()(const round::PolicyDecided& r) const {
        json.text("participant", r.participant).text("agreement", r.agreement).number("round", r.round)
            .flag("permitted", r.permitted).text("point", policy::to_string(r.point)).text("code", r.code)
            .text("sentence", r.sentence).text("term", r.term).text("input", r.input);
    }
    void operator()(const round::UpdatesDeleted& r) const { json.number("round", r.round); }
    void operator()(const round::ReceiptIssued& r) const { json.number("round", r.receipt.round); }
    void operator()(const round::KeyRotated& r) const { json.text("participant", r.participant); }
    void operator()(const round::SuspensionChanged& r) const { json.text("participant", r.participant).text("reason", r.reason); }
    void operator()(const round::RoundAbandoned& r) const { json.number("round", r.round).text("reason", r.reason); }
    void operator()(const round::RoundClosed& r) const { json.number("round", r.round); }
    void operator()(const round::RoundOpened& r) const { json.number("round", r.round).text("digest", to_hex(r.model)); }
    void operator()(const round::AgreementConcluded& r) const {
        json.text("agreement", r.agreement.id).text("participant", r.agreement.offer.offer.assigner);
    }
    template <class T>
    void operator()(const T&) const {}
};

}  // namespace
}  // namespace entente::wasm

using namespace entente;
using namespace entente::wasm;

extern "C" {

const Answer* ent_demo_create(Handle train, Handle test, std::uint32_t partners, std::uint32_t shards, std::uint32_t epochs,
                              std::uint32_t min_cohort, std::uint32_t rounds) {
    return guard([&]() -> Result<Handle> {
        ENTENTE_ASSIGN(const auto train_object, find<DataObject>(train));
        ENTENTE_ASSIGN(const auto test_object, find<DataObject>(test));
        ENTENTE_ASSIGN(auto demo, create({partners, epochs, min_cohort, rounds}, shards, *train_object, *test_object));
        return keep(std::move(demo));
    });
}

// One slice; the answer is "1" while there is more to do, "0" at the end.
const Answer* ent_demo_advance(Handle handle, std::uint32_t max_batches) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto demo, find<DemoObject>(handle));
        ENTENTE_ASSIGN(const bool more, demo->federation.advance(max_batches));
        if (demo->scores) ENTENTE_TRY(demo->scores->take(demo->federation));
        return std::string(more ? "1" : "0");
    });
}

const Answer* ent_demo_view(Handle handle) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto demo, find<DemoObject>(handle));
        return view_json(*demo);
    });
}

const Answer* ent_demo_rounds(Handle handle) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto demo, find<DemoObject>(handle));
        return json_list(demo->federation.rounds(), [](const memory::RoundResult& r) {
            return Json().number("round", r.round).number("federated", r.federated.accuracy())
                .number("loss", r.federated.mean_loss())
                .raw("alone", json_list(r.alone, [](const task::Score& s) { return json_number(s.accuracy()); }))
                .number("bytes_up", r.bytes_up).number("bytes_down", r.bytes_down).number("contributors", r.contributors).done();
        });
    });
}

// What the models are worth to partners who bring tables; null for digits.
const Answer* ent_demo_scores(Handle handle) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto demo, find<DemoObject>(handle));
        return demo->scores ? demo->scores->json() : std::string("null");
    });
}

// Entries from the index `first` on.
const Answer* ent_demo_ledger(Handle handle, std::uint32_t first) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto demo, find<DemoObject>(handle));
        const auto& ledger = demo->federation.ledger();
        const std::span<const round::Entry> rest(ledger.data() + std::min<std::size_t>(first, ledger.size()),
                                                 ledger.size() - std::min<std::size_t>(first, ledger.size()));
        return json_list(rest, [](const round::Entry& entry) {
            Json json;
            json.number("sequence", entry.sequence).number("at_ms", entry.record.at_ms)
                .text("kind", round::kind_of(entry.record)).text("summary", round::summary_of(entry.record))
                .text("link", to_hex(round::link_of(entry)));
            std::visit(EntryWriter{json}, entry.record.body);
            return json.done();
        });
    });
}

const Answer* ent_demo_agreements(Handle handle) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto demo, find<DemoObject>(handle));
        std::string out = "[";
        for (const round::Entry& entry : demo->federation.ledger()) {
            const auto* concluded = std::get_if<round::AgreementConcluded>(&entry.record.body);
            if (concluded == nullptr) continue;
            const contract::Agreement& a = concluded->agreement;
            const contract::Offer& offer = a.offer.offer;
            out += out.size() > 1 ? "," : "";
            out += Json().text("id", a.id).text("asset", offer.asset).text("assigner", offer.assigner)
                       .text("assignee", offer.assignee).text("accepted_by", a.acceptance.accepted_by)
                       .number("agreed_at_ms", a.acceptance.agreed_at_ms).raw("terms", terms_json(offer.policy))
                       .raw("odrl", policy::to_odrl_json(offer.policy, {"Agreement", a.id, offer.asset, offer.assigner, offer.assignee,
                                                                       policy::format_instant(a.acceptance.agreed_at_ms)}))
                       .done();
        }
        return out + "]";
    });
}

const Answer* ent_demo_predict(Handle handle, const float* example, std::uint32_t size) {
    return guard([&]() -> Result<Bytes> {
        ENTENTE_ASSIGN(const auto demo, find<DemoObject>(handle));
        return predict(demo->plan, demo->federation.parameters(), example, size);
    });
}

const Answer* ent_demo_safetensors(Handle handle) {
    return guard([&]() -> Result<Bytes> {
        ENTENTE_ASSIGN(const auto demo, find<DemoObject>(handle));
        return safetensors(demo->plan, demo->federation.parameters(), demo->federation.rounds().size());
    });
}

}  // extern "C"
