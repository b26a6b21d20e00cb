#include "server/host.hpp"

#include <algorithm>

#include "base/crash_point.hpp"
#include "store/named_blobs.hpp"

namespace entente::native {

using namespace round::coordinator;
using contract::CallOptions;

namespace {

constexpr std::int64_t retry_ms = 1'000;        // after a full disk
constexpr std::int64_t lazy_save_ms = 250;      // changes that are not urgent
constexpr std::int64_t presence_check_ms = 5'000;

std::string suspension_sentence(const std::string& participant, const std::string& reason) {
    return participant + " is suspended by the operator: " + reason;
}

}  // namespace

Host::Host(HostOptions options, round::Coordinator machine)
    : o_(std::move(options)), machine_(std::move(machine)), coordinator_(machine_.plan().federation.coordinator) {}

Result<std::unique_ptr<Host>> Host::open(HostOptions options) {
    const codec::PublicKey key = options.key.public_key();
    ENTENTE_ASSIGN(round::Coordinator machine, round::Coordinator::create(options.plan, std::move(options.key)));
    machine.keep_updates(options.keep_rounds);
    ENTENTE_ASSIGN(auto snapshot, options.store.snapshot());
    contract::Exchange exchange(options.plan.federation.id);
    std::map<std::string, ContentRow> contents;
    if (snapshot) {
        ENTENTE_ASSIGN(exchange, contract::Exchange::deserialize(snapshot->exchange));
        contents = std::move(snapshot->contents);
    }
    ENTENTE_TRY(exchange.admit(options.plan.federation.coordinator, key));
    std::unique_ptr<Host> host(new Host(std::move(options), std::move(machine)));
    host->contents_ = std::move(contents);
    host->space_ = std::make_unique<hub::HubSpace>(host->o_.plan.federation.id, std::move(exchange), *host, now_ms);
    host->side_ = std::make_unique<hub::HubSide>(*host->space_, host->coordinator_);
    Host* self = host.get();
    host->space_->on_decision([self](const contract::Decision& d) {
        round::PolicyDecided line = round::decided(d.point, d.agreement, d.participant, d.round, d.verdict);
        if (self->decision_log_.is_news(line)) self->decisions_.push_back({now_ms(), std::move(line)});
    });
    host->space_->on_change([self] {
        self->watch_wanted_ = true;
        self->drive();
    });
    return host;
}

Status Host::start() {
    ENTENTE_ASSIGN(const std::vector<round::Entry> entries, o_.store.ledger());
    ENTENTE_ASSIGN(auto rounds, o_.store.history());
    history_.restore(std::move(rounds));
    std::vector<round::Record> records;
    for (const round::Entry& entry : entries) {
        records.push_back(entry.record);
        if (const auto* decision = std::get_if<round::PolicyDecided>(&entry.record.body)) decision_log_.is_news(*decision);
    }
    for (const auto& [asset, row] : contents_) {
        if (!o_.blobs.has(row.blob)) spent_[asset] = row.version;
    }
    if (!entries.empty()) last_entry_ = entries.back();
    for (const round::Entry& entry : entries) see_receipt(entry);
    ENTENTE_TRY(o_.log.restore(entries));
    ENTENTE_ASSIGN(Commands commands, machine_.restore(records));
    for (Command& command : commands) {
        if (auto* blob = std::get_if<LoadBlob>(&command)) ENTENTE_TRY(load(blob->blob));
    }
    if (machine_.failure()) return *machine_.failure();
    for (const ParticipantView& p : machine_.view().participants) {
        if (const auto why = machine_.suspension(p.id)) ENTENTE_TRY(space_->suspend(p.id, suspension_sentence(p.id, *why)));
    }
    repair(entries);
    ENTENTE_TRY(sweep(entries));
    driving_ = true;  // everything at once, below
    enqueue(Started{now_ms()});
    if (receipt_is_shown()) {
        for (const std::string& witness : o_.log.witnesses()) enqueue(Cosigned{witness, last_receipt_->second, now_ms()});
    }
    driving_ = false;
    watch_wanted_ = true;
    drive();
    if (machine_.failure()) return *machine_.failure();
    arm();
    return done();
}

Status Host::load(const Digest& blob) {
    auto content = o_.blobs.open_blob(blob);
    if (!content.ok() && content.error().code != Code::not_found) return content.error();  // nothing says that it is gone
    Commands more = machine_.handle(BlobLoaded{blob, content.ok() ? done() : Result<Done>(content.error()),
                                               content.ok() ? content->get() : nullptr});
    if (machine_.failure()) {
        const Error& why = *machine_.failure();
        if (why.reason == "ledger.unread-blob") return why;
        return Error{Code::data_loss, why.reason,
                     o_.blobs.path_of(blob).string() + ": " + why.message + "; restore the data folder from a copy"};
    }
    if (!more.empty()) return Error{Code::internal, "host.commands", "restore: the machine asked for more than blobs"};
    return done();
}

// A judgement that is in the ledger but had not reached the exchange yet is told again.
void Host::repair(const std::vector<round::Entry>& entries) {
    for (const round::Entry& entry : entries) {
        if (const auto* r = std::get_if<round::UpdateAccepted>(&entry.record.body)) {
            const Status told = space_->conclude(coordinator_, r->transfer, {true, "update.accepted",
                                                 "Counted in round " + std::to_string(r->round) + "."});
            static_cast<void>(told);  // long forgotten: nobody waits for it
            counted_blobs_[{r->round, r->participant}] = r->blob;
        } else if (const auto* refused = std::get_if<round::UpdateRefused>(&entry.record.body)) {
            const Status told = space_->conclude(coordinator_, refused->transfer, {false, refused->code, refused->sentence});
            static_cast<void>(told);
        } else if (const auto* gone = std::get_if<round::UpdatesDeleted>(&entry.record.body)) {
            for (const std::string& id : gone->participants) counted_blobs_.erase({gone->round, id});
        }
    }
}

// A process that was killed between an upload's last byte and its line leaves a file that nobody would ever delete; a power
// cut may bring back one that was deleted.
Status Host::sweep(const std::vector<round::Entry>& entries) {
    const NamedBlobs named = blobs_named_by(entries, contents_);
    return o_.blobs.keep_only([&named](const Digest& blob) { return named.kept.count(blob) + named.offered.count(blob) > 0; });
}

void Host::enqueue(Event event) {
    events_.push_back(std::move(event));
    drive();
}

// The one loop: an event, its commands to the end, the next event. Never re-entered.
void Host::drive() {
    if (driving_) return;
    driving_ = true;
    while (!stalled_) {
        if (events_.empty()) {
            if (!watch_wanted_) break;
            watch();
        }
        Event event = std::move(events_.front());
        events_.pop_front();
        Pending pending;
        if (const auto* retrieved = std::get_if<Retrieved>(&event)) pending.token = retrieved->token;
        pending.commands = machine_.handle(std::move(event));
        if (pending.token) {
            sources_.erase(*pending.token);
            if (pending.commands.empty() && tokens_.erase(*pending.token) > 0) retry_watch_ = true;  // it could not be read
        }
        if (!carry_out(pending)) stalled_ = std::move(pending);
        if (machine_.failure()) {
            o_.on_failure(*machine_.failure());
            break;
        }
    }
    driving_ = false;
    if (o_.on_change) o_.on_change();
    arm();
}

void Host::watch() {
    watch_wanted_ = false;
    Watched watched{space_->exchange().catalog(coordinator_, {}, now_ms()), {}, now_ms()};
    auto agreements = space_->exchange().agreements(coordinator_, contract::global_model_asset(o_.plan.federation.id));
    if (agreements.ok()) watched.model_agreements = std::move(agreements).value();
    events_.push_back(std::move(watched));
}

// False: the disk would not take it; the rest waits.
bool Host::carry_out(Pending& pending) {
    while (pending.next < pending.commands.size()) {
        const bool record = std::holds_alternative<Persist>(pending.commands[pending.next]);
        Status carried = record ? persist(pending) : execute(pending.commands[pending.next]);
        if (carried.ok()) {
            if (!record) ++pending.next;
            continue;
        }
        const bool judging = std::any_of(pending.commands.begin(), pending.commands.end(),
                                         [](const Command& c) { return std::holds_alternative<KeepStaged>(c); });
        if (judging && pending.token) {
            tokens_.erase(*pending.token);
            retry_watch_ = true;
            events_.push_back(StorageFailed{*pending.token, carried.error(), now_ms()});
            return true;
        }
        return false;
    }
    return true;
}

// All records up to the next other command go in one transaction.
Status Host::persist(Pending& pending) {
    std::vector<round::Record> records;
    std::size_t next = pending.next;
    for (; next < pending.commands.size(); ++next) {
        const auto* record = std::get_if<Persist>(&pending.commands[next]);
        if (record == nullptr) break;
        if (std::holds_alternative<round::UpdateAccepted>(record->record.body)) crash_point("before-accept");
        records.push_back(record->record);
    }
    ENTENTE_TRY(append(records));
    pending.next = next;
    for (const round::Record& record : records) {
        if (const auto* accepted = std::get_if<round::UpdateAccepted>(&record.body)) {
            crash_point("accepted");
            counted_blobs_[{accepted->round, accepted->participant}] = accepted->blob;
            if (pending.token) events_.push_front(Stored{*pending.token, now_ms()});
        } else if (std::get_if<round::RoundClosed>(&record.body) != nullptr) {
            crash_point("closed");
        } else if (std::holds_alternative<round::ModelPublished>(record.body)) {
            crash_point("published");
        }
    }
    return done();
}

Status Host::append(std::vector<round::Record> records) {
    records.insert(records.begin(), decisions_.begin(), decisions_.end());
    std::vector<round::Entry> entries;
    std::optional<round::Entry> last = last_entry_;
    for (round::Record& record : records) {
        last = round::chain(last, std::move(record));
        entries.push_back(*last);
    }
    ENTENTE_TRY(o_.store.append(entries, nullptr));
    decisions_.clear();
    last_entry_ = last;
    bool receipt = false;
    for (const round::Entry& entry : entries) {
        o_.log.add(entry);
        see_receipt(entry);
        receipt = receipt || std::holds_alternative<round::ReceiptIssued>(entry.record.body);
        history_.record(entry.record);
        if (o_.on_ledger) {
            o_.on_ledger({entry.sequence, entry.record.at_ms, std::string(round::kind_of(entry.record)),
                          round::summary_of(entry.record), participant_of(entry.record), round::link_of(entry)});
        }
    }
    if (receipt) publish_log();
    return done();
}

void Host::see_receipt(const round::Entry& entry) {
    if (const auto* issued = std::get_if<round::ReceiptIssued>(&entry.record.body)) last_receipt_ = {entry.sequence, issued->receipt.round};
}

bool Host::receipt_is_shown() const { return last_receipt_ && o_.log.checkpoint().size >= last_receipt_->first; }

void Host::publish_log() { retry_log_ = !o_.log.publish().ok(); }

Status Host::record_decisions() { return decisions_.empty() ? done() : append({}); }

void Host::on_timer() {
    const std::int64_t now = now_ms();
    due_ms_.reset();
    if (stalled_) {
        Pending pending = std::move(*stalled_);
        stalled_.reset();
        driving_ = true;
        const bool carried = carry_out(pending);
        driving_ = false;
        if (!carried) stalled_ = std::move(pending);
    }
    if (retry_watch_) {
        retry_watch_ = false;
        watch_wanted_ = true;
    }
    if (dirty_ && save(space_->exchange(), true).ok()) dirty_ = false;
    publish_log();
    for (const auto& [round, json] : history_.take_changes()) {
        const Status kept = o_.store.put_history(round, json);
        static_cast<void>(kept);  // for people only; the ledger has what counts
    }
    retry_watch_ = !record_decisions().ok() || dirty_;  // the next second tries again
    for (const std::string& id : space_->waiting()) note_seen(id, now);
    space_->expire(now);
    if (!stalled_) events_.push_back(Tick{now});  // else nobody takes it, and the next second has another
    drive();
}

void Host::look_again() {
    watch_wanted_ = true;
    drive();
}

void Host::arm() {
    const std::int64_t now = now_ms();
    std::int64_t delay = presence_check_ms;
    const auto tick = machine_.next_tick_ms(now);
    if (tick && !stalled_) delay = std::min(delay, std::max<std::int64_t>(*tick, 1));
    if (stalled_ || retry_watch_ || retry_log_) {
        delay = std::min(delay, retry_ms);
    } else if (dirty_ || !decisions_.empty() || o_.log.behind()) {
        delay = std::min(delay, lazy_save_ms);
    }
    if (const auto deadline = space_->next_deadline()) delay = std::min(delay, std::max<std::int64_t>(*deadline - now, 1));
    // Never later than it was: who asks twice a second would put off for ever what is tried again each second.
    const std::int64_t passed = monotonic_ms();
    due_ms_ = due_ms_ ? std::min(*due_ms_, passed + delay) : passed + delay;
    o_.arm_timer(std::max<std::int64_t>(*due_ms_ - passed, 1));
}

void Host::drain() {
    const Status recorded = record_decisions();
    static_cast<void>(recorded);  // the disk is full and the process ends: nothing has left under them
    if (dirty_ && save(space_->exchange(), true).ok()) dirty_ = false;
    for (const auto& [round, json] : history_.take_changes()) {
        const Status kept = o_.store.put_history(round, json);
        static_cast<void>(kept);
    }
    publish_log();
    space_->drain();
}

Status Host::admit(const std::string& participant, const std::string& name, const codec::PublicKey& key) {
    ENTENTE_TRY(space_->admit(participant, key));
    enqueue(Joined{participant, name, key, now_ms()});
    return done();
}

void Host::seen(const std::string& participant) {
    note_seen(participant, now_ms());
    drive();
}

// While the disk takes nothing the events stand in line: of each participant the last time is enough.
void Host::note_seen(const std::string& participant, std::int64_t now) {
    std::erase_if(events_, [&](const Event& event) {
        const auto* before = std::get_if<Seen>(&event);
        return before != nullptr && before->participant == participant;
    });
    events_.push_back(Seen{participant, now});
}

Status Host::cosigned(const std::string& note, const std::string& participant, const codec::PublicKey& key) {
    ENTENTE_TRY(o_.log.add_cosignature(note, participant, key));
    if (receipt_is_shown()) enqueue(Cosigned{participant, last_receipt_->second, now_ms()});
    return done();
}

Status Host::leave(const std::string& participant, const std::string& reason) {
    ENTENTE_TRY(space_->expel(participant));
    discard_offer(participant);
    enqueue(Left{participant, reason, now_ms()});
    return done();
}

void Host::discard_offer(const std::string& participant) {
    const auto row = contents_.find(contract::update_stream_asset(o_.plan.federation.id, participant));
    if (row != contents_.end()) discard(row->second.blob);
}

Status Host::rotate(const round::KeyRotated& rotation) {
    ENTENTE_TRY(space_->admit_anew(rotation.participant, rotation.key));
    discard_offer(rotation.participant);
    enqueue(Rotated{rotation, now_ms()});
    return done();
}

bool Host::takes_part(const std::string& participant) const {
    const auto all = machine_.view().participants;
    return std::any_of(all.begin(), all.end(), [&](const ParticipantView& p) { return p.id == participant && p.standing != Standing::left; });
}

Status Host::suspend(const std::string& participant, const std::string& reason) {
    if (!takes_part(participant)) return Error{Code::not_found, "participant.unknown", "no participant " + participant};
    ENTENTE_TRY(space_->suspend(participant, suspension_sentence(participant, reason)));
    enqueue(Suspension{participant, true, reason, now_ms()});
    return done();
}

Status Host::resume(const std::string& participant) {
    if (!takes_part(participant)) return Error{Code::not_found, "participant.unknown", "no participant " + participant};
    ENTENTE_TRY(space_->resume(participant));
    enqueue(Suspension{participant, false, {}, now_ms()});
    return done();
}

}  // namespace entente::native
