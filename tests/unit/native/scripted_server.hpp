// A server on loopback that says what a test's script says: each connection gets a thread and the script, which reads and
// writes bytes as it likes. Ends all of them when it goes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

class Peer {
public:
    explicit Peer(int fd) : fd_(fd) {}

    // The head of the next request; empty when the other side is gone. What follows it is kept for read_body().
    std::string read_head() {
        while (pending_.find("\r\n\r\n") == std::string::npos) {
            if (!more()) return {};
        }
        const std::size_t end = pending_.find("\r\n\r\n") + 4;
        std::string head = pending_.substr(0, end);
        pending_.erase(0, end);
        return head;
    }
    std::string read_body(std::size_t bytes) {
        while (pending_.size() < bytes) {
            if (!more()) break;
        }
        std::string body = pending_.substr(0, bytes);
        pending_.erase(0, body.size());
        return body;
    }
    // False when the other side is gone.
    bool say(std::string_view text) {
        while (!text.empty()) {
            const auto n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }
    bool answer(int status, std::string_view body, std::string_view fields = "") {
        return say("HTTP/1.1 " + std::to_string(status) + " Scripted\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
                   std::string(fields) + "\r\n" + std::string(body));
    }
    // Until the other side hangs up.
    void wait() {
        while (more()) pending_.clear();
    }

private:
    bool more() {
        char buffer[16 * 1024];
        const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
        if (n > 0) pending_.append(buffer, static_cast<std::size_t>(n));
        return n > 0;
    }
    int fd_;
    std::string pending_;
};

class ScriptedServer {
public:
    using Script = std::function<void(Peer&)>;

    explicit ScriptedServer(Script script) : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        const bool good = ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(listener_, 1024) == 0 &&
                          ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0;
        if (!good) std::abort();
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread([this] { accept_all(); });
    }
    ~ScriptedServer() {
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        ::close(listener_);
        {
            const std::lock_guard lock(mutex_);
            for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
        }
        for (std::thread& thread : threads_) thread.join();
    }
    [[nodiscard]] std::string origin() const { return "http://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] int connections() const { return connections_; }

private:
    void accept_all() {
        for (;;) {
            const int fd = ::accept(listener_, nullptr, nullptr);
            if (fd < 0) return;
            ++connections_;
            const std::lock_guard lock(mutex_);
            open_.push_back(fd);
            threads_.emplace_back([this, fd] {
                Peer peer(fd);
                script_(peer);
                const std::lock_guard closing(mutex_);
                std::erase(open_, fd);
                ::close(fd);
            });
        }
    }

    Script script_;
    int listener_;
    std::uint16_t port_ = 0;
    std::atomic<int> connections_{0};
    std::mutex mutex_;
    std::vector<int> open_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};
