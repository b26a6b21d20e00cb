"""entente login: by a client's secret and by a device code that a person confirms, and the commands that need no token then."""
import json, os, stat, subprocess, unittest

from harness import ENTENTE, Small
from identity_provider import AUDIENCE, IdentityProvider, confirm, installed


@unittest.skipUnless(installed(), "npm's oidc-provider is not installed: script/bootstrap")
class Login(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Tokens that live for less than the margin: each command renews.
        cls.provider = IdentityProvider(OIDC_TTL="20")
        cls.provider.start()
        cls.addClassCleanup(cls.provider.stop)
        cls.f = Small(rounds=1, partners=2, rows=100)
        cls.addClassCleanup(cls.f.__exit__, None, None, None)
        cls.f.start_server(*cls.provider.serve_options)

    def entente(self, *arguments, **environment):
        return subprocess.run([ENTENTE, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                              env={k: v for k, v in {**os.environ, **environment}.items() if k != "ENTENTE_TOKEN"})

    def secret_of(self, client):
        path = self.f.folder / f"{client}.secret"
        path.write_text(f"{client}-secret\n")
        path.chmod(0o600)
        return path

    def login(self, client, *more, state=None):
        return self.entente("login", "--url", self.f.url, "--issuer", self.provider.issuer, "--client-id", client, "--client-secret-file",
                            self.secret_of(client), "--state", state or self.f.folder / f"{client}-state", "--json", *more)

    def session(self, client):
        return json.loads((self.f.folder / f"{client}-state/session.json").read_text())

    def test_an_operator_s_machine_invites_without_a_token_of_ours(self):
        done = self.login("operator")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout), {"event": "signed-in", "person": "operator", "role": "operator", "participant": "operator"})
        path = self.f.folder / "operator-state/session.json"
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        before = self.session("operator")
        self.assertNotIn("operator-secret", path.read_text())
        self.assertNotIn(before["access_token"], done.stdout + done.stderr)
        invited = self.entente("invite", "--url", self.f.url, "--state", path.parent, "--partner", "plant-7", "--json")
        self.assertEqual(invited.returncode, 0, invited.stderr)
        self.assertRegex(json.loads(invited.stdout)["code"], r"^[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}$")
        self.assertNotEqual(self.session("operator")["access_token"], before["access_token"])
        # The token goes to its coordinator and to nobody else.
        other = self.entente("invite", "--url", "http://127.0.0.1:1", "--state", path.parent, "--partner", "plant-8")
        self.assertNotEqual(other.returncode, 0)
        self.assertIn("login.other-coordinator", other.stderr)
        path.chmod(0o644)
        self.assertIn("login.too-open", self.entente("invite", "--url", self.f.url, "--state", path.parent, "--partner", "plant-8").stderr)
        path.chmod(0o600)
        self.assertIn("config.no-token", self.entente("invite", "--url", self.f.url, "--state", self.f.folder / "none", "--partner", "plant-8").stderr)

    def test_what_is_refused_keeps_nothing(self):
        (self.f.folder / "stranger.secret").unlink(missing_ok=True)
        done = self.login("stranger")
        self.assertIn("auth.no-role", done.stderr)
        self.assertFalse((self.f.folder / "stranger-state/session.json").exists())
        wrong = self.secret_of("auditor")
        wrong.write_text("guessed")
        done = self.entente("login", "--url", self.f.url, "--issuer", self.provider.issuer, "--client-id", "auditor", "--client-secret-file", wrong)
        self.assertIn("login.refused", done.stderr)
        self.assertIn("invalid_client", done.stderr)
        self.assertNotIn("guessed", done.stderr)
        wrong.chmod(0o644)
        done = self.entente("login", "--url", self.f.url, "--issuer", self.provider.issuer, "--client-id", "auditor", "--client-secret-file", wrong)
        self.assertIn("secret.too-open", done.stderr)
        self.assertIn("config.issuer", self.entente("login", "--url", self.f.url, "--issuer", "http://id.example.org").stderr)
        self.assertIn("token.audience", self.login("operator", "--resource", "urn:other:api", state=self.f.folder / "x").stderr)

    def test_a_partner_s_machine_joins_without_a_code_and_takes_part(self):
        done = self.login("plant-1", "--resource", AUDIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        state = self.f.folder / "plant-1-state"
        vouched = self.f.spawn("plant-1", "join", "--url", self.f.url, "--data", self.f.folder / "data-1", "--state", state, "--threads", 1, "--json")
        self.f.start_partner(2)  # with a code: both ways in one federation
        self.assertEqual(vouched.wait(60), 0, self.f.log("plant-1"))
        self.assertEqual(self.f.status()["completed"], 1)
        self.assertNotIn(self.session("plant-1")["access_token"], self.f.log() + self.f.log("plant-1"))

    def test_a_person_confirms_a_device_code(self):
        state = self.f.folder / "olga"
        child = subprocess.Popen([ENTENTE, "login", "--url", self.f.url, "--issuer", self.provider.issuer, "--state", state, "--json"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        told = json.loads(child.stdout.readline())
        self.assertEqual(told["event"], "confirm")
        confirm(told["uri_complete"], "olga", "any")
        out, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 0, err)
        self.assertEqual(json.loads(out)["role"], "operator")
        first = json.loads((state / "session.json").read_text())
        self.assertTrue(first["refresh_token"])
        for _ in range(2):  # renewed by the refresh token, which the provider replaces
            done = self.entente("invite", "--url", self.f.url, "--state", state, "--partner", "plant-9", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotEqual(json.loads((state / "session.json").read_text())["access_token"], first["access_token"])
        # A refresh token that the provider does not know: a person has to come.
        (state / "session.json").write_text(json.dumps({**first, "refresh_token": "unknown"}))
        self.assertIn("login.expired", self.entente("invite", "--url", self.f.url, "--state", state, "--partner", "plant-9").stderr)


if __name__ == "__main__":
    unittest.main()
