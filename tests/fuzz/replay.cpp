// Every target without a fuzzer, in every build: its seeds whole, cut short, with bytes altered, doubled and dropped.
//
//   fuzz_replay                    all of that; the exit code says whether every target held
//   fuzz_replay --names            the targets, a line each
//   fuzz_replay --seeds FOLDER     writes the seeds there, a folder a target, for libFuzzer to begin from
//   fuzz_replay TARGET FILE...     what a fuzzer has found, once more
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "fuzz/fuzz.hpp"

namespace {

namespace fs = std::filesystem;
using fuzz::Bytes;

// Of long seeds only so many places are tried.
constexpr std::size_t most_places = 600;

void mutate(const fuzz::Target& target, const Bytes& seed) {
    target.run(seed);
    const std::size_t step = seed.size() / most_places + 1;
    for (std::size_t at = 0; at < seed.size(); at += step) {
        target.run(fuzz::ByteView(seed).first(at));
        for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
            Bytes altered = seed;
            altered[at] ^= std::byte(flip);
            target.run(altered);
        }
        Bytes doubled = seed;
        doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(at), seed[at]);
        target.run(doubled);
        Bytes dropped = seed;
        dropped.erase(dropped.begin() + static_cast<std::ptrdiff_t>(at));
        target.run(dropped);
    }
}

int write_seeds(const fs::path& folder) {
    for (const fuzz::Target& target : fuzz::all()) {
        fs::create_directories(folder / target.name);
        int number = 0;
        for (const Bytes& seed : target.seeds()) {
            std::ofstream file(folder / target.name / std::to_string(++number), std::ios::binary);
            file.write(reinterpret_cast<const char*>(seed.data()), static_cast<std::streamsize>(seed.size()));
            if (!file.flush()) return 1;
        }
    }
    return 0;
}

int run_files(const char* name, char** files, int count) {
    for (const fuzz::Target& target : fuzz::all()) {
        if (std::strcmp(target.name, name) != 0) continue;
        for (int i = 0; i < count; ++i) {
            std::ifstream file(files[i], std::ios::binary);
            if (!file) {
                std::cerr << "fuzz_replay: cannot read " << files[i] << "\n";
                return 2;
            }
            const std::string content{std::istreambuf_iterator<char>(file), {}};
            target.run(entente::as_bytes(std::string_view(content)));
        }
        return 0;
    }
    std::cerr << "fuzz_replay: expected a target's name, found " << name << "\n";
    return 2;
}

}  // namespace

int main(int count, char** arguments) {
    if (count == 3 && std::strcmp(arguments[1], "--seeds") == 0) return write_seeds(arguments[2]);
    if (count > 2) return run_files(arguments[1], arguments + 2, count - 2);
    const bool names = count == 2 && std::strcmp(arguments[1], "--names") == 0;
    for (const fuzz::Target& target : fuzz::all()) {
        std::cout << target.name << std::endl;
        if (names) continue;
        target.run({});
        for (const Bytes& seed : target.seeds()) mutate(target, seed);
    }
}
