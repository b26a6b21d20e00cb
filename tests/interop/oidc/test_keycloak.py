"""Keycloak as the identity provider: machines, terminals, a real browser, rotation, and its other tokens refused."""
import base64
import json
import os
import stat
import subprocess
import unittest

from keycloak import ROOT, Keycloak, free_ports  # noqa: I001 (finds the rest)
from harness import ENTENTE, Small
from identity_provider import confirm


def head_of(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class WithKeycloak(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        port = free_ports(1)[0]
        cls.provider = Keycloak(f"http://127.0.0.1:{port}")
        cls.provider.start()
        cls.addClassCleanup(cls.provider.stop)
        cls.f = Small(rounds=1, partners=2, rows=100)
        cls.addClassCleanup(cls.f.__exit__, None, None, None)
        cls.f.start_server(*cls.provider.serve_options, "--web-dir", ROOT / "web/dist", listen=f"127.0.0.1:{port}")

    def said(self, token):
        status, body = self.f.ask("GET", "/api/v1/me", token=token)
        return json.loads(body)["role" if status == 200 else "code"]

    def entente(self, *arguments):
        return subprocess.run([ENTENTE, *map(str, arguments)], capture_output=True, text=True, timeout=120)

    def login(self, client):
        secret = self.f.folder / f"{client}.secret"
        secret.write_text(f"{client}-secret")
        secret.chmod(0o600)
        done = self.entente("login", "--url", self.f.url, "--issuer", self.provider.issuer, "--client-id", client, "--client-secret-file", secret,
                            "--state", self.f.folder / client, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_machines_sign_in_invite_and_join(self):
        self.assertEqual(self.login("operator")["role"], "operator")
        done = self.entente("invite", "--url", self.f.url, "--state", self.f.folder / "operator", "--partner", "plant-2", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.f.codes["plant-2"] = json.loads(done.stdout)["code"]
        signed_in = self.login("plant-1")
        self.assertEqual((signed_in["role"], signed_in["participant"]), ("partner", "plant-1"))
        vouched = self.f.spawn("plant-1", "join", "--url", self.f.url, "--data", self.f.folder / "data-1", "--state", self.f.folder / "plant-1",
                               "--threads", 1, "--json")
        self.f.start_partner(2)
        self.assertEqual(vouched.wait(120), 0, self.f.log("plant-1"))
        self.assertEqual(self.f.status()["completed"], 1)

    def test_a_person_confirms_a_device_code(self):
        state = self.f.folder / "olga"
        child = subprocess.Popen([ENTENTE, "login", "--url", self.f.url, "--issuer", self.provider.issuer, "--state", state, "--json"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        confirm(json.loads(child.stdout.readline())["uri_complete"], "olga", "olga")
        out, err = child.communicate(timeout=120)
        self.assertEqual(child.returncode, 0, err)
        self.assertEqual(json.loads(out), {"event": "signed-in", "person": "Olga Test", "role": "operator", "participant": "operator"})
        self.assertEqual(stat.S_IMODE((state / "session.json").stat().st_mode), 0o600)

    def test_its_other_tokens_are_refused(self):
        self.assertEqual(self.said(self.provider.tokens("elsewhere")["access_token"]), "token.audience")
        olga = self.provider.tokens("operator", grant_type="password", username="olga", password="olga", scope="openid")
        self.assertEqual(self.said(olga["access_token"]), "operator")
        self.assertEqual(head_of(olga["refresh_token"])["alg"], "HS512")
        self.assertEqual(self.said(olga["refresh_token"]), "token.algorithm")
        self.assertEqual(self.said(olga["id_token"]), "token.audience")
        # It makes tokens out to the audience of its own choice: for connectors that will not do (docs/security.md).
        for_a_connector = self.provider.tokens("operator", resource="https://plant-a.example/dsp/2025-1")["access_token"]
        self.assertEqual(self.said(for_a_connector), "operator")

    def test_a_key_that_is_newer_is_found(self):
        before = self.provider.tokens("operator")["access_token"]
        self.assertEqual(self.said(before), "operator")
        self.provider.add_signing_key()
        after = self.provider.tokens("operator")["access_token"]
        self.assertNotEqual(head_of(after)["kid"], head_of(before)["kid"])
        self.f.wait_for(lambda: self.said(after) == "operator", "the newer key is known", 30)
        self.assertEqual(self.said(before), "operator")

    @unittest.skipUnless((ROOT / "web/dist/index.html").exists(), "the pages are not built: script/build web")
    @unittest.skipUnless(os.path.exists(os.environ.get("CHROMIUM", "/usr/bin/chromium")), "there is no Chromium: script/bootstrap")
    def test_people_sign_in_in_a_browser(self):
        done = subprocess.run(["node", str(ROOT / "tests/interop/oidc/browser.mjs"), self.f.url], capture_output=True, text=True, timeout=180)
        self.assertEqual(done.stdout.split("\n")[:2], ["Olga Test, operator", "Ada Test, auditor"], done.stderr)


if __name__ == "__main__":
    unittest.main()
