"""A federation with a partner that runs an EDC: plant-1 has a connector of ours, plant-2 an EDC without a data plane, for which
Entente is one. The model is that of the hub, bit for bit."""
import json
import os
import pathlib
import sys
import tempfile
import unittest

from connector import Edc, Failed, ask, free_ports, member, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
from dataspace import Company  # noqa: E402
from harness import Small, undisturbed_digest  # noqa: E402

JARS = os.environ["ENTENTE_EDC_JARS"]
ROUNDS = 10
MOCK = "--insecure-mock-identity"
NAME = "BPNL000000000002"  # what the EDC calls itself; the operator has invited plant-2


class Loop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.digest = undisturbed_digest(rounds=ROUNDS)

    def setUp(self):
        """An EDC and a federation of its own for each test: an EDC goes on with what another one has left behind."""
        self.edc = Edc(NAME, JARS, data_plane=False)
        self.addCleanup(self.edc.stop)
        self.edc.wait_ready()
        self.federation = "e2e-" + self.id().rsplit(".", 1)[1].replace("_", "-")[:40].strip("-")
        self.updates = f"urn:fl:{self.federation}:plant-2:updates"

    def small(self, **options):
        return Small(federation=self.federation, **options)

    def start_edc_partner(self, f):
        (f.folder / "edc.key").write_text(self.edc.key + "\n")
        path = f.folder / "partner.toml"
        path.write_text('connector = "edc"\n[edc]\nkey_file = "edc.key"\n'
                        f'management = "{self.edc.management}"\ncontrol = "{self.edc.control}"\nprotocol = "{self.edc.dsp}"\nparticipant = "{NAME}"\n')
        return f.start_partner(2, path)

    def start(self, f):
        f.start_server(MOCK)
        f.start_partner(1, "--connector", "dsp")
        return self.start_edc_partner(f)

    def finished(self, f, rounds, seconds=300):
        f.wait_partners(seconds)
        status = f.status()
        self.assertEqual((status["phase"], status["completed"]), ("finished", rounds), f.log())
        accepted = [e["participant"] for e in f.ledger() if e["kind"] == "update.accepted"]
        self.assertEqual(sorted(accepted), ["plant-1"] * rounds + ["plant-2"] * rounds, "each update counted exactly once")
        self.assertEqual([e["kind"] for e in f.ledger()].count("agreement.concluded"), 4, "agreed once for each partner and direction")
        # A negotiation that EDC itself has lost is begun anew; none is without need.
        negotiations = f.get("/api/v1/connector")["processes"]["negotiations"]
        agreed = sorted((n["peer"], n["role"]) for n in negotiations if n["state"] == "FINALIZED")
        self.assertEqual(agreed, sorted((f"plant-{i}", role) for i in (1, 2) for role in ("consumer", "provider")))

    def edc_agreements(self):
        return sorted((member(a, "assetId"), member(a, "consumerId")) for a in self.edc.agreements())

    def test_ten_rounds_come_to_the_model_of_the_hub(self):
        before = self.edc_agreements()
        with self.small(rounds=ROUNDS) as f:
            self.start(f)
            self.finished(f, ROUNDS)
            self.assertEqual(f.status()["model_digest"], self.digest)
            self.assertEqual([f.result(f"plant-{i}")["model_digest"] for i in (1, 2)], [self.digest] * 2)
            kinds = {p["participant"]: p["kind"] for p in f.get("/api/v1/connector")["peers"]}
            self.assertEqual(kinds, {"plant-1": "entente", "plant-2": "edc"})
            transfers = f.get("/api/v1/connector")["processes"]["transfers"]
            completed = [t for t in transfers if (t["peer"], t["role"], t["state"]) == ("plant-2", "consumer", "COMPLETED")]
            self.assertEqual(len(completed), ROUNDS, "one transfer for each update")
        new = list(self.edc_agreements())
        for agreement in before:
            new.remove(agreement)
        self.assertEqual(new, [(f"urn:fl:{self.federation}:global", NAME), (self.updates, "coordinator")], "EDC agreed once for each direction")

    def test_a_partner_that_is_killed_goes_on(self):
        with self.small(rounds=4, rows=2000) as f:
            victim = self.start(f)
            f.wait_for(lambda: f.status()["completed"] >= 1, "the first round")
            victim.kill()
            victim.wait()
            self.start_edc_partner(f)
            self.finished(f, 4)

    def test_a_coordinator_that_is_killed_goes_on(self):
        with self.small(rounds=4, rows=2000) as f:
            self.start(f)
            f.wait_for(lambda: f.status()["completed"] >= 1, "the first round")
            f.server.kill()
            f.server.wait()
            f.start_server(MOCK)
            self.finished(f, 4)

    def test_a_contract_that_is_exhausted_ends_for_the_partner_behind_edc(self):
        with self.small(rounds=1, rows=20000, plan="[policy]\nmax_rounds = 1", round_keys="deadline_s = 8") as f:
            f.start_server(MOCK)
            other = f.start_partner(1, "--connector", "dsp")
            partner = self.start_edc_partner(f)
            f.wait_for(lambda: f.status()["phase"] == "collecting", "round 1")
            other.kill()
            other.wait()
            self.assertEqual(partner.wait(90), 4, f.log("plant-2"))
            for word in ("maxRounds", "policy.denied"):
                self.assertIn(word, f.log("plant-2"))

    def test_a_stranger_whom_edc_agrees_with_gets_no_bytes(self):
        with self.small(rounds=100) as f, tempfile.TemporaryDirectory(prefix="entente-edc-") as name:
            self.start(f)
            f.wait_for(lambda: f.status()["completed"] >= 1, "the first round")
            stranger = Company("stranger", free_ports(1)[0], name, {})
            stranger.command += ["--peer", f"{NAME}={self.edc.dsp}", "--origin", f"{NAME}=http://127.0.0.1:1"]
            self.addCleanup(stranger.stop)
            stranger.start()
            token = json.dumps({"region": "eu", "audience": self.edc.dsp, "clientId": "stranger"})
            message = {"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "CatalogRequestMessage"}
            catalogue = json.loads(ask("POST", self.edc.dsp + "/catalog/request", message, {"Authorization": token})[1])
            offer = next(d for d in catalogue["dataset"] if d["@id"] == self.updates)["hasPolicy"][0]

            def until(pid, *states):
                def there():
                    found = next(p for p in stranger.ask("state")["processes"] if p["pid"] == pid)
                    return found["state"] in states and found
                return wait_for(f"{pid} in {states}", there, 40)

            agreed = until(stranger.begin("negotiations", peer=NAME, dataset=self.updates, offer=json.dumps(offer)), "FINALIZED", "TERMINATED")
            self.assertEqual(agreed["state"], "FINALIZED", agreed)
            pid = stranger.begin("transfers", peer=NAME, agreement=agreed["agreement"], format="HttpData-PULL")
            self.assertEqual(until(pid, "STARTED", "COMPLETED", "TERMINATED")["state"], "TERMINATED")
            self.assertEqual(stranger.received(), {})

    def test_the_mock_identity_is_refused_unless_it_is_asked_for(self):
        with self.small(rounds=1) as f:
            f.start_server()
            self.assertNotEqual(self.start_edc_partner(f).wait(60), 0)
            self.assertIn("identity.mock", f.log("plant-2"))
            self.assertIn(MOCK, f.log("plant-2"))
            self.assertEqual(self.catalogue_as(f, NAME), 401)
        with self.small(rounds=1) as f:
            f.start_server(MOCK)
            f.start_partner(1, "--connector", "dsp")
            f.wait_for(lambda: f.get("/api/v1/connector")["peers"], "plant-1 is registered")
            for name in ("plant-1", "plant-2", "coordinator", NAME, ""):
                self.assertEqual(self.catalogue_as(f, name), 401, f"{name} is not registered as an EDC")

    def catalogue_as(self, f, participant):
        token = json.dumps({"region": "eu", "audience": f"{f.url}/dsp/2025-1", "clientId": participant})
        message = {"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "CatalogRequestMessage"}
        return ask("POST", f.url + "/dsp/2025-1/catalog/request", message, {"Authorization": token})[0]


if __name__ == "__main__":
    unittest.main()
