"""Two connectors of the Dataspace Protocol, two processes: pull, push, a thousand negotiations at once, and a large model in
little memory that is suspended, resumed and ended while its bytes run."""
import hashlib
import os
import pathlib
import tempfile
import unittest

from dataspace import Pair

SMALL = bytes(range(256)) * 1000
LARGE_BYTES = 500_000_000
MEMORY_KB = 64 * 1024


def make_large(path):
    """Not compressible, no two pieces alike; the digest with it."""
    block, digest = os.urandom(1_000_000), hashlib.sha256()
    with open(path, "wb") as file:
        for i in range(LARGE_BYTES // len(block)):
            piece = i.to_bytes(8, "big") + block[8:]
            file.write(piece)
            digest.update(piece)
    return digest.hexdigest()


def agreement_in(pair):
    pair.provider.start()
    pair.consumer.start()
    pair.consumer.begin("negotiations", peer="plant-a", dataset="model")
    pair.until(lambda: [p["state"] for p in pair.consumer.processes("negotiation")] == ["FINALIZED"])
    return pair.consumer.processes("negotiation")[0]["agreement"]


def reached(pair, state):
    return lambda: all([p["state"] for p in c.processes("transfer")] == [state] for c in (pair.provider, pair.consumer))


class Small(unittest.TestCase):
    def test_pull_and_push_bring_the_same_bytes(self):
        with Pair(SMALL) as pair:
            agreement = agreement_in(pair)
            for form in ("HttpData-PULL", "HttpData-PUSH"):
                pair.consumer.begin("transfers", peer="plant-a", agreement=agreement, format=form)
                pair.until(lambda: {p["state"] for c in (pair.provider, pair.consumer) for p in c.processes("transfer")} == {"COMPLETED"})
            digest = hashlib.sha256(SMALL).hexdigest()
            self.assertEqual(list(pair.consumer.received().values()), [digest, digest])
            self.assertEqual((pair.folder / "b/blobs" / digest).read_bytes(), SMALL)


class Many(unittest.TestCase):
    def test_a_thousand_negotiations_at_once_end_each_in_an_agreement(self):
        with Pair(SMALL, "--open", "1000") as pair:
            pair.provider.start()
            pair.consumer.start()
            pids = {pair.consumer.begin("negotiations", peer="plant-a", dataset="model") for _ in range(1000)}
            self.assertEqual(len(pids), 1000)
            agreed = []

            def all_agreed():
                agreed[:] = [{p["agreement"] for p in company.processes("negotiation") if p["state"] == "FINALIZED"}
                             for company in (pair.provider, pair.consumer)]
                return [len(a) for a in agreed] == [1000, 1000]
            pair.until(all_agreed)
            self.assertEqual(agreed[0], agreed[1])
            self.assertEqual({p["peerPid"] for p in pair.provider.processes("negotiation")}, pids)

    def test_more_than_the_limit_is_refused_and_what_is_open_goes_on(self):
        with Pair(SMALL, "--open", "5") as pair:
            pair.consumer.start()  # nobody answers: they stay open
            for _ in range(5):
                pair.consumer.begin("negotiations", peer="plant-a", dataset="model")
            with self.assertRaisesRegex(AssertionError, "429 .*dsp.too-many"):
                pair.consumer.begin("negotiations", peer="plant-a", dataset="model")
            pair.provider.start()
            pair.until(lambda: [p["state"] for p in pair.consumer.processes("negotiation")] == ["FINALIZED"] * 5)


class Large(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="entente-large-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name) / "model"
        cls.digest = make_large(cls.path)

    def setUp(self):
        self.pair = Pair(self.path)
        self.addCleanup(self.pair.__exit__)
        self.agreement = agreement_in(self.pair)
        self.transfer = self.pair.consumer.begin("transfers", peer="plant-a", agreement=self.agreement, format="HttpData-PULL")
        self.pair.until(lambda: [p["state"] for p in self.pair.provider.processes("transfer")] == ["STARTED"])
        self.at_provider = self.pair.provider.processes("transfer")[0]["pid"]

    def tearDown(self):
        for company in (self.pair.provider, self.pair.consumer):
            self.assertLess(company.resident_kb(), MEMORY_KB, company.name)

    def test_it_crosses(self):
        self.pair.until(reached(self.pair, "COMPLETED"))
        self.assertEqual(self.pair.consumer.received(), {self.transfer: self.digest})

    def test_suspension_stops_it_and_resumption_brings_it(self):
        self.pair.provider.ask("act", pid=self.at_provider, send="suspension")
        self.pair.until(reached(self.pair, "SUSPENDED"))
        self.assertEqual(self.pair.consumer.received(), {})
        self.pair.consumer.ask("act", pid=self.transfer, send="start")
        self.pair.until(reached(self.pair, "COMPLETED"))
        self.assertEqual(self.pair.consumer.received(), {self.transfer: self.digest})

    def test_either_side_is_killed_while_the_bytes_run(self):
        for company in (self.pair.provider, self.pair.consumer):
            company.child.kill()
            company.child.wait()
            self.assertTrue(self.pair.revive())
        self.pair.until(reached(self.pair, "COMPLETED"))
        self.assertEqual(self.pair.consumer.received(), {self.transfer: self.digest})
        self.assertEqual([p["passages"] for p in self.pair.consumer.processes("transfer")], [3])

    def test_termination_stops_it(self):
        self.pair.provider.ask("act", pid=self.at_provider, send="termination", code="agreement.ended")
        self.pair.until(reached(self.pair, "TERMINATED"))
        self.assertEqual(self.pair.consumer.processes("transfer")[0]["code"], "agreement.ended")
        self.assertEqual(self.pair.consumer.received(), {})


if __name__ == "__main__":
    unittest.main()
