"""connectors/edc drives two EDCs, each for its owner: offer, catalogue, negotiation, transfer, and what is refused."""
import hashlib
import json
import os
import pathlib
import tempfile
import unittest

from connector import Edc, member, wait_for
from program import Program, Refused
from source import Source, content
from terms import COHORT, OPERAND, PURPOSE, policy

JARS = os.environ["ENTENTE_EDC_JARS"]


class Driven(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bytes = content(1_000_000)
        cls.digest = hashlib.sha256(cls.bytes).hexdigest()
        cls.source = Source(model=cls.bytes)
        cls.addClassCleanup(cls.source.stop)
        folder = tempfile.TemporaryDirectory(prefix="entente-edc-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.provider, cls.consumer = Edc("provider", JARS), Edc("consumer", JARS)
        for edc in (cls.provider, cls.consumer):
            cls.addClassCleanup(edc.stop)
        for edc in (cls.provider, cls.consumer):
            edc.wait_ready()

    def driver(self, edc, peer, key=None):
        origins = ",".join(e.management.rsplit("/", 1)[0] for e in (self.provider, self.consumer))
        data = ",".join(f"http://localhost:{e.ports['public']}" for e in (self.provider, self.consumer))
        program = Program("edc_driver", management=edc.management, key=key or edc.key, participant=edc.name, peer=peer.name,
                          peer_address=peer.dsp, origins=f"{origins},{data}")
        self.addCleanup(program.stop)
        return program

    def both(self):
        ours, theirs = self.driver(self.provider, self.consumer), self.driver(self.consumer, self.provider)
        self.assertEqual([ours.ask("connect"), theirs.ask("connect")], ["v3", "v3"])
        return ours, theirs

    def publish(self, driver, asset, *constraints, **more):
        path = self.folder / f"{asset}.json"
        path.write_text(json.dumps(policy(*constraints, **more)))
        return driver.ask("publish", asset, self.source.url + "/model", path)

    def refusal(self, call, *words):
        with self.assertRaises(Refused) as caught:
            call(*words)
        return caught.exception.reason

    def until_refused(self, consumer):
        """The provider's data plane hears of it a tick after the consumer."""
        def refused():
            try:
                consumer.ask("fetch")
            except Refused as error:
                return error.reason == "edc.credentials"
        wait_for("the token to be dead", refused)

    def test_a_dataset_goes_from_offer_to_withdrawal(self):
        provider, consumer = self.both()
        self.publish(provider, "model", PURPOSE, COHORT)
        self.publish(provider, "model", PURPOSE, COHORT)  # once more is no error
        self.assertEqual(self.refusal(self.publish, provider, "model", PURPOSE, (COHORT[0], "gteq", "3")), "edc.conflict")
        agreement = consumer.ask("negotiate", "model")
        # The wire's id is the same on both sides.
        self.assertIn(agreement["wire"], [member(a, "agreementId") or a["@id"] for a in self.provider.agreements()])

        consumer.ask("pull")
        self.assertEqual(consumer.ask("fetch"), self.digest)
        consumer.ask("suspend")
        self.until_refused(consumer)
        consumer.ask("resume")
        self.assertEqual(consumer.ask("fetch"), self.digest)
        consumer.ask("terminate")
        self.until_refused(consumer)

        consumer.ask("push", self.source.url + "/sink")
        self.assertEqual(self.source.received.pop(), self.bytes)

        self.assertIn("model", consumer.ask("catalogue"))
        provider.ask("withdraw", "model")
        provider.ask("withdraw", "model")
        self.assertNotIn("model", consumer.ask("catalogue"))

    def test_terms_that_edc_would_take_for_satisfied_are_refused(self):
        provider, consumer = self.both()
        before = len(self.provider.agreements())
        for asset, reason, constraints, more in (
                ("unknown", "policy.unknown-operand", [PURPOSE, (OPERAND + "moonPhase", "eq", "full")], {}),
                ("purpose", "policy.denied", [(OPERAND + "purpose", "eq", "urn:fl:federation:another")], {}),
                ("cohort", "policy.denied", [PURPOSE, (COHORT[0], "gteq", "100")], {}),
                ("profile", "policy.unknown-profile", [PURPOSE], {"profile": None})):
            with self.subTest(asset):
                self.publish(provider, asset, *constraints, **more)
                self.assertEqual(self.refusal(consumer.ask, "negotiate", asset), reason)
        self.assertEqual(len(self.provider.agreements()), before)

    def test_credentials_and_peers_that_are_wrong(self):
        self.assertEqual(self.refusal(self.driver(self.provider, self.consumer, key="wrong").ask, "connect"), "edc.credentials")
        _, consumer = self.both()
        self.assertEqual(self.refusal(consumer.ask, "negotiate", "nothing"), "driver.dataset")


if __name__ == "__main__":
    unittest.main()
