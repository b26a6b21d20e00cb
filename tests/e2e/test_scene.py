"""The document's own scene: two clients on one host, the coordinator on another, ten rounds, and what crossed in between.

scene.py plays it in network namespaces and tells what it saw; here stands what must be true of that.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from pixels import FORMS

SCENE = pathlib.Path(__file__).with_name("scene.py")
ROUNDS = 10


def way_in():
    """The command that begins a network namespace here, as root or as anybody, and the reason if there is none."""
    missing = [tool for tool in ("unshare", "nsenter", "ip", "openssl") if not shutil.which(tool)]
    if missing:
        return None, f"not installed: {', '.join(missing)}"
    for flags in ([], ["-Ur"]):
        # In a process namespace too: whatever happens to this test, all that it started ends with it.
        command = ["unshare", *flags, "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        trial = subprocess.run([*command, "ip", "link", "add", "ent0", "type", "veth"], capture_output=True, text=True)
        if trial.returncode == 0:
            return command, ""
    return None, f"network namespaces are not permitted here: {trial.stderr.strip()}"


COMMAND, REASON = (None, os.environ["ENTENTE_NO_NAMESPACES"]) if "ENTENTE_NO_NAMESPACES" in os.environ else way_in()


@unittest.skipIf(COMMAND is None, REASON)
class Scene(unittest.TestCase):
    @classmethod
    def play(cls, how):
        with tempfile.TemporaryDirectory(prefix="entente-scene-") as folder:
            done = subprocess.run([*COMMAND, sys.executable, SCENE, how, str(ROUNDS)], capture_output=True, text=True, timeout=300,
                                  env={**os.environ, "TMPDIR": folder})
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)

    @classmethod
    def setUpClass(cls):
        cls.tls, cls.clear = cls.play("tls"), cls.play("clear")

    def test_ten_rounds_are_learned_and_the_model_comes_back(self):
        for facts in (self.tls, self.clear):
            self.assertEqual(facts["completed"], ROUNDS)
            self.assertEqual(facts["partner_digests"], [facts["digest"]] * 2, "both clients hold the global model")
            self.assertGreater(min(facts["accuracy"]), 0.9)
        self.assertEqual(self.tls["digest"], self.clear["digest"], "TLS does not change what is learned")

    def test_clients_only_call_out(self):
        for facts in (self.tls, self.clear):
            self.assertEqual(facts["openings"], ["10.77.0.2 -> 10.77.0.1:8443"], "every connection is opened by the clients")
            self.assertEqual(facts["listening"], [], "nothing on the clients' host waits for anybody")

    def test_nothing_but_the_updates_goes_up(self):
        """What the clients sent is their encoded updates and at most 5 % more.

        `updates` are the envelopes' sizes from the ledger. From the capture (every frame, none lost, as large as on a wire):
        headers_up are the Ethernet, IP and TCP headers and the empty acknowledgements; the TCP payload, with retransmitted
        bytes once, consists of TLS records, whose headers, tags and type bytes (22 a record in TLS 1.3) and handshakes are
        counted one by one; what is left is what the programs said: updates and HTTP, joining, contracts and polls included.
        """
        for facts in (self.tls, self.clear):
            self.assertEqual(facts["lost_frames"], 0)
            self.assertLessEqual(facts["longest_frame"], 1514)
            self.assertEqual(facts["sent_by_partners"], facts["updates"], "each update crossed once")
            self.assertGreaterEqual(facts["application_up"], facts["updates"])
            self.assertLessEqual(facts["application_up"], 1.05 * facts["updates"])
            self.assertGreater(facts["pictures"], 4 * (facts["application_up"] - facts["updates"]), "no room for the pictures")
        tls = self.tls
        self.assertEqual(tls["payload_up"], tls["application_up"] + tls["handshake_up"] + 22 * (tls["records_up"] - tls["others_up"]))
        self.assertEqual(tls["wire_up"], tls["payload_up"] + tls["retransmitted_up"] + tls["headers_up"])

    def test_no_picture_crosses_in_any_form(self):
        self.assertEqual(self.clear["updates_seen"], 2 * ROUNDS, "the search reads the very updates")
        self.assertGreater(self.clear["strips"], 1000)
        self.assertEqual(self.clear["found"], [])

    def test_the_search_would_have_found_one(self):
        self.assertEqual(self.clear["found_when_planted"], sorted([*FORMS, "strokes"] if self.clear["data"] == "MNIST" else FORMS))


if __name__ == "__main__":
    unittest.main()
