"""Whole federations of real processes: undisturbed, and with everybody killed at the worst moments."""
import re, signal, subprocess, threading, time, unittest

from harness import ENTENTE, Small, undisturbed_digest
from proxy import Proxy


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
            # The duty to delete, on the ledger and on the disk: bytes 6 and 7 of an envelope are its kind, 3 an update.
            self.assertEqual(kinds.count("updates.deleted"), 3)
            blobs = [b.read_bytes() for b in (f.folder / "coordinator" / "blobs").iterdir()]
            self.assertGreater(len(blobs), 0)
            self.assertEqual([b[:8] for b in blobs if b[6:8] == b"\x03\x00"], [])
            # No bytes left without a line: each partner's fetch of each model, each fetch of its update.
            lines = [e["summary"] for e in f.ledger() if e["kind"] == "policy.permitted"]
            for i in (1, 2):
                self.assertEqual(sum(line.startswith(f"transfer for plant-{i}: permitted, from ") for line in lines), 7, lines)
            self.assertEqual(f.stop_server(), 0)

    def test_the_same_plan_and_data_give_the_same_model(self):
        self.assertEqual(undisturbed_digest(), undisturbed_digest())


class Killed(unittest.TestCase):
    """The final model is the undisturbed run's, bit for bit."""

    @classmethod
    def setUpClass(cls):
        cls.digest = undisturbed_digest()

    def test_coordinator_at_five_points(self):
        for point in ("uploaded:3", "before-accept:3", "accepted:3", "closed:2", "published:3", "deleted:2"):
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
        """Killed when it has the model and before it has sent anything of this round."""
        with Small(rounds=3, rows=4000) as f:
            f.start_server()
            fetched, uploads = threading.Event(), []

            def meddle(exchange):
                if exchange.path.endswith("/outcome"):  # "the model has come": training begins
                    fetched.set()
                if exchange.command == "PUT" and "/content?" in exchange.path:
                    uploads.append(exchange.path)

            with Proxy(f.url, meddle) as proxy:
                f.start_partner(1)
                victim = f.start_partner(2, url=proxy.url)
                self.assertTrue(fetched.wait(60))
                victim.kill()
                victim.wait()
                self.assertEqual(uploads, [], "it was killed in training")
                f.start_partner(2, url=proxy.url)
                f.wait_partners()
            self.assertEqual(f.status()["model_digest"], undisturbed_digest(rows=4000))
            self.assertEqual(len(f.status()["participants"]), 2, "it came back as itself")

    def test_partner_in_upload(self):
        """Half of the update has arrived when the sender is killed."""
        with Small(rounds=3) as f:
            f.start_server()
            cut = threading.Event()

            def meddle(exchange):
                if exchange.command == "PUT" and "/content?round=2" in exchange.path and not cut.is_set():
                    exchange.cut()
                    f.partners["plant-2"].kill()
                    cut.set()
                    raise ConnectionAbortedError

            with Proxy(f.url, meddle) as proxy:
                f.start_partner(1)
                victim = f.start_partner(2, url=proxy.url)
                self.assertTrue(cut.wait(60))
                victim.wait()
                status = f.status()
                self.assertEqual((status["round"], status["completed"]), (2, 1))
                f.wait_for(lambda: not list((f.folder / "coordinator/spool").iterdir()), "half an update is not kept")
                f.start_partner(2, url=proxy.url)
                f.wait_partners()
            self.assertEqual(f.status()["model_digest"], self.digest)
            self.assertEqual([e["kind"] for e in f.ledger()].count("update.accepted"), 6)
            self.assertEqual([e["kind"] for e in f.ledger()].count("update.refused"), 0)

    def test_partner_that_loses_the_answer(self):
        """The update is counted, but its sender never hears of it and sends it again."""
        with Small(rounds=3) as f:
            f.start_server()
            lost = []

            def meddle(exchange):
                if exchange.command == "PUT" and "/content?round=2" in exchange.path and len(lost) < 2:
                    lost.append(exchange.forward()[0])
                    return 503, b'{"code":"test.lost","detail":"the answer is lost"}'

            with Proxy(f.url, meddle) as proxy:
                f.start_partner(1)
                f.start_partner(2, url=proxy.url)
                f.wait_partners()
            self.assertEqual(lost, [202, 202])
            self.assertEqual(f.status()["model_digest"], self.digest)
            self.assertEqual([e["kind"] for e in f.ledger()].count("update.accepted"), 6)

    def test_partner_between_keeping_and_delivering_a_sparse_update(self):
        """It makes the same update again from the residual on its disk; without that file another one."""
        options = {"rounds": 4, "plan": "[aggregation]\ntop = 0.01"}
        undisturbed = undisturbed_digest(**options)
        for forgets in (False, True):
            with self.subTest(forgets=forgets), Small(**options) as f:
                f.start_server()
                tried = threading.Event()

                def meddle(exchange):
                    if exchange.command == "PUT" and "/content?round=3" in exchange.path:
                        tried.set()
                        return 503, b'{"code":"test.lost","detail":"it did not arrive"}'

                with Proxy(f.url, meddle) as proxy:
                    f.start_partner(1)
                    victim = f.start_partner(2, url=proxy.url)
                    self.assertTrue(tried.wait(60))
                    victim.kill()
                    victim.wait()
                kept = list(f.folder.rglob("e2e.plant-2.state"))
                self.assertEqual(len(kept), 1)
                if forgets:
                    kept[0].unlink()
                f.start_partner(2)
                f.wait_partners()
                self.assertEqual(f.status()["completed"], 4)
                self.assertEqual(f.status()["model_digest"] == undisturbed, not forgets)

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


