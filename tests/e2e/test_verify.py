"""`entente verify`: a real data folder holds, and any byte of it that is another is found."""
import json, os, pathlib, random, re, shutil, subprocess, tempfile, unittest

from harness import ENTENTE, Small

PLAN = '[policy]\ndelete_after_days = 30\n'


def verify(what, *more):
    done = subprocess.run([ENTENTE, "verify", what, "--json", *more], capture_output=True, text=True, timeout=120)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


class Verify(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.f = Small(rounds=3, plan=PLAN)
        cls.f.run_to_the_end()
        cls.digest = cls.f.status()["model_digest"]
        cls.f.wait_for(lambda: int(cls.f.ask("GET", "/api/v1/log/checkpoint")[1].split(b"\n")[1]) == len(cls.f.ledger()), "the log has every record")
        cls.receipt = cls.f.ask("GET", "/api/v1/receipts/2")[1]
        cls.evidence = cls.f.ask("GET", "/api/v1/evidence?participant=plant-1&limit=1000")[1]
        cls.pages, after = [], 0
        while not cls.pages or after > 0:
            cls.pages.append(cls.f.ask("GET", f"/api/v1/evidence?participant=plant-1&limit=5&after={after}")[1])
            after = json.loads(cls.pages[-1])["next"]
        cls.key = cls.f.get("/api/v1/federation", None)["coordinator_key"]
        assert cls.f.stop_server() == 0
        cls.folder = cls.f.folder / "coordinator"

    @classmethod
    def tearDownClass(cls):
        cls.f.__exit__(None)

    def test_a_good_folder_holds_and_its_rounds_are_computed_again(self):
        before = {p: p.read_bytes() for p in sorted(self.folder.rglob("*")) if p.is_file()}
        code, lines, error = verify(self.folder)
        self.assertEqual(code, 0, (lines, error))
        rounds, result = lines[:-1], lines[-1]
        self.assertEqual([(r["event"], r["round"], r["outcome"], r["receipt"], r["participants"]) for r in rounds],
                         [("round", i, "same", True, "plant-1, plant-2") for i in (1, 2, 3)])
        self.assertEqual(rounds[-1]["model"], self.digest)
        self.assertEqual((result["holds"], result["problems"], result["rounds"], result["recomputed"], result["manifest"]), (True, 0, 3, 3, True))
        self.assertEqual(result["records"], result["signed_records"])
        self.assertEqual({p: p.read_bytes() for p in sorted(self.folder.rglob("*")) if p.is_file()}, before, "verify wrote something")
        code, lines, _ = verify(self.folder, "--round", "2")
        self.assertEqual([r["outcome"] for r in lines[:-1]], ["not-asked", "same", "not-asked"])

    def test_each_of_200_changed_bytes_is_found(self):
        seed = int(os.environ.get("ENTENTE_SEED", "20261130"))
        draw = random.Random(seed)
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "data"
            shutil.copytree(self.folder, folder)
            files = sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size > 0)
            kinds = {"entente.db", "dsp.db", "manifest", "coordinator.key", "checkpoint"}
            self.assertLessEqual(kinds, {p.name for p in files})
            # Each file once, then as many bytes as it has of the whole.
            chosen = [(p, draw.randrange(p.stat().st_size)) for p in files]
            weights = [p.stat().st_size for p in files]
            while len(chosen) < 200:
                p = draw.choices(files, weights)[0] if len(chosen) % 2 else draw.choice(files)
                chosen.append((p, draw.randrange(p.stat().st_size)))
            for path, at in chosen:
                good = path.read_bytes()
                bad = bytearray(good)
                bad[at] ^= 1 << draw.randrange(8)
                path.write_bytes(bad)
                code, lines, error = verify(folder)
                path.write_bytes(good)
                with self.subTest(seed=seed, file=str(path.relative_to(folder)), at=at):
                    self.assertNotEqual(code, 0, lines[-1:])
                    problems = [line for line in lines if line["event"] == "problem"]
                    self.assertTrue(problems or error)
                    # What is named leads to the file: itself, or the record, round or database that lies in it.
                    if problems and "blobs" not in path.parts and "log" not in path.parts:
                        self.assertTrue(any(path.name in p["subject"] for p in problems), problems)
                    if "blobs" in path.parts:
                        self.assertTrue(any(path.name in p["subject"] for p in problems), problems)
            self.assertEqual(verify(folder)[0], 0)

    def test_names_that_are_no_text_any_more_are_spoken_of_all_the_same(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "data"
            shutil.copytree(self.folder, folder)
            path = folder / "entente.db"
            good = path.read_bytes()
            places = [found.start() for found in re.finditer(b"plant-1", good)]
            self.assertGreater(len(places), 40)
            for at in places[:: max(1, len(places) // 40)]:
                bad = bytearray(good)
                bad[at + 3] ^= 0x80
                path.write_bytes(bad)
                with self.subTest(at=at):
                    self.assertNotEqual(verify(folder)[0], 0)

    def test_files_that_are_missing_or_new_are_named(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "data"
            shutil.copytree(self.folder, folder)
            for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size > 0):
                kept = path.read_bytes()
                mode = path.stat().st_mode
                path.unlink()
                code, lines, error = verify(folder)
                path.write_bytes(kept)
                path.chmod(mode)
                if path.name == "manifest":
                    self.assertFalse(lines[-1]["manifest"])
                else:
                    self.assertNotEqual(code, 0, path)
            for name in ("new", "blobs/new", "log/tile/0/009"):
                (folder / name).write_bytes(b"x")
                code, lines, _ = verify(folder)
                self.assertEqual(code, 6)
                self.assertTrue(any(name in p.get("subject", "") for p in lines), lines)
                (folder / name).unlink()

    def test_an_auditors_copy_without_the_private_key(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = pathlib.Path(scratch) / "data"
            shutil.copytree(self.folder, folder)
            for name in ("coordinator.key", "manifest"):
                (folder / name).unlink()
            code, lines, error = verify(folder)
            self.assertEqual((code, lines[-1]["recomputed"], lines[-1]["manifest"]), (0, 3, False), (lines, error))
            for path in [p for p in sorted((folder / "log").rglob("*")) if p.is_file()]:
                good = path.read_bytes()
                for at in range(5, len(good), max(1, len(good) // 8)):
                    bad = bytearray(good)
                    bad[at] ^= 1
                    path.write_bytes(bad)
                    with self.subTest(file=str(path.relative_to(folder)), at=at):
                        self.assertEqual(verify(folder)[0], 6)
                path.write_bytes(good)

    def test_a_receipt_and_evidence_hold_offline_and_each_changed_byte_is_found(self):
        draw = random.Random(7)
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch) / "file.json"
            for good in (self.receipt, self.evidence):
                path.write_bytes(good)
                code, lines, error = verify(path, "--key", self.key)
                self.assertEqual((code, lines[-1]["holds"], lines[-1]["unproved"]), (0, True, 0), error)
                self.assertEqual(verify(path, "--key", "0" * 64)[0], 1)
                said = json.loads(good)
                # Bytes of what is said and proved, not of the labels for people around it.
                for _ in range(40):
                    changed = json.loads(good)
                    rows = changed.get("records") or changed["updates"] + changed["decisions"]
                    row = draw.choice(rows)
                    member = draw.choice([m for m in ("record", "blinding", "path", "proof") if row.get(m)])
                    texts = row[member] if isinstance(row[member], list) else [row[member]]
                    i = draw.randrange(len(texts))
                    at = draw.randrange(len(texts[i]) - 2)
                    other = draw.choice([c for c in "0123456789abcdef" if c != texts[i][at].lower()])
                    texts[i] = texts[i][:at] + other + texts[i][at + 1:]
                    row[member] = texts if isinstance(row[member], list) else texts[0]
                    path.write_text(json.dumps(changed))
                    self.assertNotEqual(verify(path)[0], 0, (member, row))
                self.assertNotEqual(said, None)

    def test_evidence_of_many_records_is_a_page_a_line(self):
        self.assertGreater(len(self.pages), 3)
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch) / "pages.json"
            path.write_bytes(b"\n".join(self.pages) + b"\n")
            code, lines, error = verify(path, "--key", self.key)
            self.assertEqual((code, lines[-1]["records"]), (0, len(json.loads(self.evidence)["records"])), error)
            bad = json.loads(self.pages[1])
            bad["records"][0]["blinding"] = "0" * 64
            path.write_bytes(self.pages[0] + b"\n" + json.dumps(bad).encode())
            self.assertNotEqual(verify(path)[0], 0)
            path.write_bytes(self.pages[0] + b"\n" + self.receipt)
            self.assertIn("evidence.mixed", verify(path)[2])

    def ledger(self, *arguments, **environment):
        return subprocess.run([ENTENTE, "ledger", *map(str, arguments)], capture_output=True, text=True, timeout=60, env={**os.environ, **environment})

    def test_the_ledger_by_partner_and_one_partners_evidence(self):
        done = self.ledger(self.folder, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([r["partner"] for r in rows], ["plant-1", "plant-2"])
        for row in rows:
            self.assertEqual(row["rounds"], [1, 2, 3])
            self.assertEqual((row["updates_counted"], row["updates_fetched"], row["models_fetched"], row["refusals"], row["denials"], row["left"]), (3, 3, 4, [], [], False))
            self.assertEqual(sorted(a["assigner"] for a in row["agreements"]), ["coordinator", row["partner"]])
        table = self.ledger(self.folder).stdout
        self.assertRegex(table, r"plant-1 +2 +3 +0 +4 +0\n")
        self.assertIn(rows[0]["agreements"][0]["id"], table)
        self.assertIn("its updates are in the models of rounds 1, 2, 3\n", table)
        exported = self.ledger(self.folder, "--evidence", "plant-1")
        self.assertEqual(exported.returncode, 0, exported.stderr)
        self.assertEqual(json.loads(exported.stdout), json.loads(self.evidence))
        self.assertNotIn("plant-2", exported.stdout)
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch) / "plant-1.json"
            path.write_text(exported.stdout)
            code, lines, _ = verify(path, "--key", self.key)
            self.assertEqual((code, lines[-1]["records"] > 10), (0, True))
        self.assertEqual(self.ledger(self.folder, "--partner", "nobody").returncode, 1)
        self.assertEqual(self.ledger("/nonexistent").returncode, 1)

    def test_no_folder_of_a_coordinator_is_an_error(self):
        with tempfile.TemporaryDirectory() as scratch:
            self.assertEqual(verify(scratch)[0], 1)
            self.assertEqual(verify(pathlib.Path(scratch) / "nothing")[0], 1)


class Served(unittest.TestCase):
    def test_a_running_coordinators_ledger_says_what_was_refused_and_who_has_left(self):
        with Small(rounds=1) as f:
            f.start_server()
            f.start_partner(1)
            f.wait_for(lambda: any(e["kind"] == "agreement.concluded" for e in f.ledger()), "an agreement")
            self.assertEqual(f.ask("DELETE", "/api/v1/participants/plant-1")[0], 204)
            f.wait_for(lambda: int(f.ask("GET", "/api/v1/log/checkpoint")[1].split(b"\n")[1]) == len(f.ledger()), "the log has every record")
            done = subprocess.run([ENTENTE, "ledger", f.url, "--json"], capture_output=True, text=True, timeout=60, env={**os.environ, "ENTENTE_TOKEN": f.token})
            self.assertEqual(done.returncode, 0, done.stderr)
            row = json.loads(done.stdout)
            self.assertEqual((row["partner"], row["left"], row["updates_counted"]), ("plant-1", True, 0))
            self.assertEqual(subprocess.run([ENTENTE, "ledger", f.url], capture_output=True, env={**os.environ, "ENTENTE_TOKEN": ""}).returncode, 3)


class Unsettled(unittest.TestCase):
    def test_a_running_coordinators_folder_is_not_judged(self):
        with Small(rounds=1) as f:
            f.start_server()
            f.enter("plant-1")
            code, lines, error = verify(f.folder / "coordinator")
            self.assertIn("verify.in-use", error)
            f.server.kill()
            f.server.wait()
            self.assertIn("verify.in-use", verify(f.folder / "coordinator")[2])
            f.start_server()
            self.assertEqual(f.stop_server(), 0)
            self.assertEqual(verify(f.folder / "coordinator")[0], 0)

    def test_updates_that_were_deleted_are_said_to_be(self):
        with Small(rounds=2) as f:
            f.run_to_the_end()
            self.assertEqual(f.stop_server(), 0)
            code, lines, error = verify(f.folder / "coordinator")
            self.assertEqual(code, 0, (lines, error))
            self.assertEqual([(r["outcome"], r["receipt"]) for r in lines[:-1]], [("deleted", True), ("deleted", True)])


if __name__ == "__main__":
    unittest.main()
