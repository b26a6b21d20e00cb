// Beast serving a file to Beast, with nothing of ours between them: what the connector's transfers are measured against.
//
//   plain_file FILE COPY        prints the seconds that it took, over loopback
// As it comes it reads 4 KiB at a time, which is slower.
#define BOOST_BEAST_FILE_BUFFER_SIZE 65536

#include <chrono>
#include <cstdio>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

void serve(tcp::acceptor& acceptor, const char* path) {
    tcp::socket socket = acceptor.accept();
    beast::flat_buffer buffer;
    http::request<http::empty_body> request;
    http::read(socket, buffer, request);
    http::response<http::file_body> response{http::status::ok, 11};
    beast::error_code ec;
    response.body().open(path, beast::file_mode::scan, ec);
    if (ec) throw beast::system_error(ec);
    response.prepare_payload();
    http::write(socket, response);
}

void fetch(tcp::endpoint server, const char* path) {
    asio::io_context io;
    tcp::socket socket(io);
    socket.connect(server);
    http::request<http::empty_body> request{http::verb::get, "/", 11};
    request.set(http::field::host, "localhost");
    http::write(socket, request);
    http::response_parser<http::file_body> parser;
    parser.body_limit(boost::none);
    beast::error_code ec;
    parser.get().body().open(path, beast::file_mode::write, ec);
    if (ec) throw beast::system_error(ec);
    beast::flat_buffer buffer;
    http::read(socket, buffer, parser);
}

}  // namespace

int main(int count, char** arguments) try {
    if (count != 3) {
        std::fputs("plain_file: expected FILE COPY\n", stderr);
        return 2;
    }
    asio::io_context io;
    tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    const auto begun = std::chrono::steady_clock::now();
    std::thread server([&] { serve(acceptor, arguments[1]); });
    fetch(acceptor.local_endpoint(), arguments[2]);
    server.join();
    std::printf("%.6f\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
} catch (const std::exception& error) {
    std::fprintf(stderr, "plain_file: %s\n", error.what());
    return 1;
}
