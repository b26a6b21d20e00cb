"""Sign-in by an identity provider: every route with every role, the attacks on tokens, rotation, and joining without a code."""
import base64, hashlib, json, re, subprocess, time, unittest, urllib.request

from envelope import public_key, sign
from harness import ENTENTE, ROOT, Small
from identity_provider import IdentityProvider, installed
from test_live import WebSocket


def enrolment(participant, name="key"):
    seed = hashlib.sha256(f"{participant} {name}".encode()).digest()
    return json.dumps({"public_key": public_key(seed).hex(), "signature": sign(seed, "join", b"enrol:" + participant.encode()).hex()}).encode()


@unittest.skipUnless(installed(), "npm's oidc-provider is not installed: script/bootstrap")
class SignIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.provider = IdentityProvider()
        cls.provider.start()
        cls.addClassCleanup(cls.provider.stop)
        cls.f = Small()
        cls.addClassCleanup(cls.f.__exit__, None, None, None)
        (cls.f.folder / "web").mkdir()
        for page in ("index.html", "demo.html"):
            (cls.f.folder / "web" / page).write_text("<!doctype html>")
        cls.f.start_server(*cls.provider.serve_options, "--web-dir", cls.f.folder / "web")
        cls.api = json.loads((ROOT / "native/api/openapi.json").read_text())
        for partner in ("plant-1", "plant-2"):
            cls.enrol(partner)

    @classmethod
    def enrol(cls, partner, key="key", client=None):
        status, body = cls.f.ask("POST", "/api/v1/enrolment", enrolment(partner, key), cls.provider.token(client or partner))
        return status, json.loads(body)

    def me(self, token):
        status, body = self.f.ask("GET", "/api/v1/me", token=token)
        return (json.loads(body)["role"] if status == 200 else json.loads(body)["code"]), json.loads(body)

    def challenge(self, token, path="/api/v1/me"):
        """The status and the WWW-Authenticate field."""
        request = urllib.request.Request(self.f.url + path, headers={"Authorization": "Bearer " + token} if token else {})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, ""
        except urllib.error.HTTPError as error:
            return error.code, error.headers["WWW-Authenticate"]

    def test_machines_come_in_as_what_their_issuer_says(self):
        self.assertEqual(self.me(self.provider.token("operator"))[0], "operator")
        self.assertEqual(self.me(self.provider.token("auditor"))[0], "auditor")
        role, body = self.me(self.provider.token("plant-1"))
        self.assertEqual((role, body["participant"], body["person"], body["joined"]), ("partner", "plant-1", "plant-1", True))
        role, body = self.me(self.provider.token("plant-3"))
        self.assertEqual((role, body["joined"]), ("partner", False))
        self.assertEqual(self.me(self.provider.token("stranger"))[0], "auth.no-role")
        self.assertEqual(self.me(self.f.token)[0], "operator")

    def test_what_was_missing_is_said(self):
        self.assertEqual(self.challenge(None), (401, "Bearer"))
        self.assertEqual(self.challenge("op_00"), (401, 'Bearer error="invalid_token"'))
        self.assertEqual(self.challenge(self.provider.signed({"aud": "other"})), (401, 'Bearer error="invalid_token"'))
        self.assertEqual(self.challenge(self.provider.token("plant-1"), "/api/v1/ledger"), (403, 'Bearer error="insufficient_scope"'))
        body = json.loads(self.f.ask("GET", "/api/v1/ledger", token=self.provider.token("plant-1"))[1])
        self.assertEqual((body["code"], body["detail"]), ("auth.role", "expected the role operator or auditor, found partner"))

    def test_every_route_with_every_role_and_another_s(self):
        """The table in routes.cpp, walked: each route, each way in, each role, the own and another's."""
        own = {"plant-1": self.enrol("plant-1")[1]["token"]}
        tokens = {("nobody", None): None, ("nobody", "expired"): self.provider.signed({"exp": int(time.time()) - 61}),
                  ("partner", "issuer"): self.provider.token("plant-1"), ("partner", "ours"): own["plant-1"],
                  ("newcomer", "issuer"): self.provider.token("plant-4"),
                  ("auditor", "issuer"): self.provider.token("auditor"), ("auditor", "ours"): self.f.enter("works-council", "auditor")[0],
                  ("operator", "issuer"): self.provider.token("operator"), ("operator", "ours"): self.f.token}
        routes = re.findall(r'^    \{"(\w+)", "([^"]+)", (\w+),', (ROOT / "native/src/api/routes.cpp").read_text(), re.MULTILINE)
        allowed = {"anybody": {"nobody", "newcomer", "partner", "auditor", "operator"}, "members": {"partner"}, "newcomers": {"newcomer", "partner"},
                   "operators": {"operator"}, "overseers": {"operator", "auditor"}, "known": {"newcomer", "partner", "auditor", "operator"}, "insiders": {"partner", "auditor", "operator"}}
        self.assertEqual({(m, p) for m, p, _ in routes}, {(m.upper(), p) for p, methods in self.api["paths"].items() for m in methods})
        walked = 0
        for method, path, access in routes:
            self.assertEqual(set(self.api["paths"][path][method.lower()]["x-roles"]), allowed[access] - {"nobody", "newcomer"} if access != "anybody" else set(), path)
            if path == "/api/v1/leave":
                continue  # the test of leaving is its own
            for (role, way), token in tokens.items():
                owners = ("plant-1", "plant-2") if "{" in path else ("plant-1",)
                for owner in owners:
                    with self.subTest(route=f"{method} {path}", role=role, way=way, of=owner):
                        # What a partner may take away only once is another's, or nobody's.
                        concrete = path.replace("{asset}", f"urn:fl:e2e:{owner}:updates" if owner == "plant-2" else "urn:fl:e2e:plant-1:nothing")
                        concrete = re.sub(r"\{\w+(\.\.\.)?\}", "nothing", concrete)
                        body = b"" if method in ("POST", "PUT") else None
                        status, answer = self.f.ask(method, concrete, body, token)
                        walked += 1
                        if role not in allowed[access]:
                            expected = 401 if role == "nobody" else 403
                            self.assertEqual(status, expected, answer)
                            self.assertEqual(set(json.loads(answer)), {"type", "title", "status", "code", "detail"})
                        else:
                            self.assertNotIn(status, (401, 405), answer)
                            if owner == "plant-2" and role == "partner" and "{asset}" in path:
                                self.assertIn(status, (400, 403, 404), answer)
                            elif access != "members":
                                self.assertNotEqual(status, 403, answer)
        self.assertGreater(walked, 9 * len(routes) - 9)

    def test_another_s_is_refused_and_unseen(self):
        mine, theirs = self.provider.token("plant-1"), "/api/v1/hub/assets/urn:fl:e2e:plant-2:updates"
        self.assertIn(self.f.ask("DELETE", theirs, token=mine)[0], (403, 404))
        self.assertIn(self.f.ask("PUT", f"{theirs}/content?round=1&content={'0' * 64}", b"x", mine)[0], (403, 404))
        status = json.loads(self.f.ask("GET", "/api/v1/status", token=mine)[1])
        self.assertEqual([p["id"] for p in status["participants"]], ["plant-1"])
        every = json.loads(self.f.ask("GET", "/api/v1/status", token=self.provider.token("auditor"))[1])
        self.assertLessEqual({"plant-1", "plant-2"}, {p["id"] for p in every["participants"]})

    def test_tokens_that_are_not_good_are_refused(self):
        signed, now = self.provider.signed, int(time.time())
        good = signed()
        self.assertEqual(self.me(good)[0], "operator")
        head, body, signature = good.split(".")
        unpadded = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
        for name, token, code in (
            ("expired", signed({"exp": now - 61}), "token.expired"),
            ("without an end", signed({"exp": None}), "token.expired"),
            ("not valid yet", signed({"nbf": now + 120}), "token.early"),
            ("for another audience, by the provider", self.provider.token("operator", "urn:other:api"), "token.audience"),
            ("for another audience", signed({"aud": ["urn:other:api"]}), "token.audience"),
            ("of another issuer", signed({"iss": "http://127.0.0.1:1"}), "token.issuer"),
            ("of an issuer that is nearly the same", signed({"iss": self.provider.issuer + "/"}), "token.issuer"),
            ("without a signature", signed(header={"alg": "none"}), "token.algorithm"),
            ("signature stripped", f"{head}.{body}.", "token.signature"),
            ("HMAC with the public key", signed(header={"alg": "HS256"}), "token.algorithm"),
            ("an algorithm of another key type", signed(header={"alg": "RS256"}), "token.key"),
            ("signed by a stranger", signed(stranger=True), "token.signature"),
            ("with a key of nobody", signed(header={"kid": "nobody"}), "token.key"),
            ("an id token", signed(header={"typ": "logout+jwt"}), "token.type"),
            ("bound to its holder", signed({"cnf": {"jkt": "x"}}), "token.bound"),
            ("altered", f"{head}.{unpadded({'iss': self.provider.issuer, 'aud': 'urn:entente:api', 'sub': 'me', 'exp': now + 60})}.{signature}", "token.signature"),
            ("too long", f"{head}.{body}{'A' * 9000}.{signature}", "token.malformed"),
        ):
            with self.subTest(name):
                self.assertEqual(self.me(token)[0], code)
        self.assertEqual(self.me(good)[0], "operator")

    def test_joining_without_a_code_and_going_at_the_operator_s_click(self):
        for path in ("hub/view", "status"):
            status, body = self.f.ask("GET", f"/api/v1/{path}", token=self.provider.token("plant-5"))
            self.assertEqual((status, json.loads(body)["code"]), (403, "auth.not-joined"))
        # Nobody comes in as the coordinator, whatever an issuer or an operator says.
        mask = self.provider.signed({"realm_access": {"roles": ["partner"]}, "participant_id": "coordinator"})
        self.assertEqual(self.me(mask)[0], "auth.no-company")
        status, body = self.f.ask("POST", "/api/v1/invitations", json.dumps({"participant": "coordinator"}).encode())
        self.assertEqual((status, json.loads(body)["code"]), (409, "join.taken"))
        status, body = self.f.ask("POST", "/api/v1/enrolment", enrolment("plant-6"), self.provider.token("plant-5"))
        self.assertEqual((status, json.loads(body)["code"]), (401, "join.bad-signature"))
        status, joined = self.enrol("plant-5")
        self.assertEqual((status, joined["participant"], joined["role"]), (201, "plant-5", "partner"))
        self.assertEqual(self.f.ask("GET", "/api/v1/hub/view", token=self.provider.token("plant-5"))[0], 200)
        self.assertEqual(self.f.ask("GET", "/api/v1/hub/view", token=joined["token"])[0], 200)
        self.assertEqual(self.enrol("plant-5", "another key")[1]["code"], "join.other-key")
        self.assertEqual(self.f.ask("DELETE", "/api/v1/participants/plant-5", token=self.provider.token("operator"))[0], 204)
        self.assertEqual(self.f.ask("GET", "/api/v1/hub/view", token=joined["token"])[0], 401)
        self.assertEqual(self.me(self.provider.token("plant-5"))[0], "join.removed")
        self.assertEqual(self.enrol("plant-5")[1]["code"], "join.removed")

    def test_pages_may_ask_the_issuer_and_nobody_else(self):
        policy = lambda path: urllib.request.urlopen(self.f.url + path, timeout=20).headers["Content-Security-Policy"]
        self.assertIn(f"connect-src 'self' {self.provider.issuer};", policy("/"))
        self.assertNotIn(self.provider.issuer, policy("/demo.html") + policy("/healthz"))
        federation = json.loads(self.f.ask("GET", "/api/v1/federation", token=None)[1])
        self.assertEqual(federation["sign_in"], {"issuer": self.provider.issuer, "client_id": "entente-web", "scope": "openid"})

    def test_what_is_watched_ends_with_the_token_or_at_the_operator_s_click(self):
        refused = WebSocket(self.f, first={"token": self.provider.signed({"aud": "other"})})
        self.assertEqual(refused.frame(), 1008)
        newcomer = WebSocket(self.f, first={"token": self.provider.token("plant-8")})
        self.assertEqual(newcomer.frame(), 1008)
        newcomer.close()
        long = WebSocket(self.f, first={"token": self.provider.signed({"groups": "x" * 5000})})
        self.assertEqual(long.frame()["type"], "status")
        # Four seconds are left of the minute of leeway.
        ends = int(time.time()) - 56
        short = WebSocket(self.f, first={"token": self.provider.signed({"exp": ends})})
        self.assertEqual(short.frame()["type"], "status")
        self.enrol("plant-6")
        partner = WebSocket(self.f, first={"token": self.provider.token("plant-6")})
        self.assertEqual([p["id"] for p in partner.frame()["participants"]], ["plant-6"])
        time.sleep(max(0, ends + 61 - time.time()))
        self.assertEqual(self.f.ask("DELETE", "/api/v1/participants/plant-6", token=self.provider.token("operator"))[0], 204)
        for socket in (short, partner):
            self.assertEqual(socket.until(lambda frame: isinstance(frame, int))[-1], 1008)
        long.until(lambda frame: frame.get("entry", {}).get("kind") == "participant.left")  # the others watch on
        for socket in (refused, long, short, partner):
            socket.close()

    def test_tokens_are_neither_logged_nor_kept(self):
        token = self.provider.token("operator")
        for attempt in (token, token[:-4] + "AAAA", self.provider.signed({"aud": "other"})):
            self.me(attempt)
        kept = self.f.log() + "".join(p.read_bytes().decode("latin-1") for p in (self.f.folder / "coordinator").glob("entente.db*"))
        for part in token.split("."):
            self.assertNotIn(part, kept)


