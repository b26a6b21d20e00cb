"""Two EDCs with each other, by hand: are the peers of the other suites as they should be?

Run by script/interop edc, with the jars in ENTENTE_EDC_JARS.
"""
import os
import unittest

from connector import Edc, ask, member
from source import Source, content

JARS = os.environ["ENTENTE_EDC_JARS"]
PURPOSE = {"leftOperand": "https://w3id.org/entente/policy/purpose", "operator": "eq", "rightOperand": "urn:fl:federation:demo"}
FOREIGN = {"permission": [{"action": "use", "constraint": [PURPOSE]}]}


class Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bytes = content(300_000)
        cls.source = Source(model=cls.bytes)
        cls.addClassCleanup(cls.source.stop)
        cls.provider, cls.consumer = Edc("provider", JARS), Edc("consumer", JARS)
        for edc in (cls.provider, cls.consumer):
            cls.addClassCleanup(edc.stop)
        for edc in (cls.provider, cls.consumer):
            edc.wait_ready()

    def test_negotiate_pull_and_push(self):
        peer = ("provider", self.provider.dsp)
        self.provider.offer("model", self.source.url + "/model", FOREIGN)
        negotiation = self.consumer.negotiate(*peer, "model")
        self.assertEqual(member(negotiation, "state"), "FINALIZED", negotiation)
        agreement = member(negotiation, "contractAgreementId")

        pull = self.consumer.transfer(*peer, agreement, "HttpData-PULL")
        self.consumer.until("transferprocesses", pull, ("STARTED",))
        endpoint, token = self.consumer.address(pull)
        self.assertEqual(ask("GET", endpoint, headers={"Authorization": token}), (200, self.bytes))

        push = self.consumer.transfer(*peer, agreement, "HttpData-PUSH", self.source.url + "/sink")
        self.consumer.until("transferprocesses", push, ("COMPLETED",))
        self.assertEqual(self.source.received, [self.bytes])


class Validation(unittest.TestCase):
    def test_an_edc_that_validates_policies_refuses_ours(self):
        with Edc("strict", JARS, validation=True) as strict:
            policy = {"@context": "http://www.w3.org/ns/odrl.jsonld", "@type": "Set", **FOREIGN}
            status, said = strict.call("POST", "/v3/policydefinitions", {"@id": "p", "policy": policy})
            self.assertEqual(status, 400, said)


if __name__ == "__main__":
    unittest.main()
