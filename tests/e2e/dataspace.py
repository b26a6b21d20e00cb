"""Connectors of the Dataspace Protocol as processes, each with a plain company's decisions (tests/interop/dsp_peer.cpp).

    with Pair(content) as pair:
        pid = pair.consumer.begin("negotiations", peer="plant-a", dataset="model")
        pair.consumer.until(pid, "FINALIZED")
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "script"))
from ports import free_ports  # noqa: E402

PEER = os.environ.get("ENTENTE_DSP_PEER", str(ROOT / "build/native/tests/dsp_peer"))


class Gone(Exception):
    """The process does not answer."""


class Company:
    def __init__(self, name, port, folder, peers, offers=None, more=()):
        self.name, self.port, self.folder = name, port, pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.command = [PEER, "--participant", name, "--data", str(folder), "--port", str(port)]
        for peer, peer_port in peers.items():
            self.command += ["--peer", f"{peer}=http://localhost:{peer_port}/dsp/2025-1"]
        for dataset, path in (offers or {}).items():
            self.command += ["--offer", f"{dataset}={path}"]
        self.command += more
        self.child = None

    def start(self, crash_at=""):
        env = dict(os.environ)
        env.pop("ENTENTE_CRASH_AT", None)
        if crash_at:
            env["ENTENTE_CRASH_AT"] = crash_at
        self.child = subprocess.Popen(self.command, env=env, stdout=subprocess.PIPE, text=True)
        if not self.child.stdout.readline().startswith("listening"):
            raise RuntimeError(f"{self.name} did not start")

    def died(self):
        return self.child.poll() == -signal.SIGKILL

    def stop(self):
        if self.child and self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        if self.child:
            self.child.stdout.close()

    def ask(self, what, **members):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/control/{what}", json.dumps(members).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{what}: {error.code} {error.read().decode()}") from None
        except (OSError, ValueError, EOFError) as error:
            raise Gone(str(error)) from None

    def begin(self, what, **members):
        return self.ask(what, **members)["pid"]

    def processes(self, kind):
        return [p for p in self.ask("state")["processes"] if p["kind"] == kind]

    def received(self):
        return self.ask("state")["received"]

    def resident_kb(self):
        """The largest that it ever was."""
        for line in pathlib.Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
        return 0


class Pair:
    """plant-a offers `content` as the dataset "model"; plant-b is the consumer."""

    def __init__(self, content, *more):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="entente-dsp-"))
        path = content if isinstance(content, pathlib.Path) else self.folder / "model"
        if path is not content:
            path.write_bytes(content)
        a, b = free_ports(2)
        self.provider = Company("plant-a", a, self.folder / "a", {"plant-b": b}, {"model": path}, more)
        self.consumer = Company("plant-b", b, self.folder / "b", {"plant-a": a}, more=more)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.provider.stop()
        self.consumer.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def revive(self):
        """Starts again what was killed; whether something was."""
        dead = [c for c in (self.provider, self.consumer) if c.died()]
        for company in dead:
            company.stop()
            company.start()
        return bool(dead)

    def until(self, condition, seconds=60):
        """Until it holds, with whoever dies meanwhile started again; whether somebody died."""
        deadline, killed = time.monotonic() + seconds, False
        while True:
            killed = self.revive() or killed
            try:
                if condition():
                    return killed
            except Gone:
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"expected another state within {seconds} s, found {self.told()}")
            time.sleep(0.03)

    def told(self):
        try:
            return [self.provider.ask("state"), self.consumer.ask("state")]
        except Gone as gone:
            return gone
