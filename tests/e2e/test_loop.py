"""Federations over the Dataspace Protocol: the coordinator and each partner have connectors of their own."""
import signal, time, unittest

from harness import Small, undisturbed_digest

OWN = ("--connector", "dsp")


class Loop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.digest = undisturbed_digest()

    def ended_well(self, f, rounds=3, partners=2):
        f.wait_partners()
        status = f.status()
        self.assertEqual((status["phase"], status["completed"]), ("finished", rounds), f.log())
        accepted = [e for e in f.ledger() if e["kind"] == "update.accepted"]
        self.assertEqual(len(accepted), rounds * partners, "each update counted exactly once")

    def test_three_connectors_come_to_the_model_of_the_hub(self):
        with Small(rounds=3) as f:
            f.start_server()
            f.start_partner(1, *OWN)
            f.start_partner(2, *OWN)
            self.ended_well(f)
            self.assertEqual(f.status()["model_digest"], self.digest)
            for i in (1, 2):
                self.assertEqual(f.result(f"plant-{i}")["model_digest"], self.digest)
            seen = f.get("/api/v1/connector")
            self.assertEqual(sorted(p["participant"] for p in seen["peers"]), ["plant-1", "plant-2"])
            negotiations = seen["processes"]["negotiations"]
            self.assertEqual(sorted((n["peer"], n["role"], n["state"]) for n in negotiations),
                             sorted((f"plant-{i}", role, "FINALIZED") for i in (1, 2) for role in ("consumer", "provider")))
            messages = [h["message"] for h in negotiations[0]["history"]]
            self.assertEqual(messages, ["ContractRequestMessage", "ContractAgreementMessage", "ContractAgreementVerificationMessage",
                                        "ContractNegotiationEventMessage"])
            transfers = seen["processes"]["transfers"]
            pulled = [t for t in transfers if t["role"] == "consumer"]
            self.assertEqual((len(pulled), {t["state"] for t in pulled}), (6, {"COMPLETED"}))
            kinds = [e["kind"] for e in f.ledger()]
            self.assertEqual(kinds.count("agreement.concluded"), 4, "negotiated once for each partner and direction")

    def test_one_partner_with_a_connector_and_one_without(self):
        with Small(rounds=3) as f:
            f.start_server()
            f.start_partner(1, *OWN)
            f.start_partner(2)
            self.ended_well(f)
            self.assertEqual(f.status()["model_digest"], self.digest)

    def test_coordinator_killed_at_its_worst_moments(self):
        for point in ("uploaded:3", "accepted:3", "closed:2", "published:3"):
            with self.subTest(point=point), Small(rounds=3) as f:
                f.start_server(ENTENTE_CRASH_AT=point)
                f.start_partner(1, *OWN)
                f.start_partner(2, *OWN)
                self.assertEqual(f.server.wait(60), -signal.SIGKILL, f.log())
                f.start_server()
                self.ended_well(f)
                self.assertEqual(f.status()["model_digest"], self.digest)

    def test_partner_killed_and_started_again(self):
        """It comes back on another port: its connector is registered anew."""
        with Small(rounds=3, rows=3000) as f:
            f.start_server()
            f.start_partner(1, *OWN)
            victim = f.start_partner(2, *OWN)
            f.wait_for(lambda: f.status()["completed"] >= 1, "the first round")
            victim.kill()
            victim.wait()
            time.sleep(0.3)
            f.start_partner(2, *OWN)
            self.ended_well(f)


if __name__ == "__main__":
    unittest.main()
