#include "connectors/dsp/catalogue.hpp"

#include <algorithm>
#include <charconv>

#include "connectors/dsp/schema.hpp"
#include "connectors/dsp/words.hpp"

namespace entente::dsp {
namespace {

constexpr std::size_t max_datasets = 1000;
constexpr std::size_t max_offers = 16;
constexpr std::size_t max_property = 256 * 1024;

Json service_json(const std::string& endpoint) {
    return json::object({{"@id", "urn:entente:dsp"}, {"@type", "DataService"}, {"endpointURL", endpoint}});
}

Json dataset_json(const Dataset& dataset) {
    Json o = json::object({{"@id", dataset.id}, {"@type", "Dataset"}});
    std::vector<Json> offers;
    for (const std::string& offer : dataset.offers) {
        auto parsed = json::parse(offer);
        if (!parsed.ok()) continue;
        for (const char* name : {"@context", "target"}) json::erase(*parsed, name);
        json::put(*parsed, "@type", json::string("Offer"));
        offers.push_back(std::move(*parsed));
    }
    std::vector<Json> distributions;
    for (const std::string& format : dataset.formats) {
        Json d = json::object({{"@type", "Distribution"}, {"format", format}});
        json::put(d, "accessService", service_json(dataset.endpoint));
        distributions.push_back(std::move(d));
    }
    if (!offers.empty()) json::put(o, "hasPolicy", json::array(std::move(offers)));
    if (!distributions.empty()) json::put(o, "distribution", json::array(std::move(distributions)));
    for (const auto& [name, text] : dataset.properties) json::put(o, std::string(ns) + name, json::string(text));
    return o;
}

std::string endpoint_of(const Json& service) {
    const auto text = json::text(json::find(service, "endpointURL"));
    return text && text->size() <= max_text ? *text : std::string();
}

Status read_distributions(Members& m, Dataset& dataset) {
    for (const Json* item : m.list("distribution")) {
        if (const auto text = json::text(json::find(*item, "format"))) dataset.formats.push_back(*text);
        const Json* service = json::find(*item, "accessService");
        if (service != nullptr && dataset.endpoint.empty()) dataset.endpoint = endpoint_of(*service);
    }
    return m.status();
}

Result<Dataset> dataset_from(const Json& o) {
    Members m("Dataset", o);
    Dataset dataset;
    dataset.id = m.required("@id");
    for (const Json* item : m.list("hasPolicy")) {
        if (item->kind != Json::Kind::object) m.fail("expected objects as hasPolicy");
        if (dataset.offers.size() == max_offers) break;
        dataset.offers.push_back(write_json(*item));
    }
    ENTENTE_TRY(read_distributions(m, dataset));
    for (const JsonMember& member : o.members) {
        const auto text = member.name.starts_with(ns) ? json::text(member.value) : std::nullopt;
        if (text && text->size() <= max_property) dataset.properties.emplace(member.name.substr(ns.size()), *text);
    }
    return dataset;
}

// A whole number, written as one or as a string.
std::optional<std::size_t> count(const Json& v) {
    const auto text = v.kind == Json::Kind::number ? std::optional(v.text) : json::text(v);
    std::size_t number = 0;
    if (!text || text->empty()) return std::nullopt;
    const auto [end, ec] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (ec != std::errc() || end != text->data() + text->size()) return std::nullopt;
    return number;
}

Error unsupported(const std::string& sentence) { return {Code::invalid_argument, "dsp.filter", "filter: " + sentence}; }

Status read_criterion(const Json& v, CatalogueFilter& filter) {
    if (v.kind != Json::Kind::object) return unsupported("expected criteria as objects");
    Members m("Criterion", v);
    const std::string left = m.required("operandLeft");
    const std::string op = m.required("operator");
    const std::string right = m.required("operandRight");
    ENTENTE_TRY(m.status());
    const std::string id = std::string(edc_ns) + "id";
    if ((left == id || left == "id" || left == "@id") && op == "=") {
        filter.dataset = right;
        return done();
    }
    return unsupported("expected a comparison of " + id + " by \"=\", found " + left + " \"" + op + "\"");
}

Status read_query(const Json& v, CatalogueFilter& filter) {
    if (v.kind != Json::Kind::object) return unsupported("expected objects");
    for (const JsonMember& member : v.members) {
        const std::string_view name = json::last_segment(member.name);
        if (name == "limit" || name == "offset") {
            const auto number = count(member.value);
            if (!number) return unsupported("expected a whole number as " + std::string(name));
            if (name == "offset") filter.offset = *number;
            else filter.limit = std::clamp<std::size_t>(*number, 1, max_page);
        } else if (name == "filterExpression") {
            for (const Json* item : json::items(member.value)) ENTENTE_TRY(read_criterion(*item, filter));
        } else if (name != "@type" && name != "@id" && name != "sortOrder" && name != "sortField") {
            return unsupported("expected limit, offset and filterExpression, found " + std::string(name));
        }
    }
    return done();
}

}  // namespace

Result<CatalogueFilter> read_catalog_request(std::string_view text) {
    ENTENTE_ASSIGN(const Json o, json::parse(text));
    Members m("CatalogRequestMessage", o);
    m.context();
    m.type({"CatalogRequestMessage"});
    ENTENTE_TRY(m.status());
    CatalogueFilter filter;
    if (const Json* query = m.find("filter")) {
        for (const Json* item : json::items(*query)) ENTENTE_TRY(read_query(*item, filter));
    }
    return filter;
}

std::string write_catalog_request(const CatalogueFilter& filter) {
    Json o = json::object({});
    json::put(o, "@context", json::array({json::string(context)}));
    json::put(o, "@type", json::string("CatalogRequestMessage"));
    const auto number = [](std::size_t n) {
        Json value;
        value.kind = Json::Kind::number;
        value.text = std::to_string(n);
        return value;
    };
    Json query = json::object({{"@type", "QuerySpec"}});
    json::put(query, "limit", number(filter.limit));
    json::put(query, "offset", number(filter.offset));
    if (filter.dataset) {
        json::put(query, "filterExpression",
                  json::array({json::object({{"@type", "Criterion"},
                                             {"operandLeft", std::string(edc_ns) + "id"},
                                             {"operator", "="},
                                             {"operandRight", *filter.dataset}})}));
    }
    json::put(o, "filter", json::array({std::move(query)}));
    return write_json(o);
}

Result<CataloguePage> read_catalog(std::string_view text) {
    ENTENTE_ASSIGN(const Json o, json::parse(text));
    Members m("Catalog", o);
    m.type({"Catalog"});
    CataloguePage page;
    page.id = m.optional("@id");
    page.participant = m.optional("participantId");
    for (const Json* service : m.list("service")) {
        if (page.endpoint.empty()) page.endpoint = endpoint_of(*service);
    }
    const auto datasets = m.list("dataset");
    if (datasets.size() > max_datasets) m.fail("expected at most 1000 datasets, found " + std::to_string(datasets.size()));
    ENTENTE_TRY(m.status());
    for (const Json* item : datasets) {
        ENTENTE_ASSIGN(Dataset dataset, dataset_from(*item));
        page.datasets.push_back(std::move(dataset));
    }
    return page;
}

Result<Dataset> read_dataset(std::string_view text) {
    ENTENTE_ASSIGN(const Json o, json::parse(text));
    return dataset_from(o);
}

std::string write_catalog(const CataloguePage& page) {
    Json o = json::object({});
    json::put(o, "@context", json::array({json::string(context)}));
    json::put(o, "@id", page.id);
    json::put(o, "@type", json::string("Catalog"));
    json::put(o, "participantId", page.participant);
    json::put(o, "service", json::array({service_json(page.endpoint)}));
    std::vector<Json> datasets;
    for (const Dataset& dataset : page.datasets) datasets.push_back(dataset_json(dataset));
    if (!datasets.empty()) json::put(o, "dataset", json::array(std::move(datasets)));
    return write_json(o);
}

std::string write_dataset(const Dataset& dataset) {
    Json o = dataset_json(dataset);
    json::put(o, "@context", json::array({json::string(context)}));
    return write_json(o);
}

}  // namespace entente::dsp
