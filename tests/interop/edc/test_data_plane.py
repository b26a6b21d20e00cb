"""Our data plane under an EDC: EDC negotiates and speaks the protocol, the bytes and the terms are ours."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from connector import Edc, Failed, fetch, member, wait_for
from program import BUILD
from source import content
from terms import COHORT, PURPOSE, policy

JARS = os.environ["ENTENTE_EDC_JARS"]


class DataPlane(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="entente-edc-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.bytes = content(400_000)
        (cls.folder / "model").write_bytes(cls.bytes)
        (cls.folder / "policy").write_text(json.dumps(policy(PURPOSE, COHORT)))
        # The provider's has no data plane of its own.
        cls.provider, cls.consumer = Edc("provider", JARS, data_plane=False), Edc("consumer", JARS)
        for edc in (cls.provider, cls.consumer):
            cls.addClassCleanup(edc.stop)
        for edc in (cls.provider, cls.consumer):
            edc.wait_ready()
        origins = ",".join(address.rsplit("/", 1)[0] for address in (cls.provider.management, cls.provider.control))
        cls.ours = subprocess.Popen([BUILD / "edc_data_plane", "--data", cls.folder, "--dataset", "model", "--file", cls.folder / "model",
                                     "--policy", cls.folder / "policy", "--management", cls.provider.management, "--key", cls.provider.key,
                                     "--control", cls.provider.control, "--origins", origins], stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.stop_ours)
        line = cls.ours.stdout.readline()
        if not line.startswith("registered "):
            raise Failed(f"expected to be registered, found {line}")
        cls.origin = line.split()[1]

    @classmethod
    def stop_ours(cls):
        cls.ours.stdout.close()
        cls.ours.terminate()
        cls.ours.wait(10)

    def agree(self, asset, terms):
        self.provider.offer(asset, "http://localhost:1/never-asked", terms)
        # EDC looks every second or two whether the data plane is there; before, the asset cannot be had in any way.
        wait_for("a way to have the asset", lambda: self.ways(asset))
        negotiation = self.consumer.negotiate("provider", self.provider.dsp, asset)
        self.assertEqual(member(negotiation, "state"), "FINALIZED", negotiation)
        return member(negotiation, "contractAgreementId")

    def ways(self, asset):
        found = member(self.consumer.catalogue("provider", self.provider.dsp), "dataset") or []
        found = found if isinstance(found, list) else [found]
        return next((member(d, "distribution") for d in found if d["@id"] == asset), None)

    def pull(self, agreement, states=("STARTED", "TERMINATED")):
        identifier = self.consumer.transfer("provider", self.provider.dsp, agreement, "HttpData-PULL")
        return identifier, self.consumer.until("transferprocesses", identifier, states)

    def until_dead(self, endpoint, token):
        wait_for("the token to be dead", lambda: fetch(endpoint, token)[0] == 403)

    def act(self, identifier, what, kind=None):
        status, said = self.consumer.call("POST", f"/v3/transferprocesses/{identifier}/{what}",
                                          {"@type": kind, "reason": "a test"} if kind else None)
        self.assertLess(status, 300, said)

    def test_the_bytes_of_an_edc_contract_are_ours(self):
        agreement = self.agree("model", policy(PURPOSE, COHORT))
        identifier, state = self.pull(agreement)
        self.assertEqual(member(state, "state"), "STARTED", state)
        endpoint, token = self.consumer.address(identifier)
        self.assertTrue(endpoint.startswith(self.origin), endpoint)
        self.assertEqual(fetch(endpoint, token), (200, self.bytes))
        self.assertEqual(fetch(endpoint, "Bearer " + token), (200, self.bytes))
        self.assertEqual(fetch(endpoint, "another")[0], 403)

        self.act(identifier, "suspend", "SuspendTransfer")
        self.until_dead(endpoint, token)
        self.consumer.until("transferprocesses", identifier, ("SUSPENDED",))
        self.act(identifier, "resume")

        def resumed():
            found = self.consumer.address(identifier) if member(
                self.consumer.get(f"/v3/transferprocesses/{identifier}"), "state") == "STARTED" else None
            return found and found[1] != token and found
        endpoint, again = wait_for("a new address", resumed)
        self.assertEqual(fetch(endpoint, again), (200, self.bytes))
        self.assertEqual(fetch(endpoint, token)[0], 403)

        self.act(identifier, "terminate", "TerminateTransfer")
        self.until_dead(endpoint, again)

    def test_a_contract_that_edc_agreed_to_and_we_do_not_gets_no_bytes(self):
        # The owner's EDC offers another dataset, and under terms that are not ours.
        agreement = self.agree("other", policy(PURPOSE))
        _, state = self.pull(agreement)
        self.assertEqual(member(state, "state"), "TERMINATED", state)


if __name__ == "__main__":
    unittest.main()
