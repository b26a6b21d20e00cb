"""A federation on tables, from files to a model: each partner is shown what was made of its file and what it gives before anything is
agreed to; the first round gathers the statistics that all scale with, and every round is verified. Who has too few rows is told."""
import json
import shutil
import subprocess
import tempfile
import unittest

from harness import ENTENTE, ROOT, Federation

EXAMPLE = ROOT / "examples/late-deliveries"


class Tables(Federation):
    def __init__(self, partners=2, rounds=4):
        super().__init__(ENTENTE, tempfile.mkdtemp(prefix="entente-e2e-"))
        self.run("data", "make", "late-deliveries", "--partners", partners, "-o", self.folder / "made")
        plan = (EXAMPLE / "plan.toml").read_text().replace("rounds = 20", f"rounds = {rounds}")
        (self.folder / "plan.toml").write_text(plan + "delete_after_days = 1\n")
        shutil.copy(EXAMPLE / "made.toml", self.folder)

    def __exit__(self, *unused):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def table(self, i):
        return self.folder / f"made/partner-{i}/late-deliveries.csv"

    def start(self):
        self.serve(self.folder / "plan.toml", "--keep-updates", "all")


class TheTables(unittest.TestCase):
    def test_two_tables_become_a_model(self):
        with Tables() as f:
            f.start()
            f.join("plant-1", f.table(1), "--alone")
            # German headers, semicolons, a byte order mark, decimal commas, and a mapping.
            lines = f.table(2).read_text().splitlines()
            head = lines[0].split(",")
            renamed = {"quantity": "Menge", "scheduled": "Termin"}
            rows = [";".join(cell.replace(".", ",") if name in ("quantity", "value", "freight") else cell for name, cell in zip(head, line.split(","))) for line in lines[1:]]
            messy = f.folder / "messy.csv"
            messy.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([";".join(renamed.get(h, h) for h in head), *rows]).encode())
            (f.folder / "mine.toml").write_text('[columns]\nquantity = "Menge"\nscheduled = "Termin"\n')
            f.join("plant-2", messy, "--mapping", f.folder / "mine.toml")
            f.wait_partners()
            result = f.result("plant-1")
            self.assertGreater(result["metrics_federated"]["auc"], 0.5)
            self.assertIn("auc", result["metrics_alone"])
            # What a partner may give for the model card is what it sees of its file before it joins, however the file is written.
            looked_at = self.look(f)
            self.assertEqual(f.result("plant-2")["data"]["digest"], looked_at["digest"])
            self.assertEqual(f.result("plant-2")["data"]["train"], looked_at["train"]["examples"])
            self.assertIn("by 2", f.log("plant-1").split("Scaling")[1].splitlines()[0])
            self.assertEqual(f.status()["completed"], 4)
            kinds = [e["kind"] for e in f.ledger()]
            self.assertEqual(kinds.count("update.accepted"), 8)
            digest = f.status()["model_digest"]
            f.stop_server()
            verified = subprocess.run([ENTENTE, "verify", f.folder / "coordinator", "--json"], capture_output=True, text=True)
            self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)
        # The same rows from tidy files come to the same model: how a file is written changes no bit.
        with Tables() as f:
            f.start()
            f.join("plant-1", f.table(1))
            f.join("plant-2", f.table(2))
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], digest)

    @staticmethod
    def look(f):
        done = subprocess.run([ENTENTE, "data", "check", "--task", EXAMPLE / "made.toml", f.table(2), "--json"], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def test_what_is_shown_and_given(self):
        with Tables() as f:
            f.start()
            code = f.invite("plant-1")["code"]
            child = f.spawn("plant-1", "join", "--url", f.url, "--data", f.table(1), "--state", f.folder / "plant-1", ENTENTE_JOIN_CODE=code)
            f.partners["plant-1"] = child
            f.wait_for(lambda: "Agreement" in f.log("plant-1"), "the agreement")
            shown = f.log("plant-1").split("Agreement")[0]
            self.assertIn("Left out, because it is known too late", shown)
            self.assertIn("freight is invoiced after the delivery", shown)
            self.assertIn("To train on", shown)
            self.assertIn("Given once, before training", shown)
            self.assertRegex(shown, r"quantity +1 \d\d\d +\d+\.\d{4} +\d+\.\d{4}")

    def test_too_few_rows_and_the_wrong_data(self):
        with Tables() as f:
            f.start()
            few = f.folder / "few.csv"
            few.write_text("\n".join(f.table(1).read_text().splitlines()[:4]) + "\n")
            self.assertNotEqual(f.join("plant-1", few).wait(20), 0)
            self.assertIn("expected at least 30 examples to train on, found 3", f.log("plant-1"))
            folder = f.folder / "folder"
            folder.mkdir()
            self.assertNotEqual(f.join("plant-2", folder).wait(20), 0)
            kinds = [e["kind"] for e in f.ledger()]
            self.assertNotIn("agreement.concluded", kinds)
            again = f.folder / "again"
            done = subprocess.run([ENTENTE, "serve", "--plan", f.folder / "plan.toml", "--data", again, "--evaluate", folder], capture_output=True, text=True, timeout=20)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn("--evaluate", done.stderr)


if __name__ == "__main__":
    unittest.main()