class Interrupted(unittest.TestCase):
    """Ctrl-C: the step at hand is finished, it says so, nobody is lost, and the round goes on."""

    def test_once_and_back_again(self):
        with Small(rounds=3) as f:
            f.start_server()
            partner = f.start_partner(1)
            f.wait_for(lambda: f.status()["participants"] and f.status()["participants"][0]["standing"] == "agreed", "it has agreed")
            partner.send_signal(signal.SIGINT)
            self.assertEqual(partner.wait(20), 0, f.log("plant-1"))
            f.start_partner(1)
            f.start_partner(2)
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], undisturbed_digest())
            self.assertEqual(len(f.status()["participants"]), 2)

    def test_others_go_on_without_it(self):
        with Small(rounds=2, partners=3, round_keys="presence_s = 2") as f:
            f.plan.write_text(f.plan.read_text().replace("min_cohort = 3", "min_cohort = 2").replace("presence_s = 30\n", ""))
            f.start_server()
            leaver = f.start_partner(3, "--quiet")
            f.wait_for(lambda: f.status()["participants"] and f.status()["participants"][0]["standing"] == "agreed", "the third has agreed")
            leaver.send_signal(signal.SIGSTOP)  # keeps round 1 open until it is told to leave
            f.start_partner(1)
            f.wait_for(lambda: f.status()["phase"] == "collecting", "round 1 is open")
            leaver.send_signal(signal.SIGINT)
            leaver.send_signal(signal.SIGCONT)
            self.assertEqual(leaver.wait(30), 0, f.log("plant-3"))
            f.start_partner(2)
            for name in ("plant-1", "plant-2"):
                self.assertEqual(f.partners[name].wait(60), 0, f.log(name))
            self.assertEqual(f.status()["completed"], 2)

    def test_in_training_the_update_still_goes_out(self):
        with Small(rounds=1, rows=6000) as f:
            f.start_server()
            fetched = threading.Event()
            with Proxy(f.url, lambda exchange: fetched.set() if exchange.path.endswith("/outcome") else None) as proxy:
                f.start_partner(1)
                partner = f.start_partner(2, url=proxy.url)
                self.assertTrue(fetched.wait(60))
                partner.send_signal(signal.SIGINT)
                self.assertEqual(partner.wait(60), 0, f.log("plant-2"))
                f.wait_for(lambda: f.status()["completed"] == 1, "the round closes with its update")


class Binary(unittest.TestCase):
    def test_needs_nothing_but_libc(self):
        lines = subprocess.run(["readelf", "-d", ENTENTE], capture_output=True, text=True, check=True).stdout
        needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", lines))
        self.assertLessEqual(needed, {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"})


if __name__ == "__main__":
    unittest.main()
