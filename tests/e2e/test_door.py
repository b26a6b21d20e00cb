"""The door under load: limits on how often somebody asks, connections that say nothing, and a crowd that only watches.

ENTENTE_DOOR_SOCKETS is the size of the crowd (500; script/fault door: 10000)."""
import base64, json, os, pathlib, re, resource, socket, struct, threading, time, unittest

from harness import Small
from test_live import WebSocket

CROWD = int(os.environ.get("ENTENTE_DOOR_SOCKETS", "500"))
FIELDS = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


def statuses(f, path, count, token=None, headers=None, source="127.0.0.1"):
    """`count` requests over one connection, one behind the other: their statuses, and the last Retry-After."""
    fields = "".join(f"{k}: {v}\r\n" for k, v in {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}.items())
    found, retry = [], None
    with socket.create_connection(("127.0.0.1", f.port), timeout=20, source_address=(source, 0)) as s:
        stream = s.makefile("rb")
        for _ in range(count):
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
            found.append(int(stream.readline().split()[1]))
            length = 0
            while (line := stream.readline().strip()):
                name, value = line.decode().split(": ", 1)
                length = int(value) if name.lower() == "content-length" else length
                retry = int(value) if name.lower() == "retry-after" else retry
            stream.read(length)
    return found, retry


class Rates(unittest.TestCase):
    def test_by_partner_and_by_address(self):
        with Small() as f:
            f.start_server("--rate-partner", 5, "--rate-address", 5)
            # A hundred at once by address, fifty by partner; then five a second.
            tokens = [f.enter(f"plant-{i}")[0] for i in (1, 2)]
            found, retry = statuses(f, "/healthz", 140, source="127.0.0.2")
            self.assertEqual(found[:100], [200] * 100)
            self.assertEqual(found[-1], 429)
            self.assertGreaterEqual(retry, 1)
            self.assertEqual(statuses(f, "/healthz", 1, source="127.0.0.3")[0], [200], "another address has its own")
            # Partners behind the address that has used up its own: each has its own.
            for token in tokens:
                found, _ = statuses(f, "/api/v1/plan", 60, token, source="127.0.0.2")
                self.assertEqual((found[:50], found[-1]), ([200] * 50, 429), "public routes too")
            found, _ = statuses(f, "/api/v1/me", 5, tokens[0], source="127.0.0.4")
            self.assertEqual(found, [429] * 5, "the partner counts, wherever it asks from")
            found, _ = statuses(f, "/api/v1/me", 30, "pt_00", source="127.0.0.5")
            self.assertEqual((found[:10], found[-1]), ([401] * 10, 429), "a wrong token costs ten requests")
            body = json.loads(f.ask("GET", "/api/v1/me", token=tokens[0])[1])
            self.assertEqual(body["code"], "rate.limited")
            self.assertGreater(int(re.search(rb"entente_http_requests_limited_total (\d+)", f.ask("GET", "/metrics", token=None)[1])[1]), 50)
            time.sleep(1.2)
            self.assertEqual(statuses(f, "/healthz", 3, source="127.0.0.2")[0], [200] * 3, "it may come again")

    def test_behind_a_proxy_the_last_address_counts_and_what_a_caller_writes_does_not(self):
        with Small() as f:
            f.start_server("--rate-address", 1, "--behind-proxy")
            one = {"X-Forwarded-For": "203.0.113.9, 198.51.100.1"}
            self.assertEqual(statuses(f, "/healthz", 25, headers=one)[0][-1], 429)
            self.assertEqual(statuses(f, "/healthz", 1, headers={"X-Forwarded-For": "198.51.100.2, 198.51.100.1"})[0], [429])
            self.assertEqual(statuses(f, "/healthz", 1, headers={"X-Forwarded-For": "198.51.100.1, 198.51.100.2"})[0], [200])
        with Small() as f:
            f.start_server("--rate-address", 1)
            found = [statuses(f, "/healthz", 1, headers={"X-Forwarded-For": f"198.51.100.{i}"})[0][0] for i in range(30)]
            self.assertEqual(found[-1], 429, "without a proxy the field is nobody's word")

    def test_a_federation_within_limits_that_are_far_too_low_comes_to_its_end(self):
        with Small(rounds=12) as f:
            f.start_server("--rate-partner", 3)
            for i in (1, 2):
                f.start_partner(i)
            f.wait_partners(180)
            self.assertIn("come again in", f.log("plant-1") + f.log("plant-2"))


