// What `inspect` and `export` say of good, damaged and hostile files.
#include <doctest/doctest.h>

#include <array>
#include <cstring>

#include "commands/ledger_file.hpp"
#include "commands/plan_toml.hpp"
#include "commands/run.hpp"
#include "digits_files.hpp"
#include "entente/base/philox.hpp"
#include "entente/codec/frame.hpp"
#include "entente/codec/safetensors.hpp"
#include "entente/plan/plan.hpp"

using namespace entente;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

codec::SigningKey key() {
    std::array<std::byte, codec::SigningKey::seed_bytes> seed{};
    seed[0] = std::byte{7};
    return codec::SigningKey{std::span<const std::byte, codec::SigningKey::seed_bytes>(seed)};
}

codec::FrameHeader header() {
    codec::FrameHeader h;
    h.federation = "digits-demo";
    h.sender = "plant-a";
    h.round = 3;
    return h;
}

// A model of a 2 x 3 matrix and a scalar, 0.5 steps.
Bytes model_envelope(const plan::Plan& plan = plan::default_digits_plan()) {
    codec::FrameHeader h = header();
    h.plan = plan::digest_of(plan);
    h.encoding = codec::Encoding::float32;
    h.tensors = {{"hidden.weight", {2, 3}}, {"shift", {}}};
    std::vector<float> values;
    for (int i = 0; i < 7; ++i) values.push_back(0.5f * static_cast<float>(i) - 1.0f);
    return codec::encode_frame(codec::FrameKind::model, h, ByteView(std::as_bytes(std::span(values))), key()).value();
}

Bytes envelope(codec::FrameKind kind, std::string_view content) {
    return codec::encode_frame(kind, header(), as_bytes(content), key()).value();
}

int inspect(FakeEnvironment& environment, const Bytes& bytes, bool json = false) {
    environment.files["the-file"] = bytes;
    environment.out.clear();
    environment.error.clear();
    std::vector<std::string> args{"inspect", "the-file"};
    if (json) args.emplace_back("--json");
    return commands::run(args, environment);
}

// A reader of safetensors for this test alone, from the format's description: u64 length, JSON, data.
struct OtherReader {
    std::string head;
    Bytes data;

    explicit OtherReader(const Bytes& file) {
        REQUIRE(file.size() >= 8);
        std::uint64_t length = 0;
        for (int i = 7; i >= 0; --i) length = length << 8u | std::to_integer<std::uint64_t>(file[static_cast<std::size_t>(i)]);
        REQUIRE(length <= file.size() - 8);
        head.resize(static_cast<std::size_t>(length));
        std::memcpy(head.data(), file.data() + 8, head.size());
        data.assign(file.begin() + 8 + static_cast<std::ptrdiff_t>(length), file.end());
    }
    std::vector<float> floats(const std::string& name, const std::string& shape) const {
        const std::string start = "\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[" + shape + "],\"data_offsets\":[";
        const std::size_t at = head.find(start);
        REQUIRE(at != std::string::npos);
        std::size_t used = 0;
        const std::string numbers = head.substr(at + start.size());
        const std::size_t begin = static_cast<std::size_t>(std::stoull(numbers, &used));
        const std::size_t end = static_cast<std::size_t>(std::stoull(numbers.substr(used + 1)));
        REQUIRE(begin <= end);
        REQUIRE(end <= data.size());
        REQUIRE((end - begin) % 4 == 0);
        std::vector<float> values;
        for (std::size_t i = begin; i < end; i += 4) {
            std::uint32_t bits = 0;
            for (std::size_t b = 4; b-- > 0;) bits = bits << 8u | std::to_integer<std::uint32_t>(data[i + b]);
            float value = 0;
            std::memcpy(&value, &bits, 4);
            values.push_back(value);
        }
        return values;
    }
};

}  // namespace

TEST_CASE("inspect names the kind, the sender and the tensors of an envelope, for people and for programs") {
    FakeEnvironment environment;
    CHECK(inspect(environment, model_envelope()) == commands::exit_done);
    for (const char* part : {"model (digest and signature hold)", "digits-demo", "plant-a", "2 x 3", "scalar", "Round        3"}) {
        CAPTURE(part);
        CHECK(contains(environment.out, part));
    }
    CHECK(inspect(environment, model_envelope(), true) == commands::exit_done);
    CHECK(contains(environment.out, "\"tensors\":[{\"name\":\"hidden.weight\",\"shape\":[2,3]},{\"name\":\"shift\",\"shape\":[]}]"));
    CHECK(contains(environment.out, "\"verified\":true"));
    const struct {
        codec::FrameKind kind;
        const char* name;
    } kinds[] = {{codec::FrameKind::update, "update"}, {codec::FrameKind::receipt, "receipt"},
                 {codec::FrameKind::offer, "offer"}, {codec::FrameKind::agreement, "agreement"}};
    for (const auto& k : kinds) {
        CHECK(inspect(environment, envelope(k.kind, "content"), true) == commands::exit_done);
        CHECK(contains(environment.out, "\"kind\":\"" + std::string(k.name) + "\""));
    }
}

