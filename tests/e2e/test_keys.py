"""Keys and tokens over time: rotation, suspension, a lost key, and tokens that lie unused."""
import hashlib, json, subprocess, time, unittest

from envelope import public_key, sign
from harness import ENTENTE, Small, write_idx

CONNECTORS = {"hub": (), "dsp": ("--connector", "dsp", "--listen", "127.0.0.1:0")}


def rotate(f, partner):
    return subprocess.run([ENTENTE, "key", "rotate", "--state", f.folder / partner, "--json"], capture_output=True, text=True, timeout=60)


def kinds(f, participant):
    return [e["kind"] for e in f.ledger() if e.get("participant") == participant and e["kind"].startswith("participant.")]


def verified(f):
    f.stop_server()
    done = subprocess.run([ENTENTE, "verify", f.folder / "coordinator"], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


class Rotation(unittest.TestCase):
    def test_a_partner_goes_on_with_a_new_key_and_the_ledger_holds(self):
        for name, options in CONNECTORS.items():
            with self.subTest(connector=name), Small(rounds=60) as f:
                f.start_server("--keep-updates", "all")
                for i in (1, 2):
                    f.start_partner(i, *options)
                f.wait_for(lambda: f.status()["completed"] >= 1, "the first round")
                running = rotate(f, "plant-2")
                self.assertIn("folder.in-use", running.stderr)
                f.partners["plant-2"].terminate()
                f.partners["plant-2"].wait(20)
                done = rotate(f, "plant-2")
                self.assertEqual(done.returncode, 0, done.stderr)
                told, seed = json.loads(done.stdout), bytes.fromhex((f.folder / "plant-2/partner.key").read_text().strip())
                self.assertEqual(told["key"], public_key(seed).hex())
                self.assertNotEqual(told["former"], told["key"])
                before = f.status()["completed"]
                agreement = lambda: {p["id"]: p for p in f.status()["participants"]}["plant-2"]["update_agreement"]  # noqa: E731
                self.assertEqual(agreement(), "", "the former key's agreements are over")
                f.start_partner(2, *options)
                f.wait_for(lambda: f.status()["completed"] >= before + 2, "rounds with the new key")
                self.assertTrue(agreement())
                self.assertEqual(kinds(f, "plant-2"), ["participant.admitted", "participant.key"])
                code, said = verified(f)
                self.assertEqual(code, 0, said)

    def test_what_is_no_rotation_is_refused(self):
        with Small() as f:
            f.start_server()
            token, seed = f.enter("plant-1")
            other_token, other = f.enter("plant-2")
            fresh = hashlib.sha256(b"fresh").digest()

            def ask(key, by_key, by_former, text=None, as_whom=token):
                text = (text or f"e2e:plant-1:{public_key(seed).hex()}:{public_key(key).hex()}").encode()
                body = {"public_key": public_key(key).hex(), "signature": sign(by_key, "rotate", text).hex(), "former_signature": sign(by_former, "rotate", text).hex()}
                status, answer = f.ask("POST", "/api/v1/key", json.dumps(body).encode(), as_whom)
                return status, json.loads(answer).get("code")

            for what in ((fresh, fresh, other), (fresh, other, seed), (fresh, fresh, fresh)):
                self.assertEqual(ask(*what), (401, "key.bad-signature"))
            self.assertEqual(ask(fresh, fresh, seed, text=f"other:plant-1:{public_key(seed).hex()}:{public_key(fresh).hex()}"), (401, "key.bad-signature"))
            self.assertEqual(ask(fresh, fresh, seed, as_whom=other_token), (401, "key.bad-signature"))
            self.assertEqual(ask(fresh, fresh, seed, as_whom=f.token), (403, "auth.role"))
            self.assertEqual(f.ask("POST", "/api/v1/key", b"{}", token)[0], 400)
            self.assertEqual(ask(fresh, fresh, seed), (200, None))
            self.assertEqual(ask(fresh, fresh, seed), (200, None), "a lost answer is asked for again")
            self.assertEqual(ask(hashlib.sha256(b"third").digest(), seed, seed), (401, "key.bad-signature"), "the former key has no word any more")
            self.assertEqual(kinds(f, "plant-1"), ["participant.admitted", "participant.key"])

    def test_one_that_was_killed_in_between_ends_what_it_began(self):
        with Small() as f:
            f.start_server()
            partner = f.start_partner(1)
            f.wait_for(lambda: (f.folder / "plant-1/state.toml").exists(), "it has joined")
            partner.terminate()
            partner.wait(20)
            key, following = f.folder / "plant-1/partner.key", f.folder / "plant-1/partner.key.next"
            old = key.read_text()
            self.assertEqual(rotate(f, "plant-1").returncode, 0)
            # The coordinator had agreed, and the file had not taken its place yet.
            key.rename(following)
            key.touch(mode=0o600)
            key.write_text(old)
            self.assertNotEqual(f.start_partner(1).wait(20), 0)
            self.assertIn("key.begun", f.log("plant-1"))
            self.assertEqual(rotate(f, "plant-1").returncode, 0)
            self.assertFalse(following.exists())
            self.assertNotEqual(key.read_text(), old)
            self.assertEqual(kinds(f, "plant-1"), ["participant.admitted", "participant.key"])


class Suspension(unittest.TestCase):
    def test_from_the_round_that_runs_until_it_is_lifted(self):
        for name, options in CONNECTORS.items():
            with self.subTest(connector=name), Small(rounds=400, partners=2, plan="[contract]\nmax_rounds = 1000") as f:
                f.start_server()
                for i in (1, 2):
                    f.start_partner(i, *options)
                write_idx(f.folder / "data-3", "train", 400, seed=3)
                write_idx(f.folder / "data-3", "t10k", 50, seed=103)
                third = f.start_partner(3, *options)
                row = lambda: {p["id"]: p for p in f.status()["participants"]}.get("plant-3", {"contributions": 0})  # noqa: E731
                f.wait_for(lambda: row()["contributions"] >= 1, "plant-3 takes part")
                path = "/api/v1/participants/plant-3/suspension"
                self.assertEqual(f.ask("POST", path, json.dumps({"reason": "a laptop was lost"}).encode())[0], 204)
                self.assertEqual(row()["standing"], "suspended")
                counted, completed = row()["contributions"], f.status()["completed"]
                f.wait_for(lambda: f.status()["completed"] >= completed + 2, "the others go on")
                self.assertEqual(row()["contributions"], counted)
                f.wait_for(lambda: "suspended by the operator: a laptop was lost" in f.log("plant-3"), "it reads why")
                self.assertIsNone(third.poll(), "and waits")
                f.stop_server()
                f.start_server()
                self.assertEqual(row()["standing"], "suspended", "after a restart too")
                self.assertEqual(f.ask("DELETE", path)[0], 204)
                f.wait_for(lambda: row()["contributions"] > counted, "it takes part again")
                self.assertEqual(kinds(f, "plant-3"), ["participant.admitted", "participant.suspended", "participant.resumed"])

    def test_what_is_refused_and_who_may(self):
        with Small() as f:
            f.start_server()
            token, _ = f.enter("plant-1")
            path = "/api/v1/participants/plant-1/suspension"
            self.assertEqual(f.ask("POST", path, b"{}", token)[0], 403)
            self.assertEqual(f.ask("POST", "/api/v1/participants/plant-9/suspension", b"{}")[0], 404)
            self.assertEqual(f.ask("POST", path, json.dumps({"reason": "x" * 201}).encode())[0], 400)
            self.assertEqual(f.ask("POST", path, b"")[0], 204)
            self.assertEqual(f.ask("POST", path, b"")[0], 204, "again, and one line on the ledger")
            for method, route in (("GET", "hub/view"), ("POST", "hub/heartbeat"), ("PUT", "connector"), ("POST", "key"), ("POST", "log/cosignatures")):
                status, body = f.ask(method, f"/api/v1/{route}", b"{}" if method != "GET" else None, token)
                self.assertEqual((status, json.loads(body)["code"]), (403, "participant.suspended"), route)
            status, body = f.ask("PUT", f"/api/v1/hub/assets/urn:fl:e2e:plant-1:updates/content?round=1&content={'0' * 64}", b"x", token)
            self.assertEqual((status, json.loads(body)["code"]), (403, "participant.suspended"))
            self.assertEqual(f.ask("GET", "/api/v1/me", token=token)[0], 200, "what is its own it still reads")
            self.assertEqual(kinds(f, "plant-1"), ["participant.admitted", "participant.suspended"])
            self.assertEqual(f.ask("POST", "/api/v1/leave", b"", token)[0], 200, "and it may go")


class Again(unittest.TestCase):
    def test_a_lost_key_comes_again_under_the_same_company_and_the_history_stays(self):
        with Small(rounds=60) as f:
            f.start_server("--keep-updates", "all")
            for i in (1, 2):
                f.start_partner(i)
            f.wait_for(lambda: f.status()["completed"] >= 2, "two rounds")
            f.partners["plant-2"].kill()
            f.partners["plant-2"].wait()
            (f.folder / "plant-2").rename(f.folder / "lost")
            self.assertEqual(f.ask("DELETE", "/api/v1/participants/plant-2")[0], 204)
            before, agreements = f.ledger(), f.get("/api/v1/agreements")
            f.codes.pop("plant-2")
            f.start_partner(2)
            completed = f.status()["completed"]
            f.wait_for(lambda: f.status()["completed"] >= completed + 2, "rounds with the new key")
            f.stop_server()
            f.start_server("--keep-updates", "all")
            row = {p["id"]: p for p in f.status()["participants"]}["plant-2"]
            self.assertGreaterEqual(row["contributions"], 4)
            self.assertEqual(f.ledger()[:len(before)], before)
            after = {a["id"]: a for a in f.get("/api/v1/agreements")}
            self.assertEqual({a["id"]: a for a in agreements}, {a["id"]: after.get(a["id"]) for a in agreements}, "and whose each was")
            self.assertEqual(kinds(f, "plant-2"), ["participant.admitted", "participant.left", "participant.admitted"])
            code, said = verified(f)
            self.assertEqual(code, 0, said)


class Unused(unittest.TestCase):
    def test_a_token_that_lies_unused_expires_and_one_in_use_does_not(self):
        with Small() as f:
            f.start_server("--token-life-s", "3")
            used, _ = f.enter("plant-1")
            idle, seed = f.enter("plant-2")
            end = time.monotonic() + 4.5
            while time.monotonic() < end:
                self.assertEqual(f.ask("GET", "/api/v1/me", token=used)[0], 200)
                time.sleep(0.5)
            status, body = f.ask("GET", "/api/v1/me", token=idle)
            self.assertEqual((status, json.loads(body)["code"]), (401, "auth.expired-token"))
            self.assertIn("new join code", json.loads(body)["detail"])
            # The operator may invite it again, and its key comes back to its place.
            token, _ = f.enter("plant-2")
            self.assertEqual(f.ask("GET", "/api/v1/me", token=token)[0], 200)
            self.assertEqual(f.ask("GET", "/api/v1/me", token=idle)[0], 401)
            self.assertEqual(f.ask("GET", "/api/v1/me", token=f.token)[0], 200, "the operator's own does not expire")
            f.stop_server()
            time.sleep(3.5)
            f.start_server("--token-life-s", "3")
            self.assertEqual(f.ask("GET", "/api/v1/me", token=token)[0], 401, "time counts while the server is away, too")


if __name__ == "__main__":
    unittest.main()
