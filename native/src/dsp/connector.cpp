#include "dsp/connector.hpp"

#include <algorithm>
#include <utility>

#include "base/files.hpp"
#include "connectors/dsp/terms.hpp"
#include "connectors/dsp/words.hpp"
#include "dsp/connector_calls.hpp"
#include "entente/codec/sha256.hpp"

namespace entente::native {

using namespace contract;
using dsp::Kind;

namespace {

constexpr std::int64_t watch_ms = 20;
constexpr std::int64_t first_pause_ms = 50;
constexpr std::int64_t longest_pause_ms = 250;

Outcome refusal_of(const Error& why) { return {false, why.reason, why.message}; }

}  // namespace

DspConnector::DspConnector(DspConnectorOptions options) : o_(std::move(options)), own_(o_.space, o_.self) {
    for (const auto& [pid, n] : o_.service.node().negotiations()) hold(n);
}

void DspConnector::hold(const dsp::Negotiation& n) {
    if (n.role != dsp::Role::consumer || n.state != dsp::NegotiationState::finalized) return;
    if (const auto held = dsp::read_acceptance(n.extensions); held.ok()) held_[held->id] = n.pid;
}

std::shared_ptr<DspConnector> DspConnector::make(DspConnectorOptions options) {
    return std::shared_ptr<DspConnector>(new DspConnector(std::move(options)));
}

std::shared_ptr<DspConnector::Call> DspConnector::begin(const CallOptions& options, std::function<void(const Error&)> fail) {
    auto call = std::make_shared<Call>();
    call->deadline_ms = monotonic_ms() + options.timeout_ms;
    call->cancel = options.cancel;
    call->fail = std::move(fail);
    calls_.push_back(call);
    if (!std::exchange(watching_, true)) watch();
    return call;
}

// Cancelled and late calls end here, whatever they wait for.
void DspConnector::watch() {
    std::vector<std::pair<std::shared_ptr<Call>, Error>> ended;
    std::erase_if(calls_, [&](const std::shared_ptr<Call>& call) {
        if (call->over) return true;
        if (call->cancel.cancelled()) ended.emplace_back(call, Error{Code::cancelled, "connector.cancelled", "the call was cancelled"});
        else if (monotonic_ms() >= call->deadline_ms) ended.emplace_back(call, Error{Code::deadline_exceeded, "connector.deadline", "the peer did not answer in time"});
        else return false;
        return true;
    });
    for (const auto& [call, why] : ended) {
        call->over = true;
        call->fail(why);
    }
    watching_ = !calls_.empty();
    if (!watching_) return;
    o_.outbound->after(watch_ms, [weak = weak_from_this(), post = o_.post] {
        post([weak] {
            if (const auto self = weak.lock()) self->watch();
        });
    });
}

void DspConnector::heard(const dsp::Step& step) {
    if (step.negotiation && dsp::is_final(step.negotiation->state)) {
        hold(*step.negotiation);
        if (const auto it = negotiating_.find(step.negotiation->pid); it != negotiating_.end()) {
            const auto finish = std::move(it->second);
            negotiating_.erase(it);
            finish(*step.negotiation);
        }
    }
    if (!step.transfer || step.transfer->role != dsp::Role::consumer) return;
    const dsp::TransferProcess& t = *step.transfer;
    if (const auto it = pulling_.find(t.pid); it != pulling_.end()) {
        const auto pulling = it->second;
        if (dsp::is_final(t.state)) {
            pulling_.erase(it);
            if (pulling->call->finish()) pulling->completion(error_of(t));
        } else if (step.kind == Kind::transfer_start && t.address && pulling->address != t.address) {
            pulling->address = t.address;
            pull(pulling);
        }
    }
    if (!dsp::is_final(t.state)) return;
    const auto it = ending_.find(t.pid);
    if (it == ending_.end()) return;
    const auto all = std::move(it->second);
    ending_.erase(it);
    for (const auto& then : all) then();
}

void DspConnector::publish(Asset asset, SignedOffer offer, CallOptions options, Completion<Done> completion) {
    if (asset.kind == AssetKind::global_model && o_.self != o_.coordinator) {
        return completion(Error{Code::permission_denied, "connector.foreign-asset", "the global model is " + o_.coordinator + "'s to offer"});
    }
    own_.publish(std::move(asset), std::move(offer), std::move(options), std::move(completion));
}
void DspConnector::deliver(std::string asset, Version version, std::shared_ptr<ByteSource> content, CallOptions options,
                           Completion<Done> completion) {
    // Under agreements that have all run out nothing would be fetched any more.
    const Status use = o_.space.exchange().may_deliver(o_.self, asset, version.round, o_.space.now_ms());
    if (!use.ok() && hub::may_start(options).ok()) return completion(use.error());
    own_.deliver(std::move(asset), version, std::move(content), std::move(options), std::move(completion));
}
void DspConnector::transfers(std::string asset, CallOptions options, Completion<std::vector<Transfer>> completion) {
    own_.transfers(std::move(asset), std::move(options), std::move(completion));
}
void DspConnector::agreements(std::string asset, CallOptions options, Completion<std::vector<Agreement>> completion) {
    own_.agreements(std::move(asset), std::move(options), std::move(completion));
}
void DspConnector::withdraw(std::string asset, CallOptions options, Completion<Done> completion) {
    own_.withdraw(std::move(asset), std::move(options), std::move(completion));
}

Catalog DspConnector::merged(std::vector<CatalogEntry> entries, const CatalogQuery& query) {
    std::sort(entries.begin(), entries.end(), [](const CatalogEntry& a, const CatalogEntry& b) { return a.asset.id < b.asset.id; });
    // One number for all that may be seen: what others offer, and what became of our own.
    HubView view = o_.space.view(o_.self);
    view.catalog.entries = entries;
    view.catalog.cursor = 0;
    const Digest content = codec::sha256(encode(view));
    Catalog catalog;
    for (std::size_t i = 0; i < 8; ++i) catalog.cursor = (catalog.cursor << 8u) | std::to_integer<std::uint64_t>(content.bytes[i]);
    for (CatalogEntry& entry : entries) {
        if (query.kind && entry.asset.kind != *query.kind) continue;
        if (query.asset && entry.asset.id != *query.asset) continue;
        catalog.entries.push_back(std::move(entry));
    }
    return catalog;
}

void DspConnector::catalog(CatalogQuery query, CallOptions options, Completion<Catalog> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    struct Gathered {
        std::vector<CatalogEntry> entries;
        std::size_t waiting = 0;
        std::size_t reached = 0;
        std::optional<Error> error;
    };
    auto gathered = std::make_shared<Gathered>();
    gathered->waiting = o_.peers.size();
    const auto finish = [weak = weak_from_this(), gathered, query, completion = std::move(completion)] {
        const auto self = weak.lock();
        if (!self) return;
        if (gathered->reached == 0 && gathered->error) return completion(*gathered->error);
        completion(self->merged(std::move(gathered->entries), query));
    };
    if (o_.peers.empty()) return finish();
    // All of it, whatever is asked: the cursor stands for the whole.
    for (const auto& [id, peer] : o_.peers) {
        catalog_of(peer, options, [gathered, finish](Result<std::vector<CatalogEntry>> found) {
            if (found.ok()) {
                ++gathered->reached;
                std::move(found->begin(), found->end(), std::back_inserter(gathered->entries));
            } else {
                gathered->error = found.error();
            }
            if (--gathered->waiting == 0) finish();
        });
    }
}

void DspConnector::catalog_of(const dsp::Peer& peer, const CallOptions& options, Completion<std::vector<CatalogEntry>> completion) {
    auto pages = std::make_shared<Pages>();
    pages->peer = peer;
    pages->body = dsp::write_catalog_request({.dataset = {}, .offset = 0, .limit = dsp::max_page});
    pages->completion = std::move(completion);
    pages->call = begin(options, [pages = std::weak_ptr(pages)](const Error& why) {
        if (const auto held = pages.lock()) held->completion(why);
    });
    next_page(pages, peer.address + "/catalog/request");
}

void DspConnector::next_page(const std::shared_ptr<Pages>& pages, const std::string& url) {
    auto request = std::make_shared<OutboundRequest>();
    request->url = url;
    request->body = pages->body;
    request->timeout_ms = std::max<std::int64_t>(1, pages->call->deadline_ms - monotonic_ms());
    request->response_limit = catalogue_limit;
    request->allowed_origins = {dsp::origin_of(pages->peer.address)};
    request->cancel = pages->call->cancel;
    o_.identity.mint(pages->peer.address, [weak = weak_from_this(), pages, request, post = o_.post, outbound = o_.outbound](Result<std::string> token) {
        const auto take = [weak, pages, post](Result<OutboundResponse> answer) {
            post([weak, pages, answer = std::move(answer)] {
                if (const auto self = weak.lock()) self->take_page(pages, answer);
            });
        };
        if (!token.ok()) return take(std::move(token).error());
        request->headers.emplace_back("Authorization", std::move(token).value());
        outbound->send(std::move(*request), take);
    });
}

void DspConnector::take_dataset(const std::shared_ptr<Pages>& pages, const dsp::Dataset& dataset) {
    const dsp::Peer& peer = pages->peer;
    auto entry = dsp::read_entry(dataset, peer.edc ? dsp::Profile::may_be_lost : dsp::Profile::kept);
    const auto federation = dataset.properties.find(dsp::member::federation);
    const bool ours = federation != dataset.properties.end() && federation->second == o_.space.exchange().federation();
    if (!entry.ok() && ours && o_.on_problem) o_.on_problem(peer.participant, entry.error());
    // Other data sets of the peer, and what it may not offer to us, are none of this federation's.
    if (!entry.ok() || !ours || entry->asset.provider != peer.participant) return;
    if (entry->asset.kind == AssetKind::global_model && entry->asset.provider != o_.coordinator) return;
    const std::string& meant_for = entry->offer.offer.assignee;
    if (!meant_for.empty() && meant_for != o_.self) return;
    if (peer.edc) {
        shown_[dataset.id] = dataset.offers.front();
        auto acceptance = dsp::read_acceptance(dataset.properties);
        if (acceptance.ok() && o_.on_acceptance) o_.on_acceptance(peer.participant, std::move(acceptance).value());
    }
    pages->entries.push_back(std::move(entry).value());
}

void DspConnector::take_page(const std::shared_ptr<Pages>& pages, const Result<OutboundResponse>& answer) {
    if (pages->call->over) return;
    const auto end = [&pages](Result<std::vector<CatalogEntry>> result) {
        if (pages->call->finish()) pages->completion(std::move(result));
    };
    if (!answer.ok() || answer->status != 200) return end(unreachable(pages->peer.participant, answer));
    const auto page = dsp::read_catalog(answer->body);
    if (!page.ok()) return end(page.error());
    if (pages->peer.edc && page->participant != pages->peer.called()) {
        return end(Error{Code::permission_denied, "connector.other-participant",
                         pages->peer.participant + ": expected an EDC with the edc.participant.id " + pages->peer.called() + ", found " + page->participant.substr(0, 80)});
    }
    for (const dsp::Dataset& dataset : page->datasets) take_dataset(pages, dataset);
    const std::string next = next_of(answer->header("link"));
    if (next.empty() || !next.starts_with(pages->peer.address + "/") || ++pages->count >= most_pages) return end(std::move(pages->entries));
    next_page(pages, next);
}

void DspConnector::wait(std::uint64_t cursor, CallOptions options, Completion<std::uint64_t> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    // Its own deadline is no error: it ends a little before the one that would be.
    const auto call = begin(options, [cursor, completion](const Error& why) {
        if (why.code == Code::deadline_exceeded) completion(cursor);
        else completion(why);
    });
    poll(cursor, call, options, first_pause_ms, std::move(completion));
}

void DspConnector::poll(std::uint64_t cursor, const std::shared_ptr<Call>& call, const CallOptions& options, std::int64_t pause_ms,
                        Completion<std::uint64_t> completion) {
    CallOptions look = options;
    look.timeout_ms = std::max<std::int64_t>(1, call->deadline_ms - monotonic_ms());
    catalog({}, look, [weak = weak_from_this(), cursor, call, options, pause_ms, completion = std::move(completion)](Result<Catalog> seen) {
        const auto self = weak.lock();
        if (!self || call->over) return;
        if (!seen.ok() && seen.error().code == Code::deadline_exceeded) return;
        if (!seen.ok() || seen->cursor != cursor) {
            if (call->finish()) completion(seen.ok() ? Result<std::uint64_t>(seen->cursor) : Result<std::uint64_t>(seen.error()));
            return;
        }
        self->o_.outbound->after(pause_ms, [weak, cursor, call, options, pause_ms, completion, post = self->o_.post] {
            post([weak, cursor, call, options, pause_ms, completion] {
                const auto again = weak.lock();
                if (again && !call->over) again->poll(cursor, call, options, std::min(2 * pause_ms, longest_pause_ms), completion);
            });
        });
    });
}

void DspConnector::negotiate(Agreement proposal, CallOptions options, Completion<Agreement> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    const Offer& offer = proposal.offer.offer;
    const auto peer = o_.peers.find(offer.assigner);
    if (peer == o_.peers.end()) return completion(Error{Code::not_found, "connector.no-offer", "no connector of " + offer.assigner + " is known"});
    std::string odrl = dsp::odrl_of(offer);
    if (peer->second.edc) {
        const auto shown = shown_.find(offer.asset);
        if (shown == shown_.end()) return completion(Error{Code::unavailable, "connector.later", "the catalogue of " + offer.assigner + " was not read yet"});
        odrl = shown->second;
    }
    const auto call = begin(options, completion);
    const auto finish = [call, completion = std::move(completion)](Result<Agreement> result) {
        if (call->finish()) completion(std::move(result));
    };
    o_.service.negotiate({offer.assigner, peer->second.address, offer.asset, std::move(odrl), dsp::acceptance_of(proposal)},
                         [weak = weak_from_this(), finish](Result<std::string> pid) {
                             const auto self = weak.lock();
                             if (!self) return;
                             if (!pid.ok()) return finish(pid.error());
                             self->negotiating_[*pid] = [finish](const dsp::Negotiation& n) {
                                 if (n.state == dsp::NegotiationState::finalized) finish(dsp::read_acceptance(n.extensions));
                                 else finish(error_of(n));
                             };
                         });
}

void DspConnector::transfer(TransferRequest request, ByteSink& sink, CallOptions options, Completion<Transfer> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    const auto known = held_.find(request.agreement);
    if (known == held_.end()) return completion(Error{Code::permission_denied, "agreement.unknown", "no agreement " + request.agreement});
    const dsp::Negotiation* const held = &o_.service.node().negotiations().find(known->second)->second;
    if (held->dataset != request.asset) {
        return completion(Error{Code::permission_denied, "agreement.mismatch", request.agreement + " is over another asset"});
    }
    auto pulling = std::make_shared<Pull>();
    pulling->peer = o_.peers.contains(held->peer) ? o_.peers.find(held->peer)->second : dsp::Peer{held->peer, held->peer_address};
    pulling->request = request;
    pulling->sink = std::make_shared<BorrowedSink>(sink);
    pulling->completion = std::move(completion);
    pulling->call = begin(options, [weak = weak_from_this(), pulling = std::weak_ptr(pulling)](const Error& why) {
        const auto self = weak.lock();
        const auto p = pulling.lock();
        if (!p) return;
        p->sink->close();
        if (self && !p->pid.empty()) {
            self->pulling_.erase(p->pid);
            self->end(p->pid, ending(refusal_of(why)), [] {});
        }
        p->completion(why);
    });
    // By the name that the agreement has between the two connectors: an EDC gives it one of its own.
    o_.service.transfer({held->peer, pulling->peer.address, dsp::id_of(held->agreement), std::string(dsp::format_pull), {},
                         dsp::version_of(request.version)},
                        [weak = weak_from_this(), pulling](Result<std::string> pid) {
                            const auto self = weak.lock();
                            if (!self) return;
                            if (!pid.ok()) {
                                if (pulling->call->finish()) pulling->completion(pid.error());
                                return;
                            }
                            pulling->pid = *pid;
                            if (!pulling->call->over) self->pulling_[*pid] = pulling;
                        });
}

void DspConnector::pull(const std::shared_ptr<Pull>& pulling) {
    Download wish;
    wish.url = pulling->address->endpoint;
    wish.authorization = "Bearer " + pulling->address->authorization;
    wish.allowed_origins = {dsp::origin_of(pulling->peer.address)};
    if (pulling->peer.edc) wish.allowed_origins = {pulling->peer.data_origin};
    wish.limit_bytes = pulling->request.version.size_bytes;
    wish.from = pulling->sink->bytes();
    wish.timeout_ms = std::max<std::int64_t>(1, pulling->call->deadline_ms - monotonic_ms());
    wish.sink = pulling->sink;
    wish.cancel = pulling->call->cancel;
    // After a resumption the one before may still have to fail: its address is no longer the transfer's.
    download(o_.outbound, std::move(wish), [weak = weak_from_this(), pulling, address = *pulling->address, post = o_.post](Result<Downloaded> got) {
        post([weak, pulling, address, got = std::move(got)] {
            const auto self = weak.lock();
            if (self && pulling->address == address) self->pulled(pulling, got);
        });
    });
}

void DspConnector::pulled(const std::shared_ptr<Pull>& pulling, const Result<Downloaded>& got) {
    if (pulling->call->over) return;
    const TransferRequest& r = pulling->request;
    if (got.ok() && pulling->sink->bytes() == r.version.size_bytes) {
        pulling_.erase(pulling->pid);
        if (pulling->call->finish()) pulling->completion(Transfer{pulling->pid, r.agreement, r.asset, r.version, TransferState::started, {}, {}});
        return;
    }
    // Suspended: the next start brings another address, and the rest.
    const auto t = o_.service.node().transfers().find(pulling->pid);
    const bool suspended = t != o_.service.node().transfers().end() && t->second.state == dsp::TransferState::suspended;
    if (suspended && !got.ok() && got.error().code == Code::permission_denied) return;
    if (got.ok()) {
        return give_up(pulling, {Code::invalid_argument, "connector.size", "expected " + std::to_string(r.version.size_bytes) + " bytes, found " +
                                                                                std::to_string(pulling->sink->bytes())});
    }
    if (got.error().code == Code::cancelled) return give_up(pulling, {Code::cancelled, "connector.cancelled", "the call was cancelled"});
    const bool away = got.error().code == Code::unavailable || got.error().code == Code::deadline_exceeded;
    give_up(pulling, away ? Error{Code::unavailable, "connector.unreachable", got.error().message} : got.error());
}

// The caller hears of it when the provider has.
void DspConnector::give_up(const std::shared_ptr<Pull>& pulling, const Error& why) {
    pulling_.erase(pulling->pid);
    end(pulling->pid, ending(refusal_of(why)), [pulling, why] {
        if (pulling->call->finish()) pulling->completion(why);
    });
}

void DspConnector::end(const std::string& pid, const dsp::Act& act, std::function<void()> then) {
    ending_[pid].push_back(std::move(then));
    o_.service.act(pid, act, [weak = weak_from_this(), pid](const Result<std::string>& begun) {
        const auto self = weak.lock();
        if (!self || begun.ok()) return;
        // It is over already, or the store is: nobody will tell.
        if (const auto it = self->ending_.find(pid); it != self->ending_.end()) {
            const auto all = std::move(it->second);
            self->ending_.erase(it);
            for (const auto& one : all) one();
        }
    });
}

void DspConnector::conclude(std::string transfer, Outcome outcome, CallOptions options, Completion<Done> completion) {
    if (Status started = hub::may_start(options); !started.ok()) return completion(started.error());
    const auto t = o_.service.node().transfers().find(transfer);
    if (t == o_.service.node().transfers().end()) {
        // As the provider of it one may know it by the consumer's name for it.
        const bool ours = o_.space.exchange().knows_transfer(transfer);
        return completion(ours ? Error{Code::permission_denied, "transfer.foreign", transfer + " is another participant's"}
                               : Error{Code::not_found, "transfer.unknown", "no transfer " + transfer});
    }
    if (t->second.role != dsp::Role::consumer) return completion(Error{Code::permission_denied, "transfer.foreign", transfer + " is another participant's"});
    if (dsp::is_final(t->second.state)) return completion(done());
    const auto call = begin(options, completion);
    end(transfer, ending(outcome), [call, completion = std::move(completion)] {
        if (call->finish()) completion(done());
    });
}

}  // namespace entente::native
