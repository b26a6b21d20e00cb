"""Every line of the table: what is measured on our side, what on the other, and why it cannot be measured here."""
import gzip
import json
import os
import pathlib
import subprocess
import sys

import simulation
from measure import Row
from peers import link

root = pathlib.Path(__file__).parents[2]
core_bench = root / "build/native/tests/core_bench"
entente = root / "build/native/native/entente"
no_peers = "" if link.python().exists() else "the peers are not installed: script/bench --install-peers"
one_core = "" if os.cpu_count() > 1 else "it needs two cores"


def core(*words):
    done = subprocess.run([core_bench, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


class Bench:
    """Holds the peers' processes and the data; rows() is the table."""

    def __init__(self, mnist, scratch, targets):
        self.mnist = str(mnist)
        self.scratch = pathlib.Path(scratch)
        self.targets = targets
        self.torch = link.Peer("torch_peer.py")
        self.numpy = link.Peer("numpy_peer.py", OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
        self.raw = self.scratch / "mnist"
        self.raw.mkdir()
        for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
            source = pathlib.Path(mnist) / name
            data = source.read_bytes() if source.exists() else gzip.decompress(source.with_name(name + ".gz").read_bytes())
            (self.raw / name).write_bytes(data)
        self.browser = link.Browser(self.raw, self.scratch)
        self.lanes = link.Lanes()

    def close(self):
        self.browser.close()
        self.lanes.close()
        self.torch.close()
        self.numpy.close()

    def rows(self):
        for section in (self.training, self.portable, self.threads, self.tabs, self.gemm, self.fold, self.median, self.codec, self.rounds, self.simulation):
            yield from section()

    def targets_of(self, section):
        for name, at_least in self.targets.get(section, {}).items():
            yield name, at_least

    def train(self, model, numerics, batch, threads=1, seconds=0.6):
        return core("train", model, numerics, batch, threads, seconds, self.raw)["value"]

    def training(self):
        for name, at_least in self.targets_of("train.fused"):
            model, batch = name.split(".b")
            yield Row(f"train.fused.{name}", f"training step, {model}, B={batch}, fused", "examples/s", "PyTorch eager",
                      lambda m=model, b=batch: self.train(m, "fused", b),
                      lambda m=model, b=batch: self.torch.ask(do="train", model=m, batch=int(b), threads=1, seconds=0.6, mnist=self.mnist)["value"],
                      at_least, skip=no_peers)

    def portable(self):
        for name, at_least in self.targets_of("train.portable"):
            model, batch = name.split(".b")
            yield Row(f"train.portable.{name}", f"training step, {model}, B={batch}, portable", "examples/s", "our class fused",
                      lambda m=model, b=batch: self.train(m, "portable", b), lambda m=model, b=batch: self.train(m, "fused", b), at_least)

    def threads(self):
        targets = dict(self.targets_of("train.threads"))

        def beside_a_neighbour(threads):
            busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            try:
                os.sched_setaffinity(busy.pid, {sorted(os.sched_getaffinity(0))[0]})
                return self.train("cnn", "fused", 32, threads, 1.5)
            finally:
                busy.kill()
                busy.wait()

        yield Row("train.threads.free", "two threads, cnn, B=32, both cores free", "examples/s", "one thread",
                  lambda: self.train("cnn", "fused", 32, 2, 1.5), lambda: self.train("cnn", "fused", 32, 1, 1.5),
                  targets["free"], skip=one_core)
        yield Row("train.threads.busy", "two threads, cnn, B=32, a neighbour on one core", "examples/s", "one thread beside it",
                  lambda: beside_a_neighbour(2), lambda: beside_a_neighbour(1), targets["busy"], skip=one_core)

    def tabs(self):
        peers = {"ort": "ONNX Runtime Web, graphs by hand", "tfjs": "TensorFlow.js wasm as it ships", "small": "TensorFlow.js wasm, bundled small"}
        pages = {"ort": "ort", "tfjs": "tfjs", "small": "tfjs_small"}
        skip = self.browser.missing()
        for who in ("ort", "tfjs"):
            for name, at_least in self.targets_of(f"tab.{who}"):
                model, batch = name.split(".b")

                def rate(contestant, m=model, b=int(batch)):
                    return self.browser.value(what="rate", who=contestant, model=m, batch=b, seconds=0.6)

                yield Row(f"tab.{who}.{name}", f"training step in Chromium, {model}, B={batch}, one thread", "examples/s", peers[who],
                          lambda r=rate: r("ours"), lambda r=rate, w=who: r(w), at_least, skip=skip)
        lanes_skip = one_core or self.lanes.missing()
        for kind, at_least in self.targets_of("tab.lanes"):

            def on(lanes):
                return self.lanes.rate(kind=lanes, model="cnn", batch=32, steps=8)

            yield Row(f"tab.lanes.{kind}", f"training step in Chromium, cnn, B=32, two {kind}", "examples/s", "our one thread",
                      lambda k=kind: on(k), lambda: on("one"), at_least, skip=lanes_skip)
        for what, work, unit, passes in (("first", "a fresh Chromium, navigation to the end of the first step, 2nn, B=10", "ms", 5),
                                         ("bytes", "fetched before the first step, brotli; ours: the whole join page", "bytes", 1)):
            for who, at_least in self.targets_of(f"tab.{what}"):
                yield Row(f"tab.{what}.{who}", work, unit, peers[who], lambda w=what: self.browser.value(what=w, who="ours"),
                          lambda w=what, p=pages[who]: self.browser.value(what=w, who=p), at_least, more_is_better=False, passes=passes,
                          skip=skip)

    def gemm(self):
        for name, at_least in self.targets_of("gemm.fused"):
            m, n, k = map(int, name.split("x"))
            yield Row(f"gemm.fused.{name}", f"product {name}, fused, prepacked", "GFLOP/s", "OpenBLAS",
                      lambda m=m, n=n, k=k: core("gemm", m, n, k, "fused", 0.4)["value"],
                      lambda m=m, n=n, k=k: self.numpy.ask(do="gemm", m=m, n=n, k=k, seconds=0.4)["value"], at_least, skip=no_peers)
        for name, at_least in self.targets_of("gemm.portable"):
            m, n, k = map(int, name.split("x"))
            yield Row(f"gemm.portable.{name}", f"product {name}, portable, prepacked", "GFLOP/s", "multiply-then-add in registers",
                      lambda m=m, n=n, k=k: core("gemm", m, n, k, "portable", 0.4)["value"],
                      lambda: core("peak", "portable", 0.3)["value"], at_least)

    def fold(self):
        for name, at_least in self.targets_of("fold"):
            updates, kind, *bits = name.split(".")
            if kind == "memory":
                yield Row(f"fold.{name}", f"memory of folding {updates} CNN updates, checked, 8 bits", "MB", "Flower's aggregate",
                          lambda n=updates: core("fold", n, "checked", 8, 2)["memory_mb"],
                          lambda n=updates: self.numpy.once(do="aggregate", updates=int(n))["memory_mb"], at_least,
                          more_is_better=False, passes=1, skip=no_peers)
                continue
            yield Row(f"fold.{name}", f"fold of {updates} CNN updates, {kind}, {bits[0]} bits, both cores", "s", "Flower's aggregate",
                      lambda n=updates, k=kind, b=bits[0]: core("fold", n, k, b, 2)["value"],
                      lambda n=updates: self.numpy.once(do="aggregate", updates=int(n))["value"], at_least,
                      more_is_better=False, passes=3, skip=no_peers)

    def median(self):
        for name, unit, key in (("time", "s", "value"), ("memory", "MB", "memory_mb")):
            yield Row(f"median.100.{name}", f"coordinate median of 100 CNN updates, 8 bits, {name}", unit, "numpy on the stack",
                      lambda k=key: core("median", 100, 8, 2)[k], lambda k=key: self.numpy.once(do="median", updates=100)[k],
                      self.targets["median"][f"100.{name}"], more_is_better=False, passes=2, skip=no_peers)

    def codec(self):
        yield Row("codec.update", "CNN update, 16 bits, to the envelope and back", "ms", "zstd alone",
                  lambda: core("codec", "ours", 16, 0.4)["value"], lambda: core("codec", "zstd", 16, 0.4)["value"],
                  self.targets["codec"]["update"], more_is_better=False)

    def rounds(self):
        def ours():
            done = subprocess.run([sys.executable, root / "script/demo.py", "--entente", entente, "--data", self.mnist, "--native-only",
                                   "--json", "--port", "0"], capture_output=True, text=True, check=True)
            return json.loads(done.stdout.splitlines()[-1])["round_overhead_ms_median"] / 1000

        from peers import flower_round
        yield Row("round.empty", "a round of two real partners beyond its training, 2NN", "s", "Flower deployed", ours,
                  lambda: flower_round.measure(link.installed, self.scratch)["value"], self.targets["round"]["empty"],
                  more_is_better=False, passes=1, skip=no_peers)

    def simulation(self):
        results = {}

        def ours(partners, rounds):
            if (partners, "ours") not in results:
                results[partners, "ours"] = simulation.speed(entente, self.scratch, self.mnist, partners, rounds)
            return results[partners, "ours"]

        def theirs(partners, rounds):
            if partners not in results:
                flower = link.Peer("flower_peer.py")
                results[partners] = flower.once(do="simulate", partners=partners, sample=0.1, rounds=rounds, mnist=self.mnist)
            return results[partners]

        peer = "Flower simulation"
        targets = self.targets["simulate"]
        for partners, rounds in ((100, 8), (1000, 3)):
            yield Row(f"simulate.{partners}", f"{partners} partners, C=0.1, 2NN E=1 B=10, fused", "partners trained/s", peer,
                      lambda p=partners: ours(p, 20)["value"], lambda p=partners, r=rounds: theirs(p, r)["value"],
                      targets[str(partners)], passes=1, skip=no_peers)
        yield Row("simulate.100.first", "start to the end of the first round", "s", peer, lambda: ours(100, 20)["first_round_s"],
                  lambda: theirs(100, 8)["first_round_s"], targets["100.first"], more_is_better=False, passes=1, skip=no_peers)
        yield Row("simulate.100.memory", "peak memory", "MB", peer, lambda: ours(100, 20)["memory_mb"],
                  lambda: theirs(100, 8)["memory_mb"], targets["100.memory"], more_is_better=False, passes=1, skip=no_peers)
        yield Row("simulate.to97", "100 partners IID, C=0.1, E=1, B=10, lr 0.2, fused, to 97 %, all cores", "s", "plain PyTorch loop",
                  lambda: simulation.seconds_to(entente, self.scratch, self.mnist, 0.97, rate=0.2),
                  lambda: self.torch.ask(do="to_accuracy", mnist=self.mnist, target=0.97, partners=100, sample=10, batch=10, rate=0.2,
                                         seed=0, threads=os.cpu_count())["value"],
                  targets["to97"], more_is_better=False, passes=1, skip=no_peers)

