"""What is watched while it happens: /ws end to end, and models fetched in pieces."""
import base64, hashlib, json, os, re, socket, struct, unittest

from harness import Small


class WebSocket:
    """The client's side of RFC 6455, as much as text frames need."""

    def __init__(self, f, origin=None, first=None):
        self.socket = socket.create_connection(("127.0.0.1", f.port), timeout=30)
        self.input = self.socket.makefile("rb")
        key = base64.b64encode(os.urandom(16)).decode()
        head = f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{f.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        head += f"Sec-WebSocket-Key: {key}\r\n" + (f"Origin: {origin}\r\n" if origin else "")
        self.socket.sendall(head.encode() + b"\r\n")
        self.status = int(self.input.readline().split()[1])
        self.headers = {}
        while (line := self.input.readline().strip()):
            name, value = line.decode().split(": ", 1)
            self.headers[name.lower()] = value
        if self.status == 101:
            expected = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
            assert self.headers["sec-websocket-accept"] == expected
            if first is not None:
                self.send(first)

    def send(self, value):
        text, mask = json.dumps(value).encode(), os.urandom(4)
        length = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0xFE]) + struct.pack(">H", len(text))
        self.socket.sendall(b"\x81" + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(text)))

    def frame(self):
        """The next message as an object, or the code with which the server closes."""
        kind, length = self.input.read(2)
        length &= 127
        if length >= 126:
            length = struct.unpack(">H" if length == 126 else ">Q", self.input.read(2 if length == 126 else 8))[0]
        payload = self.input.read(length)
        return struct.unpack(">H", payload[:2])[0] if kind & 15 == 8 else json.loads(payload)

    def until(self, wanted):
        seen = []
        while True:
            seen.append(self.frame())
            if wanted(seen[-1]):
                return seen

    def close(self):
        self.input.close()
        self.socket.close()


class Events(unittest.TestCase):
    def setUp(self):
        self.f = Small(rounds=2)
        self.addCleanup(self.f.__exit__)
        self.f.start_server()

    def open(self, **options):
        opened = WebSocket(self.f, **options)
        self.addCleanup(opened.close)
        return opened

    def test_a_whole_federation_live(self):
        f = self.f
        operator = self.open(first={"token": f.token})
        first = operator.frame()
        self.assertEqual((first["type"], first["phase"]), ("status", "waiting"))
        auditor = self.open(first={"token": f.enter("works-council", "auditor")[0]})
        self.assertEqual(auditor.frame()["type"], "status")
        f.start_partner(1)
        f.wait_for(lambda: (f.folder / "plant-1/state.toml").exists(), "the first partner has joined")
        token = re.search(r'token = "(\w+)"', (f.folder / "plant-1/state.toml").read_text())[1]
        partner = self.open(first={"token": token})
        f.start_partner(2)
        finished = lambda frame: frame["type"] == "status" and frame["phase"] == "finished"  # noqa: E731
        told = operator.until(finished)
        entries = [frame["entry"] for frame in told if frame["type"] == "ledger"]
        heard = [frame["entry"] for frame in auditor.until(finished) if frame["type"] == "ledger"]
        # Partners fetch the last model when all is finished: the ledger goes on.
        ledger = [e for e in f.ledger() if e["sequence"] >= entries[0]["sequence"]]
        for one in (entries, heard):
            self.assertEqual(one, ledger[:len(one)], "every record once, in order, as the ledger has it")
        self.assertEqual([e["kind"] for e in entries].count("update.accepted"), 4)
        self.assertEqual(told[-1]["model_digest"], f.status()["model_digest"])
        for frame in partner.until(finished):
            if frame["type"] == "ledger":
                self.assertEqual(frame["entry"]["participant"], "plant-1")
            else:
                self.assertEqual([p["id"] for p in frame["participants"]], ["plant-1"])
        f.wait_partners()

    def test_strangers(self):
        for first in ({"token": "op_0000"}, {}, {"token": 5}, ["token"]):
            with self.subTest(first=first):
                self.assertEqual(self.open(first=first).frame(), 1008, "closed for policy")
        self.assertEqual(self.open(origin="https://elsewhere.example").status, 403)
        self.assertEqual(self.open(origin=self.f.url).status, 101)
        long = self.open(first={"token": "x" * 12000})
        self.assertEqual(long.frame(), 1009, "closed for its size")
        self.assertEqual(self.f.ask("GET", "/healthz")[0], 200)

    def test_a_listener_that_never_reads_holds_nobody_up(self):
        deaf = self.open(first={"token": self.f.token})
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        for i in (1, 2):
            self.f.start_partner(i)
        self.f.wait_partners()
        self.assertEqual(self.f.status()["completed"], 2)


class Pieces(unittest.TestCase):
    """A transfer's content by Range, as RFC 9110 has it."""

    def test_ranges(self):
        with Small(rounds=1) as f:
            f.run_to_the_end()
            token = re.search(r'token = "(\w+)"', (f.folder / "plant-1/state.toml").read_text())[1]
            path = f"/api/v1/hub/transfers/{self.transfer(f, token)}/content"
            status, whole = f.ask("GET", path, token=token)
            self.assertEqual(status, 200)
            self.assertEqual(whole, f.ask("GET", "/api/v1/model")[1], "the envelope that the operator sees")
            size = len(whole)
            for header, first, last in (("bytes=0-0", 0, 0), ("bytes=0-99", 0, 99), ("bytes=100-", 100, size - 1),
                                        (f"bytes={size - 10}-{size + 500}", size - 10, size - 1), ("bytes=-10", size - 10, size - 1)):
                with self.subTest(range=header):
                    status, piece, content_range = self.ranged(f, path, token, header)
                    self.assertEqual((status, content_range), (206, f"bytes {first}-{last}/{size}"))
                    self.assertEqual(piece, whole[first:last + 1])
            for header in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0"):
                with self.subTest(range=header):
                    status, _, content_range = self.ranged(f, path, token, header)
                    self.assertEqual((status, content_range), (416, f"bytes */{size}"))
            for header in ("bytes=0-1,5-6", "lines=0-1", "bytes=5-2", "bytes=", "bytes=x-", "bytes=1-2x", "bytes=1 -2"):
                with self.subTest(range=header):
                    status, piece, _ = self.ranged(f, path, token, header)
                    self.assertEqual((status, len(piece)), (200, size), "what is not understood is answered whole")
            self.assertEqual(f.ask("GET", path, token=f.enter("plant-9")[0])[0], 403, "another's transfer")

    def transfer(self, f, token):
        """Opens a transfer of the global model under the partner's own agreement: docs/wire-format.md, TransferRequest."""
        text = lambda s: struct.pack("<Q", len(s)) + s.encode()  # noqa: E731
        agreement = f.status()["participants"][0]["model_agreement"]
        status = f.status()
        version = struct.pack("<Q", status["round"]) + bytes.fromhex(status["model_digest"]) + struct.pack("<QI", status["model_bytes"], 0)  # the final one asks nobody
        status, body = f.ask("POST", "/api/v1/hub/transfers", text(agreement) + text("urn:fl:e2e:global") + version, token)
        self.assertEqual(status, 201, body)
        return re.search(rb"tr-\d+", body)[0].decode()

    def ranged(self, f, path, token, header):
        with socket.create_connection(("127.0.0.1", f.port), timeout=20) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nRange: {header}\r\n\r\n".encode())
            answer = s.makefile("rb").read()
        head, body = answer.split(b"\r\n\r\n", 1)
        found = re.search(rb"Content-Range: (.+)", head)
        return int(head.split()[1]), body, found and found[1].decode().strip()


if __name__ == "__main__":
    unittest.main()
