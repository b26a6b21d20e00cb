"""Updates that must not count, sent over HTTP as their sender would: each gets its status, its sender reads why, the
coordinator goes on, and the model is the undisturbed run's, bit for bit."""
import json, re, shutil, struct, subprocess, unittest

from envelope import Envelope, public_key
from harness import Small, undisturbed_digest
from proxy import Proxy

CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec* time) {
    static int (*real)(clockid_t, struct timespec*);
    if (!real) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
    const int result = real(clock, time);
    if (clock == CLOCK_REALTIME) time->tv_sec += atol(getenv("AHEAD_S"));
    return result;
}
"""


class Sender:
    """Partner 2 of a federation, in the test's hands: its token, its key, and an update that it trained and never got to send."""

    def __init__(self, f):
        self.f, self.kept = f, []
        with Proxy(f.url, self.keep) as proxy:
            partner = f.start_partner(2, url=proxy.url)
            f.wait_for(lambda: self.kept, "the second partner has trained")
            partner.kill()
            partner.wait()
        self.path, self.update = self.kept[0]
        self.token = re.search(r'token = "(\w+)"', (f.folder / "plant-2/state.toml").read_text())[1]
        self.key = bytes.fromhex((f.folder / "plant-2/partner.key").read_text().strip())

    def keep(self, exchange):
        if exchange.command == "PUT" and "/content?" in exchange.path:
            self.kept.append((exchange.path, exchange.body()))
            return 503, b'{"code":"test.kept","detail":"kept by the test"}'

    def put(self, envelope, path=None, token=""):
        status, body = self.f.ask("PUT", path or self.path, envelope, self.token if token == "" else token)
        return status, json.loads(body)

    def path_of(self, number, salt=0):
        """An announcement of its own for each attempt: what was refused is not looked at again."""
        return re.sub(r"content=\w+", f"content={number:032x}{salt:032x}", self.path)

    def me(self):
        return self.f.get("/api/v1/me", self.token)

    def altered(self, key=None, **header):
        envelope = Envelope(self.update)
        envelope.header.update(header)
        return envelope.sealed(key or self.key)

    def flipped(self, at):
        damaged = bytearray(self.update)
        damaged[at] ^= 4
        return bytes(damaged)


