"""No secret is in a log, a metric, the ledger, evidence, an answer, or the coordinator's data folder but in its key file: a federation
with everything switched on, then a search for each secret."""
import hashlib, json, os, re, subprocess, unittest

from envelope import public_key, sign
from harness import ENTENTE, Small
from identity_provider import IdentityProvider, installed
from test_live import WebSocket


@unittest.skipUnless(installed(), "npm's oidc-provider is not installed: script/bootstrap")
class Secrets(unittest.TestCase):
    def test_none_is_found_anywhere(self):
        with IdentityProvider() as provider, Small(rounds=2, partners=2) as f:
            secret_file = f.folder / "client.secret"
            secret_file.write_text("plant-2-secret\n")
            secret_file.chmod(0o600)
            f.start_server(*provider.serve_options, "--keep-updates", "all")
            secrets, answers, returned = {}, [], {}

            # A partner with a code and the hub, one with a client secret and a connector of its own, an auditor, an operator who signs in.
            f.start_partner(1)
            secrets["join code"] = f.codes["plant-1"]
            logged_in = subprocess.run([ENTENTE, "login", "--url", f.url, "--issuer", provider.issuer, "--client-id", "plant-2", "--client-secret-file", secret_file,
                                        "--resource", "urn:entente:api", "--state", f.folder / "plant-2"], capture_output=True, text=True, timeout=60)
            self.assertEqual(logged_in.returncode, 0, logged_in.stderr)
            answers.append((logged_in.stdout + logged_in.stderr).encode())
            f.codes["plant-2"] = ""
            f.start_partner(2, "--connector", "dsp", "--listen", "127.0.0.1:0")
            secrets["auditor's token"], seed = f.enter("works-council", "auditor")
            secrets["auditor's key"] = seed.hex()
            secrets["operator's token"] = f.token
            secrets["operator's access token"] = provider.token("operator")
            watching = WebSocket(f, first={"token": secrets["operator's access token"]})
            f.wait_partners(120)
            for i in (1, 2):
                secrets[f"token of plant-{i}"] = re.search(r'token = "(\w+)"', (f.folder / f"plant-{i}/state.toml").read_text())[1]
                secrets[f"key of plant-{i}"] = (f.folder / f"plant-{i}/partner.key").read_text().strip()
            secrets["coordinator's key"] = (f.folder / "coordinator/coordinator.key").read_text().strip()
            secrets["access token of plant-2"] = re.search(r'"access_token":\s*"([^"]+)"', (f.folder / "plant-2/session.json").read_text())[1]
            secrets["client secret"] = "plant-2-secret"
            rotated = subprocess.run([ENTENTE, "key", "rotate", "--state", f.folder / "plant-1"], capture_output=True, text=True, timeout=60)
            self.assertEqual(rotated.returncode, 0, rotated.stderr)
            answers.append((rotated.stdout + rotated.stderr).encode())
            secrets["new key of plant-1"] = (f.folder / "plant-1/partner.key").read_text().strip()
            # What people do wrong: secrets where they do not belong.
            for name, secret in list(secrets.items()):
                # Whoever sends one may read it in the answer, and nobody else's.
                said = lambda answer, to=name: returned.setdefault(to, []).append(answer[1])  # noqa: E731
                said(f.ask("GET", f"/api/v1/nothing/{secret}"[:200], token=None))
                said(f.ask("GET", f"/api/v1/me?access_token={secret}", token=None))
                said(f.ask("GET", f"/api/v1/evidence?participant={secret}"[:200]))
                said(f.ask("GET", "/api/v1/me", token=secret))
                said(f.ask("GET", "/api/v1/me", token=secret[:-3] + "AAA"))
                said(f.ask("POST", "/api/v1/invitation", json.dumps({"code": secret}).encode(), None))
                said(f.ask("POST", "/api/v1/join", json.dumps({"code": secret, "public_key": secret, "signature": secret}).encode(), None))
                said(f.ask("POST", "/api/v1/invitations", json.dumps({"participant": secret, "role": secret}).encode()))
                said(f.ask("DELETE", f"/api/v1/participants/{secret}"[:200]))
                said(f.ask("POST", "/dsp/2025-1/catalog/request", b"{}", secret))
                said(f.ask("POST", f"/api/v1/{secret}"[:100], f'{{"{secret}": '.encode()))
            # What everybody may read, and what some may.
            def said(status_and_body):
                answers.append(status_and_body[1])
                return status_and_body[0]

            for path in ("/metrics", "/api/v1/federation", "/healthz", "/readyz", "/api/v1/openapi.json"):
                said(f.ask("GET", path, token=None))
            for path in ("status", "ledger?limit=1000", "agreements", "connector", "receipts/1", "evidence?participant=plant-1&limit=1000", "evidence?participant=plant-2&limit=1000", "log/checkpoint", "me"):
                self.assertEqual(said(f.ask("GET", "/api/v1/" + path)), 200, path)
            exported = subprocess.run([ENTENTE, "ledger", f.url, "--json"], capture_output=True, text=True, env={**os.environ, "ENTENTE_TOKEN": f.token}, timeout=60)
            answers.append((exported.stdout + exported.stderr).encode())
            watching.socket.settimeout(2)
            frames = []
            try:
                while True:
                    frames.append(json.dumps(watching.frame()))
            except (TimeoutError, OSError):
                pass
            watching.close()
            f.stop_server()
            places = {"what was answered": b"\n".join(answers), "what was watched": "\n".join(frames).encode()}
            places |= {f"answers to whoever sent the {name}": b"\n".join(bodies) for name, bodies in returned.items()}
            for name in ("coordinator", "plant-1", "plant-2"):
                # The operator's token is shown once, at the first start: that is its way to the operator.
                places[f"log of {name}"] = f.log(name).replace(f'"operator_token":"{f.token}"', "").encode()
            for path in (f.folder / "coordinator").rglob("*"):
                if path.is_file() and path.name != "coordinator.key":
                    places[str(path.relative_to(f.folder))] = path.read_bytes()
            self.assertGreater(len(places), 10)
            for name, secret in secrets.items():
                self.assertGreaterEqual(len(secret), 12, name)
                forms = {secret, secret.replace("-", "") if name == "join code" else secret, secret.lower() if name == "join code" else secret}
                if secret.count(".") == 2:
                    forms |= set(secret.split(".")[1:])
                if len(secret) == 64:
                    forms.add(bytes.fromhex(secret).decode("latin-1"))
                for place, content in places.items():
                    if place == f"answers to whoever sent the {name}":
                        continue
                    for form in forms:
                        self.assertNotIn(form.encode("latin-1"), content, f"{name}, in {place}")


if __name__ == "__main__":
    unittest.main()
