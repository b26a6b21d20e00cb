#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>

#include "core/bench.hpp"
#include "threads/worker_pool.hpp"
#include "entente/aggregate/fold.hpp"
#include "entente/aggregate/order_statistics.hpp"
#include "entente/codec/frame.hpp"
#include "entente/plan/plan.hpp"

namespace entente::bench {
namespace {

plan::Plan cnn_plan(unsigned bits) {
    plan::Plan plan = plan::default_digits_plan();
    plan.task.model = nn::mcmahan_cnn();
    plan.aggregation.grid.bits = static_cast<std::uint8_t>(bits);
    plan.aggregation.grid.scale_log2 = static_cast<std::uint8_t>(bits == 32 ? 24 : 14);
    plan.aggregation.grid.block = bits == 8 ? 256 : 0;
    return plan;
}

// Distributed like what a training leaves: a bell with a standard deviation of 5e-3.
Bytes an_update(const plan::Plan& plan, std::uint64_t stream) {
    Philox random(derive_key(7, stream, {}, Purpose::test));
    std::vector<float> delta(static_cast<std::size_t>(plan::parameter_count(plan)));
    for (float& d : delta) d = 5e-3f * static_cast<float>(random.normal());
    const auto q = aggregate::quantise(delta, plan.aggregation.grid, derive_key(8, stream, {}, Purpose::test)).value();
    return aggregate::pack(q.values, plan.aggregation.grid);
}

Bytes an_envelope(const plan::Plan& plan, ByteView content) {
    codec::FrameHeader header;
    header.encoding = plan::update_encoding(plan);
    header.tensors = plan::tensor_shapes(plan);
    header.weight = 600;
    return codec::encode_frame(codec::FrameKind::update, header, content, codec::SigningKey(std::array<std::byte, 32>{})).value();
}

// The most that was resident since construction beyond what was then.
class Memory {
public:
    Memory() : before_mb_(status_mb("VmRSS:")) { std::ofstream("/proc/self/clear_refs") << 5; }
    [[nodiscard]] double grown_mb() const { return status_mb("VmHWM:") - before_mb_; }

private:
    static double status_mb(const std::string& field) {
        std::ifstream status("/proc/self/status");
        for (std::string word; status >> word;) {
            if (word != field) continue;
            double kib = 0;
            status >> kib;
            return kib / 1024;
        }
        throw std::runtime_error("no " + field + " in /proc/self/status");
    }
    double before_mb_;
};

void must(const Status& status) {
    if (!status.ok()) throw std::runtime_error(status.error().message);
}

// What the coordinator does with an update, from the envelope's bytes: bounds, zstd, digest, signature, integers.
aggregate::PackedUpdate open_update(const plan::Plan& plan, const Bytes& envelope, std::uint64_t parameters) {
    auto frame = codec::decode_frame(envelope, plan::update_limits(plan));
    if (!frame.ok()) throw std::runtime_error(frame.error().message);
    return aggregate::PackedUpdate::of(std::move(frame->content), plan.aggregation.grid, parameters).value();
}

}  // namespace

// As a coordinator does it: a few updates at a time are opened side by side, and added to the sums together. The second of
// two rounds is measured: the sums are those of the first, as they are the whole day.
void fold(const Words& words) {
    if (words.size() != 4) throw std::runtime_error("fold: expected UPDATES plain|checked BITS THREADS");
    const std::size_t updates = std::stoul(words[0]);
    const bool checked = words[1] == "checked";
    const plan::Plan plan = cnn_plan(static_cast<unsigned>(std::stoul(words[2])));
    const aggregate::FixedPoint& grid = plan.aggregation.grid;
    const std::uint64_t d = plan::parameter_count(plan);
    std::vector<aggregate::PackedUpdate> held;
    std::vector<Bytes> envelopes;
    for (std::uint64_t i = 0; i < 2; ++i) {
        held.push_back(aggregate::PackedUpdate::of(an_update(plan, i), grid, d).value());
        envelopes.push_back(an_envelope(plan, held.back().content()));
    }
    WorkerPool pool(static_cast<unsigned>(std::stoul(words[3])));
    // Opened ones as many as weigh no more than the sums.
    const auto weigh = static_cast<std::size_t>(8 * d / grid.content_bytes(d));
    const std::size_t together = checked ? std::clamp<std::size_t>(weigh, 2, 8) : 32;
    const Memory memory;
    aggregate::Fold sum = aggregate::Fold::create(d, plan::fold_bounds(plan)).value();
    std::vector<std::optional<aggregate::PackedUpdate>> opened(together);
    double began = 0;
    double cpu_began = 0;
    const auto round = [&] {
        began = wall_now();
        cpu_began = cpu_now();
        sum.reset();
        for (std::size_t from = 0; from < updates; from += together) {
            const std::size_t count = std::min(together, updates - from);
            std::vector<aggregate::Contribution> group(count);
            pool.run(count, [&](std::size_t i, unsigned) {
                if (checked) {
                    opened[i] = open_update(plan, envelopes[i & 1], d);
                } else {
                    must(aggregate::check_packed(held[i & 1].content(), grid, d));
                }
                group[i] = {checked ? &*opened[i] : &held[i & 1], 600};
                must(sum.validate(group[i], static_cast<std::uint32_t>(i)));
            });
            sum.accumulate(group, pool);
        }
        std::vector<float> mean(static_cast<std::size_t>(d));
        must(sum.report(mean, 1.0, pool));
    };
    round();
    round();
    const double seconds = wall_now() - began;
    print(seconds, "\"cpu_s\": " + std::to_string(cpu_now() - cpu_began) + ", \"memory_mb\": " + std::to_string(memory.grown_mb()) + ", \"envelope_bytes\": " + std::to_string(envelopes[0].size()));
}

// Of updates as they lie in files: only what is looked at is in memory.
void median(const Words& words) {
    if (words.size() != 3) throw std::runtime_error("median: expected UPDATES BITS THREADS");
    const plan::Plan plan = cnn_plan(static_cast<unsigned>(std::stoul(words[1])));
    class Stored final : public aggregate::StoredUpdate {
    public:
        Stored(aggregate::FixedPoint grid, ByteView content) : grid_(grid), file_(std::tmpfile()) {
            if (file_ == nullptr || std::fwrite(content.data(), 1, content.size(), file_) != content.size() || std::fflush(file_) != 0) {
                throw std::runtime_error("median: no room for the updates");
            }
        }
        Stored(const Stored&) = delete;
        ~Stored() override { std::fclose(file_); }
        [[nodiscard]] Status read(std::uint64_t first, std::span<std::int32_t> values) const override {
            // What is asked for begins at a multiple of order_block, and so of this plan's blocks of 256.
            Bytes packed(static_cast<std::size_t>(grid_.content_bytes(values.size())));
            const auto at = static_cast<off_t>(grid_.content_bytes(first));
            if (::pread(::fileno(file_), packed.data(), packed.size(), at) != static_cast<ssize_t>(packed.size())) {
                return Error{Code::data_loss, "bench.file", "median: an update's file is short"};
            }
            return aggregate::unpack(packed, grid_, values);
        }

    private:
        aggregate::FixedPoint grid_;
        std::FILE* file_;
    };
    const Bytes some[2] = {an_update(plan, 0), an_update(plan, 1)};
    std::vector<std::unique_ptr<Stored>> updates;
    std::vector<const aggregate::StoredUpdate*> pointers;
    for (std::size_t i = 0; i < std::stoul(words[0]); ++i) {
        updates.push_back(std::make_unique<Stored>(plan.aggregation.grid, some[i & 1]));
        pointers.push_back(updates.back().get());
    }
    WorkerPool pool(static_cast<unsigned>(std::stoul(words[2])));
    std::vector<float> result(static_cast<std::size_t>(plan::parameter_count(plan)));
    const Memory memory;
    const double began = wall_now();
    must(aggregate::coordinate_median(pointers, plan.aggregation.grid, pool, result));
    print(wall_now() - began, "\"memory_mb\": " + std::to_string(memory.grown_mb()));
}

void codec(const Words& words) {
    if (words.size() != 3) throw std::runtime_error("codec: expected ours|zstd BITS SECONDS");
    const plan::Plan plan = cnn_plan(static_cast<unsigned>(std::stoul(words[1])));
    const Bytes content = an_update(plan, 0);
    const codec::SigningKey key(std::array<std::byte, 32>{});
    codec::FrameHeader header;
    header.encoding = plan::update_encoding(plan);
    header.tensors = plan::tensor_shapes(plan);
    const double calls = rate(std::stod(words[2]), true, [&] {
        if (words[0] == "zstd") {
            Bytes small(ZSTD_compressBound(content.size()));
            const std::size_t size = ZSTD_compress(small.data(), small.size(), content.data(), content.size(), 1);
            Bytes back(content.size());
            if (ZSTD_decompress(back.data(), back.size(), small.data(), size) != content.size()) throw std::runtime_error("zstd");
        } else {
            const Bytes envelope = codec::encode_frame(codec::FrameKind::update, header, content, key).value();
            if (!codec::decode_frame(envelope, plan::update_limits(plan)).ok()) throw std::runtime_error("frame");
        }
    });
    print(1e3 / calls);
}

}  // namespace entente::bench
