"""Whole federations of real processes: undisturbed, and with everybody killed at the worst moments."""
import re, subprocess, time, unittest

from harness import ENTENTE, Small, undisturbed_digest


class Undisturbed(unittest.TestCase):
    def test_two_partners_three_rounds(self):
        with Small(rounds=3) as f:
            digest = f.run_to_the_end()
            status = f.status()
            self.assertEqual((status["phase"], status["completed"]), ("finished", 3))
            self.assertEqual([h["round"] for h in status["history"]], [1, 2, 3])
            for i in (1, 2):
                result = f.result(f"plant-{i}")
                self.assertEqual(result["model_digest"], digest)
                self.assertEqual((result["rounds"], result["agreements"], result["examples"]), (3, 2, 400))
                self.assertGreater(result["accuracy_federated"], 0.5)
            kinds = [e["kind"] for e in f.ledger()]
            self.assertEqual(kinds.count("update.accepted"), 6)
            self.assertEqual(kinds.count("agreement.concluded"), 4)
            self.assertEqual(f.stop_server(), 0)

    def test_the_same_plan_and_data_give_the_same_model(self):
        self.assertEqual(undisturbed_digest(), undisturbed_digest())


class Killed(unittest.TestCase):
    """The final model is the undisturbed run's, bit for bit."""

    @classmethod
    def setUpClass(cls):
        cls.digest = undisturbed_digest()

    def test_coordinator_at_five_points(self):
        for point in ("uploaded:3", "before-accept:3", "accepted:3", "closed:2", "published:3"):
            with self.subTest(point=point), Small(rounds=3) as f:
                f.start_server(ENTENTE_CRASH_AT=point)
                f.start_partner(1)
                f.start_partner(2)
                self.assertEqual(f.server.wait(60), -9, f.log())
                f.start_server()
                f.wait_partners()
                self.assertEqual(f.status()["model_digest"], self.digest)
                self.assertEqual(f.status()["completed"], 3)
                accepted = [e["summary"] for e in f.ledger() if e["kind"] == "update.accepted"]
                self.assertEqual(len(accepted), 6, "each update counted exactly once")

    def test_coordinator_again_and_again(self):
        with Small(rounds=3) as f:
            f.start_server(ENTENTE_CRASH_AT="accepted:1")
            f.start_partner(1)
            f.start_partner(2)
            for point in ("accepted:1", "closed:1", "published:1"):
                self.assertEqual(f.server.wait(60), -9, f.log())
                f.start_server(ENTENTE_CRASH_AT=point, wait=False)  # it may not live long enough to be ready
            self.assertEqual(f.server.wait(60), -9, f.log())
            f.start_server()
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], self.digest)

    def test_partner_in_training(self):
        with Small(rounds=3, rows=400) as f:
            f.start_server()
            f.start_partner(1)
            f.start_partner(2)
            f.wait_for(lambda: f.status()["round"] >= 2 or f.status()["delivered"] >= 1, "training begins")
            f.partners["plant-2"].kill()
            f.partners["plant-2"].wait()
            f.start_partner(2)
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], self.digest)
            self.assertEqual(len(f.status()["participants"]), 2, "it came back as itself")

    def test_partner_again_and_again(self):
        with Small(rounds=3) as f:
            f.start_server()
            f.start_partner(1)
            for pause in (0.05, 0.1, 0.2, 0.3):
                victim = f.start_partner(2)
                time.sleep(pause)
                victim.kill()
                victim.wait()
            f.start_partner(2)
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], self.digest)

    def test_terminated_server_goes_on_after_restart(self):
        with Small(rounds=3) as f:
            f.start_server()
            f.start_partner(1)
            f.wait_for(lambda: len(f.status()["participants"]) == 1, "the first partner is there")
            self.assertEqual(f.stop_server(), 0)
            f.start_server()
            f.start_partner(2)
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], self.digest)


class Binary(unittest.TestCase):
    def test_needs_nothing_but_libc(self):
        lines = subprocess.run(["readelf", "-d", ENTENTE], capture_output=True, text=True, check=True).stdout
        needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", lines))
        self.assertLessEqual(needed, {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"})


if __name__ == "__main__":
    unittest.main()
