"""An EDC and our connector, face to face over the Dataspace Protocol: each provides and each consumes.

Ours is the production connector with a plain company's decisions (tests/interop/dsp_peer.cpp).
"""
import hashlib
import json
import os
import pathlib
import sys
import tempfile
import threading
import unittest

from connector import Edc, ask, fetch, member, wait_for
from source import Source, content
from terms import COHORT, OPERAND, PURPOSE, policy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))
from dataspace import Company  # noqa: E402
from ports import free_ports  # noqa: E402

JARS = os.environ["ENTENTE_EDC_JARS"]
PULL, PUSH = "HttpData-PULL", "HttpData-PUSH"


class Protocol(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bytes = content(700_000)
        cls.digest = hashlib.sha256(cls.bytes).hexdigest()
        folder = tempfile.TemporaryDirectory(prefix="entente-edc-")
        cls.addClassCleanup(folder.cleanup)
        model = pathlib.Path(folder.name) / "model"
        model.write_bytes(cls.bytes)
        cls.source = Source(model=cls.bytes)
        cls.addClassCleanup(cls.source.stop)
        cls.edc = Edc("customer", JARS)
        cls.addClassCleanup(cls.edc.stop)
        cls.edc.wait_ready()
        rules = {"permission": [{"action": "use", "constraint": [
            {"leftOperand": PURPOSE[0], "operator": PURPOSE[1], "rightOperand": PURPOSE[2]}]}],
            "prohibition": [{"action": "http://www.w3.org/ns/odrl/2/distribute"}]}
        cls.ours = Company("plant-a", free_ports(1)[0], pathlib.Path(folder.name) / "ours", {}, {"model": model})
        cls.ours.command += ["--peer", f"customer={cls.edc.dsp}", "--origin", f"customer=http://localhost:{cls.edc.ports['public']}",
                             "--origin", f"customer={cls.source.url}", "--rules", json.dumps(rules),
                             "--federation", "urn:fl:federation:demo"]
        cls.addClassCleanup(cls.ours.stop)
        cls.ours.start()
        cls.us = ("plant-a", f"http://localhost:{cls.ours.port}/dsp/2025-1")

    # -- ours as the consumer --------------------------------------------------------------------------------------

    def offer_of(self, asset):
        """As it stands in EDC's catalogue now: its ids are new each time."""
        token = json.dumps({"region": "eu", "audience": self.edc.dsp, "clientId": "plant-a"})
        message = {"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "CatalogRequestMessage"}
        status, said = ask("POST", self.edc.dsp + "/catalog/request", message, {"Authorization": token})
        self.assertEqual(status, 200, said)
        return next(d for d in json.loads(said)["dataset"] if d["@id"] == asset)["hasPolicy"][0]

    def process(self, pid):
        return next(p for p in self.ours.ask("state")["processes"] if p["pid"] == pid)

    def ours_until(self, pid, *states):
        def there():
            found = self.process(pid)
            return found["state"] in states and found["waiting"] == 0 and found
        try:
            return wait_for(f"{pid} in {states}", there, 40)
        except Exception as error:
            raise AssertionError(f"{error}, found {self.process(pid)}; EDC: {self.edc.complaints()}") from None

    def agree(self, asset, offer=None):
        # EDC may lose its own race: our verification arrives before it has written down its agreement. We ask again.
        for _ in range(3):
            pid = self.ours.begin("negotiations", peer="customer", dataset=asset, offer=json.dumps(offer or self.offer_of(asset)))
            ended = self.ours_until(pid, "FINALIZED", "TERMINATED")
            if ended["state"] == "FINALIZED" or "cannot be verified" not in ended["lastError"]:
                break
        return ended

    def transfer(self, agreed, format, state):
        # The same for what EDC has just finalized: asked at once, it may not know the agreement yet. And a busy EDC may end
        # a transfer of its own accord, without a reason; whoever wants the bytes asks again, as our connector does.
        for _ in range(3):
            pid = self.ours.begin("transfers", peer="customer", agreement=agreed["agreement"], format=format)
            ended = self.ours_until(pid, state, "TERMINATED")
            if ended["state"] == state:
                return pid
        raise AssertionError(f"expected {state} in three attempts, found {ended}; EDC: {self.edc.complaints()}")

    def refused(self, ended, code, words):
        """By us. EDC takes our answer for the end, and its own termination, without a code, may come before ours leaves."""
        self.assertEqual(ended["state"], "TERMINATED", ended)
        self.assertIn(ended["code"], (code, ""), ended)
        self.assertIn(words, ended["lastError"], ended)
        self.assertEqual(ended["agreement"], "", ended)

    def edc_negotiations(self, pid):
        found = self.edc.post("/v3/contractnegotiations/request", {"@type": "QuerySpec", "sortField": "createdAt", "sortOrder": "DESC"})
        return [n for n in found if member(n, "correlationId") == pid]

    def edc_state(self, pid):
        """The provider's view of a transfer that we asked for."""
        found = self.edc.post("/v3/transferprocesses/request", {"@type": "QuerySpec", "sortField": "createdAt", "sortOrder": "DESC"})
        return next((member(t, "state") for t in found if member(t, "correlationId") == pid), None)

    def test_we_consume_by_pull_and_by_push(self):
        self.edc.offer("asset", self.source.url + "/model", policy(PURPOSE, COHORT))
        agreed = self.agree("asset")
        self.assertEqual(agreed["state"], "FINALIZED", agreed)
        pull = self.transfer(agreed, PULL, "COMPLETED")
        self.assertEqual(self.ours.received()[pull], self.digest)
        wait_for("EDC to know that it is complete", lambda: self.edc_state(pull) in ("COMPLETED", "DEPROVISIONED"))

        before = set(self.ours.received())
        self.transfer(agreed, PUSH, "COMPLETED")
        pushed = {name: digest for name, digest in self.ours.received().items() if name not in before}
        self.assertEqual(list(pushed.values()), [self.digest])

    def test_we_suspend_resume_and_terminate_what_edc_sends(self):
        gate = threading.Event()
        self.source.assets["slow"], self.source.gates["slow"] = self.bytes, gate
        self.edc.offer("slow", self.source.url + "/slow", policy(PURPOSE, COHORT))
        agreed = self.agree("slow")
        for last in ("COMPLETED", "TERMINATED"):
            with self.subTest(last):
                gate.clear()
                pid = self.transfer(agreed, PULL, "STARTED")
                self.ours.ask("act", pid=pid, send="suspension")
                self.ours_until(pid, "SUSPENDED")
                wait_for("EDC to have suspended it", lambda pid=pid: self.edc_state(pid) == "SUSPENDED")
                if last == "COMPLETED":
                    gate.set()
                    self.ours.ask("act", pid=pid, send="start")
                    self.ours_until(pid, "COMPLETED")
                    self.assertEqual(self.ours.received()[pid], self.digest)
                else:
                    self.ours.ask("act", pid=pid, send="termination", code="enough")
                    self.ours_until(pid, "TERMINATED")
                    wait_for("EDC to know", lambda pid=pid: self.edc_state(pid) in ("TERMINATED", "DEPROVISIONED"))
        gate.set()

    def test_altered_rules_under_a_valid_offer_id_are_found_before_anything_is_verified(self):
        self.edc.offer("altered", self.source.url + "/model", policy(PURPOSE, COHORT))
        offer = self.offer_of("altered")
        weaker = {**offer, "permission": [{"action": "use", "constraint": offer["permission"][0]["constraint"][:1]}]}
        ended = self.agree("altered", weaker)
        self.refused(ended, "agreement.mismatch", "expected the terms of the offer, found others")
        # EDC had agreed, with its own rules; it was never told that this is good.
        theirs = self.edc_negotiations(ended["pid"])
        self.assertEqual(len(theirs), 1)
        wait_for("EDC to give up", lambda: member(self.edc_negotiations(ended["pid"])[0], "state") == "TERMINATED")

    def test_terms_that_edc_takes_for_satisfied_are_not_ours(self):
        self.edc.offer("unknown", self.source.url + "/model", policy(PURPOSE, (OPERAND + "moonPhase", "eq", "full")))
        ended = self.agree("unknown")
        self.refused(ended, "policy.unknown-operand", "moonPhase")

    # -- ours as the provider --------------------------------------------------------------------------------------

    def theirs(self):
        negotiation = self.edc.negotiate(*self.us, "model")
        self.assertEqual(member(negotiation, "state"), "FINALIZED", negotiation)
        return member(negotiation, "contractAgreementId")

    def act(self, identifier, what, kind=None):
        status, said = self.edc.call("POST", f"/v3/transferprocesses/{identifier}/{what}",
                                     {"@type": kind, "reason": "a test"} if kind else None)
        self.assertLess(status, 300, said)

    def test_we_provide_by_pull(self):
        pull = self.edc.transfer(*self.us, self.theirs(), PULL)
        self.edc.until("transferprocesses", pull, ("STARTED",))
        endpoint, token = self.edc.address(pull)
        self.assertEqual(fetch(endpoint, token), (200, self.bytes))
        self.act(pull, "suspend", "SuspendTransfer")
        wait_for("the token to be dead", lambda: fetch(endpoint, token)[0] == 403)
        self.edc.until("transferprocesses", pull, ("SUSPENDED",))
        self.act(pull, "resume")

        def resumed():
            found = self.edc.address(pull)
            return found[1] != token and found
        again = wait_for("a new address", resumed)
        self.assertEqual(fetch(*again), (200, self.bytes))
        self.assertEqual(fetch(endpoint, token)[0], 403)
        self.act(pull, "terminate", "TerminateTransfer")
        wait_for("the token to be dead", lambda: fetch(*again)[0] == 403)

    def test_we_provide_by_push(self):
        push = self.edc.transfer(*self.us, self.theirs(), PUSH, self.source.url + "/sink")
        self.edc.until("transferprocesses", push, ("COMPLETED",))
        self.assertEqual(self.source.received.pop(), self.bytes)


if __name__ == "__main__":
    unittest.main()
