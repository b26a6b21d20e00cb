#!/usr/bin/env python3
"""Exported models pass the onnx checker and give the same outputs in ONNX Runtime as here, to 1e-5.

TAP on standard output. Skipped where onnx and onnxruntime are missing: script/install-onnx puts them into build/onnx.
ENTENTE_TEST_CODEC names the test program that writes the models.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
WRITER = os.environ.get("ENTENTE_TEST_CODEC", str(ROOT / "build/native/tests/test_codec"))

installed = ROOT / "build/onnx/bin/python"
try:
    import numpy
    import onnx
    import onnxruntime
except ImportError:
    if installed.exists() and pathlib.Path(sys.executable) != installed:
        os.execv(installed, [str(installed), *sys.argv])
    print("1..0 # SKIP onnx and onnxruntime are not installed (script/install-onnx)")
    sys.exit(0)

failures = 0
with tempfile.TemporaryDirectory() as folder:
    done = subprocess.run([WRITER, "-tc=every layer is written as ONNX"], env={**os.environ, "ENTENTE_ONNX_DIR": folder},
                          capture_output=True, text=True, timeout=300)
    models = sorted(pathlib.Path(folder).glob("*.onnx"))
    if done.returncode != 0 or not models:
        sys.exit(f"Bail out! {WRITER} wrote no models: {done.stdout[-300:]}")
    for path in models:
        expected = numpy.load(path.with_suffix(".npz"))
        try:
            onnx.checker.check_model(onnx.load(path), full_check=True)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            found, = session.run(["output"], {"input": expected["input"]})
            worst = float(numpy.max(numpy.abs(found - expected["output"])))
            good = found.shape == expected["output"].shape and worst <= 1e-5
            said = f"largest difference {worst:.2e}"
        except Exception as error:  # what either of the two refuses
            good, said = False, str(error).splitlines()[0]
        failures += not good
        print(f"{'ok' if good else 'not ok'} - {path.stem} ({said})")
    print(f"1..{len(models)}")
sys.exit(1 if failures else 0)
