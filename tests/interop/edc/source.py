"""Where an EDC's data plane fetches the bytes of an asset, and where it pushes them."""
import http.server
import threading


def content(size, seed=7):
    return bytes((i * 31 + (i >> 8) + seed) & 255 for i in range(size))


class Source:
    """GET /<name> serves what was put under the name, its second half when the name's gate is open; POST /sink keeps."""

    def __init__(self, **assets):
        self.assets, self.received, self.gates = dict(assets), [], {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                name = self.path.strip("/").split("?")[0]
                body = outer.assets.get(name)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                half = len(body or b"") // 2
                try:
                    self.wfile.write((body or b"")[:half])
                    if name in outer.gates:
                        outer.gates[name].wait(60)
                    self.wfile.write((body or b"")[half:])
                except OSError:  # whoever asked has been told to stop
                    self.close_connection = True

            def do_POST(self):
                outer.received.append(self.body())
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_PUT = do_POST

            def body(self):
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                pieces = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    pieces.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(pieces)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://localhost:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