@unittest.skipUnless(installed(), "npm's oidc-provider is not installed: script/bootstrap")
class Rotation(unittest.TestCase):
    def test_new_keys_are_fetched_and_old_ones_go(self):
        with IdentityProvider() as provider, Small() as f:
            f.start_server(*provider.serve_options)
            status = lambda token: f.ask("GET", "/api/v1/me", token=token)[0]
            before = provider.token("operator")
            self.assertEqual(status(before), 200)
            provider.rotate()
            after = provider.token("operator")
            f.wait_for(lambda: status(after) == 200, "the new key is known", 30)
            self.assertEqual(status(before), 401)
            # A provider that is away: what is known goes on, a restart of ours waits for it.
            provider.stop()
            self.assertEqual(status(after), 200)
            f.stop_server()
            f.start_server(*provider.serve_options)
            self.assertEqual(status(after), 503)
            self.assertEqual(status(f.token), 200)
            provider.start()
            again = provider.token("operator")
            f.wait_for(lambda: status(again) == 200, "the provider is back", 30)

    def test_an_issuer_in_the_clear_is_refused(self):
        with Small() as f:
            done = subprocess.run([ENTENTE, "serve", "--data", f.folder / "x", "--issuer", "http://id.example.org"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 3)
            self.assertIn("config.issuer", done.stderr)


if __name__ == "__main__":
    unittest.main()
