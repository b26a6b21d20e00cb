// The data space's objects in our bounded archive, and a federation's ledger: only what our encoders write is read.
#include <array>

#include "commands/ledger_file.hpp"
#include "connectors/dsp/process.hpp"
#include "entente/contract/wire.hpp"
#include "entente/plan/plan.hpp"
#include "entente/round/journal.hpp"
#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using namespace entente;
using namespace entente::contract;

template <class T>
void canonical(const Result<T>& read, ByteView bytes) {
    if (!read.ok()) return;
    const Bytes again = encode(*read);
    expect(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()), "what is read is what would be written");
}

void run_archive(ByteView bytes) {
    if (bytes.empty()) return;
    const ByteView rest = bytes.subspan(1);
    switch (std::to_integer<unsigned>(bytes[0]) % 10) {
        case 0: return canonical(decode_hub_view(rest), rest);
        case 1: return canonical(decode_publication(rest), rest);
        case 2: return canonical(decode_catalog_entry(rest), rest);
        case 3: return canonical(decode_agreement(rest), rest);
        case 4: return canonical(decode_transfer_request(rest), rest);
        case 5: return canonical(contract::decode_transfer(rest), rest);
        case 6: return canonical(decode_outcome(rest), rest);
        case 7: return canonical(decode_version(rest), rest);
        case 8: return static_cast<void>(dsp::decode_negotiation(rest));
        default: return static_cast<void>(dsp::decode_transfer(rest));
    }
}

std::vector<Bytes> archive_seeds() {
    const plan::Plan terms = plan::default_digits_plan();
    Offer offer;
    offer.id = "urn:uuid:offer";
    offer.asset = "urn:fl:digits:plant-a:updates";
    offer.assigner = "plant-a";
    offer.assignee = "coordinator";
    const SignedOffer signed_offer = sign(offer, key(1));
    const Agreement agreement = conclude(signed_offer, {"Ada Novak", 1'800'000'000'000}, key(2)).value();
    const Asset asset{offer.asset, AssetKind::update_stream, "digits", "plant-a"};
    const Version version{3, Digest{}, 1000};
    const Transfer transfer{"t-1", agreement.id, asset.id, version, TransferState::terminated, "update.late", "Too late."};
    HubView view;
    view.catalog.entries.push_back({asset, signed_offer, version});
    view.own_version = version;
    view.own_agreements.push_back(agreement);
    view.own_transfers.push_back(transfer);
    return {behind(0, encode(view)), behind(1, encode(Publication{asset, signed_offer})), behind(2, encode(view.catalog.entries[0])),
            behind(3, encode(agreement)), behind(4, encode(TransferRequest{agreement.id, asset.id, version})), behind(5, encode(transfer)),
            behind(6, encode(Outcome{false, "update.late", "Too late."})), behind(7, encode(version)),
            behind(8, dsp::encode(dsp::Negotiation{})), behind(9, dsp::encode(dsp::TransferProcess{}))};
}

void run_ledger(ByteView bytes) {
    if (const auto entry = round::decode_entry(bytes); entry.ok()) {
        const Bytes again = round::encode_entry(*entry);
        expect(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()), "what is read is what would be written");
        expect(!round::kind_of(entry->record).empty(), "an entry has a kind");
        static_cast<void>(round::summary_of(entry->record));
    }
    static_cast<void>(commands::read_ledger_file(bytes));
}

std::vector<Bytes> ledger_seeds() {
    std::vector<Bytes> all;
    std::optional<round::Entry> last;
    const std::array<round::Body, 5> bodies{round::RoundOpened{1, Digest{}, 1000, 7, 2}, round::UpdateAccepted{}, round::UpdateRefused{},
                                            round::PolicyDecided{policy::Point::ingest, "agr-1", "plant-a", 1, false, "policy.denied", "No.", "maxRounds", "maxRounds=7"},
                                            round::ModelPublished{}};
    for (const round::Body& body : bodies) {
        last = round::chain(last, {1'800'000'000'000, body});
        all.push_back(round::encode_entry(*last));
    }
    return all;
}

}  // namespace

Target archive() { return {"archive", run_archive, archive_seeds}; }
Target ledger() { return {"ledger", run_ledger, ledger_seeds}; }

}  // namespace fuzz
