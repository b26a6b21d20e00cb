#!/usr/bin/env python3
"""One plan and one seed give one model: natively, as WebAssembly, in any order of arrival, with any number of threads.

TAP on standard output. Data: ENTENTE_MNIST_DIR, or digits that this test writes itself.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from harness import ENTENTE, ROOT, write_idx

native = [ENTENTE]
wasm = [str(ROOT / "script/entente-wasm")]
failures = 0


def simulate(program, data, *more, kernels=None):
    environment = dict(os.environ, **({"ENTENTE_KERNELS": kernels} if kernels else {}))
    done = subprocess.run([*program, "simulate", "--data", str(data), "--rounds", "2", "--partners", "3", "--examples", "1200",
                           "--json", "--quiet", *more], capture_output=True, text=True, env=environment, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or done.stdout)
    return json.loads(done.stdout.splitlines()[-1])["model_digest"]


def check(name, run, expected):
    global failures
    try:
        found = run()
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        found = f"an error: {error}"
    failures += found != expected
    print(f"{'ok' if found == expected else 'not ok'} - {name}")
    if found != expected:
        print(f"# expected {expected}, found {found}")
    sys.stdout.flush()


def sampled(data, killed):
    """Four rounds that each ask half of six partners; `killed`: kill -9 after the second, then on from the last checkpoint."""
    words = [*native, "simulate", "--data", str(data), "--rounds", "4", "--partners", "6", "--sample", "0.5", "--examples", "1200",
             "--json", "--checkpoint-every", "0"]
    with tempfile.TemporaryDirectory() as folder:
        if killed:
            with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
                for line in process.stdout:
                    if json.loads(line).get("round") == 2:
                        process.kill()
                        break
            if process.returncode != -signal.SIGKILL:
                raise RuntimeError("it ended before it was killed")
            words.append("--resume")
        done = subprocess.run(words, capture_output=True, text=True, cwd=folder, timeout=300)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode != 0 or (killed and lines[0].get("round") == 1):
            raise RuntimeError(done.stderr.strip() or "it began anew")
        return lines[-1]["model_digest"]


with tempfile.TemporaryDirectory() as scratch:
    data = os.environ.get("ENTENTE_MNIST_DIR")
    if not data:
        data = pathlib.Path(scratch)
        write_idx(data, "train", 1200, seed=1)
        write_idx(data, "t10k", 300, seed=2)
    reference = simulate(native, data)
    check("native again", lambda: simulate(native, data), reference)
    check("native, two threads", lambda: simulate(native, data, "--threads", "2"), reference)
    for seed in ("1", "2"):
        check(f"native, arrivals shuffled by {seed}", lambda: simulate(native, data, "--shuffle-arrivals", seed), reference)
    for kernels in ("scalar", "sse42", "avx2"):
        check(f"native, kernels {kernels}", lambda: simulate(native, data, kernels=kernels), reference)
    check("another seed gives another model",
          lambda: "differs" if simulate(native, data, "--seed", "2") != reference else "the same", "differs")
    sparse = pathlib.Path(scratch) / "sparse.toml"
    sparse.write_text("[aggregation]\ntop = 0.01\nbits = 8\n")
    other = simulate(native, data, str(sparse))
    check("sparse updates give another model", lambda: "differs" if other != reference else "the same", "differs")
    check("sparse updates, two threads, kernels scalar, arrivals shuffled",
          lambda: simulate(native, data, str(sparse), "--threads", "2", "--shuffle-arrivals", "1", kernels="scalar"), other)
    check("killed and resumed", lambda: sampled(data, killed=True), sampled(data, killed=False))
    if pathlib.Path(wasm[0]).exists():
        check("WebAssembly", lambda: simulate(wasm, data), reference)
        check("WebAssembly, arrivals shuffled", lambda: simulate(wasm, data, "--shuffle-arrivals", "3"), reference)
        check("WebAssembly, sparse updates", lambda: simulate(wasm, data, str(sparse)), other)
    else:
        print("ok - WebAssembly # SKIP script/entente-wasm is not built")

sys.exit(1 if failures else 0)
