// A participant's calls: what has happened goes in, what follows comes out.
#include "entente/contract/wire.hpp"
#include "participant_object.hpp"

namespace entente::wasm {
namespace {

std::int64_t ms(double now) { return static_cast<std::int64_t>(now); }

Code code_of(std::uint32_t status) {
    for (const Code code : {Code::invalid_argument, Code::unauthenticated, Code::permission_denied, Code::not_found,
                            Code::conflict, Code::gone, Code::too_large, Code::resource_exhausted, Code::unavailable,
                            Code::no_space, Code::deadline_exceeded, Code::cancelled}) {
        if (static_cast<std::uint32_t>(http_status(code)) == status) return code;
    }
    return status >= 400 && status < 500 ? Code::invalid_argument : Code::unavailable;
}

const Answer* feed(Handle handle, part::Event event) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        return self->feed(std::move(event));
    });
}

}  // namespace
}  // namespace entente::wasm

using namespace entente;
using namespace entente::wasm;
namespace part = entente::round::participant;

extern "C" {

// train: rows of a table, or digits; then test = 0: every tenth row of `train` is held out. state: what the last "keep" carried; empty at first.
const Answer* ent_participant_create(Handle plan, const char* id, std::uint32_t id_size, const std::byte* seed,
                                     std::uint32_t seed_size, const char* accepted_by, std::uint32_t accepted_by_size,
                                     Handle train, Handle test, const std::byte* state, std::uint32_t state_size) {
    return guard([&]() -> Result<Handle> {
        ENTENTE_ASSIGN(const auto plan_object, find<PlanObject>(plan));
        ENTENTE_ASSIGN(codec::SigningKey key, signing_key(seed, seed_size));
        const auto table = std::dynamic_pointer_cast<TableRows>(held(train));
        if (plan_object->plan.task.table.has_value() != (table != nullptr)) {
            return Error{Code::invalid_argument, "data.other", table ? "data: expected digits, found a table" : "data: expected a table, found digits"};
        }
        std::shared_ptr<DataObject> train_object;
        if (!table) {
            ENTENTE_ASSIGN(train_object, find<DataObject>(train));
        }
        std::shared_ptr<const data::Dataset> test_data;
        if (test != 0) {
            ENTENTE_ASSIGN(const auto test_object, find<DataObject>(test));
            test_data = test_object->data;
        }
        part::Options options{plan_object->plan, std::string(text(id, id_size)), std::move(key), plan_object->coordinator,
                              std::string(text(accepted_by, accepted_by_size))};
        const ByteView kept = view(state, state_size);
        options.state.assign(kept.begin(), kept.end());
        ENTENTE_ASSIGN(auto machine, round::Participant::create(std::move(options)));
        auto object = std::make_shared<ParticipantObject>(plan_object->plan, std::string(text(id, id_size)), std::move(machine));
        ENTENTE_TRY(table ? object->use(table) : object->use(train_object->data, std::move(test_data)));
        return keep(std::move(object));
    });
}

// Events. Each answers with the commands that follow, a JSON list; binary parts are [pointer, size] and valid until
// the next call.
const Answer* ent_participant_started(Handle handle, double now_ms) { return feed(handle, part::Started{ms(now_ms)}); }
const Answer* ent_participant_offered(Handle handle) { return feed(handle, part::Offered{}); }
const Answer* ent_participant_kept(Handle handle) { return feed(handle, part::Kept{}); }
const Answer* ent_participant_delivered(Handle handle) { return feed(handle, part::Delivered{}); }
const Answer* ent_participant_waited(Handle handle, double now_ms) { return feed(handle, part::Waited{ms(now_ms)}); }

const Answer* ent_participant_watched(Handle handle, const std::byte* bytes, std::uint32_t size, double now_ms) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        ENTENTE_ASSIGN(contract::HubView hub, contract::decode_hub_view(view(bytes, size)));
        return self->feed(part::Watched{std::move(hub.catalog), std::move(hub.own_version), std::move(hub.own_agreements),
                                        std::move(hub.own_transfers), ms(now_ms)});
    });
}

const Answer* ent_participant_agreed(Handle handle, const std::byte* bytes, std::uint32_t size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        ENTENTE_ASSIGN(contract::Agreement agreement, contract::decode_agreement(view(bytes, size)));
        return self->feed(part::Agreed{std::move(agreement)});
    });
}

const Answer* ent_participant_fetched(Handle handle, const std::byte* transfer, std::uint32_t transfer_size,
                                      const std::byte* envelope, std::uint32_t envelope_size) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        ENTENTE_ASSIGN(contract::Transfer opened, contract::decode_transfer(view(transfer, transfer_size)));
        const ByteView bytes = view(envelope, envelope_size);
        return self->feed(part::Fetched{std::move(opened), Bytes(bytes.begin(), bytes.end())});
    });
}

// status: of HTTP; 0 when there was no answer at all.
const Answer* ent_participant_failed(Handle handle, std::uint32_t status, const char* reason, std::uint32_t reason_size,
                                     const char* message, std::uint32_t message_size, double now_ms) {
    return feed(handle, part::Failed{Error{code_of(status), std::string(text(reason, reason_size)),
                                           std::string(text(message, message_size))}, ms(now_ms)});
}

const Answer* ent_participant_work(Handle handle, std::uint32_t max_batches, double train_ms) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        return self->work(max_batches, train_ms);
    });
}

const Answer* ent_participant_view(Handle handle) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        return self->view_json();
    });
}

const Answer* ent_participant_predict(Handle handle, std::uint32_t which, const float* example, std::uint32_t size) {
    return guard([&]() -> Result<Bytes> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        ENTENTE_ASSIGN(const auto parameters, self->parameters(which));
        return predict(self->plan(), parameters, example, size);
    });
}

const Answer* ent_participant_safetensors(Handle handle) {
    return guard([&]() -> Result<Bytes> {
        ENTENTE_ASSIGN(const auto self, find<ParticipantObject>(handle));
        ENTENTE_ASSIGN(const auto parameters, self->parameters(0));
        ENTENTE_TRY(policy::permits(plan::model_policy(self->plan()), policy::operation::export_model).status());
        return safetensors(self->plan(), parameters, self->rounds());
    });
}

}  // extern "C"
