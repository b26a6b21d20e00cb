// A partner's data: read here, never sent.
#include <algorithm>

#include "entente/data/idx.hpp"
#include "json.hpp"
#include "objects.hpp"

using namespace entente;
using namespace entente::wasm;

extern "C" {

const Answer* ent_data_read(const std::byte* images, std::uint32_t images_size, const std::byte* labels,
                            std::uint32_t labels_size) {
    return guard([&]() -> Result<Handle> {
        ENTENTE_ASSIGN(data::Dataset read, data::read_idx_pair(view(images, images_size), view(labels, labels_size)));
        auto object = std::make_shared<DataObject>();
        object->data = std::make_shared<const data::Dataset>(std::move(read));
        return keep(std::move(object));
    });
}

const Answer* ent_data_describe(Handle handle) {
    return guard([&]() -> Result<std::string> {
        ENTENTE_ASSIGN(const auto object, find<DataObject>(handle));
        const data::Dataset& d = *object->data;
        std::vector<std::uint64_t> balance(d.classes);
        for (const std::uint32_t label : d.labels) ++balance[label];
        const auto number = [](auto n) { return std::to_string(n); };
        return Json().number("rows", d.size()).raw("shape", json_list(d.example_shape, number))
            .raw("balance", json_list(balance, number)).done();
    });
}

// Evenly spread rows: for each, the label and the pixels as bytes.
const Answer* ent_data_preview(Handle handle, std::uint32_t count) {
    return guard([&]() -> Result<Bytes> {
        ENTENTE_ASSIGN(const auto object, find<DataObject>(handle));
        const data::Dataset& d = *object->data;
        count = static_cast<std::uint32_t>(std::min<std::size_t>(count, d.size()));
        Bytes out;
        out.reserve(count * (1 + d.example_size()));
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::size_t row = static_cast<std::size_t>(i) * (d.size() / count);
            out.push_back(static_cast<std::byte>(d.labels[row]));
            for (const float value : d.example(row)) out.push_back(static_cast<std::byte>(value * 255.0f + 0.5f));
        }
        return out;
    });
}

}  // extern "C"
