"""A federation of real processes in a folder of its own: what the demo, the benches and the end-to-end tests start.

    with Federation(entente, folder) as federation:
        federation.serve(plan="plan.toml")
        partner = federation.join("partner-1", data="shares/partner-1")
        status = federation.get("/api/v1/status")

Processes are children, listen on loopback unless told otherwise, and end with the block.
"""
import json
import os
import pathlib
import signal
import ssl
import subprocess
import time
import urllib.request


class Failed(Exception):
    pass


class Federation:
    def __init__(self, entente, folder, prefix=()):
        self.entente = str(entente)
        self.folder = pathlib.Path(folder)
        self.prefix = list(prefix)  # what the server's command begins with, such as "ip netns exec NAME"
        self.children = []
        self.server = None
        self.url = self.token = None
        self.tls = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def run(self, *arguments, prefix=(), **environment):
        """One command to its end; returns what it printed."""
        done = subprocess.run([*prefix, self.entente, *map(str, arguments)], capture_output=True, text=True,
                              env={**os.environ, **environment})
        if done.returncode != 0:
            raise Failed(done.stderr.strip() or done.stdout)
        return done.stdout

    def spawn(self, name, *arguments, prefix=(), **environment):
        with open(self.folder / f"{name}.log", "a") as log:
            child = subprocess.Popen([*prefix, self.entente, *map(str, arguments)], stdout=log, stderr=subprocess.STDOUT,
                                     stdin=subprocess.DEVNULL, env={**os.environ, **environment})
        self.children.append(child)
        return child

    def log(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def serve(self, plan=None, listen="127.0.0.1:0", *more, name="coordinator", **environment):
        """Starts the coordinator, or starts it again on the same data, and waits until it listens."""
        before = len(self.log(name))
        self.server = self.spawn(name, "serve", *(["--plan", plan] if plan else []), "--data", self.folder / name,
                                 "--listen", listen, "--json", "--operator-token-file", self.folder / "operator.token", *more,
                                 prefix=self.prefix, **environment)
        for _ in range(1500):
            for line in self.log(name)[before:].splitlines():
                if '"listening"' in line:
                    self.url = json.loads(line)["url"]
                    self.token = (self.folder / "operator.token").read_text().strip()
                    return self.url
            if self.server.poll() is not None:
                break
            time.sleep(0.02)
        raise Failed(self.log(name)[before:] or "the coordinator did not start")

    def invite(self, partner, name=None):
        tls = ["--ca", self.tls] if self.tls else []
        return json.loads(self.run("invite", "--partner", partner, "--name", name or partner, "--url", self.url, "--json",
                                   *tls, prefix=self.prefix, ENTENTE_TOKEN=self.token))

    def join(self, partner, data, *more, name=None, prefix=(), **environment):
        """Starts a partner, with a code of its own unless it has joined before."""
        state = self.folder / partner
        if not state.exists() and "ENTENTE_JOIN_CODE" not in environment:
            environment["ENTENTE_JOIN_CODE"] = self.invite(partner, name)["code"]
        tls = ["--ca", self.tls] if self.tls else []
        return self.spawn(partner, "join", "--url", self.url, "--data", data, "--state", state, "--accepted-by",
                          f"{partner}'s operator", "--json", *tls, *more, prefix=prefix, **environment)

    def get(self, path, token=None):
        request = urllib.request.Request(self.url + path, headers={"Authorization": "Bearer " + (token or self.token)})
        context = ssl.create_default_context(cafile=self.tls) if self.tls else None
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return json.load(answer)

    def result(self, partner):
        """The last line of a partner that has ended."""
        return json.loads(self.log(partner).splitlines()[-1])

    def stop(self):
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.children = []


def split(entente, source, target, partners, *more):
    """Deals MNIST to `partners` folders below `target`."""
    subprocess.run([str(entente), "data", "split", "--from", str(source), "--to", str(target), "--partners", str(partners),
                    *map(str, more)], check=True, capture_output=True)
