#include "entente/round/audit.hpp"

#include <algorithm>

#include "entente/codec/merkle.hpp"
#include "model_envelope.hpp"
#include "next_model.hpp"
#include "opened_update.hpp"

namespace entente::round {

std::string_view to_string(Recomputed outcome) noexcept {
    switch (outcome) {
        case Recomputed::same: return "same";
        case Recomputed::deleted: return "deleted";
        case Recomputed::not_asked: return "not-asked";
        case Recomputed::unreadable: return "unreadable";
        case Recomputed::wrong: break;
    }
    return "wrong";
}
namespace {

Result<Bytes> read_all(contract::ByteSource& source, std::uint64_t limit) {
    contract::BoundedSink sink(limit);
    std::vector<std::byte> buffer(64 * 1024);
    for (;;) {
        ENTENTE_ASSIGN(const std::size_t n, source.read(buffer));
        if (n == 0) return sink.take();
        ENTENTE_TRY(sink.append(ByteView(buffer).first(n)));
    }
}

Error another(const char* code, std::string sentence) { return {Code::data_loss, code, std::move(sentence)}; }

Digest content_of(std::span<const float> parameters, std::span<const float> control, std::span<const float> sums) {
    codec::MerkleBuilder tree;
    tree.append(std::as_bytes(parameters));
    tree.append(std::as_bytes(control));
    tree.append(std::as_bytes(sums));
    return tree.root();
}

class Auditor {
public:
    Auditor(const std::vector<Entry>& ledger, const AuditOptions& options)
        : ledger_(ledger),
          o_(options),
          receipts_(o_.leaf_of ? o_.leaf_of : [](const Record&) { return Digest{}; }),
          executor_(o_.executor != nullptr ? *o_.executor : inline_executor()) {
        for (const Entry& entry : ledger_) {
            if (const auto* gone = std::get_if<UpdatesDeleted>(&entry.record.body)) {
                for (const std::string& id : gone->participants) deleted_.emplace(gone->round, id);
            }
        }
    }

    AuditResult run() {
        std::optional<Entry> previous;
        for (const Entry& entry : ledger_) {
            at_ = entry.sequence;
            if (const Status linked = check_link(previous, entry); !linked.ok()) tell("ledger", linked.error());
            previous = entry;
            std::visit([this](const auto& r) { see(r); }, entry.record.body);
            receipts_.see(entry.record);
        }
        if (!memory_.is_zero()) result_.stored.insert(memory_);
        return std::move(result_);
    }

private:
    void tell(std::string subject, const Error& error) {
        ++result_.problems;
        if (o_.on_problem) o_.on_problem({at_, std::move(subject), error.reason, error.message});
    }
    static std::string in_round(std::uint64_t round) { return "round " + std::to_string(round); }

    void see(const Activated& r) {
        if (r.plan != plan::digest_of(o_.plan)) tell("federation", another("ledger.other-plan", "the ledger was begun with the plan " + short_hex(r.plan) + ", the plan is " + short_hex(plan::digest_of(o_.plan))));
        if (r.coordinator != o_.coordinator) tell("federation", another("ledger.other-key", "the ledger was begun with another coordinator key"));
    }
    void see(const ParticipantAdmitted& r) { keys_[r.participant] = r.key; }
    void see(const SuspensionChanged&) {}
    void see(const KeyRotated& r) {
        const Status good = check_rotation(o_.plan.federation.id, r);
        if (!good.ok()) tell("key of " + r.participant, good.error());
        if (r.former != keys_[r.participant]) tell("key of " + r.participant, another("key.stranger", "the key that signed the new one was not its own"));
        keys_[r.participant] = r.key;
    }
    void see(const ParticipantLeft&) {}
    void see(const PolicyDecided&) {}
    void see(const UpdateRefused&) {}
    void see(const RoundAbandoned&) { closed_.reset(); }
    void see(const UpdatesDeleted&) {}
    void see(const WitnessesMissing&) {}

    void see(const AgreementConcluded& r) {
        const contract::Offer& offer = r.agreement.offer.offer;
        const bool of_model = offer.assigner == o_.plan.federation.coordinator;
        const auto assigner = keys_.find(offer.assigner);
        const contract::Parties parties{of_model ? o_.coordinator : assigner == keys_.end() ? codec::PublicKey{} : assigner->second,
                                        of_model ? r.agreement.assignee_key : o_.coordinator};
        const Status good = contract::verify(r.agreement, parties);
        if (!good.ok()) tell("agreement " + r.agreement.id, good.error());
        const bool known = !of_model || std::any_of(keys_.begin(), keys_.end(), [&](const auto& k) { return k.second == r.agreement.assignee_key; });
        if (!known) tell("agreement " + r.agreement.id, another("agreement.stranger", "its assignee's key is no participant's"));
        agreements_[r.agreement.id] = offer.assigner;
    }

