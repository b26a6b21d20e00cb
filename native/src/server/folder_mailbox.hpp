// Partners without a network: what they lay into a shared folder is told to the hub in their names, and what the hub
// shows them is written into the folder under the coordinator's signature.
//
//   ENTENTE_ASSIGN(auto mailbox, FolderMailbox::open({.root = "/srv/share", .partners_file = "folder-partners.txt", ...}));
//   next_ms = mailbox->step();                    // on the host's strand, again after so many milliseconds
//
// The rules stay the exchange's: a partner's book is a request like any other, and its signature is the proof of who
// asks. The partners file has a line for each: its id and its public key in hexadecimal digits; it is read again at
// every step. Contents go to the blob store piece by piece. One strand.
#pragma once

#include <set>

#include "connectors/folder/folder_connector.hpp"
#include "server/host.hpp"

namespace entente::native {

struct FolderMailboxOptions {
    std::string root;
    std::string partners_file;
    Bytes plan_envelope;  // signed; laid into the folder
    codec::SigningKey key;
    Host& host;
    BlobStore& blobs;
    std::function<void(const std::string&)> say;  // what the operator should know; may be empty
};

class FolderMailbox {
public:
    static Result<std::unique_ptr<FolderMailbox>> open(FolderMailboxOptions options);
    std::int64_t step();

private:
    FolderMailbox(FolderMailboxOptions options, folder::Shelf shelf);
    Status work();
    Status admit();
    void read(const std::string& partner);
    void take_listing(const std::string& partner, const folder::Listing& listing);
    Result<Digest> take_content(const std::string& partner, const std::string& asset, const folder::Listing& listing);
    Status write_model();
    Status write_for(const std::string& partner, const folder::Book* theirs);
    void say_once(const std::string& text);

    FolderMailboxOptions o_;
    folder::Shelf shelf_;
    std::string federation_;
    std::map<std::string, std::uint64_t> heard_;                  // the sequence last read of each partner
    std::map<std::string, std::vector<folder::Answer>> answers_;  // new ones, not written yet
    std::map<std::string, contract::SignedOffer> offered_;        // by asset, as the hub has been told
    std::set<std::string> moved_;                                 // transfers of the model that the hub has been told
    std::set<std::string> said_;
    std::int64_t pause_ms_ = 0;
};

}  // namespace entente::native
