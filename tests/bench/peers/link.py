"""A peer runs in a process of its own, with its own Python, and answers one line of JSON with another."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

folder = pathlib.Path(__file__).parent
root = folder.parents[2]
installed = pathlib.Path(os.environ.get("ENTENTE_PEERS_DIR", root / "build/peers"))
quiet = {"FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1", "RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "1"}


def python():
    return installed / "bin/python"


def install():
    """The packages of requirements.txt and of browser/package.json, several gigabytes, into build/peers."""
    if not python().exists():
        subprocess.run([sys.executable, "-m", "venv", str(installed)], check=True)
    subprocess.run([python(), "-m", "pip", "install", "--quiet", "--requirement", folder.parent / "requirements.txt"], check=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(folder.parent / "browser" / name, installed)
    subprocess.run(["npm", "ci", "--silent", "--ignore-scripts", "--prefix", installed], check=True)


class Peer:
    def __init__(self, script, **environment):
        self.script = script
        self.command = [python(), folder / script]
        self.environment = dict(os.environ, **quiet, **environment)
        self.process = None

    def ask(self, **question):
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.environment)
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.script} ended with {self.process.wait()}")
        return json.loads(line)

    def once(self, **question):
        """In a fresh process: for what is measured in memory."""
        self.close()
        try:
            return self.ask(**question)
        finally:
            self.close()

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(timeout=60)
            self.process = None


class Browser(Peer):
    """Chromium with a tab for each contestant, ours among them: browser/bench.mjs."""

    def __init__(self, mnist, scratch):
        super().__init__("bench.mjs")
        self.graphs = pathlib.Path(scratch) / "graphs"
        self.command = ["node", folder.parent / "browser/bench.mjs", mnist, installed, self.graphs]

    @staticmethod
    def missing():
        if not (installed / "node_modules/onnxruntime-web").exists():
            return "the peers are not installed: script/bench --install-peers"
        return "" if (root / "build/wasm/tests/entente_bench.wasm").exists() else "the wasm build is not there: script/build wasm entente_bench"

    def value(self, **question):
        if not self.graphs.exists():
            subprocess.run([python(), folder.parent / "browser/graphs.py", self.graphs], check=True)
        answer = self.ask(**question)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]


class Lanes(Peer):
    """Ourselves in Chromium, on one thread, on two and with two Workers: browser/lanes.mjs."""

    def __init__(self):
        super().__init__("lanes.mjs")
        self.command = ["node", folder.parent / "browser/lanes.mjs"]

    @staticmethod
    def missing():
        for module, build in (("wasm/wasm/entente", "wasm entente_wasm"), ("wasm-threads/wasm/entente_threads", "wasm-threads entente_wasm")):
            if not (root / f"build/{module}.wasm").exists():
                return f"the module is not there: script/build {build}"
        return ""

    def rate(self, **question):
        answer = self.ask(**question)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]


def serve(answers):
    """The peer's end: `answers` maps the question's "do" to a function of the rest."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to the standard error
    for line in sys.stdin:
        question = json.loads(line)
        out.write(json.dumps(answers[question.pop("do")](**question)) + "\n")
        out.flush()
