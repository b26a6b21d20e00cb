"""Where published work says that one strategy is ahead of another, it is: with two labels a partner SCAFFOLD corrects the
drift that holds FedAvg back (Karimireddy et al. 2020, arXiv 1910.06378). An independent program's figures in the same
setting: FedAvg 0.788, SCAFFOLD 0.890."""
import json
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

from harness import ENTENTE, ROOT

MNIST = pathlib.Path(os.environ.get("ENTENTE_MNIST_DIR", ROOT / "third_party/mnist"))

PLAN = """
[federation]
id = "drift"
[task.model]
input = [28, 28, 1]
layers = [{kind = "flatten"}, {kind = "dense", name = "hidden", units = 64}, {kind = "relu"}, {kind = "dense", name = "out", units = 10}]
[training]
epochs = 20
batch = 20
learning_rate = 0.01
"""


def part_of_the_digits(folder):
    """Of the ten thousand: nine to train, one to hold out."""
    images = (MNIST / "t10k-images-idx3-ubyte").read_bytes()[16:]
    labels = (MNIST / "t10k-labels-idx1-ubyte").read_bytes()[8:]
    for prefix, first, last in (("train", 0, 9000), ("t10k", 9000, 10000)):
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, last - first, 28, 28) + images[784 * first:784 * last])
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, last - first) + labels[first:last])


@unittest.skipUnless(MNIST.is_dir(), "MNIST is not here: script/fetch-mnist")
class Orderings(unittest.TestCase):
    def test_scaffold_is_ahead_where_partners_differ(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            part_of_the_digits(folder)
            (folder / "plan.toml").write_text(PLAN)
            done = subprocess.run([ENTENTE, "simulate", folder / "plan.toml", "--data", folder, "--partners", "10", "--rounds", "12",
                                   "--partition", "shards:2", "--seeds", "2", "--sweep", "strategy=fedavg,scaffold",
                                   "--evaluate-every", "12", "--json", "--quiet"], cwd=folder, capture_output=True, text=True, check=True)
        found = {line["run"]: line["accuracy"] for line in map(json.loads, done.stdout.splitlines()) if "run" in line and "model_digest" in line}
        for seed in (1, 2):
            fedavg, scaffold = (found[f"strategy={strategy}, seed {seed}"] for strategy in ("fedavg", "scaffold"))
            self.assertGreater(scaffold, fedavg + 0.03, f"seed {seed}")
            self.assertGreater(fedavg, 0.7)


if __name__ == "__main__":
    unittest.main()