TEST_CASE("the plan inside a signed envelope is shown, and can be checked and simulated as a file") {
    FakeEnvironment environment;
    const plan::Plan plan = plan::default_digits_plan();
    const Bytes bytes = codec::encode_frame(codec::FrameKind::plan, header(), plan::canonical_bytes(plan), key()).value();
    CHECK(inspect(environment, bytes) == commands::exit_done);
    CHECK(contains(environment.out, "[training]\nepochs = 1\n"));
    CHECK(commands::run({"plan", "check", "the-file"}, environment) == commands::exit_done);
    CHECK(contains(environment.out, to_hex(plan::digest_of(plan))));
    CHECK(inspect(environment, envelope(codec::FrameKind::plan, "not a plan")) != commands::exit_done);
    CHECK(contains(environment.error, "the-file: "));
    CHECK(commands::run({"plan", "check", "the-file"}, environment) == commands::exit_configuration);
    environment.files["model"] = model_envelope();
    CHECK(commands::run({"plan", "check", "model"}, environment) == commands::exit_configuration);
}

TEST_CASE("an envelope is refused at every length but its own; a changed byte is refused, or changes nothing that is said") {
    FakeEnvironment environment;
    const Bytes whole = model_envelope();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK(inspect(environment, Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))) != commands::exit_done);
        CHECK(contains(environment.error, "the-file: "));
    }
    REQUIRE(inspect(environment, whole, true) == commands::exit_done);
    const std::string said = environment.out;
    std::size_t refused = 0;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        Bytes changed = whole;
        changed[at] ^= std::byte{1};
        CAPTURE(at);
        // The signature is over the content: zstd has a bit or two that mean nothing for it.
        if (inspect(environment, changed, true) == commands::exit_done) {
            CHECK(environment.out == said);
        } else {
            ++refused;
        }
    }
    CHECK(refused + 4 > whole.size());
    Bytes longer = whole;
    longer.push_back(std::byte{0});
    CHECK(inspect(environment, longer) == commands::exit_bad_data);
}

TEST_CASE("noise behind any of the magic words is refused with a sentence, never with a crash") {
    FakeEnvironment environment;
    Philox random({7, 8});
    for (int i = 0; i < 3000; ++i) {
        const char* const starts[] = {"", "ENTF", "ENTL", "ENTF\x01", "ENT", "{\"a\":"};
        const ByteView start = as_bytes(std::string_view(starts[random.bounded(6)]));
        Bytes bytes(start.begin(), start.end());
        for (std::uint32_t n = random.bounded(300); n > 0; --n) bytes.push_back(static_cast<std::byte>(random.bounded(256)));
        CHECK(inspect(environment, bytes, i % 2 == 0) != commands::exit_done);
        CHECK(contains(environment.error, "the-file: "));
        CHECK(environment.out.empty());
    }
}

TEST_CASE("a header that promises terabytes is refused, not believed") {
    FakeEnvironment environment;
    Bytes bytes = model_envelope();
    for (std::size_t i = 12; i < 20; ++i) bytes[i] = std::byte{0xff};
    CHECK(inspect(environment, bytes) == commands::exit_bad_data);
    CHECK(contains(environment.error, "frame.content-too-large"));
    Bytes tensors(8, std::byte{0xff});
    CHECK(inspect(environment, tensors) == commands::exit_bad_data);
}

TEST_CASE("a hostile file's text cannot steer the terminal that shows it") {
    FakeEnvironment environment;
    const std::vector<codec::TensorShape> shape{{"w\x1b[2J", {1}}};
    const std::array<float, 1> value{1.0f};
    CHECK(inspect(environment, codec::write_safetensors(shape, value, {{"note\r", "\x1b]0;owned\x07\xc2\x9b" "31m"}}).value()) ==
          commands::exit_done);
    CHECK(contains(environment.out, "?]0;owned??31m"));
    for (const char c : {'\x1b', '\r', '\x07', '\x9b'}) CHECK_FALSE(contains(environment.out, std::string(1, c)));
    codec::FrameHeader h = header();
    h.sender = "plant\x1b[1A\nKind";
    const Bytes frame = codec::encode_frame(codec::FrameKind::receipt, h, as_bytes(std::string_view("x")), key()).value();
    CHECK(inspect(environment, frame) == commands::exit_done);
    CHECK(contains(environment.out, "plant?[1A?Kind"));
}

