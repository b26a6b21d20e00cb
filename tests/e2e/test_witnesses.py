"""With `witnesses` in the plan the next round opens when so many partners have cosigned the log with the last receipt: by the
coordinator's mailbox and with connectors of their own; and when they do not, the reason is read everywhere."""
import unittest

from harness import Small, undisturbed_digest
from proxy import Proxy

KEYS = "witnesses = 2"


def cosigners(f):
    note = f.ask("GET", "/api/v1/log/checkpoint")[1].decode()
    return {line.split(" ")[1] for line in note.split("\n\n")[1].splitlines()} - {note.split("\n")[0]}


class Witnesses(unittest.TestCase):
    def rounds(self, *more):
        with Small(rounds=3, round_keys=KEYS) as f:
            f.start_server()
            for i in (1, 2):
                f.start_partner(i, *more)
            f.wait_partners()
            kinds = [e["kind"] for e in f.ledger()]
            self.assertEqual((kinds.count("round.opened"), kinds.count("round.unwitnessed")), (3, 0))
            self.assertEqual(f.status()["model_digest"], undisturbed_digest())

    def test_partners_cosign_and_rounds_go_on(self):
        self.rounds()

    def test_with_connectors_of_their_own(self):
        self.rounds("--connector", "dsp")

    def test_a_witness_that_stays_silent_holds_a_round_up_until_the_deadline_and_the_reason_is_said(self):
        with Small(rounds=2, round_keys=KEYS + "\ndeadline_s = 8") as f:
            f.start_server()
            silent = lambda exchange: (503, b"{}") if exchange.path.startswith("/api/v1/log/cosignatures") else None
            with Proxy(f.url, silent) as proxy:
                f.start_partner(1)
                f.start_partner(2, url=proxy.url)
                f.wait_for(lambda: "have cosigned the log with the receipt of round 1" in f.status()["sentence"], "the reason")
                f.wait_for(lambda: cosigners(f) == {"plant-1"}, "the other one has")
                self.assertIn("1 has yet", f.status()["sentence"])
                f.wait_partners()
            said = [e["summary"] for e in f.ledger() if e["kind"] == "round.unwitnessed"]
            self.assertEqual(said, ["Round 2: opens although only 1 of 2 witnesses have cosigned the log with the receipt before it"])
            entries = {e["kind"]: e["at_ms"] for e in f.ledger() if e["kind"] in ("round.receipt", "round.opened", "round.unwitnessed") and "Round 1" not in e["summary"]}
            receipt = next(e["at_ms"] for e in f.ledger() if e["kind"] == "round.receipt")
            self.assertGreaterEqual(entries["round.opened"] - receipt, 8000)

    def test_a_coordinator_that_is_killed_while_it_waits_asks_again(self):
        with Small(rounds=2, round_keys=KEYS + "\ndeadline_s = 120") as f:
            f.start_server()
            held = [True]
            silent = lambda exchange: (503, b"{}") if held[0] and exchange.path.startswith("/api/v1/log/cosignatures") else None
            with Proxy(f.url, silent) as proxy:
                f.start_partner(1)
                f.start_partner(2, url=proxy.url)
                f.wait_for(lambda: cosigners(f) == {"plant-1"} and "1 has yet" in f.status()["sentence"], "it waits for the second")
                f.server.kill()
                f.server.wait()
                f.start_server(listen=f.url.split("//")[1])
                f.wait_for(lambda: "have cosigned the log" in f.status()["sentence"], "it waits again")
                held[0] = False
                f.wait_partners()
            self.assertEqual([e for e in f.ledger() if e["kind"] == "round.unwitnessed"], [])


if __name__ == "__main__":
    unittest.main()
