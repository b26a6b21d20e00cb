// Files of a partner (IDX), model files of others (safetensors, npz), and the numbers of an update.
#include <cmath>

#include "entente/aggregate/sparse.hpp"
#include "entente/codec/npz.hpp"
#include "entente/codec/safetensors.hpp"
#include "entente/data/idx.hpp"
#include "fuzz/fuzz.hpp"

namespace fuzz {
namespace {

using namespace entente;

// The first two bytes say how long the file of images is; the labels follow it.
void run_idx(ByteView bytes) {
    if (bytes.size() < 2) return;
    const std::size_t length = std::to_integer<std::size_t>(bytes[0]) | std::to_integer<std::size_t>(bytes[1]) << 8u;
    const ByteView files = bytes.subspan(2);
    const ByteView images = files.first(std::min(length, files.size()));
    const ByteView labels = files.subspan(images.size());
    const auto read = data::read_idx_pair(images, labels);
    expect(read.ok() == data::read_idx_examples({images.begin(), images.end()}, labels).ok(), "both readers agree");
    if (!read.ok()) return;
    expect(data::validate(*read).ok(), "a data set that is read is a good one");
    const auto written = data::write_idx_pair(*read);
    expect(written.ok() && std::equal(written->images.begin(), written->images.end(), images.begin(), images.end()), "pictures come through as they were");
}

std::vector<Bytes> idx_seeds() {
    data::Dataset set;
    set.example_shape = {4, 3, 1};
    set.classes = 10;
    set.labels = {1, 9, 0};
    for (std::size_t i = 0; i < 36; ++i) set.features.push_back(static_cast<float>(i) / 255.0f);
    const data::IdxPair pair = data::write_idx_pair(set).value();
    Bytes all{std::byte(pair.images.size() & 0xffu), std::byte(pair.images.size() >> 8u)};
    all.insert(all.end(), pair.images.begin(), pair.images.end());
    all.insert(all.end(), pair.labels.begin(), pair.labels.end());
    return {all};
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

void run_model_file(ByteView bytes) {
    if (bytes.empty()) return;
    const ByteView file = bytes.subspan(1);
    if ((std::to_integer<unsigned>(bytes[0]) & 1u) == 0) {
        const auto read = codec::read_safetensors(file, {.header_bytes = 1 << 16, .data_bytes = 1 << 20});
        if (!read.ok()) return;
        const auto written = codec::write_safetensors(read->tensors, read->values, read->metadata);
        if (!written.ok()) return;  // names and values that we would not write
        const auto again = codec::read_safetensors(*written);
        expect(again.ok() && again->tensors == read->tensors && same_bits(again->values, read->values), "tensors come through as they were");
    } else {
        const auto read = codec::read_npz(file, {.entries = 64, .data_bytes = 1 << 20});
        if (!read.ok()) return;
        const auto written = codec::write_npz(read->tensors, read->values);
        if (!written.ok()) return;
        const auto again = codec::read_npz(*written);
        expect(again.ok() && again->tensors == read->tensors && same_bits(again->values, read->values), "tensors come through as they were");
    }
}

std::vector<Bytes> model_file_seeds() {
    const std::vector<codec::TensorShape> tensors{{"dense/w", {3, 2}}, {"dense/b", {2}}};
    const std::vector<float> values{0.5f, -1, 2, 3e-4f, 0, 7, 1, -0.25f};
    return {behind(0, codec::write_safetensors(tensors, values, {{"round", "3"}}).value()), behind(1, codec::write_npz(tensors, values).value())};
}

// Eight bits and sixteen, in blocks and not, all of the numbers and the largest.
aggregate::SparseForm form_of(unsigned choice) {
    aggregate::SparseForm form;
    form.grid = (choice & 1u) != 0 ? aggregate::FixedPoint{16, 14, 0} : aggregate::FixedPoint{static_cast<std::uint8_t>((choice & 2u) != 0 ? 8 : 4), 12, 16};
    form.parameters = 64;
    form.kept = (choice & 4u) != 0 ? 5 : 64;
    return form;
}

void run_update(ByteView bytes) {
    if (bytes.empty()) return;
    const unsigned choice = std::to_integer<unsigned>(bytes[0]);
    const ByteView content = bytes.subspan(1);
    const aggregate::SparseForm form = form_of(choice);
    expect(check(form.grid).ok(), "a form that plans may ask for");
    aggregate::Sparse numbers;
    if (!aggregate::unpack(content, form, numbers).ok()) return;
    const Bytes again = aggregate::pack(numbers, form);
    expect(std::equal(again.begin(), again.end(), content.begin(), content.end()), "what is read is what would be written");
    expect(numbers.positions.size() == form.kept && numbers.values.size() == form.kept, "as many numbers as the form says");
    for (const std::int32_t value : numbers.values) expect(std::abs(value) <= form.grid.limit() << form.grid.most_shift(), "within the bounds of the fold");
}

std::vector<Bytes> update_seeds() {
    std::vector<Bytes> all;
    for (std::uint8_t choice = 0; choice < 8; ++choice) {
        const aggregate::SparseForm form = form_of(choice);
        std::vector<float> p(64);
        for (std::size_t i = 0; i < p.size(); ++i) p[i] = static_cast<float>(static_cast<int>(i * 37 % 64) - 32) / 512.0f;
        all.push_back(behind(choice, aggregate::pack(aggregate::sparsify(p, form, {}).value().numbers, form)));
    }
    return all;
}

}  // namespace

Target idx() { return {"idx", run_idx, idx_seeds}; }
Target model_file() { return {"model_file", run_model_file, model_file_seeds}; }
Target update() { return {"update", run_update, update_seeds}; }

}  // namespace fuzz