TEST_CASE("a model is exported only where its contract is known and allows it") {
    plan::Plan kept = plan::default_digits_plan();
    kept.contract.model_may = plan::model_operations;
    FakeEnvironment environment;
    environment.files["m.entf"] = model_envelope(kept);
    environment.put("plan.toml", commands::write_plan_toml(kept));
    CHECK(commands::run({"export", "m.entf", "-o", "m.safetensors"}, environment) == commands::exit_policy);
    CHECK(contains(environment.error, "policy.missing-fact"));
    CHECK(environment.files.count("m.safetensors") == 0);

    // The contract in the ledger says no, and none of it is written.
    const contract::SignedOffer offer = contract::sign(
        {"offer:digits-demo:global", contract::global_model_asset("digits-demo"), "coordinator", {}, plan::model_policy(kept)}, key());
    const round::Entry entry = round::chain({}, {1, round::AgreementConcluded{contract::conclude(offer, {"Ada", 1}, key()).value()}});
    environment.files["l.entl"] = commands::write_ledger_file({entry});
    environment.error.clear();
    CHECK(commands::run({"export", "m.entf", "-o", "m.safetensors", "--ledger", "l.entl"}, environment) == commands::exit_policy);
    CHECK(contains(environment.error, "allowedOperation: expected only evaluate+train, found export"));
    CHECK(environment.files.count("m.safetensors") == 0);

    const contract::SignedOffer more = contract::sign(
        {"offer:digits-demo:global", contract::global_model_asset("digits-demo"), "coordinator", {}, plan::model_policy(plan::default_digits_plan())}, key());
    const round::Entry other = round::chain({}, {1, round::AgreementConcluded{contract::conclude(more, {"Ada", 1}, key()).value()}});
    environment.files["l.entl"] = commands::write_ledger_file({other});
    CHECK(commands::run({"export", "m.entf", "-o", "m.safetensors", "--ledger", "l.entl"}, environment) == commands::exit_done);
    CHECK(environment.files.count("m.safetensors") == 1);
}

TEST_CASE("an exported model is read by another reader, value for value") {
    FakeEnvironment environment;
    environment.files["m.entf"] = model_envelope();
    REQUIRE(commands::run({"export", "m.entf", "-o", "m.safetensors"}, environment) == commands::exit_done);
    const OtherReader other(environment.files["m.safetensors"]);
    CHECK(other.floats("hidden.weight", "2,3") == std::vector<float>{-1, -0.5, 0, 0.5, 1, 1.5});
    CHECK(other.floats("shift", "") == std::vector<float>{2});
    CHECK(other.data.size() == 28);
    CHECK(contains(other.head, "\"federation\":\"digits-demo\""));
    CHECK((8 + other.head.size()) % 8 == 0);
    environment.out.clear();
    CHECK(commands::run({"export", "m.entf", "-o", "n", "--json"}, environment) == commands::exit_done);
    CHECK(environment.out == "{\"file\":\"n\",\"bytes\":" + std::to_string(environment.files["n"].size()) +
                                 ",\"card\":\"n.card.md\"}\n");
    CHECK(environment.files.count("m.safetensors.card.md") == 1);
}

TEST_CASE("export refuses what is no whole model, says which file, and writes nothing") {
    FakeEnvironment environment;
    environment.files["update"] = envelope(codec::FrameKind::update, "xxxx");
    environment.files["bytes"] = envelope(codec::FrameKind::model, "xxxx");
    codec::FrameHeader untold = header();
    untold.encoding = codec::Encoding::float32;
    environment.files["untold"] =
        codec::encode_frame(codec::FrameKind::model, untold, as_bytes(std::string_view("\0\0\0\0", 4)), key()).value();
    environment.files["cut"] = model_envelope();
    environment.files["cut"].pop_back();
    environment.put("empty", "");
    for (const char* file : {"update", "bytes", "untold", "cut", "empty", "missing"}) {
        environment.error.clear();
        CAPTURE(file);
        CHECK(commands::run({"export", file, "-o", "out"}, environment) != commands::exit_done);
        CHECK(contains(environment.error, file));
        CHECK(environment.files.count("out") == 0);
    }
    environment.files["good"] = model_envelope();
    CHECK(commands::run({"export", "good", "-o", "out", "--format", "onnx"}, environment) == commands::exit_usage);
    CHECK(contains(environment.error, "--plan"));
    CHECK(commands::run({"export", "good", "-o", "out", "--format", "gguf"}, environment) == commands::exit_usage);
    CHECK(contains(environment.error, "expected safetensors, npz, onnx or entente, found \"gguf\""));
    CHECK(commands::run({"export", "good", "-o", "out.onnx", "--plan", ""}, environment) == commands::exit_usage);
    CHECK(environment.files.count("out") == 0);
}

TEST_CASE("the file of a simulated model says which plan was carried out, options included") {
    WithDigits environment;
    REQUIRE(commands::run({"simulate", "--data", "mnist", "--partners", "2", "--rounds", "1", "--seed", "9", "--save", "m"},
                          environment) == commands::exit_done);
    plan::Plan carried_out = plan::default_digits_plan();
    carried_out.round.rounds = 1;
    carried_out.training.seed = 9;
    CHECK(codec::read_safetensors(environment.files["m"])->metadata.at("plan_digest") == to_hex(plan::digest_of(carried_out)));
}