    void see(const RoundOpened& r) {
        if (r.model != model_) tell(in_round(r.round), another("round.other-model", "it opened on the model " + short_hex(r.model) + ", published was " + short_hex(model_)));
        accepted_.clear();
    }

    void see(const UpdateAccepted& r) {
        accepted_[r.participant] = r;
        signers_[r.participant] = keys_[r.participant];
        const auto agreement = agreements_.find(r.agreement);
        if (agreement == agreements_.end() || agreement->second != r.participant) {
            tell(in_round(r.round) + ": update of " + r.participant, another("update.no-agreement", "the ledger has no agreement " + r.agreement + " with " + r.participant));
        }
        if (deleted_.count({r.round, r.participant}) == 0) result_.stored.insert(r.blob);
    }

    void see(const RoundClosed& r) {
        closed_ = r;
        closed_updates_.clear();
        for (const std::string& id : r.participants) {
            const auto it = accepted_.find(id);
            if (it == accepted_.end()) {
                tell(in_round(r.round), another("round.no-update", "it closed with " + id + ", of whom no update is on the ledger"));
            } else {
                closed_updates_[id] = it->second;
            }
        }
    }

    void see(const ReceiptIssued& r) {
        const std::string subject = in_round(r.receipt.round) + ": receipt";
        const auto signed_one = proof::check_receipt(proof::envelope_of(r.receipt, o_.coordinator, r.signature), o_.coordinator);
        if (!signed_one.ok()) return tell(subject, signed_one.error());
        proof::Receipt expected = receipt_of(receipts_.of_round(), o_.plan.federation.id, plan::digest_of(o_.plan), o_.plan.aggregation.strategy.name, r.receipt.model);
        if (!o_.leaf_of) {
            expected.updates_root = r.receipt.updates_root;
            expected.decisions_root = r.receipt.decisions_root;
        }
        if (expected != r.receipt) return tell(subject, another("receipt.other", "it does not say what the ledger's records of the round say"));
        receipt_ = r.receipt;
    }

    void see(const ModelPublished& r) {
        const bool read = !o_.only_round || o_.other_models || r.round == *o_.only_round || (closed_ && closed_->round == *o_.only_round);
        if (closed_) end_round(r);
        accepted_.clear();
        closed_.reset();
        receipt_.reset();
        model_ = r.content;
        base_ = read ? load_model(r) : std::nullopt;
        memory_ = r.memory;
        contents_[r.round] = r.content;
        result_.stored.insert(r.blob);
    }

    void end_round(const ModelPublished& next) {
        RoundCheck check{closed_->round, Recomputed::wrong, closed_->participants, 0, model_, next.content, receipt_ && receipt_->model == next.content};
        ++result_.rounds;
        if (receipt_ && receipt_->model != next.content) {
            tell(in_round(check.round) + ": receipt", another("receipt.other", "it names the model " + short_hex(receipt_->model) + ", published was " + short_hex(next.content)));
        }
        bool gone = false;
        for (const auto& [id, update] : closed_updates_) {
            check.weight += update.weight;
            gone = gone || deleted_.count({update.round, id}) > 0;
        }
        if (o_.only_round && *o_.only_round != check.round) {
            check.outcome = Recomputed::not_asked;
        } else if (gone) {
            check.outcome = Recomputed::deleted;
        } else if (!o_.updates) {
            check.outcome = Recomputed::unreadable;
        } else if (recompute(next)) {
            check.outcome = Recomputed::same;
            ++result_.recomputed;
        }
        if (o_.on_round) o_.on_round(check);
    }

    // Tells what is wrong itself.
    bool recompute(const ModelPublished& next) {
        const std::string subject = in_round(closed_->round);
        if (!base_) return false;  // told where it was published
        auto strategy = aggregate::make_strategy(o_.plan.aggregation.strategy, plan::parameter_count(o_.plan));
        auto fold = aggregate::Fold::create(plan::wire_length(o_.plan), plan::fold_bounds(o_.plan));
        if (!strategy.ok() || !fold.ok()) return false;  // no plan that passes its own checks
        if (!memory_.is_zero()) {
            if (const Status loaded = load_memory(**strategy); !loaded.ok()) {
                tell(subject + ": what the strategy remembered", loaded.error());
                return false;
            }
        }
        bool good = true;
        for (const auto& [id, record] : closed_updates_) {
            if (const Status added = take_in(record, *fold); !added.ok()) {
                tell(subject + ": update of " + id, added.error());
                good = false;
            }
        }
        if (!good || closed_updates_.size() != closed_->participants.size()) return false;
        std::vector<float> parameters = std::move(base_->parameters), sums = std::move(base_->sums);
        if (const Status made = next_model(o_.plan, *fold, closed_updates_, closed_->population, **strategy, parameters, sums, executor_); !made.ok()) {
            tell(subject, made.error());
            return false;
        }
        const Digest found = content_of(parameters, (*strategy)->control(), sums);
        if (found == next.content) return true;
        tell(subject, another("round.other-result", "its updates give the model " + short_hex(found) + ", published was " + short_hex(next.content)));
        return false;
    }

