#!/usr/bin/env python3
"""Reads what `entente simulate --out run` leaves: the curve, the spread over partners, and the model itself.

    python3 examples/read-run/read_run.py run
"""
import csv
import pathlib
import sys

import numpy as np


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def curves(folder):
    """{(run, seed): [(round, accuracy), ...]} for the rounds that were evaluated."""
    result = {}
    for row in table(folder / "metrics.csv"):
        if row["accuracy"]:
            result.setdefault((row["run"], int(row["seed"])), []).append((int(row["round"]), float(row["accuracy"])))
    return result


def forward(model, pictures):
    """The default plan's 2NN, by hand: the arrays of model.npz under the names of the plan."""
    hidden = np.maximum(pictures @ model["hidden1.weight"] + model["hidden1.bias"], 0)
    hidden = np.maximum(hidden @ model["hidden2.weight"] + model["hidden2.bias"], 0)
    return hidden @ model["output.weight"] + model["output.bias"]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    for (run, seed), points in curves(folder).items():
        best = max(accuracy for _, accuracy in points)
        print(f"{run or 'run'} seed {seed}: accuracy {points[-1][1]:.4f} after round {points[-1][0]}, best {best:.4f}")
    partners = np.array([float(row["accuracy"]) for row in table(folder / "partners.csv")])
    print(f"partners: least {partners.min():.3f}, middle {np.median(partners):.3f}, most {partners.max():.3f}")
    for path in sorted(folder.rglob("model.npz")):
        model = np.load(path)
        print(f"{path}: " + ", ".join(f"{name} {model[name].shape}" for name in model.files))
        if "hidden1.weight" in model.files:
            print("  a blank picture is taken for", int(forward(model, np.zeros((1, 784), np.float32)).argmax()))


if __name__ == "__main__":
    main()
