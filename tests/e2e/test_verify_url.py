"""`entente verify URL`: from afar it says what it says of the folder, as far as a token may see; what somebody on the way
changes is found and named."""
import json, os, random, subprocess, tempfile, unittest

from harness import ENTENTE, Small, public_key
from proxy import Proxy

PLAN = '[policy]\ndelete_after_days = 30\n'


def verify(url, token, *more):
    done = subprocess.run([ENTENTE, "verify", url, "--json", *more], capture_output=True, text=True, timeout=120, env={**os.environ, "ENTENTE_TOKEN": token})
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


class FromAfar(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.f = Small(rounds=3, plan=PLAN)
        cls.f.run_to_the_end()
        cls.f.wait_for(lambda: int(cls.f.ask("GET", "/api/v1/log/checkpoint")[1].split(b"\n")[1]) == len(cls.f.ledger()), "the log has every record")
        cls.key = cls.f.get("/api/v1/federation", None)["coordinator_key"]
        cls.auditor = cls.f.enter("auditor-1", "auditor")[0]
        cls.partner = next(line.split('"')[1] for line in (cls.f.folder / "plant-1/state.toml").read_text().splitlines() if line.startswith("token"))

    @classmethod
    def tearDownClass(cls):
        cls.f.__exit__(None)

    def test_the_operator_computes_every_round_again(self):
        before = {p: p.stat().st_mtime_ns for p in self.f.folder.rglob("*") if p.is_file()}
        code, lines, error = verify(self.f.url, self.f.token, "--key", self.key)
        self.assertEqual(code, 0, (lines, error))
        self.assertEqual([(r["round"], r["outcome"], r["receipt"], r["participants"]) for r in lines[:-1]], [(i, "same", True, "plant-1, plant-2") for i in (1, 2, 3)])
        result = lines[-1]
        self.assertEqual((result["holds"], result["role"], result["recomputed"], result["updates_readable"]), (True, "operator", 3, True))
        self.assertEqual(result["records"], result["signed_records"])
        self.assertEqual({p: p.stat().st_mtime_ns for p in before}, before, "verify wrote something")
        self.assertEqual([r["outcome"] for r in verify(self.f.url, self.f.token, "--round", "2")[1][:-1]], ["not-asked", "same", "not-asked"])

    def test_an_auditor_does_without_the_updates_unless_the_operator_lets_it(self):
        code, lines, error = verify(self.f.url, self.auditor)
        self.assertEqual(code, 0, (lines, error))
        self.assertEqual([(r["outcome"], r["receipt"]) for r in lines[:-1]], [("unreadable", True)] * 3)
        blobs = {p.name for p in (self.f.folder / "coordinator/blobs").iterdir()}
        answers = [self.f.ask("GET", f"/api/v1/blobs/{blob}", token=self.auditor)[0] for blob in blobs]
        self.assertEqual((answers.count(200), answers.count(403)), (4, 6), "models, and not updates")
        self.assertEqual({self.f.ask("GET", f"/api/v1/blobs/{blob}", token=self.partner)[0] for blob in blobs}, {403})
        self.assertEqual(self.f.ask("GET", f"/api/v1/blobs/{'0' * 64}")[0], 404)
        self.assertEqual(self.f.ask("GET", "/api/v1/blobs/..%2fentente.db")[0], 404)

    def test_a_partner_checks_its_own(self):
        code, lines, error = verify(self.f.url, self.partner)
        self.assertEqual(code, 0, (lines, error))
        self.assertEqual([(r["round"], r["receipt"], r["participants"]) for r in lines[:-1]], [(i, True, "plant-1") for i in (1, 2, 3)])
        self.assertEqual((lines[-1]["holds"], lines[-1]["role"], lines[-1]["rounds"]), (True, "partner", 3))
        self.assertLess(lines[-1]["records"], lines[-1]["signed_records"])

    def test_another_key_and_no_token_are_errors(self):
        self.assertIn("verify.other-key", verify(self.f.url, self.f.token, "--key", public_key(bytes(range(32))).hex())[2])
        self.assertIn("config.no-token", verify(self.f.url, "")[2])
        self.assertNotEqual(verify(self.f.url, "nobody")[0], 0)

    def test_what_is_changed_on_the_way_is_found(self):
        draw = random.Random(11)
        kinds = {"/api/v1/log/checkpoint": (self.f.token, self.partner), "/api/v1/log/tile": (self.f.token, self.partner), "/api/v1/ledger/entries": (self.f.token,),
                 "/api/v1/blobs/": (self.f.token,), "/api/v1/plan": (self.f.token, self.partner)}
        for path, tokens in kinds.items():
            for token in tokens:
                for turn in range(6):
                    done = []

                    def meddle(exchange):
                        if not exchange.path.startswith(path) or done:
                            return None
                        if path.endswith("/") and draw.random() < 0.7:
                            return None
                        status, content, kind = exchange.forward()
                        bad = bytearray(content)
                        at = draw.randrange(len(bad))
                        bad[at] ^= 1 << draw.randrange(8)
                        done.append((exchange.path, at))
                        return status, bytes(bad), kind

                    with Proxy(self.f.url, meddle) as proxy:
                        code, lines, error = verify(proxy.url, token)
                    with self.subTest(path=path, partner=token == self.partner, changed=done):
                        if done:
                            self.assertNotEqual(code, 0, lines)
                            self.assertTrue(error or any(line["event"] == "problem" for line in lines))

    def test_receipts_of_another_and_endless_answers_are_refused(self):
        def swap(exchange):
            if exchange.path == "/api/v1/receipts/2":
                exchange.path = "/api/v1/receipts/1"
            return exchange.forward()
        with Proxy(self.f.url, swap) as proxy:
            code, lines, _ = verify(proxy.url, self.partner)
        self.assertEqual((code, [p["subject"] for p in lines if p["event"] == "problem"]), (6, ["round 2: receipt"]))
        short = lambda exchange: (200, b"") if exchange.path.startswith("/api/v1/ledger/entries") else None
        with Proxy(self.f.url, short) as proxy:
            code, lines, _ = verify(proxy.url, self.f.token)
        self.assertEqual((code, lines[0]["code"]), (6, "ledger.short"))
        huge = lambda exchange: (200, b"0" * (2 << 20)) if exchange.path == "/api/v1/me" else None
        with Proxy(self.f.url, huge) as proxy:
            self.assertNotEqual(verify(proxy.url, self.f.token)[0], 0)


class Let(unittest.TestCase):
    def test_an_auditor_computes_again_where_the_operator_lets_it(self):
        with Small(rounds=2, plan=PLAN) as f:
            f.start_server("--auditors-read-updates")
            for i in (1, 2):
                f.start_partner(i)
            f.wait_partners()
            f.wait_for(lambda: int(f.ask("GET", "/api/v1/log/checkpoint")[1].split(b"\n")[1]) == len(f.ledger()), "the log has every record")
            auditor = f.enter("auditor-1", "auditor")[0]
            code, lines, error = verify(f.url, auditor)
            self.assertEqual((code, [r["outcome"] for r in lines[:-1]]), (0, ["same", "same"]), (lines, error))


if __name__ == "__main__":
    unittest.main()
