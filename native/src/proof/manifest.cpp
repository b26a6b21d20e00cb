#include "proof/manifest.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "base/files.hpp"
#include "entente/codec/sha256.hpp"
#include "entente/proof/note.hpp"

namespace entente::native {

namespace fs = std::filesystem;

namespace {

constexpr const char* file_name = "manifest";
constexpr std::uint64_t most_bytes = 64 * 1024;

std::string name_of(const std::string& federation) { return "entente-folder/" + federation; }

Result<Digest> digest_of_file(const fs::path& path) {
    ENTENTE_ASSIGN(const auto source, open_file(path));
    codec::Sha256 hash;
    std::vector<std::byte> buffer(256 * 1024);
    for (;;) {
        ENTENTE_ASSIGN(const std::size_t n, source->read(buffer));
        if (n == 0) return hash.finish();
        hash.update(ByteView(buffer).first(n));
    }
}

// By their paths in the folder.
std::vector<std::string> listed_files(const fs::path& folder) {
    std::vector<std::string> paths;
    std::error_code failed;
    for (fs::recursive_directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
        const std::string path = it->path().lexically_relative(folder).generic_string();
        if (it->is_directory(failed) && (path == "blobs" || path == "log" || path == "spool")) it.disable_recursion_pending();
        const bool own = path == file_name || path == "lock";  // the lock file is empty
        if (it->is_regular_file(failed) && !own) paths.push_back(path);
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

}  // namespace

Status drop_manifest(const fs::path& folder) {
    std::error_code failed;
    if (!fs::remove(folder / file_name, failed)) return failed ? Status(system_error(failed.value(), (folder / file_name).string(), true)) : done();
    return sync_directory(folder);
}

Status write_manifest(const fs::path& folder, const std::string& federation, const codec::SigningKey& key) {
    proof::Note note{name_of(federation) + "\n", {}};
    for (const std::string& path : listed_files(folder)) {
        ENTENTE_ASSIGN(const Digest digest, digest_of_file(folder / path));
        std::error_code failed;
        note.text += to_hex(digest) + " " + std::to_string(fs::file_size(folder / path, failed)) + " " + path + "\n";
    }
    proof::sign_note(note, name_of(federation), key);
    const std::string text = proof::write_note(note);
    return write_file(folder / file_name, as_bytes(std::string_view(text)));
}

bool check_manifest(const fs::path& folder, const std::string& federation, const codec::PublicKey& key,
                    const std::function<void(const std::string&, const std::string&)>& found) {
    std::error_code ignored;
    if (!fs::exists(folder / file_name, ignored)) return false;
    const auto text = read_text_file(folder / file_name, most_bytes);
    const auto note = text.ok() ? proof::read_note(*text) : Result<proof::Note>(text.error());
    const Status good = note.ok() ? proof::check_note(*note, name_of(federation), key) : Status(note.error());
    if (!good.ok()) {
        found(file_name, good.error().message);
        return true;
    }
    std::map<std::string, std::string> expected;  // path -> digest and size
    std::string_view rest = note->text;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(line.size() + 1);
        const std::size_t second = line.find(' ', 65);
        if (line.size() > 65 && second != std::string_view::npos) expected.emplace(line.substr(second + 1), line.substr(0, second));
    }
    for (const std::string& path : listed_files(folder)) {
        const auto it = expected.find(path);
        if (it == expected.end()) {
            found(path, "it was not there when the coordinator stopped");
            continue;
        }
        const auto digest = digest_of_file(folder / path);
        const std::string now = digest.ok() ? to_hex(*digest) + " " + std::to_string(fs::file_size(folder / path, ignored)) : std::string();
        if (now != it->second) found(path, digest.ok() ? "it has changed since the coordinator stopped" : digest.error().message);
        expected.erase(it);
    }
    for (const auto& [path, digest] : expected) found(path, "it was there when the coordinator stopped, and is gone");
    return true;
}

}  // namespace entente::native
