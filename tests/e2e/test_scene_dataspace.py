"""Three companies, three hosts, three connectors, TLS between them: ten rounds by the Dataspace Protocol."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from test_scene import COMMAND, REASON

SCENE = pathlib.Path(__file__).with_name("scene_dataspace.py")
ROUNDS = 10


@unittest.skipIf(COMMAND is None, REASON)
class DataSpace(unittest.TestCase):
    def test_ten_rounds_over_tls(self):
        with tempfile.TemporaryDirectory(prefix="entente-scene-") as folder:
            done = subprocess.run([*COMMAND, sys.executable, SCENE, str(ROUNDS)], capture_output=True, text=True, timeout=300,
                                  env={**os.environ, "TMPDIR": folder})
        self.assertEqual(done.returncode, 0, done.stderr)
        facts = json.loads(done.stdout)
        self.assertEqual(facts["completed"], ROUNDS)
        for partner in facts["partners"]:
            self.assertEqual(partner["model_digest"], facts["digest"])
            self.assertGreater(partner["accuracy_federated"], 0.9)
        self.assertEqual([p["address"] for p in facts["peers"]], [f"https://10.77.{n}.2:8444/dsp/2025-1" for n in (1, 2)])
        self.assertEqual(sorted(map(tuple, facts["negotiations"])),
                         sorted((f"plant-{n}", role, "FINALIZED") for n in (1, 2) for role in ("consumer", "provider")), "once each way")
        pulled = [state for role, state in facts["transfers"] if role == "consumer"]
        self.assertEqual(pulled, ["COMPLETED"] * 2 * ROUNDS, "one transfer for each update")


if __name__ == "__main__":
    unittest.main()
