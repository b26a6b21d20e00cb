#!/usr/bin/env python3
"""One digest for each model and numerics class: every compiler, optimisation, instruction set, number of threads,
WebAssembly in Node and in Chromium, and ARM64 under emulation. TAP on standard output.

   python3 tests/sameness/run.py            all of it
   python3 tests/sameness/run.py g++-O2     some builds only
"""
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

here = pathlib.Path(__file__).parent
root = here.parents[1]
build = root / "build/sameness"
emscripten = pathlib.Path("/usr/share/emscripten/cmake/Modules/Platform/Emscripten.cmake")
failures = 0
os.environ.setdefault("NODE_PATH", "/usr/share/nodejs")  # where Debian's emscripten finds acorn


class Build:
    def __init__(self, name, *options, run=None, needs=(), flags="-O2"):
        self.name, self.options, self.needs, self.flags = name, options, needs, flags
        self.folder = build / name
        self.run = run or (lambda folder: [folder / "sameness"])

    def missing(self):
        return next((need for need in self.needs if not (pathlib.Path(need).exists() or shutil.which(need))), None)

    def make(self):
        subprocess.run(["cmake", "-G", "Ninja", "-S", here, "-B", self.folder, "-DCMAKE_BUILD_TYPE=None", f"-DSAMENESS_FLAGS={self.flags}",
                        *self.options], check=True, capture_output=True, text=True)
        subprocess.run(["cmake", "--build", self.folder, "-j", "1"], check=True, capture_output=True, text=True)

    def outcome(self):
        """What it lacks, what went wrong, the digests: one of the three is not None."""
        if need := self.missing():
            return need, None, None
        try:
            self.make()
            return None, None, self.digests()
        except (RuntimeError, subprocess.SubprocessError) as error:
            return None, error, None

    def digests(self):
        done = subprocess.run(list(map(str, self.run(self.folder))), check=True, capture_output=True, text=True, timeout=1800)
        lines = done.stdout.splitlines()
        if not lines or lines[-1] != "end":
            raise RuntimeError(f"it ended early: {done.stdout[-300:]} {done.stderr[-300:]}")
        return [line.split() for line in lines[:-1]]


def builds():
    for compiler, program in (("g++", "g++"), ("clang++", "clang++-14")):
        for level in ("-O0", "-O2", "-O3"):
            yield Build(compiler + level, f"-DCMAKE_CXX_COMPILER={program}", needs=[program], flags=level)
    wasm = f"-DCMAKE_TOOLCHAIN_FILE={emscripten}"
    yield Build("wasm", wasm, "-DSAMENESS_THREADS=OFF", run=lambda f: ["node", "--no-experimental-fetch", f / "sameness.js"], needs=["em++", "node", emscripten])
    yield Build("wasm-threads", wasm, run=lambda f: ["node", "--no-experimental-fetch", f / "sameness.js"],
                needs=["em++", "node", emscripten], flags="-O2 -pthread")
    yield Build("chromium", wasm, "-DSAMENESS_THREADS=OFF", run=lambda f: ["node", here / "in_chromium.mjs", f],
                needs=["em++", "node", emscripten, os.environ.get("CHROMIUM", "chromium")])
    yield Build("arm64", "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64", "-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++",
                run=lambda f: ["qemu-aarch64", f / "sameness"], needs=["aarch64-linux-gnu-g++", "qemu-aarch64"])


def say(ok, name, *details):
    global failures
    failures += not ok
    print(f"{'ok' if ok else 'not ok'} - {name}", flush=True)
    for detail in details:
        print("# " + str(detail).replace("\n", "\n# "), flush=True)


def main():
    wanted = sys.argv[1:]
    found = {}  # model and class -> digest -> where
    chosen = [one for one in builds() if not wanted or one.name in wanted]
    # A training has its own threads, but mostly waits for one: as many builds at a time as there are cores.
    workers = concurrent.futures.ThreadPoolExecutor(os.cpu_count())
    for one, (need, error, lines) in zip(chosen, workers.map(Build.outcome, chosen)):
        if need:
            say(True, f"sameness {one.name} # SKIP {pathlib.Path(need).name} is not installed")
            continue
        if error:
            say(False, f"sameness {one.name}", error, getattr(error, "stdout", None) or "", getattr(error, "stderr", None) or "")
            continue
        strange = []
        for model, numerics, kernels, threads, digest in lines:
            known = found.setdefault((model, numerics), {})
            known.setdefault(digest, f"{one.name} {kernels} {threads}")
            if len(known) > 1 and digest != next(iter(known)):
                strange.append(f"{model} {numerics}: {kernels} with {threads} threads gives {digest}, {next(iter(known.values()))} gave {next(iter(known))}")
        models = len({line[0] for line in lines})
        say(not strange and models == 5, f"sameness {one.name}: {len(lines)} trainings of {models} models, "
            + ", ".join(dict.fromkeys(line[2] for line in lines)), *strange)
    for (model, numerics), digests in found.items():
        say(len(digests) == 1, f"sameness {model} {numerics}: one digest", *([] if len(digests) == 1 else digests.items()))
    sys.exit(1 if failures else 0)


main()
