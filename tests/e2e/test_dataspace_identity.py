"""Two connectors of the Dataspace Protocol that an identity provider vouches for."""
import hashlib, json, unittest, urllib.error, urllib.request

from dataspace import Pair
from harness import Small
from identity_provider import IdentityProvider, installed
from test_dataspace import SMALL, agreement_in


@unittest.skipUnless(installed(), "npm's oidc-provider is not installed: script/bootstrap")
class VouchedFor(unittest.TestCase):
    def test_they_agree_and_the_bytes_arrive_and_no_other_token_is_good(self):
        with IdentityProvider() as provider, Pair(SMALL, "--issuer", provider.issuer) as pair:
            agreement = agreement_in(pair)
            pair.consumer.begin("transfers", peer="plant-a", agreement=agreement, format="HttpData-PULL")
            pair.until(lambda: {p["state"] for c in (pair.provider, pair.consumer) for p in c.processes("transfer")} == {"COMPLETED"})
            self.assertEqual(list(pair.consumer.received().values()), [hashlib.sha256(SMALL).hexdigest()])

            here, there = (f"http://localhost:{c.port}/dsp/2025-1" for c in (pair.provider, pair.consumer))

            def asked(token, base=here):
                body = json.dumps({"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "CatalogRequestMessage"}).encode()
                request = urllib.request.Request(base + "/catalog/request", body, {"Content-Type": "application/json"})
                if token:
                    request.add_header("Authorization", token)
                try:
                    with urllib.request.urlopen(request, timeout=10) as answer:
                        return answer.status
                except urllib.error.HTTPError as error:
                    return error.code

            ours = "Bearer " + provider.token("plant-b", here)
            company = {"aud": here, "participant_id": "plant-b"}
            self.assertEqual(asked(ours), 200)
            self.assertEqual(asked("Bearer " + provider.signed(company)), 200)
            for name, token in (
                ("none", None), ("a mock token", json.dumps({"region": "eu", "audience": here, "clientId": "plant-b"})),
                ("for another connector", "Bearer " + provider.token("plant-b", there)),
                ("of no company", "Bearer " + provider.signed({"aud": here})),
                ("of a company that takes no part", "Bearer " + provider.token("plant-9", here)),
                ("expired", "Bearer " + provider.signed({**company, "exp": 1})),
                ("of another issuer", "Bearer " + provider.signed({**company, "iss": "http://127.0.0.1:1"})),
                ("HMAC with the public key", "Bearer " + provider.signed(company, {"alg": "HS256"})),
                ("signed by a stranger", "Bearer " + provider.signed(company, stranger=True)),
            ):
                with self.subTest(name):
                    self.assertEqual(asked(token), 401)
            # What was shown to one connector is worth nothing at another.
            self.assertEqual(asked(ours, there), 401)
            # Without its issuer a connector that has just started knows nobody, and says so: its peers try again.
            pair.provider.stop()
            provider.stop()
            pair.provider.start()
            self.assertEqual(asked(ours), 503)

    def test_a_federation_trains_between_connectors_that_are_vouched_for(self):
        with IdentityProvider() as provider, Small(rounds=2, partners=2, rows=100) as f:

            def secret(client):
                path = f.folder / f"{client}.secret"
                path.write_text(f"{client}-secret")
                path.chmod(0o600)
                return path

            f.start_server(*provider.serve_options, "--client-secret-file", secret("coordinator"))
            for i in (1, 2):
                f.start_partner(i, "--connector", "dsp", "--issuer", provider.issuer, "--client-secret-file", secret(f"plant-{i}"))
            f.wait_partners()
            status = f.status()
            self.assertEqual(status["completed"], 2)
            self.assertTrue(all(p["contributions"] == 2 for p in status["participants"]), status["participants"])
            # One that shows a token signed with its own key, as without an issuer, is not heard.
            said = f.log() + f.log("plant-1") + f.log("plant-2")
            self.assertNotIn("eyJ", said)

    def test_who_is_vouched_for_by_nobody_is_not_heard(self):
        with IdentityProvider() as provider, Small(rounds=1, partners=1, rows=100) as f:
            path = f.folder / "secret"
            path.write_text("coordinator-secret")
            path.chmod(0o600)
            f.start_server(*provider.serve_options, "--client-secret-file", path)
            f.start_partner(1, "--connector", "dsp")
            f.wait_for(lambda: "Connector" in f.log() or "connector" in f.log(), "the coordinator says what keeps them apart")
            self.assertEqual(f.status()["completed"], 0)


if __name__ == "__main__":
    unittest.main()
