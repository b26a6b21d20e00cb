"""Hostile HTTP over raw sockets, the permission walk, join codes, and the API's description held against reality."""
import json, re, shutil, signal, socket, ssl, subprocess, time, unittest

from harness import ENTENTE, ROOT, Small

BIG = 10 * 1024 * 1024


class Shared(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.f = Small(rounds=3)
        cls.f.start_server("--head-timeout-ms", "1500", "--body-grace-ms", "1500")

    @classmethod
    def tearDownClass(cls):
        cls.f.__exit__()

    def raw(self, data, seconds=8, slowly=False):
        """What the server says before it closes, or until nothing comes any more."""
        with socket.create_connection(("127.0.0.1", self.f.port), timeout=seconds) as s:
            try:
                if slowly:
                    for byte in data:
                        s.sendall(bytes([byte]))
                        time.sleep(0.05)
                else:
                    s.sendall(data)
            except OSError:
                pass
            answer = b""
            try:
                while chunk := s.recv(65536):
                    answer += chunk
            except (TimeoutError, OSError):
                pass
        return answer

    def alive(self):
        self.assertEqual(self.f.ask("GET", "/healthz")[0], 200)


class Smuggling(Shared):
    def refused(self, data, status=400):
        answer = self.raw(data)
        self.assertTrue(answer.startswith(f"HTTP/1.1 {status} ".encode()), (data[:120], answer[:300]))
        self.assertIn(b"Connection: close", answer)
        self.assertEqual(len(re.findall(rb"HTTP/1.1 \d", answer)), 1, "one answer, then the connection is closed")
        self.assertIn(b"application/problem+json", answer)
        self.alive()

    def test_one_reading_only(self):
        get, host = b"GET /healthz HTTP/1.1\r\n", b"Host: a\r\n"
        post = b"POST /api/v1/join HTTP/1.1\r\n" + host
        tail = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        for name, data, status in (
            ("content-length and transfer-encoding", post + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + tail, 400),
            ("transfer-encoding and content-length", post + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + tail, 400),
            ("two lengths", post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x" + tail, 400),
            ("two equal lengths", post + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + tail, 400),
            ("list of lengths", post + b"Content-Length: 2, 2\r\n\r\n{}" + tail, 400),
            ("signed length", post + b"Content-Length: +2\r\n\r\n{}" + tail, 400),
            ("negative length", post + b"Content-Length: -2\r\n\r\n{}" + tail, 400),
            ("hexadecimal length", post + b"Content-Length: 0x2\r\n\r\n{}" + tail, 400),
            ("huge length", post + b"Content-Length: 99999999999999999999\r\n\r\n{}" + tail, 400),
            ("unknown encoding", post + b"Transfer-Encoding: gzip\r\n\r\n" + tail, 400),
            ("two encodings", post + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + tail, 400),
            ("repeated encoding", post + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + tail, 400),
            ("obscured encoding", post + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + tail, 400),
            ("chunked in 1.0", b"POST /api/v1/join HTTP/1.0\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            ("chunked", post + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + tail, 411),
            ("trailer", post + b"Trailer: X\r\nContent-Length: 2\r\n\r\n{}", 400),
            ("folded", get + host + b"X: a\r\n b\r\n\r\n", 400),
            ("bare lf", get + b"Host: a\nX: y\r\n\r\n", 400),
            ("bare cr", get + host + b"X: a\rb\r\n\r\n", 400),
            ("nul", get + host + b"X: a\0b\r\n\r\n", 400),
            ("space before colon", get + host + b"X : a\r\n\r\n", 400),
            ("no name", get + host + b": a\r\n\r\n", 400),
            ("no colon", get + host + b"X\r\n\r\n", 400),
            ("no host", get + b"\r\n", 400),
            ("two hosts", get + host + b"Host: b\r\n\r\n", 400),
            ("absolute form, another host", b"GET http://b/healthz HTTP/1.1\r\n" + host + b"\r\n", 400),
            ("asterisk", b"OPTIONS * HTTP/1.1\r\n" + host + b"\r\n", 400),
            ("authority form", b"CONNECT a:443 HTTP/1.1\r\n" + host + b"\r\n", 400),
            ("version", b"GET /healthz HTTP/2.0\r\n" + host + b"\r\n", 400),
            ("no version", b"GET /healthz\r\n" + host + b"\r\n", 400),
            ("escape", b"GET /%zz HTTP/1.1\r\n" + host + b"\r\n", 400),
            ("escaped nul", b"GET /%00 HTTP/1.1\r\n" + host + b"\r\n", 400),
            ("many fields", get + host + b"".join(b"X%d: a\r\n" % i for i in range(200)) + b"\r\n", 431),
            ("long head", get + host + b"X: " + b"a" * 20000 + b"\r\n\r\n", 431),
            ("not http", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        ):
            with self.subTest(case=name):
                self.refused(data, status)

    def test_ten_megabytes_of_header(self):
        self.refused(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * BIG, 431)

    def test_absolute_form_of_the_same_host(self):
        answer = self.raw(b"GET http://a/healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer[:200])

    def test_pipelined_requests_are_answered_in_order(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        answer = self.raw(one * 3 + b"GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertEqual([s for s in re.findall(rb"HTTP/1.1 (\d+)", answer)], [b"200"] * 3 + [b"404"])

    def test_slow_senders_are_let_go(self):
        answer = self.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100, slowly=True)
        self.assertIn(b"HTTP/1.1 408", answer)
        answer = self.raw(b"POST /api/v1/join HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{")
        self.assertIn(b"HTTP/1.1 408", answer)
        self.alive()

    def test_many_half_open_connections(self):
        sockets = [socket.create_connection(("127.0.0.1", self.f.port)) for _ in range(300)]
        for s in sockets:
            s.sendall(b"GET /he")
        self.alive()
        for s in sockets:
            s.close()


class Permissions(Shared):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.f.start_partner(1)
        cls.f.wait_for(lambda: (cls.f.folder / "plant-1/state.toml").exists(), "the partner has joined")
        state = (cls.f.folder / "plant-1/state.toml").read_text()
        cls.partner = re.search(r'token = "(\w+)"', state).group(1)
        cls.auditor = cls.f.enter("works-council", "auditor")[0]
        cls.tokens = {"nobody": None, "wrong": "pt_0000", "partner": cls.partner, "auditor": cls.auditor, "operator": cls.f.token}
        cls.api = json.loads((ROOT / "native/api/openapi.json").read_text())

    def test_every_route_with_every_role(self):
        for path, methods in self.api["paths"].items():
            for method, operation in methods.items():
                if path == "/api/v1/leave":
                    continue
                for role, token in self.tokens.items():
                    with self.subTest(route=f"{method} {path}", role=role):
                        concrete = re.sub(r"\{\w+(\.\.\.)?\}", "none", path)
                        status, body = self.f.ask(method.upper(), concrete, b"" if method in ("post", "put") else None, token)
                        roles = operation["x-roles"]
                        if not roles or role in roles:
                            self.assertNotIn(status, (401, 405), body)
                            if not roles:
                                self.assertNotEqual(status, 403, body)
                        else:
                            self.assertEqual(status, 401 if role in ("nobody", "wrong") else 403, body)
                            self.assertEqual(set(json.loads(body)), {"type", "title", "status", "code", "detail"})

    def test_the_served_description_is_the_file(self):
        self.assertEqual(json.loads(self.f.ask("GET", "/api/v1/openapi.json")[1]), self.api)

    def test_routes_and_description_agree(self):
        table = re.findall(r'\{"(\w+)", "([^"]+)",', (ROOT / "native/src/api/routes.cpp").read_text())
        described = {(m.upper(), p) for p, methods in self.api["paths"].items() for m in methods}
        self.assertEqual(set(table), described)

    def check(self, value, schema, where):
        if "$ref" in schema:
            schema = self.api["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        kinds = schema.get("type", [])
        kinds = kinds if isinstance(kinds, list) else [kinds]
        python = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
        if kinds:
            self.assertTrue(any(isinstance(value, python[k]) for k in kinds), (where, value))
        for name in schema.get("required", []):
            self.assertIn(name, value, where)
        for name, below in schema.get("properties", {}).items():
            if isinstance(value, dict) and name in value:
                self.check(value[name], below, f"{where}.{name}")
        if isinstance(value, dict) and "properties" in schema:
            self.assertLessEqual(set(value), set(schema["properties"]), where)
        for i, item in enumerate(value if isinstance(value, list) else []):
            self.check(item, schema["items"], f"{where}[{i}]")

    def test_answers_are_what_is_described(self):
        for path, methods in self.api["paths"].items():
            content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {}).get("application/json")
            if not content or "$ref" not in content["schema"]:
                continue
            with self.subTest(path=path):
                status, body = self.f.ask("GET", path, token=self.f.token)
                self.assertEqual(status, 200)
                self.check(json.loads(body), content["schema"], path)

    def test_a_partner_sees_and_touches_only_its_own(self):
        self.f.start_partner(2)
        self.f.wait_for(lambda: len(self.f.status()["participants"]) == 2, "both are there")
        status = json.loads(self.f.ask("GET", "/api/v1/status", token=self.partner)[1])
        self.assertEqual([p["id"] for p in status["participants"]], ["plant-1"])
        self.assertTrue(all(h["contributors"] == [] for h in status["history"]))
        other = "/api/v1/hub/assets/urn:fl:e2e:plant-2:updates"
        code = "0" * 64
        status, body = self.f.ask("PUT", f"{other}/content?round=1&content={code}", b"x", self.partner)
        self.assertIn(status, (403, 404), body)
        self.assertIn(self.f.ask("DELETE", other, token=self.partner)[0], (403, 404))

    def test_a_slow_upload_is_let_go_and_leaves_nothing(self):
        self.f.wait_for(lambda: any(row["kind"] == "agreement.concluded" for row in self.f.ledger()), "an agreement")
        answer = self.raw(b"PUT /api/v1/hub/assets/urn:fl:e2e:plant-1:updates/content?round=1&content=" + b"0" * 64 +
                          b" HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + self.partner.encode() + b"\r\nContent-Length: 1000\r\n\r\nENTF")
        self.assertTrue(answer.startswith(b"HTTP/1.1 408 "), answer[:200])
        self.assertEqual(list((self.f.folder / "coordinator/spool").iterdir()), [])

    def test_a_body_above_the_plan_is_refused_at_the_header(self):
        path = b"/api/v1/hub/assets/urn:fl:e2e:plant-1:updates/content?round=1&content=" + b"0" * 64
        answer = self.raw(b"PUT " + path + b" HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + self.partner.encode() +
                          b"\r\nContent-Length: 5000000000\r\n\r\n" + b"x" * 100000)
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer[:200])


class JoinCodes(unittest.TestCase):
    def test_used_expired_guessed(self):
        with Small() as f:
            f.start_server()
            f.start_partner(1)
            f.wait_for(lambda: len(f.status()["participants"]) == 1, "the first partner is there")
            code = lambda c: json.dumps({"code": c}).encode()
            status, body = f.ask("POST", "/api/v1/invitation", code(f.codes["plant-1"]))
            self.assertEqual((status, json.loads(body)["code"]), (410, "join.used"))
            short = f.invite("plant-7", valid_s=1)["code"]
            self.assertEqual(f.ask("POST", "/api/v1/invitation", code(short))[0], 200)
            self.assertEqual(f.ask("POST", "/api/v1/invitation", code(short.lower().replace("-", " ")))[0], 200)
            time.sleep(1.1)
            status, body = f.ask("POST", "/api/v1/invitation", code(short))
            self.assertEqual((status, json.loads(body)["code"]), (410, "join.expired"))
            # The used code again, with another key: refused, and nobody is replaced.
            f.codes["plant-2"] = f.codes["plant-1"]
            stranger = f.start_partner(2)
            self.assertEqual(stranger.wait(20), 1)
            self.assertIn("join.used", (f.folder / "plant-2.log").read_text())
            fresh = f.invite("plant-8")["code"]
            codes = [json.loads(f.ask("POST", "/api/v1/invitation", code(f"AAAA-AAAA-AA{i:02}"))[1])["code"] for i in range(14)]
            self.assertEqual(codes[0], "join.unknown")
            self.assertEqual(codes[-1], "join.too-many-attempts")
            self.assertEqual(f.ask("POST", "/api/v1/invitation", code(fresh))[0], 429)

    def test_secrets_are_not_in_the_database_and_keys_are_private(self):
        with Small() as f:
            f.start_server()
            f.start_partner(1)
            f.wait_for(lambda: (f.folder / "plant-1/state.toml").exists(), "the partner has joined")
            token = re.search(r'token = "(\w+)"', (f.folder / "plant-1/state.toml").read_text()).group(1)
            f.stop_server()
            stored = b"".join(p.read_bytes() for p in (f.folder / "coordinator").glob("entente.db*"))
            for secret in (token, f.token, f.codes["plant-1"], f.codes["plant-1"].replace("-", "")):
                self.assertNotIn(secret.encode(), stored)
            for path in ("coordinator/coordinator.key", "plant-1/partner.key", "plant-1/state.toml", "operator.token"):
                self.assertEqual((f.folder / path).stat().st_mode & 0o777, 0o600, path)


class Tls(unittest.TestCase):
    def test_partners_over_tls(self):
        with Small(rounds=2) as f:
            for name in ("good", "other"):
                subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                                "-keyout", f.folder / f"{name}.key", "-out", f.folder / f"{name}.pem", "-days", "2", "-subj", "/CN=localhost",
                                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
            f.ca = f.folder / "good.pem"
            f.start_server("--tls-cert", f.folder / "good.pem", "--tls-key", f.folder / "good.key")
            for i in (1, 2):
                f.start_partner(i, url=f"https://localhost:{f.port}")
            f.wait_partners()
            self.assertEqual(f.status()["completed"], 2)
            # A renewed certificate: SIGHUP, and connections that come from now on see it; what is open goes on.
            seen = lambda: ssl.get_server_certificate(("127.0.0.1", f.port))
            first, second = ((f.folder / f"{name}.pem").read_text().strip() for name in ("good", "other"))
            self.assertEqual(seen().strip(), first)
            context = ssl.create_default_context(cafile=f.ca)
            kept = context.wrap_socket(socket.create_connection(("127.0.0.1", f.port)), server_hostname="localhost")
            f.server.send_signal(signal.SIGHUP)
            (f.folder / "good.pem").write_text("damaged")
            f.server.send_signal(signal.SIGHUP)
            f.wait_for(lambda: "the old one stays" in f.log(), "the damaged file is told of")
            self.assertEqual(seen().strip(), first)
            for ending in ("pem", "key"):
                shutil.copy(f.folder / f"other.{ending}", f.folder / f"good.{ending}")
            f.server.send_signal(signal.SIGHUP)
            f.wait_for(lambda: seen().strip() == second, "the renewed certificate")
            kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            self.assertTrue(kept.recv(100).startswith(b"HTTP/1.1 200 "))
            kept.close()
            f.ca = f.folder / "good.pem"
            self.assertEqual(f.ask("GET", "/healthz", token=None)[0], 200)
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                            f.folder / "other.key", "-out", f.folder / "other.pem", "-subj", "/CN=localhost"], check=True, capture_output=True)
            distrustful = subprocess.run([ENTENTE, "join", "--url", f.url, "--data", f.folder / "data-1", "--state", f.folder / "s3", "--ca",
                                          f.folder / "other.pem", "--give-up-s", "1"], capture_output=True, text=True, env={"ENTENTE_JOIN_CODE": "A"})
            self.assertNotEqual(distrustful.returncode, 0)
            self.assertIn("tls.untrusted", distrustful.stderr)


if __name__ == "__main__":
    unittest.main()
