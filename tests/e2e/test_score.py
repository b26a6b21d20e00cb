"""A trained model put to use: scores, alerts and why on the data of all three stories; rows without labels; labels that come later; an alarm
that is calibrated anew; and what a partner of a served federation has left when it ends."""
import csv
import json
import pathlib
import tempfile
import unittest

from stories import STORIES, entente, task_of, trained
from test_tables import Tables


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write(path, rows, columns):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


class Score(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="entente-score-")
        self.folder = pathlib.Path(self.temporary.name)

    def tearDown(self):
        self.temporary.cleanup()

    def test_each_story_is_scored_and_explained(self):
        for story in STORIES:
            with self.subTest(story=story):
                folder = self.folder / story
                model, file = trained(story, folder)
                out = folder / "scores.csv"
                said = json.loads(entente("score", model, file, "-o", out, "--json"))
                scores = table(out)
                alerts = [r for r in scores if r["alert"] == "1"]
                self.assertEqual(len(scores), said["scored"])
                self.assertEqual(len(alerts), said["alerts"])
                self.assertGreater(len(alerts), 0)
                self.assertLess(len(alerts), len(scores))
                towards = -1 if said["below"] else 1
                for r in alerts:
                    self.assertGreater(towards * (float(r["score"]) - said["threshold"]), -1e-6)
                    shares = [towards * float(r[f"share_{i}"]) for i in (1, 2, 3) if r[f"share_{i}"]]
                    self.assertEqual(shares, sorted(shares, reverse=True))
                    self.assertGreater(shares[-1], 0)
                    self.assertEqual(len(r["similar_rows"].split()), 3)
                self.assertTrue(all(not r["reason_1"] for r in scores if r["alert"] == "0"))
                again = folder / "again.csv"
                entente("score", model, file, "-o", again)
                self.assertEqual(out.read_bytes(), again.read_bytes())
                row = alerts[0]["row"]
                shown = entente("score", model, file, "--explain", row)
                self.assertIn("an alert", shown)
                self.assertIn("█" if towards > 0 else "░", shown)
                self.assertIn("Like your past row", shown)
                # The file that was scored knew what was to come, and was found.
                if story != "engine-health":
                    self.assertGreater(said["found"] / said["alerts"], said["events"] / said["scored"])

    def test_open_orders_labels_and_calibration(self):
        model, file = trained("late-deliveries", self.folder)
        rows = table(file)
        open_rows = [r for r in rows if r["scheduled"] >= "2020-06-01"]
        columns = [c for c in rows[0] if c != "delivered"]
        # What was not delivered on the day of the first open order is not known then.
        write(self.folder / "past.csv", [r for r in rows if r["scheduled"] < "2020-06-01"], rows[0])
        write(self.folder / "open.csv", open_rows, columns)
        told = entente("score", model, self.folder / "open.csv", expect=6)
        self.assertIn("--past names the file", told)
        state = self.folder / "state"
        with_past = ("score", model, self.folder / "open.csv", "--state", state)
        first = json.loads(entente(*with_past, "--past", self.folder / "past.csv", "-o", self.folder / "open-scores.csv", "--json"))
        self.assertEqual(first["scored"], len(open_rows))
        self.assertNotIn("events", first)
        # The calibration stays: without the past the threshold is the same.
        kept = json.loads(entente(*with_past, "--json"))
        self.assertEqual(kept["threshold"], first["threshold"])
        # Labels arrive; the file that was there is not touched, and alerts are judged.
        write(self.folder / "arrived.csv", [{"id": r["line"], "arrived": r["delivered"]} for r in open_rows], ["id", "arrived"])
        before = (self.folder / "open.csv").read_bytes()
        label = ("data", "label", "--task", task_of("late-deliveries"), self.folder / "open.csv", self.folder / "arrived.csv")
        entente(*label, "-o", self.folder / "labelled.csv")
        self.assertEqual((self.folder / "open.csv").read_bytes(), before)
        self.assertEqual({r["line"]: r["delivered"] for r in table(self.folder / "labelled.csv")}, {r["line"]: r["delivered"] for r in open_rows})
        judged = entente("score", model, self.folder / "labelled.csv", "--past", self.folder / "past.csv", "--state", state)
        self.assertRegex(judged, r"Known +of [\d ]+ events")
        # Newer rows for the threshold alone.
        digest = (model / "model.entente").read_bytes()
        entente("score", model, self.folder / "labelled.csv", "--past", self.folder / "past.csv", "--state", state, "--recalibrate")
        self.assertEqual((model / "model.entente").read_bytes(), digest)
        anew = json.loads(entente(*with_past, "--json"))
        self.assertNotEqual(anew["threshold"], first["threshold"])
        # A calibration is not taken for another model's.
        other, _ = trained("sensor-anomalies", self.folder / "other")
        refused = entente("score", other, self.folder / "other/made/partner-2/sensor-anomalies.csv", "--state", state, expect=1)
        self.assertIn("watch.other-model", refused)

    def test_what_has_changed_is_said(self):
        model, file = trained("sensor-anomalies", self.folder)
        rows = table(file)
        for r in rows[400:]:
            r["temperature"] = f"{float(r['temperature']) + 30:.2f}"
        write(self.folder / "hot.csv", rows, rows[0])
        said = json.loads(entente("score", model, self.folder / "hot.csv", "--json"))
        self.assertIn("temperature", [d["column"] for d in said["moved"]])
        self.assertEqual(said["rate"], "more")

    def test_a_partner_keeps_a_model_to_score_with(self):
        with Tables() as f:
            f.start()
            f.join("plant-1", f.table(1))
            f.join("plant-2", f.table(2))
            f.wait_partners()
            envelope = f.folder / "model.entf"
            envelope.write_bytes(f.ask("GET", "/api/v1/model")[1])
            f.stop_server()
            state = f.folder / "plant-1"
            self.assertTrue((state / "model.entente").exists(), f.log("plant-1"))
            # What the operator exports is the same file.
            entente("export", envelope, "--plan", f.folder / "plan.toml", "-o", f.folder / "operator.entente")
            self.assertEqual((f.folder / "operator.entente").read_bytes(), (state / "model.entente").read_bytes())
            entente("export", envelope, "-o", f.folder / "other.entente", expect=4)
            said = json.loads(entente("score", state, f.table(1), "--json"))
            self.assertEqual(said["scored"], said["rows"])
            self.assertLess(said["alerts"], said["rows"] / 5)


if __name__ == "__main__":
    unittest.main()
