"""Stands between a partner and its coordinator, and may interfere: hold requests, cut them short, keep what they carry.

    with Proxy(federation.url, meddle) as proxy:
        federation.join("plant-2", data, url=proxy.url)

`meddle(exchange)` is called with each request before anything of its body is read. It returns None to let it pass, or
(status, bytes) to answer in the coordinator's name; exchange.body() reads what was sent, exchange.cut() passes half of it
on and breaks off.
"""
import http.client
import http.server
import threading
import urllib.parse


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        if self._body is None:
            self._body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return self._body

    def _connect(self):
        address = urllib.parse.urlparse(self.server.upstream)
        return http.client.HTTPConnection(address.hostname, address.port, timeout=60)

    def cut(self):
        """Half of the request reaches the coordinator, then its connection breaks."""
        half = self.rfile.read(int(self.headers["Content-Length"]) // 2)
        upstream = self._connect()
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders()
        upstream.send(half)
        upstream.close()

    def forward(self):
        upstream = self._connect()
        try:
            upstream.request(self.command, self.path, self.body() or None, dict(self.headers))
            answer = upstream.getresponse()
            return answer.status, answer.read(), answer.getheader("Content-Type", "")
        finally:
            upstream.close()

    def handle_request(self):
        self._body = None
        try:
            answer = self.server.meddle(self) or self.forward()
            status, content, kind = (*answer, "application/json")[:3]
            self.send_response(status)
            if content or status != 204:
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True  # either side has gone

    do_GET = do_POST = do_PUT = do_DELETE = handle_request


class Proxy(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream, meddle):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.meddle = upstream, meddle
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)

    def handle_error(self, *_):
        pass  # a partner that is killed in mid-request is what we are for

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()
