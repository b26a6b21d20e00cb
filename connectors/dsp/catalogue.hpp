// Datasets and catalogues (Dataspace Protocol 2025-1, section 5), as plain values and as bytes.
//
//   std::string body = write_catalog({.id = "urn:uuid:1", .participant = "plant-a", .endpoint = base, .datasets = {…}});
//   ENTENTE_ASSIGN(const CataloguePage page, read_catalog(body));
//
// Errors of the readers: reader.hpp's. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entente/base/result.hpp"

namespace entente::dsp {

struct Dataset {
    std::string id;
    std::vector<std::string> offers;   // JSON objects without target
    std::vector<std::string> formats;  // "HttpData-PULL"
    // Members below words.hpp's `ns`, by what follows it: what is new is visible without a transfer.
    std::map<std::string, std::string> properties;
    std::string endpoint;  // of the connector that serves it, when it is said

    friend bool operator==(const Dataset&, const Dataset&) = default;
};

struct CataloguePage {
    std::string id;
    std::string participant;
    std::string endpoint;  // the base address of the connector that serves it
    std::vector<Dataset> datasets;

    friend bool operator==(const CataloguePage&, const CataloguePage&) = default;
};

inline constexpr std::size_t max_page = 100;
// What a CatalogRequestMessage asks for. Supported: the dataset's id, limit and offset, as EDC sends them.
struct CatalogueFilter {
    std::optional<std::string> dataset;
    std::size_t offset = 0;
    std::size_t limit = max_page;
};

// invalid_argument "dsp.filter" for what is not supported.
Result<CatalogueFilter> read_catalog_request(std::string_view json);
std::string write_catalog_request(const CatalogueFilter& filter);

// Accepts nested objects where strings stand and the reverse; at most 1,000 datasets.
Result<CataloguePage> read_catalog(std::string_view json);
Result<Dataset> read_dataset(std::string_view json);
std::string write_catalog(const CataloguePage& page);
std::string write_dataset(const Dataset& dataset);  // standing alone

}  // namespace entente::dsp
