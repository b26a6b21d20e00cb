// What the compatibility kit of the Dataspace Protocol expects its counterpart to decide, as tables: the connector's only
// part that is not the production one. The kit's tests name a dataset or an agreement, and that names the row.
#pragma once

#include "connectors/dsp/behaviour.hpp"

namespace interop {

class KitScript final : public entente::dsp::Behaviour {
public:
    // `kit`: the participant id that the kit goes by; its callbacks are at `kit_origin`.
    KitScript(std::string participant, std::string kit, std::string kit_origin, std::string data_endpoint)
        : participant_(std::move(participant)), kit_(std::move(kit)), kit_origin_(std::move(kit_origin)), data_endpoint_(std::move(data_endpoint)) {}

    entente::Status admit_address(const std::string& peer, const std::string& address) override;
    Found catalogue(const std::string& peer, const entente::dsp::CatalogueFilter& filter) override;
    entente::Status admit(const entente::dsp::Negotiation& proposed) override;
    entente::Status admit(const entente::dsp::TransferProcess& proposed) override;
    entente::Status admit_agreement(const entente::dsp::Negotiation&) override { return entente::done(); }
    std::vector<entente::dsp::Act> next(const entente::dsp::Negotiation& n, entente::dsp::Kind kind, entente::dsp::Cause cause) override;
    std::vector<entente::dsp::Act> next(const entente::dsp::TransferProcess& t, entente::dsp::Kind kind, entente::dsp::Cause cause) override;

    // The offer of a dataset, as it stands in a catalogue.
    static std::string offer_of(const std::string& dataset);

private:

    std::string participant_;
    std::string kit_;
    std::string kit_origin_;
    std::string data_endpoint_;
};

}  // namespace interop