class Headers(unittest.TestCase):
    """What OWASP ASVS asks of every answer, errors too: docs/security.md has the checklist."""

    def test_every_answer_bears_them_and_none_a_cookie(self):
        with Small() as f:
            f.start_server("--rate-address", 20)
            answers = []
            for method, path, fields in (("GET", "/", ""), ("GET", "/healthz", ""), ("GET", "/api/v1/me", ""), ("GET", "/nothing", ""), ("PATCH", "/api/v1/join", ""),
                                         ("GET", "/api/v1/status", f"Authorization: Bearer {f.token}\r\n"), ("OPTIONS", "/api/v1/join", "Origin: https://elsewhere.example\r\n"),
                                         ("GET", "/api/v1/me", "Origin: https://elsewhere.example\r\nCookie: token=" + f.token + "\r\n"),
                                         ("GET", f"/api/v1/me?access_token={f.token}", ""), ("GET", "/api/v1/plan", "Content-Length: 5\r\n")):
                with socket.create_connection(("127.0.0.1", f.port), timeout=20) as s:
                    s.sendall(f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n".encode())
                    answers.append((f"{method} {path}", s.makefile("rb").read().split(b"\r\n\r\n")[0].decode()))
            statuses = [int(head.split()[1]) for _, head in answers]
            self.assertEqual(statuses[2:5] + statuses[6:], [401, 404, 405, 405, 401, 401, 413])
            for what, head in answers:
                with self.subTest(what):
                    for field in ("Content-Security-Policy: default-src 'none'", "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer", "X-Frame-Options: DENY",
                                  "Cross-Origin-Opener-Policy: same-origin", "Cross-Origin-Embedder-Policy: require-corp", "Cross-Origin-Resource-Policy: same-origin"):
                        self.assertIn("\r\n" + field, head)
                    self.assertIn("frame-ancestors 'none'", head)
                    for field in ("Set-Cookie", "Access-Control-", "Server:", "X-Powered-By"):
                        self.assertNotIn(field.lower(), head.lower())


class Silent(unittest.TestCase):
    def test_who_does_not_say_who_it_is_does_not_stay(self):
        with Small() as f:
            f.start_server("--head-timeout-ms", 1500)
            mute = WebSocket(f)
            began = time.monotonic()
            self.assertEqual(mute.input.read(), b"", "closed")
            self.assertLess(time.monotonic() - began, 15)
            loud = WebSocket(f, first={"token": f.token})
            self.assertEqual(loud.frame()["type"], "status")
            for _ in range(20):
                loud.send({"more": 1})
            self.assertEqual(loud.until(lambda frame: isinstance(frame, int))[-1], 1008, "nothing more is to be said")
            token, _ = f.enter("plant-1")
            own = [WebSocket(f, first={"token": token}) for _ in range(65)]
            answers = [socket.frame() for socket in own]
            self.assertEqual(sum(isinstance(a, dict) for a in answers), 64)
            for opened in (mute, loud, *own):
                opened.close()


class Crowd(unittest.TestCase):
    """Slow senders and idle WebSockets, as many as the machine lets, while an honest round goes on."""

    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = CROWD + 700
        if hard < needed:
            self.skipTest(f"{CROWD} sockets need {needed} open files, the limit here is {hard} (ulimit -Hn)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def connect(self, f, i):
        s = socket.socket()
        s.settimeout(60)
        s.bind((f"127.0.{1 + i // 2000}.{1 + i % 200}", 0))
        s.connect(("127.0.0.1", f.port))
        return s

    def memory(self, f):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{f.server.pid}/status").read_text())[1]) / 1024

    def test_a_crowd_of_idle_listeners_and_slow_senders_holds_no_round_up(self):
        slow_count = CROWD // 10
        with Small(rounds=2) as f:
            f.start_server("--head-timeout-ms", 15000)
            before = self.memory(f)
            text = json.dumps({"token": f.token}).encode()
            first = b"\x81" + bytes([0x80 | len(text)]) + b"\0\0\0\0" + text
            held = []
            self.addCleanup(lambda: [s.close() for s in held])
            for i in range(CROWD):
                s = self.connect(f, i)
                s.sendall(f"GET /ws HTTP/1.1\r\nHost: a\r\n{FIELDS}\r\n".encode())
                held.append(s)
                if i % 100 == 99 or i == CROWD - 1:
                    for opened in held[i // 100 * 100:]:
                        while b"\r\n\r\n" not in (head := opened.recv(4096)):
                            pass
                        self.assertIn(b" 101 ", head)
                        opened.sendall(first)
            # They all see who they are let in as: the first status.
            for s in held:
                self.assertTrue(s.recv(65536))
            idle = self.memory(f)
            stop = threading.Event()

            def trickle():
                """Heads that never end, begun anew when the server lets one go."""
                slow = []
                while not stop.is_set():
                    while len(slow) < slow_count:
                        slow.append(self.connect(f, len(slow)))
                        slow[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
                    for s in list(slow):
                        try:
                            s.sendall(b"X")
                        except OSError:
                            slow.remove(s)
                            s.close()
                    stop.wait(0.5)
                for s in slow:
                    s.close()

            def drink():
                """What is told to the crowd is read, as pages do."""
                while not stop.is_set():
                    for s in held:
                        try:
                            s.recv(65536, socket.MSG_DONTWAIT)
                        except BlockingIOError:
                            pass
                    stop.wait(0.2)

            threads = [threading.Thread(target=t) for t in (trickle, drink)]
            for t in threads:
                t.start()
            try:
                began = time.monotonic()
                for i in (1, 2):
                    f.start_partner(i)
                f.wait_partners(300)
                took = time.monotonic() - began
                at_the_end = self.memory(f)
            finally:
                stop.set()
                for t in threads:
                    t.join()
            self.assertEqual(f.status()["completed"], 2)
            alive = 0
            for s in held:
                s.setblocking(False)
                try:
                    while s.recv(65536):
                        pass
                except BlockingIOError:
                    alive += 1
                except OSError:
                    pass
            self.assertEqual(alive, CROWD, "none was dropped")
            self.assertLess(at_the_end, 2048)
            print(f"# {CROWD} WebSockets and {slow_count} slow senders: {before:.0f} MB before, {idle:.0f} MB idle ({1024 * (idle - before) / CROWD:.1f} KB each), "
                  f"{at_the_end:.0f} MB after two rounds that took {took:.1f} s", flush=True)


if __name__ == "__main__":
    unittest.main()