    Status load_memory(aggregate::Strategy& strategy) {
        ENTENTE_ASSIGN(const auto source, o_.blobs(memory_));
        ENTENTE_ASSIGN(const Bytes bytes, read_all(*source, strategy.save().size()));
        if (codec::sha256(bytes) != memory_) return another("blob.damaged", "the blob " + short_hex(memory_) + " is not what its name says");
        return strategy.load(bytes);
    }

    Status take_in(const UpdateAccepted& record, aggregate::Fold& fold) {
        ENTENTE_ASSIGN(const auto source, o_.blobs(record.blob));
        const auto opened = open_update(o_.plan, *source);
        if (opened == nullptr) return another("file.unreadable", "its envelope could not be read");
        if (!opened->update.ok()) return opened->update.error();
        if (opened->update->record.blob != record.blob) return another("blob.damaged", "its envelope is not the one that was counted");
        const codec::FrameHeader& h = opened->header;
        const auto key = signers_.find(record.participant);
        if (key == signers_.end() || h.signer != key->second || h.sender != record.participant) return another("update.foreign-signature", "it is not signed by " + record.participant);
        ENTENTE_TRY(check_belongs(o_.plan, h, "update"));
        const bool same = h.content == record.content && h.agreement == record.agreement && h.round == record.base_round && h.base_model == contents_[record.base_round] &&
                          record.weight == (o_.plan.aggregation.weighting == plan::Weighting::uniform ? 1 : h.weight);
        if (!same) return another("update.other", "its envelope says another content, agreement, round, base model or weight than the ledger");
        if (const auto* numbers = std::get_if<aggregate::Sparse>(&opened->update->update)) {
            ENTENTE_TRY(fold.validate(*numbers, record.weight, record.factor));
            fold.accumulate(*numbers, record.weight, record.factor);
            return done();
        }
        const aggregate::Contribution one{&std::get<aggregate::PackedUpdate>(opened->update->update), record.weight, record.factor};
        ENTENTE_TRY(fold.validate(one));
        fold.accumulate({&one, 1}, executor_);
        return done();
    }

    std::optional<ModelEnvelope> load_model(const ModelPublished& r) {
        auto loaded = [&]() -> Result<ModelEnvelope> {
            ENTENTE_ASSIGN(const auto source, o_.blobs(r.blob));
            ENTENTE_ASSIGN(const Bytes envelope, read_all(*source, plan::envelope_limit(plan::model_limits(o_.plan))));
            if (codec::sha256(envelope) != r.blob) return another("blob.damaged", "the blob " + short_hex(r.blob) + " is not what its name says");
            ENTENTE_ASSIGN(ModelEnvelope model, open_model(o_.plan, envelope, o_.coordinator));
            if (model.content != r.content || model.round != r.round) return another("model.other", "its envelope holds another model than the ledger says");
            return model;
        }();
        if (loaded.ok()) return std::move(loaded).value();
        tell("model of round " + std::to_string(r.round), loaded.error());
        return std::nullopt;
    }

    const std::vector<Entry>& ledger_;
    const AuditOptions& o_;
    Receipts receipts_;
    Executor& executor_;
    std::set<std::pair<std::uint64_t, std::string>> deleted_;
    std::map<std::string, codec::PublicKey> keys_;
    std::map<std::string, std::string> agreements_;  // id -> assigner
    std::map<std::uint64_t, Digest> contents_;       // of models, by the round that trains on them
    std::map<std::string, UpdateAccepted> accepted_;
    std::map<std::string, codec::PublicKey> signers_;  // of the latest update of each
    std::map<std::string, UpdateAccepted> closed_updates_;
    std::optional<RoundClosed> closed_;
    std::optional<proof::Receipt> receipt_;
    Digest model_;
    Digest memory_;
    std::optional<ModelEnvelope> base_;
    std::uint64_t at_ = 0;
    AuditResult result_;
};

}  // namespace

AuditResult audit(const std::vector<Entry>& ledger, const AuditOptions& options) { return Auditor(ledger, options).run(); }

}  // namespace entente::round
