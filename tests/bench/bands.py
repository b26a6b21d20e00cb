#!/usr/bin/env python3
"""Golden bands: rounds until an accuracy is reached, beside McMahan et al. 2017 (tables 1 and 2), three seeds.

    python3 tests/bench/bands.py                 # 2NN, some minutes
    python3 tests/bench/bands.py cnn-iid cnn-shards   # four minutes, and up to two hours, on two cores
    python3 tests/bench/bands.py --list

MNIST: ENTENTE_MNIST_DIR or third_party/mnist. ENTENTE: the program. Exit 1 when a seed misses its band.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENTENTE = os.environ.get("ENTENTE", str(ROOT / "build/native/native/entente"))
MNIST = os.environ.get("ENTENTE_MNIST_DIR", str(ROOT / "third_party/mnist"))

CNN = """
[task.model]
input = [28, 28, 1]
layers = [
  {kind = "conv2d", name = "conv1", units = 32, kernel = 5, same_padding = true}, {kind = "max_pool2d", pool = 2}, {kind = "relu"},
  {kind = "conv2d", name = "conv2", units = 64, kernel = 5, same_padding = true}, {kind = "max_pool2d", pool = 2}, {kind = "relu"},
  {kind = "flatten"}, {kind = "dense", name = "dense", units = 512}, {kind = "relu"}, {kind = "dense", name = "out", units = 10}]
"""

# name: model, E, B, learning rate, partition, accuracy, rounds allowed, McMahan's rounds
BANDS = {
    "2nn-iid": ("", 1, 10, 0.1, "iid", 0.97, 100, "87"),
    "cnn-iid": (CNN, 5, 10, 0.15, "iid", 0.99, 30, "20"),
    "cnn-shards": (CNN, 5, 10, 0.03, "shards:2", 0.99, 260, "350"),
}


def rounds_to(name, seed):
    model, epochs, batch, rate, partition, accuracy, most, _ = BANDS[name]
    with tempfile.TemporaryDirectory() as folder:
        plan = pathlib.Path(folder) / "plan.toml"
        plan.write_text(f"[training]\nepochs = {epochs}\nbatch = {batch}\nlearning_rate = {rate}\n{model}")
        run = subprocess.Popen([ENTENTE, "simulate", str(plan), "--data", MNIST, "--partners", "100", "--sample", "0.1",
                                "--partition", partition, "--rounds", str(most), "--seed", str(seed), "--json"],
                               stdout=subprocess.PIPE, text=True)
        best = 0.0
        try:
            for line in run.stdout:
                said = json.loads(line)
                if "round" not in said:
                    break
                best = max(best, said["accuracy"])
                if said["accuracy"] >= accuracy:
                    return said["round"], best
        finally:
            run.kill()
            run.wait()
    return None, best


def main():
    names = sys.argv[1:] or ["2nn-iid"]
    if names == ["--list"]:
        print("\n".join(BANDS))
        return 0
    if unknown := [name for name in names if name not in BANDS]:
        sys.exit(f"expected {', '.join(BANDS)}, found {', '.join(unknown)}")
    missed = 0
    print(f"{'band':12} {'to':>5} {'allowed':>8} {'McMahan':>8}  ours, seeds 1 2 3")
    for name in names:
        accuracy, most, theirs = BANDS[name][5:8]
        ours = []
        for seed in (1, 2, 3):
            rounds, best = rounds_to(name, seed)
            missed += rounds is None
            ours.append(str(rounds) if rounds else f"not in {most} (best {best:.4f})")
        print(f"{name:12} {accuracy:5.2f} {most:8} {theirs:>8}  {' '.join(ours)}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
