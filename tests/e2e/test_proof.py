"""What can be proved: the log as anybody may read it, checked by another implementation (RFC 6962 in ten lines of Python)."""
import base64, hashlib, json, re, shutil, unittest

from envelope import verify_signature
from harness import Small


def leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def root(hashes):
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return hashlib.sha256(b"\1" + root(hashes[:k]) + root(hashes[k:])).digest()


def checkpoint(text, key):
    """(size, root) of a signed note, its Ed25519 signature checked."""
    body, signatures = text[: text.rindex("\n\n") + 1], text[text.rindex("\n\n") + 2:]
    origin, size, hashed = body.splitlines()[:3]
    name, signature = re.match(r"— (\S+) (\S+)\n", signatures).groups()
    assert name == origin
    raw = base64.b64decode(signature)
    assert raw[:4] == hashlib.sha256(origin.encode() + b"\n\x01" + key).digest()[:4]
    assert verify_signature(key, body.encode(), raw[4:])
    return int(size), base64.b64decode(hashed)


def index_path(n):
    text = f"{n % 1000:03}"
    while n >= 1000:
        n //= 1000
        text = f"x{n % 1000:03}/{text}"
    return text


class Watched(Small):
    """A federation whose log is read all the time."""

    def key(self):
        return bytes.fromhex(self.get("/api/v1/federation", None)["coordinator_key"])

    def look(self):
        status, text = self.ask("GET", "/api/v1/log/checkpoint")
        return checkpoint(text.decode(), self.key()) if status == 200 else None

    def leaves(self, size):
        hashes = []
        for n in range((size + 255) // 256):
            width = min(256, size - 256 * n)
            status, tile = self.ask("GET", f"/api/v1/log/tile/0/{index_path(n)}" + (f".p/{width}" if width < 256 else ""))
            assert status == 200 and len(tile) == 32 * width, (status, len(tile))
            hashes += [tile[i:i + 32] for i in range(0, len(tile), 32)]
        return hashes


class Log(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.f = Watched(rounds=2)
        cls.f.run_to_the_end()
        cls.f.wait_for(lambda: cls.f.look()[0] == len(cls.f.ledger()), "the log has every record")
        cls.size, cls.root = cls.f.look()
        cls.hashes = cls.f.leaves(cls.size)
        cls.tokens = {i: re.search(r'token = "(\w+)"', (cls.f.folder / f"plant-{i}/state.toml").read_text()).group(1) for i in (1, 2)}

    @classmethod
    def tearDownClass(cls):
        cls.f.__exit__(None)

    def test_the_tiles_lead_to_the_signed_root(self):
        self.assertEqual(root(self.hashes), self.root)

    def test_the_entries_open_the_leaves_for_operator_and_not_for_a_partner(self):
        path = f"/api/v1/log/tile/entries/000.p/{self.size}"
        self.assertLess(self.size, 256)
        status, bundle = self.f.ask("GET", path)
        self.assertEqual(status, 200)
        entries = []
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            entries.append(bundle[2:2 + length])
            bundle = bundle[2 + length:]
        self.assertEqual([leaf(e) for e in entries], self.hashes)
        self.assertEqual(self.f.ask("GET", path, token=self.tokens[1])[0], 403)
        self.assertEqual(self.f.ask("GET", f"/api/v1/log/tile/0/000.p/{self.size}", token=self.tokens[1])[0], 200)
        self.assertEqual(self.f.ask("GET", f"/api/v1/log/tile/0/000.p/{self.size + 1}")[0], 404)
        self.assertEqual(self.f.ask("GET", "/api/v1/log/tile/0/0")[0], 404)

    def opens(self, row):
        """The row's record opens the leaf that the log has at its place."""
        record = hashlib.sha256(base64.b64decode(row["record"])).digest()
        self.assertEqual(leaf(bytes.fromhex(row["blinding"]) + record), self.hashes[row["sequence"] - 1])
        return self.hashes[row["sequence"] - 1]

    def climb(self, hashed, index, size, path):
        """RFC 9162, 2.1.3.2."""
        last = size - 1
        for sibling in path:
            if index % 2 == 1 or index == last:
                hashed = hashlib.sha256(b"\1" + sibling + hashed).digest()
                while index % 2 == 0 and index != 0:
                    index, last = index >> 1, last >> 1
            else:
                hashed = hashlib.sha256(b"\1" + hashed + sibling).digest()
            index, last = index >> 1, last >> 1
        return hashed

    def test_a_receipt_is_signed_and_commits_to_the_rounds_updates(self):
        for number in (1, 2):
            receipt = self.f.get(f"/api/v1/receipts/{number}")
            envelope = receipt["receipt"]
            payload = base64.b64decode(envelope["payload"])
            pae = b"DSSEv1 %d %s %d %s" % (len(envelope["payloadType"]), envelope["payloadType"].encode(), len(payload), payload)
            self.assertTrue(verify_signature(self.f.key(), pae, base64.b64decode(envelope["signatures"][0]["sig"])))
            says = json.loads(payload)
            self.assertEqual((says["round"], says["updates"], says["rule"], says["weight"]), (number, 2, "fedavg", 800))
            self.assertEqual([u["participant"] for u in receipt["updates"]], ["plant-1", "plant-2"])
            self.assertEqual(root([self.opens(u) for u in receipt["updates"]]).hex(), says["updatesRoot"])
            self.assertEqual(root([self.opens(d) for d in receipt["decisions"]]).hex(), says["decisionsRoot"])
            self.opens(receipt["record"])
            self.assertTrue(receipt["proof"].startswith(f"c2sp.org/tlog-proof@v1\nindex {receipt['record']['sequence'] - 1}\n"))
        self.assertEqual(says["model"], self.f.status()["model_digest"])
        self.assertEqual(self.f.ask("GET", "/api/v1/receipts/3")[0], 404)

    def test_a_partner_gets_its_own_records_with_proofs_and_nobody_elses(self):
        other = {row["record"] for row in self.f.get("/api/v1/evidence?participant=plant-2&limit=1000")["records"]}
        own = self.f.get("/api/v1/evidence?limit=1000", self.tokens[1])
        kinds = [row["kind"] for row in own["records"]]
        self.assertEqual((kinds.count("update.accepted"), kinds.count("agreement.concluded"), own["next"]), (2, 2, 0))
        size, signed_root = checkpoint(own["checkpoint"], self.f.key())
        for row in own["records"]:
            hashed = self.opens(row)
            path = [base64.b64decode(h) for h in row["proof"]]
            self.assertEqual(self.climb(hashed, row["sequence"] - 1, size, path), signed_root)
            self.assertNotIn(row["record"], other)
            self.assertNotIn(b"plant-2", base64.b64decode(row["record"]))
        pages, after = [], 0
        while True:
            page = self.f.get(f"/api/v1/evidence?limit=3&after={after}", self.tokens[1])
            pages += page["records"]
            after = page["next"]
            if after == 0:
                break
        self.assertEqual([r["sequence"] for r in pages], [r["sequence"] for r in own["records"]])
        receipt = self.f.get("/api/v1/receipts/2", self.tokens[1])
        self.assertEqual([u["participant"] for u in receipt["updates"]], ["plant-1"])
        update = receipt["updates"][0]
        path = [base64.b64decode(h) for h in update["path"]]
        says = json.loads(base64.b64decode(receipt["receipt"]["payload"]))
        self.assertEqual(self.climb(self.opens(update), update["index"], says["updates"], path).hex(), says["updatesRoot"])
        self.assertEqual(self.f.ask("GET", "/api/v1/evidence")[0], 400)
        self.assertEqual(self.f.ask("GET", "/api/v1/evidence?participant=nobody")[0], 404)

    def test_a_longer_log_goes_on_where_a_shorter_one_ended(self):
        proof = self.f.get(f"/api/v1/log/consistency?from={self.size // 2}&to={self.size}", self.tokens[2])
        self.assertGreater(len(proof["proof"]), 0)
        self.assertEqual(self.f.ask("GET", f"/api/v1/log/consistency?from=1&to={self.size + 1}")[0], 400)


class Killed(unittest.TestCase):
    """Whatever the coordinator has shown before it was killed, what it shows afterwards goes on from there."""

    def test_no_two_histories(self):
        for point in ("log-appended:2", "log-tiled:2", "log-signed:3", "log-tiled:3", "published:2", "accepted:3"):
            with self.subTest(point=point), Watched(rounds=2) as f:
                shown = set()
                f.start_server(ENTENTE_CRASH_AT=point)

                def look():
                    try:
                        shown.add(f.look())
                    except OSError:
                        pass
                    return f.server.poll() is not None

                try:
                    for i in (1, 2):
                        f.start_partner(i)
                    f.wait_for(look, "it was killed")
                except OSError:  # while the partners were invited
                    f.server.wait(20)
                self.assertEqual(f.server.poll(), -9)
                f.start_server()
                for i in (1, 2):
                    if f"plant-{i}" not in f.partners or f.partners[f"plant-{i}"].poll() is not None:
                        f.start_partner(i)
                f.wait_for(lambda: shown.add(f.look()) or f.status()["phase"] == "finished", "it is over")
                f.wait_partners()
                f.wait_for(lambda: f.look()[0] == len(f.ledger()), "the log has every record")
                shown.add(f.look())
                hashes = f.leaves(f.look()[0])
                for size, signed in shown - {None}:
                    self.assertEqual(root(hashes[:size]), signed)
                self.assertEqual(sum(e["kind"] == "round.receipt" for e in f.ledger()), 2)


class Forked(unittest.TestCase):
    def test_a_partner_stops_at_a_coordinator_that_contradicts_itself(self):
        with Watched(rounds=2) as f:
            f.start_server()
            f.start_partner(1)
            seen = f.folder / "plant-1/log-checkpoint"
            f.wait_for(lambda: seen.exists() and f.look()[0] == len(f.ledger()), "the partner has seen the log")
            self.assertEqual(f.stop_server(), 0)
            data, backup = f.folder / "coordinator", f.folder / "backup"
            shutil.copytree(data, backup)
            f.start_server()
            f.start_partner(2)
            f.wait_partners()
            size, _ = checkpoint(seen.read_text(), f.key())
            self.assertEqual(f.stop_server(), 0)
            # The operator takes everything back to an earlier day.
            shutil.rmtree(data)
            backup.rename(data)
            f.start_server()
            self.assertLess(f.look()[0], size)
            self.assertEqual(f.start_partner(1).wait(30), 6)
            self.assertIn("(code log.fork)", f.log("plant-1"))
            self.assertEqual(checkpoint(seen.read_text(), f.key())[0], size)
            self.assertLess(checkpoint((f.folder / "plant-1/log-fork").read_text(), f.key())[0], size)

    def test_a_partner_that_cannot_read_what_it_saw_does_not_begin_without(self):
        with Watched(rounds=2) as f:
            f.start_server()
            partner = f.start_partner(1)
            seen = f.folder / "plant-1/log-checkpoint"
            f.wait_for(seen.exists, "the partner has seen the log")
            partner.kill()
            partner.wait()
            seen.unlink()
            seen.mkdir()
            self.assertEqual(f.start_partner(1).wait(30), 6)
            self.assertIn("log-checkpoint: expected a file, found a folder", f.log("plant-1"))


if __name__ == "__main__":
    unittest.main()
