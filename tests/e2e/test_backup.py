"""`entente backup` while the coordinator serves, and `entente restore`: the copy holds, and goes on to the same model."""
import json, shutil, subprocess, unittest

from harness import ENTENTE, Small, undisturbed_digest

PLAN = '[policy]\ndelete_after_days = 30\n'  # updates stay stored, so that each round can be computed again


def entente(*arguments):
    return subprocess.run([ENTENTE, *map(str, arguments)], capture_output=True, text=True, timeout=120)


class Backup(unittest.TestCase):
    def good(self, *arguments):
        done = entente(*arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def test_taken_while_it_serves_and_restored_elsewhere(self):
        with Small(plan=PLAN) as f:
            f.start_server()
            f.start_partner(1)
            f.wait_for(lambda: f.status()["participants"] and f.status()["participants"][0]["standing"] == "agreed", "the first has agreed")
            before = sorted(p.name for p in (f.folder / "coordinator").iterdir())
            said = json.loads(self.good("backup", "--data", f.folder / "coordinator", "-o", f.folder / "copy", "--json").stdout)
            self.assertEqual((said["federation"], said["records"]), ("e2e", len(f.ledger())))
            self.assertEqual(sorted(p.name for p in (f.folder / "coordinator").iterdir()), before, "nothing is written there")
            self.assertEqual((f.folder / "copy/coordinator.key").stat().st_mode & 0o777, 0o600)
            f.server.kill()  # and its disk is gone
            f.server.wait()
            shutil.rmtree(f.folder / "coordinator")
            self.good("restore", f.folder / "copy", "--data", f.folder / "coordinator")
            f.start_server()
            f.start_partner(2)
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], undisturbed_digest(plan=PLAN))
            self.assertEqual([e["kind"] for e in f.ledger()].count("update.accepted"), 6)

    def test_each_copy_in_the_middle_of_rounds_holds(self):
        with Small(rounds=30, plan=PLAN) as f:
            f.start_server()
            f.start_partner(1)
            f.start_partner(2)
            records = []
            while any(p.poll() is None for p in f.partners.values()):
                copy = f.folder / f"copy-{len(records)}"
                records.append(json.loads(self.good("backup", "--data", f.folder / "coordinator", "-o", copy, "--json").stdout)["records"])
            f.wait_partners()
            self.assertEqual(records, sorted(records))
            self.assertGreater(len(set(records)), 1, "none was taken in the middle")
            for i in range(0, len(records), 1 + len(records) // 8):
                checked = self.good("verify", f.folder / f"copy-{i}", "--json")
                result = json.loads(checked.stdout.splitlines()[-1])
                self.assertEqual((result["holds"], result["manifest"], result["records"], result["signed_records"]), (True, True, records[i], records[i]))
            # Whoever has seen more than was restored is not told another story.
            f.stop_server()
            shutil.rmtree(f.folder / "coordinator")
            middle = max(i for i, count in enumerate(records) if count < 0.8 * records[-1])
            self.good("restore", f.folder / f"copy-{middle}", "--data", f.folder / "coordinator")
            f.start_server()
            self.assertNotEqual(f.start_partner(1).wait(60), 0)
            self.assertRegex(f.log("plant-1").splitlines()[-1], r"code log\.")

    def test_what_is_refused(self):
        with Small(rounds=1, plan=PLAN) as f:
            f.run_to_the_end()
            self.assertEqual(f.stop_server(), 0)
            data, copy, target = f.folder / "coordinator", f.folder / "copy", f.folder / "restored"
            self.good("backup", "--data", data, "-o", copy)
            again = entente("backup", "--data", data, "-o", copy)
            self.assertNotEqual(again.returncode, 0)
            self.assertIn("backup.exists", again.stderr)
            self.assertIn("backup.no-folder", entente("backup", "--data", f.folder / "data-1", "-o", target).stderr)
            self.assertIn("backup.exists", entente("restore", copy, "--data", data).stderr)
            blob = next(p for p in (copy / "blobs").iterdir())
            damaged = bytearray(blob.read_bytes())
            damaged[len(damaged) // 2] ^= 1
            blob.write_bytes(damaged)
            refused = entente("restore", copy, "--data", target)
            self.assertEqual(refused.returncode, 6, refused.stderr)
            self.assertIn(blob.name[:8], refused.stderr)
            self.assertEqual([p for p in f.folder.iterdir() if p.name.startswith("restored")], [], "nothing is left of it")

    def test_taken_back_a_format_and_over_again(self):
        with Small(rounds=1, plan=PLAN) as f:
            digest = f.run_to_the_end()
            data = f.folder / "coordinator"
            self.assertIn("folder.in-use", entente("migrate", data, "--to", "3").stderr)
            self.assertEqual(f.stop_server(), 0)

            def moved(*arguments):
                said = json.loads(self.good("migrate", data, *arguments, "--json").stdout)
                return said["was"], said["format"]

            def holds():
                return json.loads(self.good("verify", data, "--json").stdout.splitlines()[-1])["manifest"]

            self.assertEqual((moved(), moved("--to", "3"), moved()), ((4, 4), (4, 3), (3, 3)))
            self.assertTrue(holds(), "the older format holds, with a list of its files")
            f.start_server()
            self.assertIn("taken from format 3 to 4", f.log())
            self.assertEqual(f.status()["model_digest"], digest)
            self.assertEqual(f.stop_server(), 0)
            self.assertEqual(moved(), (4, 4))
            (data / "dsp.db").write_bytes((data / "dsp.db").read_bytes() + b"x")  # what somebody has changed is not signed anew
            refused = entente("migrate", data, "--to", "3")
            self.assertIn("migrate.changed", refused.stderr)
            self.assertEqual(entente("migrate", data, "--to", "2").returncode, 2)
            self.assertIn("migrate.no-folder", entente("migrate", f.folder / "data-1").stderr)


if __name__ == "__main__":
    unittest.main()
