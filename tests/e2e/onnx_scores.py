#!/usr/bin/env python3
"""The scores of `entente score` are those that ONNX Runtime gives for the exported model, to 1e-5, on all three stories.

TAP on standard output. Skipped where onnxruntime is missing: script/install-onnx puts it into build/onnx.
"""
import csv
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
installed = ROOT / "build/onnx/bin/python"
try:
    import numpy
    import onnxruntime
except ImportError:
    if installed.exists() and pathlib.Path(sys.executable) != installed:
        os.execv(installed, [str(installed), *sys.argv])
    print("1..0 # SKIP onnxruntime is not installed (script/install-onnx)")
    sys.exit(0)

from stories import STORIES, entente, trained


def score(story, inputs, outputs):
    """docs/alarms.md: what a score is."""
    if story == "late-deliveries":
        return 1 / (1 + numpy.exp(-outputs[:, 0]))
    if story == "engine-health":
        return numpy.clip(125 * outputs[:, 0], 0, 125)
    return numpy.mean(numpy.abs(outputs.reshape(len(outputs), -1) - inputs.reshape(len(inputs), -1)), axis=1)


failures = 0
with tempfile.TemporaryDirectory() as name:
    for story in STORIES:
        folder = pathlib.Path(name) / story
        model, file = trained(story, folder)
        entente("score", model, file, "-o", folder / "scores.csv", "--inputs", folder / "inputs.npz")
        entente("export", model / "model.entente", "-o", folder / "model.onnx")
        session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
        flat = numpy.load(folder / "inputs.npz")["input"]
        wanted = session.get_inputs()[0]
        inputs = flat.reshape([len(flat), *wanted.shape[1:]])
        outputs, = session.run(None, {wanted.name: inputs})
        with open(folder / "scores.csv", newline="") as rows:
            ours = numpy.array([float(r["score"]) for r in csv.DictReader(rows)])
        scale = 125 if story == "engine-health" else 1
        worst = float(numpy.max(numpy.abs(score(story, inputs.astype(float), outputs.astype(float)) - ours))) / scale
        good = len(ours) == len(outputs) and worst <= 1e-5
        failures += not good
        print(f"{'ok' if good else 'not ok'} - {story}: {len(ours)} scores (largest difference {worst:.2e})")
print(f"1..{len(STORIES)}")
sys.exit(1 if failures else 0)
