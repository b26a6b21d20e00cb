"""A partner ends its agreement: `entente leave` names the models that its updates are in, what is stored of them is deleted, and the
ledger, its log and `entente verify` say so. By the coordinator's mailbox and with connectors of their own."""
import json, pathlib, subprocess, unittest

from harness import ENTENTE, Small

PLAN = '[policy]\ndelete_after_days = 30\n'


def leave(f, name, *more):
    done = subprocess.run([ENTENTE, "leave", "--url", f.url, "--state", f.folder / name, *more], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


class Withdrawal(unittest.TestCase):
    def ended(self, *connector):
        with Small(rounds=3, plan=PLAN) as f:
            f.start_server()
            for i in (1, 2):
                f.start_partner(i, *connector)
            f.wait_partners()
            blobs = f.folder / "coordinator/blobs"
            accepted = [e for e in f.ledger() if e["kind"] == "update.accepted"]
            self.assertEqual(len(accepted), 6)
            before = {p.name for p in blobs.iterdir()}
            code, out, error = leave(f, "plant-1")
            self.assertEqual(code, 0, (out, error))
            self.assertIn("your updates are in the models of rounds 1 to 3, and stay in them", out)
            self.assertIn("your updates of rounds 1 to 3 are stored no more", out)
            gone = before - {p.name for p in blobs.iterdir()}
            self.assertEqual(len(gone), 3, "its three updates, and nothing else")
            ledger = f.ledger()
            self.assertIn("plant-1 left", next(e["summary"] for e in ledger if e["kind"] == "participant.left"))
            self.assertEqual([e["summary"] for e in ledger if e["kind"] == "updates.deleted"], [f"Round {i}: 1 update of plant-1 deleted" for i in (1, 2, 3)])
            self.assertEqual({p["id"]: p["standing"] for p in f.status()["participants"]}["plant-1"], "left")
            # Its token ends with it; once is enough.
            self.assertNotEqual(leave(f, "plant-1")[0], 0)
            f.wait_for(lambda: int(f.ask("GET", "/api/v1/log/checkpoint")[1].split(b"\n")[1]) == len(f.ledger()), "the log has it")
            evidence = f.folder / "evidence.json"
            evidence.write_bytes(f.ask("GET", "/api/v1/evidence?participant=plant-1&limit=1000")[1])
            self.assertIn("participant.left", [r["kind"] for r in json.loads(evidence.read_text())["records"]])
            self.assertEqual(subprocess.run([ENTENTE, "verify", evidence], capture_output=True).returncode, 0)
            self.assertEqual(f.stop_server(), 0)
            checked = subprocess.run([ENTENTE, "verify", f.folder / "coordinator", "--json"], capture_output=True, text=True)
            lines = [json.loads(line) for line in checked.stdout.splitlines()]
            self.assertEqual((checked.returncode, [r["outcome"] for r in lines[:-1]]), (0, ["deleted"] * 3), lines)
            self.assertEqual([r["receipt"] for r in lines[:-1]], [True] * 3)

    def test_by_the_coordinators_mailbox(self):
        self.ended()

    def test_with_connectors_of_their_own(self):
        self.ended("--connector", "dsp")

    def test_in_the_middle_of_a_round_that_counts_its_update(self):
        with Small(rounds=2, partners=3, plan=PLAN, round_keys="goal = 2") as f:
            f.plan.write_text(f.plan.read_text().replace("min_cohort = 3", "min_cohort = 2").replace("goal = 2", ""))
            f.start_server()
            first = f.start_partner(1)
            f.wait_for(lambda: any(p["standing"] == "agreed" for p in f.status()["participants"]), "the first has agreed")
            token, seed = f.enter("plant-3")  # agreed to nothing: it holds nobody up
            status, answer = f.ask("POST", "/api/v1/leave", b"{}", token)
            self.assertEqual((status, json.loads(answer)), (200, {"rounds": [], "deleted": [], "counting": 0}))
            code, out, _ = leave(f, "plant-1", "--json")
            self.assertEqual((code, json.loads(out)), (0, {"rounds": [], "deleted": [], "counting": 0}))
            self.assertNotEqual(first.wait(60), 0, "a partner that has left ends")

    def test_who_never_joined_or_has_no_coordinator_is_told(self):
        with Small(rounds=1) as f:
            f.start_server()
            self.assertIn("file.missing", leave(f, "nobody")[2])
            done = subprocess.run([ENTENTE, "leave", "--state", f.folder / "nobody"], capture_output=True, text=True)
            self.assertIn("config.url", done.stderr)


if __name__ == "__main__":
    unittest.main()