class Refused(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.digest = undisturbed_digest(rounds=2)

    def refused(self, f, sender, name, envelope, code, path=None):
        with self.subTest(case=name):
            before = sender.me()["refusals"]
            status, body = sender.put(envelope, path)
            self.assertEqual(status, 202, body)
            f.wait_for(lambda: sender.me()["refusals"] > before, f"{name}: refused", 10)
            entry = [e for e in f.ledger() if e["kind"] == "update.refused"][-1]
            self.assertIn(f"({code})", entry["summary"])
            self.assertEqual(entry["participant"], "plant-2")
            self.assertIn(sender.me()["last_refusal"], entry["summary"])
            view = f.ask("GET", "/api/v1/hub/view", token=sender.token)[1]
            self.assertIn(code.encode(), view, "the receipt says why")
            self.assertEqual(f.status()["delivered"], 1, "nothing of it counts")

    def test_everything_that_may_not_count(self):
        with Small(rounds=2) as f:
            f.start_server()
            f.start_partner(1)
            sender = Sender(f)
            f.wait_for(lambda: f.status()["delivered"] == 1, "the first partner has delivered")
            seed_of_another = bytes.fromhex((f.folder / "plant-1/partner.key").read_text().strip())
            agreement_of_another = f.status()["participants"][0]["update_agreement"]
            theirs = next(p for p in (f.folder / "coordinator/blobs").iterdir() if b"plant-1" in p.read_bytes()[:400])
            header = 20 + struct.unpack_from("<I", sender.update, 8)[0]
            middle = header + (len(sender.update) - header) // 2
            cases = [
                ("magic flipped", sender.flipped(0), "frame.magic"),
                ("version flipped", sender.flipped(4), "frame.version"),
                ("kind flipped", sender.flipped(6), "frame.kind"),
                ("header flipped", sender.flipped(header - 1), "frame.signature"),
                ("signature flipped", sender.flipped(len(sender.update) - 1), "frame.signature"),
                ("cut short", sender.update[:-1], "frame.truncated"),
                ("one byte more", sender.update + b"x", "frame.trailing"),
                ("empty", b"", "frame.truncated"),
                ("unsigned", sender.update[:-64] + bytes(64), "frame.signature"),
                ("another partner's key", sender.altered(seed_of_another), "update.foreign-signature"),
                ("another's key under the own name", Envelope(sender.update).sealed(seed_of_another, public_key(sender.key)), "frame.signature"),
                ("another partner's update", theirs.read_bytes(), "update.foreign-signature"),
                ("in another's name", sender.altered(sender="plant-1"), "update.foreign-signature"),
                ("another's agreement", sender.altered(agreement=agreement_of_another), "update.foreign-agreement"),
                ("no agreement", sender.altered(agreement=""), "update.foreign-agreement"),
                ("another federation", sender.altered(federation="other"), "update.foreign-federation"),
                ("another plan", sender.altered(plan=bytes(32)), "update.wrong-plan"),
                ("another layout", sender.altered(schema=bytes(32)), "update.shape"),
                ("measures that are no numbers", sender.altered(measures=[("train.loss", float("nan"))]), "frame.not-finite"),
            ]
            for number, (name, envelope, code) in enumerate(cases):
                self.refused(f, sender, name, envelope, code, sender.path_of(number))
            status, body = sender.put(sender.flipped(middle), sender.path_of(98))
            f.wait_for(lambda: "frame." in f.ledger()[-1]["summary"] and sender.me()["refusals"] == len(cases) + 1, "payload flipped: refused")
            # These are whole and announced as what they are, so only the round's own checks stand in their way.
            future = re.sub("round=1", "round=2", sender.path)
            self.refused(f, sender, "a round to come", sender.altered(round=2), "update.future", future)
            self.refused(f, sender, "a round to come, announced for this one", sender.altered(round=7), "update.future",
                         sender.path.replace("round=1", "round=3"))
            self.refused(f, sender, "another content than announced", sender.update, "update.other-content", sender.path_of(99))
            self.refused(f, sender, "another model", sender.altered(base_model=bytes(32), measures=[]), "update.stale-base")
            self.refused(f, sender, "more weight than the plan allows", sender.altered(weight=1 << 40, measures=[("a", 1.0)]), "update.weight")
            # Whoever holds the token but another's bytes changes nothing of what is counted, also after a crash.
            f.server.kill()
            f.server.wait()
            f.start_server()
            self.assertEqual(f.status()["delivered"], 1)

            # The honest one counts, once, however often it comes.
            for _ in range(2):
                self.assertEqual(sender.put(sender.update)[0], 202)
            f.wait_for(lambda: f.status()["round"] == 2, "round 1 closes")
            f.wait_for(lambda: f.status()["delivered"] == 1, "the first partner has delivered again")
            contributions = sender.me()["contributions"]
            self.assertEqual(sender.put(sender.update)[0], 202, "a retry is told the same")
            status, body = sender.put(sender.altered(weight=399))
            self.assertEqual((status, body["code"]), (409, "update.same-version"))
            self.refused(f, sender, "an older round's, announced for this one", sender.update, "update.late",
                         sender.path.replace("round=1", "round=2"))
            # Late: an envelope of the round before, whole and signed, under an announcement of its own.
            self.refused(f, sender, "late", sender.altered(measures=[]), "update.late")
            self.assertEqual(sender.me()["contributions"], contributions)

            f.start_partner(2)
            f.wait_partners()
            self.assertEqual(f.status()["model_digest"], self.digest)
            self.assertEqual([e["kind"] for e in f.ledger()].count("update.accepted"), 4)


class AgreementOver(unittest.TestCase):
    """Under an agreement that has run out nothing is sent by the honest, and nothing taken from the others."""

    def told(self, f, term, partners):
        for i in partners:
            self.assertEqual(f.partners[f"plant-{i}"].wait(30), 4, f.log(f"plant-{i}"))
            self.assertIn(term, f.log(f"plant-{i}"))
            self.assertIn("policy.denied", f.log(f"plant-{i}"))

    def test_exhausted(self):
        with Small(rounds=1, plan="[policy]\nmax_rounds = 1", round_keys="deadline_s = 2") as f:
            f.start_server()
            f.start_partner(1)
            sender = Sender(f)
            f.wait_for(lambda: f.status()["round"] == 2, "round 1 is abandoned, and the agreements with it")
            status, body = sender.put(sender.altered(round=2), sender.path.replace("round=1", "round=2"))
            self.assertEqual((status, body["code"]), (403, "policy.denied"))
            self.assertIn("maxRounds: expected at most 1 rounds, found round 2", body["detail"])
            f.start_partner(2)
            self.told(f, "maxRounds", (1, 2))
            self.assertEqual(f.ask("GET", "/healthz")[0], 200)

    @unittest.skipUnless(shutil.which("cc"), "no C compiler: the clock cannot be put forward")
    def test_expired(self):
        with Small(rounds=3) as f:
            (f.folder / "clock.c").write_text(CLOCK)
            subprocess.run(["cc", "-shared", "-fPIC", "-o", f.folder / "clock.so", f.folder / "clock.c", "-ldl"], check=True)
            later = {"LD_PRELOAD": str(f.folder / "clock.so"), "AHEAD_S": str(31 * 86400)}
            f.start_server()
            f.start_partner(1)
            sender = Sender(f)
            f.partners["plant-1"].kill()
            f.partners["plant-1"].wait()
            f.stop_server()
            f.start_server("--token-life-s", 10**8, **later)
            status, body = sender.put(sender.update)
            self.assertEqual((status, body["code"]), (403, "policy.denied"))
            self.assertIn("inForceDate: expected not after", body["detail"])
            f.start_partner(2, **later)
            self.told(f, "inForceDate", [2])
            self.assertFalse([e for e in f.ledger() if e["kind"] == "update.accepted" and e["participant"] == "plant-2"])
            self.assertEqual(f.ask("GET", "/healthz")[0], 200)

    def test_none_yet(self):
        with Small() as f:
            f.start_server()
            token, _ = f.enter("plant-9")
            status, body = f.ask("PUT", "/api/v1/hub/assets/urn:fl:e2e:plant-9:updates/content?round=1&content=" + "0" * 64, b"x", token)
            self.assertEqual((status, json.loads(body)["code"]), (404, "connector.no-asset"))


if __name__ == "__main__":
    unittest.main()
