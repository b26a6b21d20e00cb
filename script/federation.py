"""A federation of real processes in a folder of its own: what the demo, the benches and the end-to-end tests start.

    with Federation(entente, folder) as federation:
        federation.serve("plan.toml")
        federation.join("plant-1", data="shares/partner-1")
        federation.wait_partners()
        print(federation.status()["model_digest"])

In the folder: <name>.log of each process, coordinator/ and <partner>/ with what they keep, operator.token.
Processes are children, listen on loopback unless told otherwise, and end with the block. Standard library only.
"""
import json
import os
import pathlib
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request

from ports import free_ports


class Failed(Exception):
    pass


def run(entente, *arguments):
    """One command to its end; returns what it printed."""
    done = subprocess.run([str(entente), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(done.stderr.strip() or done.stdout)
    return done.stdout


class Federation:
    def __init__(self, entente, folder):
        self.entente = str(entente)
        self.folder = pathlib.Path(folder)
        self.token_file = self.folder / "operator.token"
        self.children = []
        self.server = None    # the coordinator's process, the latest one
        self.partners = {}    # name -> its process, the latest one
        self.codes = {}       # name -> its join code
        self.url = self.token = None
        self.ca = None        # PEM file that clients trust, with TLS

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def run(self, *arguments):
        return run(self.entente, *arguments)

    def spawn(self, name, *arguments, prefix=(), **environment):
        with open(self.folder / f"{name}.log", "a") as log:
            child = subprocess.Popen([*prefix, self.entente, *map(str, arguments)], stdout=log, stderr=subprocess.STDOUT,
                                     stdin=subprocess.DEVNULL, env={**os.environ, **environment})
        self.children.append(child)
        return child

    def log(self, name="coordinator"):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def serve(self, plan=None, *more, listen=None, prefix=(), wait=True, **environment):
        """Starts the coordinator, or starts it again on the same data and port, and waits until it listens."""
        before = len(self.log())
        listen = listen or (self.url.split("://")[1] if self.url else f"127.0.0.1:{free_ports(1)[0]}")
        self.server = self.spawn("coordinator", "serve", *(["--plan", plan] if plan else []), "--data", self.folder / "coordinator",
                                 "--listen", listen, "--json", "--operator-token-file", self.token_file, *more,
                                 prefix=prefix, **environment)
        end = time.monotonic() + 30
        while wait and time.monotonic() < end:
            for line in self.log()[before:].splitlines():
                if line.startswith("{") and line.endswith("}") and json.loads(line).get("event") == "listening":
                    self.url = json.loads(line)["url"]
                    self.token = self.token_file.read_text().strip()
                    return self.url
            if self.server.poll() is not None:
                break
            time.sleep(0.02)
        if wait:
            raise Failed(self.log()[before:] or "the coordinator did not start")

    def stop_server(self):
        """As an operator would: SIGTERM. Returns the exit code."""
        self.server.send_signal(signal.SIGTERM)
        return self.server.wait(20)

    def invite(self, partner, **more):
        status, answer = self.ask("POST", "/api/v1/invitations", json.dumps({"participant": partner, **more}).encode())
        if status != 201:
            raise Failed(answer.decode())
        return json.loads(answer)

    def join(self, partner, data, *more, name=None, prefix=(), url=None, **environment):
        """Starts a partner, or starts it again, with a join code of its own; on one thread, since others share the machine."""
        if partner not in self.codes:
            self.codes[partner] = self.invite(partner, name=name or partner)["code"]
        ca = ["--ca", self.ca] if self.ca else []
        self.partners[partner] = self.spawn(
            partner, "join", "--url", url or self.url, "--data", data, "--state", self.folder / partner, "--accepted-by",
            f"{partner}'s operator", "--json", "--threads", 1, *ca, *more, prefix=prefix,
            **{"ENTENTE_JOIN_CODE": self.codes[partner], **environment})
        return self.partners[partner]

    def ask(self, method, path, body=None, token="", headers=None):
        """(status, bytes); never raises for an HTTP status. The operator asks unless a token, or None, is given."""
        request = urllib.request.Request(self.url + path, method=method, data=body, headers=headers or {})
        token = self.token if token == "" else token
        if token:
            request.add_header("Authorization", "Bearer " + token)
        context = ssl.create_default_context(cafile=self.ca) if self.ca else None
        try:
            with urllib.request.urlopen(request, timeout=20, context=context) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def get(self, path, token=""):
        status, body = self.ask("GET", path, token=token)
        if status != 200:
            raise Failed(f"{path}: {status} {body.decode(errors='replace')}")
        return json.loads(body)

    def status(self):
        return self.get("/api/v1/status")

    def ledger(self):
        return self.get("/api/v1/ledger?limit=1000")["entries"]

    def result(self, partner):
        """The last line of a partner that has ended."""
        return json.loads(self.log(partner).splitlines()[-1])

    def wait_partners(self, seconds=120):
        for name, child in self.partners.items():
            code = child.wait(timeout=seconds)
            if code != 0:
                raise Failed(f"{name} ended with {code}:\n{self.log(name)}\n{self.log()}")

    def wait_for(self, condition, what, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.02)
        raise Failed(f"waited in vain: {what}\n{self.log()}")

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
    """Deals MNIST to `partners` folders below `target`: partner-1, partner-2, ..."""
    run(entente, "data", "split", "--from", source, "--to", target, "--partners", partners, *more)
